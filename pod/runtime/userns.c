/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User namespaces. See userns.h. */
#include "runtime/userns.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* In one write, as the kernel demands. */
static bool write_map(int proc_fd, const char *name, const IdMap *map, GError **err) {
	g_autofree char *text = id_map_to_text(map);
	size_t size = strlen(text);
	_cleanup_close_ int fd = openat(proc_fd, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, size) != (ssize_t)size)
		return fail_errno(err, errno, "cannot write the %s of a user namespace", name);
	return true;
}

static int furnish(pid_t pid, const IdMap *uids, const IdMap *gids, GError **err) {
	char path[32];

	g_snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	_cleanup_close_ int proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0) {
		fail_errno(err, errno, "cannot open \"%s\"", path);
		return -1;
	}
	if (!write_map(proc_fd, "uid_map", uids, err) || !write_map(proc_fd, "gid_map", gids, err))
		return -1;
	int fd = openat(proc_fd, "ns/user", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_errno(err, errno, "cannot open a user namespace");
	return fd;
}

/* A child in a new (user_fd -1) or an existing user namespace that lives until its writer goes: the
 * end of file comes too when the caller dies. */
static pid_t start_holder(int user_fd, int *ret_hold_fd, GError **err) {
	CloneArgs args = {.flags = user_fd < 0 ? CLONE_NEWUSER : 0, .exit_signal = SIGCHLD};
	int ends[2], state[2];
	char byte = 0;

	if (pipe2(ends, O_CLOEXEC) < 0 || pipe2(state, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot make a pipe"), -1;
	_cleanup_close_ int read_end = ends[0], write_end = ends[1];
	_cleanup_close_ int entered_read = state[0], entered_write = state[1];
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		close(write_end);
		if (user_fd >= 0 && setns(user_fd, CLONE_NEWUSER) < 0)
			_exit(1);
		(void)!write(entered_write, &byte, 1);
		(void)!read(read_end, &byte, 1);
		_exit(0);
	}
	if (pid < 0)
		return fail_errno(err, errno, "cannot make a user namespace"), -1;
	close_fd_ptr(&entered_write);
	if (read(entered_read, &byte, 1) != 1) {
		waitpid(pid, NULL, 0);
		return fail(err, ERROR_FAILED, "cannot enter the user namespace"), -1;
	}
	*ret_hold_fd = steal_fd(&write_end);
	return pid;
}

static void end_holder(pid_t pid, int *hold_fd) {
	close_fd_ptr(hold_fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int userns_make(const IdMap *uids, const IdMap *gids, GError **err) {
	_cleanup_close_ int hold_fd = -1;
	pid_t pid = start_holder(-1, &hold_fd, err);

	if (pid < 0)
		return -1;
	int fd = furnish(pid, uids, gids, err);
	end_holder(pid, &hold_fd);
	return fd;
}

static bool read_map(pid_t pid, const char *name, IdMap *ret_map, GError **err) {
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name), *text = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	IdMap map = {0};
	uint32_t id;

	if (fd < 0)
		return fail_errno(err, errno, "cannot read the maps of a user namespace");
	if (!fd_read_all(fd, path, 65536, &text, NULL, err) || !id_map_from_text(text, &map, err))
		return false;
	if (!id_map_to_outside(&map, 0, &id)) {
		id_map_clear(&map);
		return fail(err, ERROR_INVALID,
			"cannot join the user namespace: it has no id 0 inside");
	}
	*ret_map = map;
	return true;
}

bool userns_read_maps(int user_fd, IdMap *ret_uids, IdMap *ret_gids, GError **err) {
	_cleanup_close_ int hold_fd = -1;
	IdMap uids = {0};
	pid_t pid = start_holder(user_fd, &hold_fd, err);

	if (pid < 0)
		return false;
	bool good = read_map(pid, "uid_map", &uids, err) && read_map(pid, "gid_map", ret_gids, err);
	end_holder(pid, &hold_fd);
	if (good)
		*ret_uids = uids;
	else
		id_map_clear(&uids);
	return good;
}

bool userns_is_foreign(pid_t pid) {
	struct stat own, other;
	char path[32];

	g_snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return stat("/proc/self/ns/user", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_ino != other.st_ino;
}

bool userns_become_root(GError **err) {
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 ||
		syscall(SYS_setresuid, 0, 0, 0) < 0)
		return fail_errno(err, errno, "cannot become root in the user namespace");
	return true;
}

int userns_map_mount(int fd, int user_fd, bool recursive) {
	struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_fd};

	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &map);
}
