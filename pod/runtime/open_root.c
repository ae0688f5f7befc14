/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's root directory for somebody outside: a descriptor, no mount that anybody sees. Of a
 * running container it is the root of its first process; of a stopped one a detached mount, gone
 * with the descriptor. Nothing is resolved here but "/" itself.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/process.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <sys/stat.h>

#define MAP_SIZE_MAX 65536

/* Of the whole range onto itself there is nothing to map. */
static bool read_map(int proc_fd, const char *file, IdMap *ret_map, GError **err) {
	g_autofree char *text = NULL;
	IdMap map = {0};

	if (!fd_read_file(proc_fd, file, MAP_SIZE_MAX, &text, NULL, err) ||
		!id_map_from_text(text, &map, err))
		return false;
	if (map.n == 1 && map.rows[0].inside == 0 && map.rows[0].outside == 0 &&
		map.rows[0].count >= ID_MAX)
		id_map_clear(&map);
	*ret_map = map;
	return true;
}

static bool is_own_mount_namespace(int proc_fd) {
	struct stat own, other;

	return stat("/proc/self/ns/mnt", &own) < 0 || fstatat(proc_fd, "ns/mnt", &other, 0) < 0 ||
	       (own.st_dev == other.st_dev && own.st_ino == other.st_ino);
}

int runtime_open_root(ProcId init, IdMap *ret_uids, IdMap *ret_gids, GError **err) {
	char path[32];
	IdMap uids = {0}, gids = {0};

	g_snprintf(path, sizeof(path), "/proc/%d", (int)init.pid);
	_cleanup_close_ int pidfd = proc_open(init);
	_cleanup_close_ int proc_fd = pidfd < 0 ? -1 : fd_open_dir(AT_FDCWD, path, err);
	if (pidfd < 0)
		fail(err, ERROR_STATE, "the container is not running");
	if (proc_fd < 0)
		return -1;
	_cleanup_close_ int root_fd = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0) {
		fail_errno(err, errno, "cannot open the container's root directory");
		return -1;
	}
	if (is_own_mount_namespace(proc_fd)) {
		fail(err, ERROR_STATE, "the container has no file system of its own");
		return -1;
	}
	if (!read_map(proc_fd, "uid_map", &uids, err))
		return -1;
	if (!read_map(proc_fd, "gid_map", &gids, err)) {
		id_map_clear(&uids);
		return -1;
	}
	*ret_uids = uids;
	*ret_gids = gids;
	return steal_fd(&root_fd);
}

int runtime_open_rootfs(
	const RuntimeRootfs *rootfs, const IdMap *uids, const IdMap *gids, GError **err) {
	_cleanup_close_ int user_fd = -1;

	if (!uids->n)
		return rootfs_prepare(rootfs, NULL, err);
	user_fd = userns_make(uids, gids, err);
	if (user_fd < 0)
		return -1;
	const RootfsIds ids = {.user_fd = user_fd, .uids = uids, .gids = gids};
	return rootfs_prepare(rootfs, &ids, err);
}

bool runtime_find_user(
	int root_fd, const char *user, uid_t *ret_uid, gid_t *ret_gid, GError **err) {
	ProcessUser found = {0};

	if (!process_find_user(root_fd, user, NULL, NULL, 0, &found, err))
		return false;
	*ret_uid = found.uid;
	*ret_gid = found.gid;
	process_user_clear(&found);
	return true;
}
