/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Terminals and standard descriptors. See terminal.h. */
#include "runtime/terminal.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/runtime.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

bool terminal_open(int devpts_fd, int *ret_master, int *ret_slave, GError **err) {
	struct statfs system;
	struct stat info;
	int unlock = 0;
	_cleanup_close_ int master = sys_openat2(devpts_fd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	if (master < 0 || fstatfs(master, &system) < 0 || fstat(master, &info) < 0)
		return fail_errno(err, errno, "cannot open a terminal");
	if (system.f_type != DEVPTS_SUPER_MAGIC || info.st_rdev != makedev(5, 2))
		return fail(err, ERROR_FAILED, "cannot open a terminal: not a devpts");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return fail_errno(err, errno, "cannot unlock the terminal");
	_cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fail_errno(err, errno, "cannot open the terminal");
	*ret_master = steal_fd(&master);
	*ret_slave = steal_fd(&slave);
	return true;
}

bool terminal_bind_console(int devpts_fd, int dev_fd, int master_fd, GError **err) {
	unsigned number = 0;
	char name[16];

	if (ioctl(master_fd, TIOCGPTN, &number) < 0)
		return fail_errno(err, errno, "cannot learn the terminal's number");
	g_snprintf(name, sizeof(name), "%u", number);
	_cleanup_close_ int tree = sys_open_tree(
		devpts_fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	_cleanup_close_ int point = openat(dev_fd, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0 || point < 0 || sys_move_mount(tree, point) < 0)
		return fail_errno(err, errno, "cannot mount \"/dev/console\"");
	return true;
}

bool terminal_place_stdio(int stdin_fd, int stdout_fd, int stderr_fd, GError **err) {
	/* First out of the way of 0, 1, 2: any of them may be the source of another. */
	_cleanup_close_ int in = fcntl(stdin_fd, F_DUPFD_CLOEXEC, 3);
	_cleanup_close_ int out = fcntl(stdout_fd, F_DUPFD_CLOEXEC, 3);
	_cleanup_close_ int error = fcntl(stderr_fd, F_DUPFD_CLOEXEC, 3);

	if (in < 0 || out < 0 || error < 0)
		return fail_errno(err, errno, "cannot copy the standard descriptors");
	return fd_place(in, STDIN_FILENO, err) && fd_place(out, STDOUT_FILENO, err) &&
	       fd_place(error, STDERR_FILENO, err);
}

void runtime_terminal_resize(int console_fd, unsigned rows, unsigned columns) {
	const struct winsize size = {
		.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

	(void)ioctl(console_fd, TIOCSWINSZ, &size);
}

bool terminal_become_stdio(int slave_fd, uid_t uid, GError **err) {
	if (ioctl(slave_fd, TIOCSCTTY, 0) < 0)
		return fail_errno(err, errno, "cannot take the terminal over");
	/* The group stays "tty", as devpts gave it. */
	if (fchown(slave_fd, uid, (gid_t)-1) < 0)
		return fail_errno(err, errno, "cannot give the terminal to its user");
	return terminal_place_stdio(slave_fd, slave_fd, slave_fd, err);
}
