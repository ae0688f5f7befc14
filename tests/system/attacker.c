/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process in a container that goes for everybody who comes in. Static, so that it runs in any
 * image.
 *
 * attacker hunt SECONDS PAYLOAD   for each process that appears and is not PAYLOAD (a path): tries
 *                                 to trace it, to read its descriptors, root, memory and working
 *                                 directory, to take its descriptors, to write its program. Prints
 *                                 one JSON object: how many processes were seen, and how often each
 *                                 attempt succeeded while the process was not PAYLOAD yet.
 *                                 Ends early when there is a file /stop.
 * attacker killall SIGNAL         kill(0), kill(-1) and killpg of its own group
 * attacker tty                    opens the controlling terminal, pushes input, steals it: one JSON
 *                                 object with the errno of each, 0 for success
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SEEN_MAX = 65536, GETFD_MAX = 24, TRACE_WAIT_MS = 200 };

enum Attempt { SEIZE, FDS, ROOT, CWD, MEMORY, GETFD, PROGRAM, N_ATTEMPTS };

static const char *const names[N_ATTEMPTS] = {
	"seize", "fds", "root", "cwd", "memory", "getfd", "program"};

static unsigned successes[N_ATTEMPTS];
static unsigned processes;
static char last_exe[256];

static double now(void) {
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* True if the process runs the payload by now, or is gone: what was reached is the container's. So
 * is podctl-exec, the step before it: a file of its own mount ("/"), read-only, already with the
 * container's credentials and filter, and nothing of the host in its hands. */
static bool is_payload(int pid, const char *payload) {
	char path[64], target[256];

	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	ssize_t size = readlink(path, target, sizeof target - 1);
	if (size < 0)
		return errno == ENOENT || errno == ESRCH;
	target[size] = '\0';
	if (strcmp(target, payload) == 0 || strcmp(target, "/") == 0)
		return true;
	memcpy(last_exe, target, (size_t)size + 1);
	return false;
}

static void count(enum Attempt attempt, int pid, const char *payload) {
	if (!is_payload(pid, payload))
		successes[attempt]++;
}

static void try_trace(int pid, const char *payload) {
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
		return;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	for (int i = 0; i < TRACE_WAIT_MS; i++) {
		if (waitpid(pid, &status, __WALL | WNOHANG) != 0)
			break;
		usleep(1000);
	}
	count(SEIZE, pid, payload);
	ptrace(PTRACE_DETACH, pid, 0, 0);
}

static void try_file(
	enum Attempt attempt, const char *name, int flags, int pid, const char *payload) {
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return;
	count(attempt, pid, payload);
	close(fd);
}

static void try_descriptors(int pid, const char *payload) {
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	/* root may always list the numbers; what is behind them is what counts */
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char target[256];
		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof target) > 0)
			count(FDS, pid, payload);
	}
	if (dir)
		closedir(dir);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	for (int i = 0; pidfd >= 0 && i < GETFD_MAX; i++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
		if (fd < 0)
			continue;
		count(GETFD, pid, payload);
		close(fd);
	}
	if (pidfd >= 0)
		close(pidfd);
}

/* First by a path descriptor, so that "text file busy" passes, then for writing through it. */
static void try_program(int pid, const char *payload) {
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	for (int i = 0; i < 50; i++) {
		int writable = open(path, O_WRONLY | O_CLOEXEC);
		if (writable >= 0) {
			/* the payload's own file is the container's to spoil */
			if (!is_payload(pid, payload) || last_exe[0])
				successes[PROGRAM]++;
			close(writable);
			break;
		}
		usleep(100);
	}
	close(fd);
}

static void attack(int pid, const char *payload) {
	processes++;
	try_file(ROOT, "root", O_PATH, pid, payload);
	try_file(CWD, "cwd", O_PATH, pid, payload);
	try_file(MEMORY, "mem", O_RDWR, pid, payload);
	try_descriptors(pid, payload);
	try_trace(pid, payload);
	try_program(pid, payload);
}

static int hunt(double seconds, const char *payload) {
	static unsigned char seen[SEEN_MAX];
	double end = now() + seconds;

	for (int pid = 1; pid <= getpid(); pid++)
		seen[pid % SEEN_MAX] = 1;
	while (now() < end && access("/stop", F_OK) < 0) {
		/* pids count up: the next ones are looked for by number, which no listing beats */
		DIR *proc = opendir("/proc");
		for (struct dirent *entry; proc && (entry = readdir(proc));) {
			int pid = atoi(entry->d_name);
			if (pid <= 0 || seen[pid % SEEN_MAX])
				continue;
			seen[pid % SEEN_MAX] = 1;
			attack(pid, payload);
		}
		if (proc)
			closedir(proc);
	}
	printf("{\"processes\":%u,\"last\":\"%s\"", processes, last_exe);
	for (int i = 0; i < N_ATTEMPTS; i++)
		printf(",\"%s\":%u", names[i], successes[i]);
	printf("}\n");
	return 0;
}

static int kill_all(int signal_number) {
	signal(signal_number, SIG_IGN);
	kill(0, signal_number);
	kill(-1, signal_number);
	killpg(getpgrp(), signal_number);
	return 0;
}

static int errno_of(int result) {
	return result < 0 ? errno : 0;
}

static int attack_terminal(void) {
	char byte = 'x', subcode = 3;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	int opened = errno_of(fd);
	int target = fd >= 0 ? fd : 0;

	int pushed = errno_of(ioctl(target, TIOCSTI, &byte));
	int linux_call = errno_of(ioctl(target, TIOCLINUX, &subcode));
	int stolen = errno_of(ioctl(target, TIOCSCTTY, 1));
	printf("{\"open\":%d,\"push\":%d,\"linux\":%d,\"steal\":%d}\n", opened, pushed, linux_call,
		stolen);
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 4 && strcmp(argv[1], "hunt") == 0)
		return hunt(atof(argv[2]), argv[3]);
	if (argc == 3 && strcmp(argv[1], "killall") == 0)
		return kill_all(atoi(argv[2]));
	if (argc == 2 && strcmp(argv[1], "tty") == 0)
		return attack_terminal();
	fprintf(stderr, "usage: attacker hunt SECONDS PAYLOAD | killall SIGNAL | tty\n");
	return 2;
}
