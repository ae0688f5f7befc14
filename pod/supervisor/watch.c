/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-watch: what stays beside a process of `podctl exec` that nobody watches any more. It is
 * the process's parent and reaps it (exec --detach), or holds its terminal and reads away what
 * comes out (exec --tty, left by its detach keys); it ends with the process.
 *
 * Usage: podctl-watch TITLE. Descriptor 3 is the process's pidfd, 4 its terminal, if it has one.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESS_FD = 3, TERMINAL_FD = 4, READ_BYTES = 1024 };

/* Whoever starts such a process goes away; that is no reason to end. */
static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};

int main(void) {
	static char bytes[READ_BYTES];
	struct pollfd polls[] = {
		{.fd = PROCESS_FD, .events = POLLIN}, {.fd = TERMINAL_FD, .events = POLLIN}};
	const struct rlimit no_core = {0, 0};
	siginfo_t info;

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	while (polls[0].revents == 0) {
		if (poll(polls, 2, -1) < 0) {
			if (errno != EINTR)
				return 1;
			polls[0].revents = 0;
			continue;
		}
		if (polls[1].revents == 0)
			continue;
		ssize_t n = read(TERMINAL_FD, bytes, sizeof(bytes));
		/* not open, or its other side is closed for good */
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			polls[1].fd = -1;
	}
	/* Not ours when it was left later: then somebody else reaps it. */
	(void)waitid(P_PIDFD, PROCESS_FD, &info, WEXITED);
	return 0;
}
