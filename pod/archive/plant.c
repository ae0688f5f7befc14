/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a tree. See plant.h. */
#include "archive/plant.h"

#include "archive/lookup.h"
#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define LATE_TIMES_MAX 262144
#define TIME_LIMIT     (INT64_C(1) << 34) /* ext4 and xfs can hold it */

typedef struct LateTime {
	char *path;
	ino_t inode;
	struct timespec mtime;
} LateTime;

struct Plant {
	const ArchiveTarget *target;
	ArchiveReport *report;
	int parent_fd; /* the directory last used; -1: none */
	char *parent_path;
	GArray *late_times;
};

/* Where one entry is made. */
typedef struct Spot {
	int parent_fd; /* borrowed */
	const char *name;
	const Entry *entry;
} Spot;

static void clear_late_time(void *late) {
	g_free(((LateTime *)late)->path);
}

Plant *plant_new(const ArchiveTarget *target, ArchiveReport *report) {
	Plant *plant = g_new0(Plant, 1);

	plant->target = target;
	plant->report = report;
	plant->parent_fd = -1;
	plant->late_times = g_array_new(FALSE, FALSE, sizeof(LateTime));
	g_array_set_clear_func(plant->late_times, clear_late_time);
	return plant;
}

void plant_free(Plant *plant) {
	if (!plant)
		return;
	close_fd_ptr(&plant->parent_fd);
	g_free(plant->parent_path);
	g_array_free(plant->late_times, TRUE);
	g_free(plant);
}

static bool fail_entry(const Entry *entry, int errnum, const char *action, GError **err) {
	return fail_errno(err, errnum, "cannot %s \"%s\"", action, entry->path);
}

static bool fail_link(const char *path, GError **err) {
	return fail(err, ERROR_INVALID,
		"cannot copy into \"%.256s\": it is, or is below, something that is no directory",
		path);
}

/* --- owner, mode, attributes ----------------------------------------------------------------- */

static bool outside(const IdMap *map, uint32_t id, uint32_t *ret) {
	*ret = id;
	return !map || !map->n || id_map_to_outside(map, id, ret);
}

static bool find_owner(
	const Plant *plant, const Entry *entry, uid_t *ret_uid, gid_t *ret_gid, GError **err) {
	const ArchiveTarget *target = plant->target;
	uid_t uid = target->keep_owner ? entry->uid : target->uid;
	gid_t gid = target->keep_owner ? entry->gid : target->gid;

	if (!outside(target->uids, uid, ret_uid) || !outside(target->gids, gid, ret_gid))
		return fail(err, ERROR_INVALID,
			"cannot set the owner of \"%s\": the container has no id %u:%u",
			entry->path, uid, gid);
	return true;
}

static mode_t wanted_mode(const Plant *plant, const Entry *entry) {
	mode_t mode = entry->mode & 07777;

	if (plant->target->drop_privileges)
		mode &= (mode_t) ~(S_ISUID | (S_ISDIR(entry->mode) ? 0 : S_ISGID));
	return mode;
}

static struct timespec wanted_time(const Entry *entry) {
	struct timespec time = entry->mtime;

	if (time.tv_sec < 0 || time.tv_sec >= TIME_LIMIT)
		time.tv_sec = time.tv_sec < 0 ? 0 : TIME_LIMIT - 1;
	if (time.tv_nsec < 0 || time.tv_nsec > 999999999)
		time.tv_nsec = 0;
	return time;
}

static void set_xattrs(const Plant *plant, const Entry *entry, int fd) {
	for (guint i = 0; entry->xattrs && i < entry->xattrs->len; i++) {
		const EntryXattr *xattr = entry->xattrs->pdata[i];
		bool is_data = g_str_has_prefix(xattr->name, "user.");
		if (!is_data && plant->target->drop_privileges)
			continue;
		/* a file system that cannot hold it: the content is what counts */
		if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) < 0)
			plant->report->n_skipped++;
	}
}

/* chown first: it clears setuid bits and file capabilities. */
static bool set_attributes(const Plant *plant, const Entry *entry, int fd, GError **err) {
	uid_t uid;
	gid_t gid;

	if (!find_owner(plant, entry, &uid, &gid, err))
		return false;
	if (fchown(fd, uid, gid) < 0)
		return fail_entry(entry, errno, "set the owner of", err);
	if (fchmod(fd, wanted_mode(plant, entry)) < 0)
		return fail_entry(entry, errno, "set the mode of", err);
	set_xattrs(plant, entry, fd);
	return true;
}

/* --- directories on the way ------------------------------------------------------------------ */

static void forget_parent(Plant *plant) {
	close_fd_ptr(&plant->parent_fd);
	g_free(plant->parent_path);
	plant->parent_path = NULL;
}

/* A directory that no entry has described: as its owner would make it. */
static bool make_parent(
	const Plant *plant, int parent_fd, const char *name, const char *path, GError **err) {
	const Entry entry = {.path = path, .mode = S_IFDIR | 0755};

	if (mkdirat(parent_fd, name, 0700) < 0)
		return errno == EEXIST ? fail_link(path, err)
				       : fail_entry(&entry, errno, "make directory", err);
	_cleanup_close_ int fd = lookup_below(parent_fd, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fail_entry(&entry, errno, "open directory", err);
	return set_attributes(plant, &entry, fd, err);
}

static int make_parents(const Plant *plant, const char *path, GError **err) {
	_cleanup_close_ int current = lookup_below(plant->target->dir_fd, "", O_PATH | O_DIRECTORY);
	g_auto(GStrv) names = g_strsplit(path, "/", -1);

	for (char **name = names; current >= 0 && *name; name++) {
		int next = lookup_below(current, *name, O_PATH | O_DIRECTORY);
		if (next < 0 && errno == ENOENT) {
			if (!make_parent(plant, current, *name, path, err))
				return -1;
			next = lookup_below(current, *name, O_PATH | O_DIRECTORY);
		}
		if (next < 0) {
			fail_link(path, err);
			return -1;
		}
		close(current);
		current = next;
	}
	if (current < 0)
		fail_errno(err, errno, "cannot open directory \"%s\"", path);
	return steal_fd(&current);
}

/* The directory that the entry is in, kept open for the next one. */
static bool find_spot(Plant *plant, const Entry *entry, Spot *ret_spot, GError **err) {
	const char *slash = strrchr(entry->path, '/');
	g_autofree char *parent =
		slash ? g_strndup(entry->path, (size_t)(slash - entry->path)) : g_strdup("");

	if (plant->parent_fd < 0 || strcmp(plant->parent_path, parent) != 0) {
		forget_parent(plant);
		int fd = lookup_below(plant->target->dir_fd, parent, O_PATH | O_DIRECTORY);
		if (fd < 0 && errno == ENOENT && *parent)
			fd = make_parents(plant, parent, err);
		else if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
			fail_link(parent, err);
		else if (fd < 0)
			fail_errno(err, errno, "cannot open directory \"%s\"", parent);
		if (fd < 0)
			return false;
		plant->parent_fd = fd;
		plant->parent_path = g_steal_pointer(&parent);
	}
	*ret_spot = (Spot){plant->parent_fd, slash ? slash + 1 : entry->path, entry};
	return true;
}

/* Takes away what has the name. Something that is no directory gives way to its like; between a
 * directory and something else only with --overwrite. */
static bool make_room(Plant *plant, const Spot *spot, GError **err) {
	struct stat st;
	const Entry *entry = spot->entry;

	if (fstatat(spot->parent_fd, spot->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || fail_entry(entry, errno, "look at", err);
	if (S_ISDIR(st.st_mode) != S_ISDIR(entry->mode) && !plant->target->overwrite)
		return fail(err, ERROR_INVALID,
			S_ISDIR(st.st_mode)
				? "cannot overwrite directory \"%s\" with something else (see "
				  "--overwrite)"
				: "cannot overwrite \"%s\" with a directory (see --overwrite)",
			entry->path);
	if (!S_ISDIR(st.st_mode))
		return unlinkat(spot->parent_fd, spot->name, 0) == 0 || errno == ENOENT ||
		       fail_entry(entry, errno, "replace", err);
	return fd_remove_tree(spot->parent_fd, spot->name, err);
}

/* --- each kind ------------------------------------------------------------------------------- */

static bool write_content(const Entry *entry, int fd, GError **err) {
	const void *data;
	size_t size;
	uint64_t offset;

	for (;;) {
		int more =
			entry->next ? entry->next(entry->content, &data, &size, &offset, err) : 0;
		if (more < 0)
			return false;
		if (more == 0)
			break;
		for (const char *p = data; size > 0;) {
			ssize_t n = pwrite(fd, p, size, (off_t)offset);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return fail_entry(entry, errno, "write", err);
			p += n;
			offset += (uint64_t)n;
			size -= (size_t)n;
		}
	}
	return ftruncate(fd, (off_t)entry->size) == 0 || fail_entry(entry, errno, "write", err);
}

static bool plant_file(Plant *plant, const Spot *spot, GError **err) {
	const Entry *entry = spot->entry;
	struct timespec times[2] = {wanted_time(entry), wanted_time(entry)};

	if (!make_room(plant, spot, err))
		return false;
	_cleanup_close_ int fd = openat(spot->parent_fd, spot->name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_entry(entry, errno, "make", err);
	if (write_content(entry, fd, err) && set_attributes(plant, entry, fd, err)) {
		futimens(fd, times);
		return true;
	}
	/* half a file looks like a whole one */
	unlinkat(spot->parent_fd, spot->name, 0);
	return false;
}

static bool plant_directory(Plant *plant, const Spot *spot, GError **err) {
	const Entry *entry = spot->entry;
	struct stat st;
	_cleanup_close_ int fd = lookup_below(spot->parent_fd, spot->name, O_RDONLY | O_DIRECTORY);

	if (fd < 0) {
		if (errno != ENOENT && !make_room(plant, spot, err))
			return false;
		if (mkdirat(spot->parent_fd, spot->name, 0700) < 0)
			return fail_entry(entry, errno, "make directory", err);
		fd = lookup_below(spot->parent_fd, spot->name, O_RDONLY | O_DIRECTORY);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_entry(entry, errno, "open directory", err);
	if (!set_attributes(plant, entry, fd, err))
		return false;
	if (plant->late_times->len < LATE_TIMES_MAX) {
		LateTime late = {g_strdup(entry->path), st.st_ino, wanted_time(entry)};
		g_array_append_val(plant->late_times, late);
	}
	return true;
}

/* A new link or node, by descriptor: between making and changing it may have been exchanged. */
static bool finish_node(const Plant *plant, const Spot *spot, GError **err) {
	const Entry *entry = spot->entry;
	struct timespec times[2] = {wanted_time(entry), wanted_time(entry)};
	struct stat st;
	uid_t uid;
	gid_t gid;
	char path[40];
	_cleanup_close_ int fd =
		openat(spot->parent_fd, spot->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_entry(entry, errno, "make", err);
	if ((st.st_mode & S_IFMT) != (entry->mode & S_IFMT) || st.st_nlink != 1)
		return fail(err, ERROR_FAILED, "cannot make \"%s\": somebody has exchanged it",
			entry->path);
	if (!find_owner(plant, entry, &uid, &gid, err))
		return false;
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return fail_entry(entry, errno, "set the owner of", err);
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!S_ISLNK(entry->mode) && chmod(path, entry->mode & 0777) < 0)
		return fail_entry(entry, errno, "set the mode of", err);
	utimensat(fd, "", times, AT_EMPTY_PATH);
	return true;
}

static bool plant_link(Plant *plant, const Spot *spot, GError **err) {
	const Entry *entry = spot->entry;

	if (!entry->link_target || !*entry->link_target || strlen(entry->link_target) > LIMIT_PATH)
		return fail(err, ERROR_INVALID, "\"%s\" is a bad symbolic link", entry->path);
	if (!make_room(plant, spot, err))
		return false;
	if (symlinkat(entry->link_target, spot->parent_fd, spot->name) < 0)
		return fail_entry(entry, errno, "make", err);
	return finish_node(plant, spot, err);
}

static bool plant_node(Plant *plant, const Spot *spot, GError **err) {
	const Entry *entry = spot->entry;
	bool is_device = !S_ISFIFO(entry->mode);

	/* 0:0 is overlayfs's own mark for a file that is gone */
	if (is_device && (plant->target->skip_devices || entry->device == makedev(0, 0))) {
		plant->report->n_skipped++;
		return true;
	}
	if (!make_room(plant, spot, err))
		return false;
	if (mknodat(spot->parent_fd, spot->name, (entry->mode & S_IFMT) | 0600, entry->device) < 0)
		return fail_entry(entry, errno, "make", err);
	return finish_node(plant, spot, err);
}

/* Another name of a regular file below the target. linkat() of a descriptor's own name follows
 * nothing; what is linked is looked at first. */
static bool plant_hard_link(Plant *plant, const Spot *spot, GError **err) {
	const Entry *entry = spot->entry;
	struct stat st, old;
	char path[40];
	_cleanup_close_ int fd =
		lookup_below(plant->target->dir_fd, entry->hard_link, O_PATH | O_NOFOLLOW);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(err, ERROR_INVALID,
			"cannot link \"%s\" to \"%s\", which is no file that was copied",
			entry->path, entry->hard_link);
	if (fstatat(spot->parent_fd, spot->name, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
		old.st_ino == st.st_ino && old.st_dev == st.st_dev)
		return true;
	if (!make_room(plant, spot, err))
		return false;
	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, spot->parent_fd, spot->name, AT_SYMLINK_FOLLOW) == 0 ||
	       fail_entry(entry, errno, "link", err);
}

bool plant_take(void *data, const Entry *entry, GError **err) {
	Plant *plant = data;
	Spot spot;

	if (!find_spot(plant, entry, &spot, err))
		return false;
	if (entry->hard_link)
		return plant_hard_link(plant, &spot, err);
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		return plant_file(plant, &spot, err);
	case S_IFDIR:
		return plant_directory(plant, &spot, err);
	case S_IFLNK:
		return plant_link(plant, &spot, err);
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
		return plant_node(plant, &spot, err);
	default:
		plant->report->n_skipped++;
		return true;
	}
}

void plant_finish(Plant *plant) {
	for (guint i = plant->late_times->len; i-- > 0;) {
		const LateTime *late = &g_array_index(plant->late_times, LateTime, i);
		struct timespec times[2] = {late->mtime, late->mtime};
		struct stat st;
		_cleanup_close_ int fd =
			lookup_below(plant->target->dir_fd, late->path, O_RDONLY | O_DIRECTORY);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == late->inode)
			futimens(fd, times);
	}
}
