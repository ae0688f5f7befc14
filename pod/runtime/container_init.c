/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-init: the first process of a container with --init. It starts the program, passes signals
 * on to it, reaps whatever is left to it, and ends as the program did (128+N for a signal). Like
 * podctl-exec, which it stands in for, it is static and runs from a read-only mount that exists
 * nowhere else: no file of it is in the container (security.md A18.3).
 *
 * Usage: podctl-init CHANNEL PATH ARGV0 [ARGUMENT...], as podctl-exec.
 */
#include "runtime/last_step.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTEN_PID "LISTEN_PID="

/* Room for a pid in the string that the environment has: the launcher wrote "LISTEN_PID=" and as
 * many digits as any pid may have. */
static void correct_listen_pid(void) {
	for (char **entry = environ; *entry; entry++) {
		if (strncmp(*entry, LISTEN_PID, sizeof LISTEN_PID - 1) != 0)
			continue;
		static char own[sizeof LISTEN_PID + 12];
		snprintf(own, sizeof own, LISTEN_PID "%d", (int)getpid());
		*entry = own;
	}
}

/* A process group of its own, in front of the terminal if there is one: what is typed reaches the
 * program once and not also by way of its init. */
static _Noreturn void become_program(int channel, char **argv, const sigset_t *old) {
	(void)setpgid(0, 0);
	if (isatty(STDIN_FILENO))
		(void)tcsetpgrp(STDIN_FILENO, getpgrp());
	correct_listen_pid();
	sigprocmask(SIG_SETMASK, old, NULL);
	last_step_execute(channel, argv);
	_exit(LAST_STEP_NOT_STARTED);
}

/* Reaps all that have ended; the status to end with once the program is among them, else -1. */
static int reap(pid_t program) {
	int status, result = -1;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (pid == program)
			result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return result;
}

/* The descriptors are the program's: a pipe that it closes must be seen closed. */
static void close_all(void) {
	for (int fd = 0; fd < 1024; fd++)
		(void)close(fd);
}

int main(int argc, char **argv) {
	int channel = last_step_channel(argc, argv), status = -1;
	sigset_t all, old;

	if (channel < 0)
		return LAST_STEP_NOT_STARTED;
	(void)prctl(PR_SET_NAME, "podctl-init", 0, 0, 0);
	/* In a pod with one PID namespace it is not the first process there. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t program = fork();
	if (program == 0)
		become_program(channel, argv, &old);
	if (program < 0)
		return LAST_STEP_NOT_STARTED;
	close_all();
	while (status < 0) {
		int number = sigwaitinfo(&all, NULL);

		if (number == SIGCHLD)
			status = reap(program);
		else if (number > 0)
			(void)kill(program, number);
		else if (errno != EINTR)
			return LAST_STEP_NOT_STARTED;
	}
	return status;
}
