/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User namespaces. See userns.h. */
#include "runtime/userns.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
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

int userns_make(const IdMap *uids, const IdMap *gids, GError **err) {
	CloneArgs args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		fail_errno(err, errno, "cannot make a pipe");
		return -1;
	}
	_cleanup_close_ int read_end = ends[0], write_end = ends[1];
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		char byte;

		/* the end of file comes too when the caller dies */
		close(write_end);
		(void)!read(read_end, &byte, 1);
		_exit(0);
	}
	if (pid < 0) {
		fail_errno(err, errno, "cannot make a user namespace");
		return -1;
	}
	int fd = furnish(pid, uids, gids, err);
	close_fd_ptr(&write_end);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}
