/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copying a tree between two directory descriptors. See copy_up.h. */
#include "runtime/copy_up.h"
#include "base/cleanup.h"
#include "runtime/syscalls.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

/* Deeper trees are refused: every level holds descriptors. */
#define DEPTH_MAX 200

/* A file is called so until it is whole. */
#define UNFINISHED ".podctl-unfinished"

typedef struct Copy {
	int top_fd; /* of the target */
	const CopyUpIds *ids;
	GHashTable *links; /* "device:inode" of files with several names: path below the top */
} Copy;

/* One directory of both trees. */
typedef struct Place {
	int from, to;
	const char *path; /* below the top, "" there */
} Place;

/* Owners of what is copied to; an id that the map does not have stays as it is. */
static uid_t owner(const CopyUpIds *ids, const struct stat *info) {
	uint32_t id = info->st_uid;

	return ids && id_map_to_inside(ids->uids, id, &id) ? id : info->st_uid;
}

static gid_t group(const CopyUpIds *ids, const struct stat *info) {
	uint32_t id = info->st_gid;

	return ids && id_map_to_inside(ids->gids, id, &id) ? id : info->st_gid;
}

static bool copy_metadata(
	int to_fd, const struct stat *info, const char *name, const CopyUpIds *ids, GError **err) {
	struct timespec times[] = {info->st_atim, info->st_mtim};

	if (fchown(to_fd, owner(ids, info), group(ids, info)) < 0 ||
		fchmod(to_fd, info->st_mode & 07777) < 0 || futimens(to_fd, times) < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	return true;
}

static int open_dir(int dir_fd, const char *name) {
	return sys_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

static char *path_in(const Place *place, const char *name) {
	return *place->path ? g_build_filename(place->path, name, NULL) : g_strdup(name);
}

/* Another name of a file that has been copied: the layer has its content once, and so has the
 * copy. False: it has to be copied. */
static bool link_file(
	const Copy *copy, const Place *place, const char *name, const struct stat *info) {
	if (info->st_nlink < 2)
		return false;
	g_autofree char *key = g_strdup_printf(
		"%llx:%llx", (unsigned long long)info->st_dev, (unsigned long long)info->st_ino);
	const char *first = g_hash_table_lookup(copy->links, key);
	if (!first) {
		g_hash_table_insert(copy->links, g_steal_pointer(&key), path_in(place, name));
		return false;
	}
	g_autofree char *parent = g_path_get_dirname(first), *base = g_path_get_basename(first);
	_cleanup_close_ int parent_fd = open_dir(copy->top_fd, parent);
	return parent_fd >= 0 && linkat(parent_fd, base, place->to, name, 0) == 0;
}

/* Holes stay holes: a layer says in a few bytes that a file is huge and empty. */
static bool copy_content(int from, int to, off_t size) {
	off_t at = 0;

	while (at < size) {
		off_t start = lseek(from, at, SEEK_DATA);
		if (start < 0 && errno == ENXIO)
			break;
		off_t end = start < 0 ? size : lseek(from, start, SEEK_HOLE);
		at = MAX(start, at);
		if (end <= at || end > size)
			end = size;
		if (lseek(to, at, SEEK_SET) < 0)
			return false;
		while (at < end) {
			ssize_t n = sendfile(to, from, &at, (size_t)MIN(end - at, 1 << 20));
			if (n < 0 && errno != EINTR)
				return false;
			if (n == 0)
				return true;
		}
	}
	return ftruncate(to, size) == 0;
}

static bool copy_file(const Copy *copy, const Place *place, const char *name, GError **err) {
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	_cleanup_close_ int from =
		openat(place->from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_close_ int to = openat(place->to, UNFINISHED, flags | O_CLOEXEC, 0600);
	struct stat info;

	/* of a copy that was interrupted */
	if (to < 0 && errno == EEXIST && unlinkat(place->to, UNFINISHED, 0) == 0)
		to = openat(place->to, UNFINISHED, flags | O_CLOEXEC, 0600);
	if (from < 0 || to < 0 || fstat(from, &info) < 0 || !copy_content(from, to, info.st_size))
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	return copy_metadata(to, &info, name, copy->ids, err) &&
	       (renameat(place->to, UNFINISHED, place->to, name) == 0 ||
		       fail_errno(err, errno, "cannot copy \"%s\"", name));
}

static bool copy_link(const Copy *copy, const Place *place, const char *name,
	const struct stat *info, GError **err) {
	char target[4096];
	ssize_t n = readlinkat(place->from, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	target[n] = '\0';
	if (symlinkat(target, place->to, name) < 0 ||
		fchownat(place->to, name, owner(copy->ids, info), group(copy->ids, info),
			AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	return true;
}

/* Everything but directories. What is there already is of a copy that was interrupted. */
static bool copy_leaf(const Copy *copy, const Place *place, const char *name,
	const struct stat *info, GError **err) {
	struct stat present;

	if (fstatat(place->to, name, &present, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (S_ISREG(info->st_mode))
		return link_file(copy, place, name, info) || copy_file(copy, place, name, err);
	if (S_ISLNK(info->st_mode))
		return copy_link(copy, place, name, info, err);
	if (S_ISFIFO(info->st_mode) && mkfifoat(place->to, name, info->st_mode & 07777) < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	return true; /* devices and sockets mean nothing in a copy */
}

/* Recursion is over directories alone. */
static bool copy_tree(const Copy *copy, const Place *place, unsigned depth, GError **err) {
	int list_fd = fcntl(place->from, F_DUPFD_CLOEXEC, 3);
	_cleanup_closedir_ DIR *dir = list_fd >= 0 ? fdopendir(list_fd) : NULL;
	struct stat info;

	if (depth > DEPTH_MAX)
		return fail(err, ERROR_INVALID, "the tree is too deep");
	if (!dir)
		return fail_errno(err, errno, "cannot read a directory");
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (fstatat(place->from, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
			return fail_errno(err, errno, "cannot copy \"%s\"", name);
		if (!S_ISDIR(info.st_mode)) {
			if (!copy_leaf(copy, place, name, &info, err))
				return false;
			continue;
		}
		_cleanup_close_ int from = open_dir(place->from, name);
		if (from < 0 && errno == EXDEV)
			continue;
		if (from < 0 || (mkdirat(place->to, name, 0700) < 0 && errno != EEXIST))
			return fail_errno(err, errno, "cannot copy \"%s\"", name);
		_cleanup_close_ int to = open_dir(place->to, name);
		if (to < 0)
			return fail_errno(err, errno, "cannot copy \"%s\"", name);
		g_autofree char *path = path_in(place, name);
		const Place below = {from, to, path};
		if (!copy_tree(copy, &below, depth + 1, err) ||
			!copy_metadata(to, &info, name, copy->ids, err))
			return false;
	}
	return true;
}

bool copy_up(int from_fd, int to_fd, const CopyUpIds *ids, GError **err) {
	_cleanup_close_ int from = open_dir(from_fd, "."), to = open_dir(to_fd, ".");
	g_autoptr(GHashTable) links =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	const Copy copy = {to, ids, links};
	const Place top = {from, to, ""};
	struct stat info;

	if (from < 0 || to < 0 || fstat(from, &info) < 0)
		return fail_errno(err, errno, "cannot read the image's directory");
	return copy_tree(&copy, &top, 0, err) && copy_metadata(to, &info, ".", ids, err);
}
