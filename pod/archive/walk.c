/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a tree. See walk.h. */
#include "archive/walk.h"

#include "archive/lookup.h"
#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define OPAQUE_XATTR    "trusted.overlay.opaque"
#define WHITEOUT_PREFIX ".wh."
#define OPAQUE_NAME     ".wh..wh..opq"

/* Longest list of attribute names that the kernel gives. */
#define XATTR_LIST_MAX_SIZE 65536

#ifndef MQUEUE_MAGIC
#	define MQUEUE_MAGIC 0x19800202
#endif
#ifndef CONFIGFS_MAGIC
#	define CONFIGFS_MAGIC 0x62656570
#endif
#ifndef FUSECTL_MAGIC
#	define FUSECTL_MAGIC 0x65735543
#endif

typedef struct Walk {
	const ArchiveSource *source;
	EntryTake take;
	void *taker;
	ArchiveReport *report;
	GHashTable *links; /* of files with several names: where the first one was */
	char path[LIMIT_PATH + 1];
	uint64_t bytes;
	unsigned char *block;
} Walk;

/* A file's content: its data, piece by piece. */
typedef struct Content {
	Walk *walk;
	int fd;
	uint64_t offset, size;
	GArray *regions; /* NULL: all of it is data */
	guint region;
	uint64_t region_end;
} Content;

/* What the kernel shows is no content: copying it would never end, or read secrets. */
static bool is_kernel_fs(int fd) {
	static const uint32_t magics[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, MQUEUE_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
		SECURITYFS_MAGIC, BPF_FS_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC, CONFIGFS_MAGIC,
		FUSECTL_MAGIC, BINFMTFS_MAGIC, NSFS_MAGIC};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	array_foreach (magic, magics)
		if ((uint32_t)fs.f_type == *magic)
			return true;
	return false;
}

static bool fail_entry(const Walk *walk, int errnum, const char *action, GError **err) {
	return fail_errno(err, errnum, "cannot %s \"%s\"", action, walk->path);
}

static int next_block(
	void *data, const void **ret_data, size_t *ret_size, uint64_t *ret_offset, GError **err) {
	Content *content = data;

	while (content->offset >= content->region_end) {
		if (!content->regions || content->region >= content->regions->len)
			return 0;
		const EntryRegion *region =
			&g_array_index(content->regions, EntryRegion, content->region++);
		content->offset = region->offset;
		content->region_end = region->offset + region->size;
	}
	size_t wanted = (size_t)MIN((uint64_t)COPY_BLOCK, content->region_end - content->offset);
	ssize_t n;
	do
		n = pread(content->fd, content->walk->block, wanted, (off_t)content->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		fail_entry(content->walk, errno, "read", err);
		return -1;
	}
	if (n == 0) /* it has become shorter: the rest is a hole */
		return 0;
	content->walk->bytes += (uint64_t)n;
	if (content->walk->bytes > LIMIT_BYTES) {
		fail(err, ERROR_INVALID, "more than %llu bytes to copy",
			(unsigned long long)LIMIT_BYTES);
		return -1;
	}
	*ret_data = content->walk->block;
	*ret_size = (size_t)n;
	*ret_offset = content->offset;
	content->offset += (uint64_t)n;
	return 1;
}

/* Where the data of a file with holes is; NULL when there are none or nobody can tell. With too
 * many pieces the last one reaches to the end. */
static GArray *find_regions(int fd, uint64_t size) {
	GArray *regions = g_array_new(FALSE, FALSE, sizeof(EntryRegion));
	off_t at = 0;

	while ((uint64_t)at < size) {
		off_t start = lseek(fd, at, SEEK_DATA);
		if (start < 0 && errno == ENXIO)
			break;
		off_t end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);
		if (end <= start) {
			g_array_free(regions, TRUE);
			return NULL;
		}
		if ((uint64_t)start >= size)
			break;
		if ((uint64_t)end > size || regions->len >= LIMIT_REGIONS)
			end = (off_t)size;
		EntryRegion region = {(uint64_t)start, (uint64_t)(end - start)};
		g_array_append_val(regions, region);
		at = end;
	}
	return regions;
}

static void add_xattr(int fd, const char *name, GPtrArray *list) {
	ssize_t size = fgetxattr(fd, name, NULL, 0);

	if (size < 0 || size > LIMIT_XATTR_SIZE || list->len >= LIMIT_XATTRS)
		return;
	EntryXattr *xattr = g_new0(EntryXattr, 1);
	xattr->value = g_malloc((size_t)size + 1);
	size = fgetxattr(fd, name, xattr->value, (size_t)size);
	if (size < 0) {
		entry_xattr_free(xattr);
		return;
	}
	xattr->name = g_strdup(name);
	xattr->size = (size_t)size;
	g_ptr_array_add(list, xattr);
}

static GPtrArray *read_xattrs(int fd) {
	ssize_t size = flistxattr(fd, NULL, 0);

	if (size <= 0 || size > XATTR_LIST_MAX_SIZE)
		return NULL;
	g_autofree char *names = g_malloc((size_t)size + 1);
	size = flistxattr(fd, names, (size_t)size);
	if (size <= 0)
		return NULL;
	names[size] = '\0';
	GPtrArray *list = g_ptr_array_new_with_free_func(entry_xattr_free);
	for (const char *name = names; name < names + size; name += strlen(name) + 1)
		if (entry_xattr_is_allowed(name))
			add_xattr(fd, name, list);
	return list;
}

static uint32_t inside(const IdMap *map, uint32_t id) {
	uint32_t mapped;

	if (!map || !map->n)
		return id;
	return id_map_to_inside(map, id, &mapped) ? mapped : 65534;
}

static Entry make_entry(const Walk *walk, const struct stat *st) {
	return (Entry){
		.path = walk->path,
		.mode = st->st_mode,
		.uid = inside(walk->source->uids, st->st_uid),
		.gid = inside(walk->source->gids, st->st_gid),
		.mtime = st->st_mtim,
		.device = st->st_rdev,
	};
}

static bool give(Walk *walk, const Entry *entry, GError **err) {
	if (++walk->report->n_entries > LIMIT_ENTRIES)
		return fail(err, ERROR_INVALID, "more than %llu files and directories to copy",
			(unsigned long long)LIMIT_ENTRIES);
	return walk->take(walk->taker, entry, err);
}

/* The path where the same file was met before, or NULL: then this one is it from now on. */
static const char *find_link(Walk *walk, const struct stat *st) {
	if (st->st_nlink < 2)
		return NULL;
	g_autofree char *key = g_strdup_printf(
		"%llx:%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	const char *first = g_hash_table_lookup(walk->links, key);
	if (!first)
		g_hash_table_insert(walk->links, g_steal_pointer(&key), g_strdup(walk->path));
	return first;
}

static bool walk_file(Walk *walk, int path_fd, GError **err) {
	_cleanup_close_ int fd = lookup_again(path_fd, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_entry(walk, errno, "open", err);
	Entry entry = make_entry(walk, &st);
	entry.hard_link = find_link(walk, &st);
	if (entry.hard_link)
		return give(walk, &entry, err);
	entry.size = (uint64_t)st.st_size;
	if (entry.size > LIMIT_FILE_BYTES)
		return fail(err, ERROR_INVALID, "\"%s\" is larger than %llu bytes", walk->path,
			(unsigned long long)LIMIT_FILE_BYTES);
	bool is_sparse = (uint64_t)st.st_blocks * 512 < entry.size;
	g_autoptr(GArray) regions = is_sparse ? find_regions(fd, entry.size) : NULL;
	Content content = {.walk = walk,
		.fd = fd,
		.size = entry.size,
		.regions = regions,
		.region_end = regions ? 0 : entry.size};
	if (regions) {
		entry.regions = &g_array_index(regions, EntryRegion, 0);
		entry.n_regions = regions->len;
	}
	g_autoptr(GPtrArray) xattrs = read_xattrs(fd);
	entry.xattrs = xattrs;
	entry.content = &content;
	entry.next = next_block;
	return give(walk, &entry, err);
}

static bool walk_link(Walk *walk, int path_fd, const struct stat *st, GError **err) {
	char target[PATH_MAX];
	ssize_t n = readlinkat(path_fd, "", target, sizeof(target) - 1);
	Entry entry = make_entry(walk, st);

	if (n < 0)
		return fail_entry(walk, errno, "read", err);
	target[n] = '\0';
	entry.link_target = target;
	return give(walk, &entry, err);
}

static bool give_marker(Walk *walk, const char *name, const char *hidden, GError **err) {
	char path[LIMIT_PATH + 1];
	size_t length = hidden ? strlen(walk->path) - strlen(hidden) : strlen(walk->path);
	int n = g_snprintf(path, sizeof(path), "%.*s%s%s%s", (int)length, walk->path,
		!hidden && length ? "/" : "", name, hidden ? hidden : "");

	if (n > LIMIT_PATH)
		return fail(err, ERROR_INVALID, "the path \"%.256s\" is too long", walk->path);
	Entry entry = {.path = path, .mode = S_IFREG | 0644};
	return give(walk, &entry, err);
}

static bool is_opaque(int fd) {
	char value[2];

	return fgetxattr(fd, OPAQUE_XATTR, value, sizeof(value)) == 1 && value[0] == 'y';
}

/* What a directory of an upper layer hides is told before what is in it. */
static bool visit_directory(
	Walk *walk, int path_fd, const struct stat *st, bool is_top, int *ret_fd, GError **err) {
	_cleanup_close_ int fd = lookup_again(path_fd, O_RDONLY | O_DIRECTORY);
	Entry entry = make_entry(walk, st);

	if (fd < 0)
		return fail_entry(walk, errno, "open", err);
	if (*walk->path || walk->source->with_top) {
		if (!*walk->path)
			entry.path = ".";
		g_autoptr(GPtrArray) xattrs = read_xattrs(fd);
		entry.xattrs = xattrs;
		if (!give(walk, &entry, err))
			return false;
	}
	if (!is_top && is_kernel_fs(fd))
		return true;
	if (walk->source->is_upper && is_opaque(fd) && !give_marker(walk, OPAQUE_NAME, NULL, err))
		return false;
	*ret_fd = steal_fd(&fd);
	return true;
}

static bool skip(Walk *walk) {
	walk->report->n_skipped++;
	return true;
}

/* One thing that walk->path is the name of. *ret_fd: a directory that is to be gone through. */
static bool visit(Walk *walk, int path_fd, const char *name, int *ret_fd, GError **err) {
	struct stat st;

	if (fstat(path_fd, &st) < 0)
		return fail_entry(walk, errno, "look at", err);
	bool upper = walk->source->is_upper && name;
	/* to whoever reads the layer it would say that something else is gone */
	if (upper && g_str_has_prefix(name, WHITEOUT_PREFIX))
		return skip(walk);
	if (upper && S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0))
		return give_marker(walk, WHITEOUT_PREFIX, name, err);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return walk_file(walk, path_fd, err);
	case S_IFDIR:
		return visit_directory(walk, path_fd, &st, !name, ret_fd, err);
	case S_IFLNK:
		return walk_link(walk, path_fd, &st, err);
	case S_IFSOCK:
		return skip(walk);
	default: {
		Entry entry = make_entry(walk, &st);
		return give(walk, &entry, err);
	}
	}
}

static bool is_left_empty(const Walk *walk, unsigned depth) {
	static const char *const names[] = {"dev", "proc", "sys"};

	if (!walk->source->is_root || depth != 1)
		return false;
	const char *name = strrchr(walk->path, '/');
	array_foreach (row, names)
		if (strcmp(name ? name + 1 : walk->path, *row) == 0)
			return true;
	return false;
}

static bool add_name(Walk *walk, size_t length, const char *name, GError **err) {
	if (length + strlen(name) + 1 > LIMIT_PATH)
		return fail(err, ERROR_INVALID, "the path \"%.256s/%.256s\" is too long",
			walk->path, name);
	g_snprintf(
		walk->path + length, sizeof(walk->path) - length, "%s%s", length ? "/" : "", name);
	return true;
}

/* depth: of the directory, 0 for the top. */
static bool walk_names(Walk *walk, int dir_fd, unsigned depth, GError **err) {
	g_auto(GStrv) names = fd_list_dir(dir_fd, ".", err);
	size_t length = strlen(walk->path);

	if (!names)
		return false;
	if (depth >= LIMIT_DEPTH)
		return fail(
			err, ERROR_INVALID, "directories are nested deeper than %d", LIMIT_DEPTH);
	for (char **name = names; *name; name++) {
		_cleanup_close_ int child_fd = -1;
		_cleanup_close_ int path_fd =
			openat(dir_fd, *name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (path_fd < 0 && errno == ENOENT)
			continue;
		if (!add_name(walk, length, *name, err))
			return false;
		if (path_fd < 0)
			return fail_entry(walk, errno, "open", err);
		if (!visit(walk, path_fd, *name, &child_fd, err))
			return false;
		close_fd_ptr(&path_fd);
		if (child_fd >= 0 && !is_left_empty(walk, depth + 1) &&
			!walk_names(walk, child_fd, depth + 1, err))
			return false;
		walk->path[length] = '\0';
	}
	return true;
}

static bool walk_top(Walk *walk, GError **err) {
	_cleanup_close_ int dir_fd = -1;
	const ArchiveSource *source = walk->source;

	if (source->name)
		g_strlcpy(walk->path, source->name, sizeof(walk->path));
	return visit(walk, source->fd, NULL, &dir_fd, err) &&
	       (dir_fd < 0 || walk_names(walk, dir_fd, 0, err));
}

bool walk_tree(const ArchiveSource *source, EntryTake take, void *taker, ArchiveReport *report,
	GError **err) {
	g_autoptr(GHashTable) links =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree unsigned char *block = g_malloc(COPY_BLOCK);
	Walk *walk = g_new0(Walk, 1);

	*walk = (Walk){.source = source,
		.take = take,
		.taker = taker,
		.report = report,
		.links = links,
		.block = block};
	bool done = walk_top(walk, err);
	g_free(walk);
	return done;
}
