/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing owners by descriptor. See chown_tree.h. */
#include "runtime/chown_tree.h"
#include "base/cleanup.h"
#include "runtime/syscalls.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Deeper trees are refused: every level holds descriptors. */
#define DEPTH_MAX 200

bool chown_tree_check(const char *path, GError **err) {
	static const char *const protected[] = {"/usr", "/etc", "/home", "/root"};
	bool refused = strchr(path + (*path == '/'), '/') == NULL;

	array_foreach (row, protected)
		refused = refused || strcmp(path, *row) == 0;
	if (refused)
		return fail(err, ERROR_INVALID,
			"cannot change the owner of \"%s\": it is a directory of the system", path);
	return true;
}

/* name "": fd itself. */
static bool give(int fd, const char *name, const struct stat *info, uid_t uid, gid_t gid) {
	if (info->st_uid == uid && info->st_gid == gid)
		return true;
	if (S_ISREG(info->st_mode) && info->st_mode & 06000 && info->st_nlink > 1)
		return true;
	return fchownat(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0 ||
	       errno == ENOENT;
}

static int open_dir(int dir_fd, const char *name) {
	return sys_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* Recursion is over directories alone; a name that goes or changes meanwhile is left. */
static bool give_below(int fd, uid_t uid, gid_t gid, unsigned depth, GError **err) {
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	struct stat info;

	if (!dir) {
		close(fd);
		return fail_errno(err, errno, "cannot read a directory");
	}
	if (depth > DEPTH_MAX)
		return fail(err, ERROR_INVALID, "the tree is too deep");
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
			fstatat(dirfd(dir), name, &info, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		int child = S_ISDIR(info.st_mode) ? open_dir(dirfd(dir), name) : -1;
		if (S_ISDIR(info.st_mode) && child < 0)
			continue; /* another mount, or swapped for a link */
		if (child < 0 && !give(dirfd(dir), name, &info, uid, gid))
			return fail_errno(err, errno, "cannot change the owner of \"%s\"", name);
		if (child < 0)
			continue;
		if (fstat(child, &info) < 0 || !give(child, "", &info, uid, gid)) {
			close(child);
			return fail_errno(err, errno, "cannot change the owner of \"%s\"", name);
		}
		if (!give_below(child, uid, gid, depth + 1, err))
			return false;
	}
	return true;
}

bool chown_tree(int fd, uid_t uid, gid_t gid, GError **err) {
	struct stat info;

	if (fstat(fd, &info) < 0 || !give(fd, "", &info, uid, gid))
		return fail_errno(err, errno, "cannot change the owner");
	if (!S_ISDIR(info.st_mode))
		return true;
	int top = open_dir(fd, ".");
	if (top < 0)
		return fail_errno(err, errno, "cannot read the directory");
	return give_below(top, uid, gid, 0, err);
}
