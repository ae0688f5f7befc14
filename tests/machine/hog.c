/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Uses up one thing inside a container, to see a limit at work. Static, so that it runs in any
 * image.
 *
 * hog forks        children that wait, until fork fails; prints "N ERRNO", then waits
 * hog memory MIB   touches so much memory, prints "done", then waits
 * hog count FILE   counts up in FILE, a hundred times a second
 * hog spin MSEC    computes for so long, on the clock
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB       (1024UL * 1024UL)
#define FORKS_MAX 20000
#define TICK_NSEC 10000000L

static void wait_for_ever(void) {
	for (;;)
		pause();
}

static void hog_forks(void) {
	int count = 0;

	for (; count < FORKS_MAX; count++) {
		pid_t pid = fork();
		if (pid < 0)
			break;
		if (pid == 0)
			wait_for_ever();
	}
	printf("%d %d\n", count, errno);
	fflush(stdout);
	wait_for_ever();
}

static int hog_memory(unsigned long mib) {
	for (unsigned long i = 0; i < mib; i++) {
		void *piece =
			mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (piece == MAP_FAILED)
			return 3;
		memset(piece, 1, MIB);
	}
	puts("done");
	fflush(stdout);
	wait_for_ever();
	return 0;
}

static int hog_count(const char *path) {
	struct timespec tick = {.tv_nsec = TICK_NSEC};
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	for (unsigned long n = 1; fd >= 0; n++) {
		char text[32];
		int length = snprintf(text, sizeof(text), "%lu\n", n);
		if (pwrite(fd, text, (size_t)length, 0) != length)
			return 3;
		nanosleep(&tick, NULL);
	}
	return 3;
}

static long now_msec(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void hog_spin(long msec) {
	long end = now_msec() + msec;

	while (now_msec() < end)
		;
}

static void on_term(int number) {
	(void)number;
	_exit(0);
}

int main(int argc, char **argv) {
	signal(SIGTERM, on_term);
	if (argc == 2 && strcmp(argv[1], "forks") == 0)
		hog_forks();
	if (argc == 3 && strcmp(argv[1], "memory") == 0)
		return hog_memory(strtoul(argv[2], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "count") == 0)
		return hog_count(argv[2]);
	if (argc == 3 && strcmp(argv[1], "spin") == 0) {
		hog_spin(strtol(argv[2], NULL, 10));
		return 0;
	}
	return 2;
}
