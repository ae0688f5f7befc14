/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a command and prints how long it took: wall and CPU (of it and of the children it waited
 * for) in microseconds, and its status. A static program that spawns by vfork: its own cost stays
 * below what is measured, and is the same for all.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static long long of(struct timeval time) {
	return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int argc, char **argv) {
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	pid_t child;
	int status;
	if (argc < 2)
		return 2;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	long long begin = now();
	if (posix_spawnp(&child, argv[1], &actions, NULL, argv + 1, environ) != 0)
		return 2;
	if (wait4(child, &status, 0, &usage) < 0)
		return 2;
	long long end = now();
	printf("%lld %lld %d\n", end - begin, of(usage.ru_utime) + of(usage.ru_stime),
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
