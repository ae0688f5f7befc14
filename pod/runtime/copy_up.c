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

static bool copy_file(
	int from_dir, int to_dir, const char *name, const CopyUpIds *ids, GError **err) {
	_cleanup_close_ int from =
		openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_close_ int to =
		openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat info;
	ssize_t n;

	if (from < 0 || to < 0 || fstat(from, &info) < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	do
		n = sendfile(to, from, NULL, 1024 * 1024);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	return copy_metadata(to, &info, name, ids, err);
}

static bool copy_link(int from_dir, int to_dir, const char *name, const struct stat *info,
	const CopyUpIds *ids, GError **err) {
	char target[4096];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0 ||
		fchownat(to_dir, name, owner(ids, info), group(ids, info), AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	return true;
}

static int open_dir(int dir_fd, const char *name) {
	return sys_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* Everything but directories. */
static bool copy_leaf(int from_dir, int to_dir, const char *name, const struct stat *info,
	const CopyUpIds *ids, GError **err) {
	if (S_ISREG(info->st_mode))
		return copy_file(from_dir, to_dir, name, ids, err);
	if (S_ISLNK(info->st_mode))
		return copy_link(from_dir, to_dir, name, info, ids, err);
	if (S_ISFIFO(info->st_mode) && mkfifoat(to_dir, name, info->st_mode & 07777) < 0)
		return fail_errno(err, errno, "cannot copy \"%s\"", name);
	return true; /* devices and sockets mean nothing in a copy */
}

/* Recursion is over directories alone. */
static bool copy_tree(int from_fd, int to_fd, unsigned depth, const CopyUpIds *ids, GError **err) {
	int list_fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 3);
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
		if (fstatat(from_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
			return fail_errno(err, errno, "cannot copy \"%s\"", name);
		if (!S_ISDIR(info.st_mode)) {
			if (!copy_leaf(from_fd, to_fd, name, &info, ids, err))
				return false;
			continue;
		}
		_cleanup_close_ int from = open_dir(from_fd, name);
		if (from < 0 && errno == EXDEV)
			continue;
		if (from < 0 || mkdirat(to_fd, name, 0700) < 0)
			return fail_errno(err, errno, "cannot copy \"%s\"", name);
		_cleanup_close_ int to = open_dir(to_fd, name);
		if (to < 0)
			return fail_errno(err, errno, "cannot copy \"%s\"", name);
		if (!copy_tree(from, to, depth + 1, ids, err) ||
			!copy_metadata(to, &info, name, ids, err))
			return false;
	}
	return true;
}

bool copy_up(int from_fd, int to_fd, const CopyUpIds *ids, GError **err) {
	_cleanup_close_ int from = open_dir(from_fd, "."), to = open_dir(to_fd, ".");
	struct stat info;

	if (from < 0 || to < 0 || fstat(from, &info) < 0)
		return fail_errno(err, errno, "cannot read the image's directory");
	return copy_tree(from, to, 0, ids, err) && copy_metadata(to, &info, ".", ids, err);
}
