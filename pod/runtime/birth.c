/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Birth, if need be inside a user namespace. See birth.h. */
#include "runtime/birth.h"
#include "base/cleanup.h"
#include "runtime/join.h"
#include "runtime/sync.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { WAIT_MSEC = 30000, CHECK_MSEC = 200 };

/* Enters everything; the caller's child is born here. 0 in that child. */
static pid_t beget(const Birth *birth, GError **err) {
	CloneArgs args = {.flags = birth->flags | CLONE_PARENT};

	/* from here on we, and our copy, are unreadable for everybody inside */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail_errno(err, errno, "cannot become unreadable"), -1;
	if (birth->prepare && !birth->prepare(birth->data, err))
		return -1;
	if (birth->pid_fd >= 0 && setns(birth->pid_fd, CLONE_NEWPID) < 0)
		return fail_errno(err, errno, "cannot join the PID namespace"), -1;
	if (setns(birth->user_fd, CLONE_NEWUSER) < 0)
		return fail_errno(err, errno, "cannot enter the user namespace"), -1;
	if (birth->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)birth->cgroup_fd;
	}
	pid_t pid = sys_clone3(&args);
	if (pid < 0)
		fail_errno(err, errno, "cannot create the container's first process");
	return pid;
}

static pid_t read_pid(int fd) {
	pid_t pid = 0;
	ssize_t n;

	do
		n = read(fd, &pid, sizeof(pid));
	while (n < 0 && errno == EINTR);
	return n == sizeof(pid) ? pid : 0;
}

/* In the intermediate. Returns in the new child alone. */
static void run_intermediate(const Birth *birth, int report_fd) {
	g_autoptr(GError) error = NULL;
	pid_t pid = beget(birth, &error);

	if (pid == 0) {
		close(report_fd);
		return;
	}
	if (pid < 0)
		sync_send_error(birth->channel, error);
	else
		(void)!write(report_fd, &pid, sizeof(pid));
	_exit(0);
}

static pid_t give_inside(const Birth *birth, int *ret_pidfd, bool *ret_sent, GError **err) {
	CloneArgs args = {.exit_signal = SIGCHLD};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot make a pipe"), -1;
	_cleanup_close_ int read_end = ends[0], write_end = ends[1];
	pid_t intermediate = sys_clone3(&args);
	if (intermediate == 0) {
		close_fd_ptr(&read_end);
		run_intermediate(birth, steal_fd(&write_end));
		return 0;
	}
	if (intermediate < 0)
		return fail_errno(err, errno, "cannot create a process"), -1;
	close_fd_ptr(&write_end);
	pid_t pid = read_pid(read_end);
	while (waitpid(intermediate, NULL, 0) < 0 && errno == EINTR)
		;
	*ret_sent = pid == 0;
	if (pid == 0)
		return -1;
	/* our child, not reaped yet: nobody else can have the number */
	*ret_pidfd = sys_pidfd_open(pid);
	if (*ret_pidfd < 0)
		return fail_errno(err, errno, "cannot hold process %d", (int)pid), -1;
	return pid;
}

pid_t birth_give(const Birth *birth, int *ret_pidfd, bool *ret_sent, GError **err) {
	*ret_sent = false;
	if (birth->user_fd >= 0)
		return give_inside(birth, ret_pidfd, ret_sent, err);
	pid_t pid = join_clone(birth->pid_fd, birth->cgroup_fd, birth->flags, ret_pidfd);
	if (pid < 0)
		return fail_errno(err, -pid, "cannot create the container's first process"), -1;
	return pid;
}

static bool is_frozen(int cgroup_fd) {
	char text[256];
	_cleanup_close_ int fd =
		cgroup_fd < 0 ? -1 : openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[MAX(n, 0)] = '\0';
	return strstr(text, "frozen 1");
}

bool birth_wait(int barrier_fd, int pidfd, int cgroup_fd, GError **err) {
	struct pollfd barrier = {.fd = barrier_fd, .events = POLLIN};

	for (int waited = 0; waited < WAIT_MSEC; waited += CHECK_MSEC) {
		if (poll(&barrier, 1, CHECK_MSEC) > 0)
			return true;
		if (is_frozen(cgroup_fd))
			return fail(err, ERROR_STATE,
				"the container's processes are frozen (pause and unpause thaw "
				"them)");
		sys_pidfd_signal(pidfd, SIGCONT);
	}
	return fail(err, ERROR_TIMEOUT, "the new process has been stopped by another one inside");
}
