/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a command and makes one system call of a container's first process fail, or do nothing and
 * claim success: what is not allowed is that a program then starts with less around it.
 *
 * inject list FILE COMMAND...            writes the calls between birth and execve, a number a line
 * inject N RESULT COMMAND...             call N (from 0) is not made and returns RESULT
 *
 * Follows every process by ptrace. The first one born in another PID namespace is the victim.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PTRACE_O_EXITKILL
#	define PTRACE_O_EXITKILL (1 << 20)
#endif

typedef struct State {
	pid_t victim;
	bool entered, done, faked;
	long at, wanted, result;
	FILE *list;
	char own[64];
} State;

static bool is_victim(State *state, pid_t pid) {
	char path[64], link[64] = "";

	snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
	if (readlink(path, link, sizeof link - 1) < 0)
		return false;
	return strcmp(link, state->own) != 0;
}

#ifdef __x86_64__
static void on_syscall(State *state, pid_t pid) {
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		return;
	if (!state->entered) {
		state->entered = true;
		if (regs.orig_rax == SYS_execveat || regs.orig_rax == SYS_execve) {
			state->done = true;
			return;
		}
		if (state->list)
			fprintf(state->list, "%ld %ld\n", (long)regs.orig_rax, (long)regs.rdi);
		if (state->at++ == state->wanted) {
			regs.orig_rax = (unsigned long long)-1;
			ptrace(PTRACE_SETREGS, pid, 0, &regs);
			state->faked = true;
		}
		return;
	}
	state->entered = false;
	if (state->faked) {
		state->faked = false;
		regs.rax = (unsigned long long)state->result;
		ptrace(PTRACE_SETREGS, pid, 0, &regs);
		state->done = true;
	}
}
#else
static void on_syscall(State *state, pid_t pid) {
	(void)pid;
	state->done = true;
}
#endif

static void on_stop(State *state, pid_t pid, int status) {
	int stopped = WSTOPSIG(status), event = status >> 16, deliver = 0;

	if (stopped == (SIGTRAP | 0x80)) {
		if (pid == state->victim && !state->done)
			on_syscall(state, pid);
	} else if (event == PTRACE_EVENT_STOP && stopped != SIGTRAP) {
		ptrace(PTRACE_LISTEN, pid, 0, 0);
		return;
	} else if (!event && stopped != SIGTRAP) {
		deliver = stopped;
	}
	if (!state->victim && is_victim(state, pid))
		state->victim = pid;
	ptrace(pid == state->victim && !state->done ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0,
		deliver);
}

int main(int argc, char **argv) {
	State state = {.wanted = -1};
	int last = 0;

	if (argc < 4)
		return 2;
	if (strcmp(argv[1], "list") == 0) {
		state.list = fopen(argv[2], "we");
	} else {
		state.wanted = atol(argv[1]);
		state.result = atol(argv[2]);
	}
	if (readlink("/proc/self/ns/pid", state.own, sizeof state.own - 1) < 0)
		return 2;
	pid_t child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	int status;
	waitpid(child, &status, WUNTRACED);
	ptrace(PTRACE_SEIZE, child, 0,
		PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			PTRACE_O_TRACECLONE);
	kill(child, SIGCONT);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == ECHILD)
			break;
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status))
			on_stop(&state, pid, status);
		else if (pid == child)
			last = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	if (state.list)
		fclose(state.list);
	return last;
}
