/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process sees inside a container, as one JSON object on standard output: the system tests
 * compare facts, not the output of shell tools. Static, so that it runs in any image.
 *
 * probe [facts]       print the facts
 * probe exit N        end with status N
 * probe kill N        end by signal N
 * probe syscall N     one line: the errno of system call N with zeros as arguments (in a child)
 * probe matrix        what each system call answers: {"native": [...], "x32": [...], "i386": [...]}
 * probe i386 N A B C  one line: what system call N of the 32-bit kind returns
 * probe sleep         wait for SIGTERM, then end with 0
 * probe stubborn      wait, deaf to SIGTERM
 * probe udp PORT      answer every datagram with itself
 * probe tiocsti       push a command into every terminal in reach; errnos, one a line
 * probe answer        answer every connection to the socket that systemd opened
 * probe notify TEXT   send TEXT to $NOTIFY_SOCKET, then wait for SIGTERM
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void print_string(const char *text, size_t size) {
	putchar('"');
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void print_text(const char *text) {
	print_string(text, strlen(text));
}

/* Field NAME: of /proc/self/status without its blanks, or null. */
static void print_status_field(const char *name) {
	char line[512];
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(name);
	bool found = false;
	while (file && fgets(line, sizeof line, file)) {
		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		char *value = line + length + 1;
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		printf("\"%s\":", name);
		print_text(value);
		found = true;
		break;
	}
	if (file)
		fclose(file);
	if (!found)
		printf("\"%s\":null", name);
}

static void print_file(const char *key, const char *path) {
	static char text[1 << 18];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	printf("\"%s\":", key);
	if (fd < 0) {
		printf("null");
		return;
	}
	for (ssize_t n; size < sizeof text && (n = read(fd, text + size, sizeof text - size)) > 0;)
		size += (size_t)n;
	close(fd);
	print_string(text, size);
}

static void print_link(const char *key, const char *path) {
	char target[4096];
	ssize_t n = readlink(path, target, sizeof target);
	printf("\"%s\":", key);
	if (n < 0)
		printf("null");
	else
		print_string(target, (size_t)n);
}

static void print_namespaces(void) {
	static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
	printf("\"namespaces\":{");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		printf(i ? "," : "");
		print_link(names[i], path);
	}
	printf("}");
}

static void print_descriptors(void) {
	DIR *dir = opendir("/proc/self/fd");
	bool first = true;
	printf("\"fds\":{");
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		char path[300];
		snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
		printf(first ? "" : ",");
		first = false;
		print_link(entry->d_name, path);
	}
	if (dir)
		closedir(dir);
	printf("}");
}

static void print_limits(void) {
	static const struct {
		const char *name;
		int resource;
	} rows[] = {
		{"as", RLIMIT_AS},
		{"core", RLIMIT_CORE},
		{"fsize", RLIMIT_FSIZE},
		{"memlock", RLIMIT_MEMLOCK},
		{"nofile", RLIMIT_NOFILE},
		{"nproc", RLIMIT_NPROC},
		{"stack", RLIMIT_STACK},
	};
	printf("\"rlimits\":{");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct rlimit limit = {0};
		getrlimit(rows[i].resource, &limit);
		printf("%s\"%s\":[%lld,%lld]", i ? "," : "", rows[i].name,
			(long long)limit.rlim_cur, (long long)limit.rlim_max);
	}
	printf("}");
}

static void print_ids(void) {
	gid_t groups[128];
	int n = getgroups(128, groups);
	uid_t r, e, s;
	gid_t gr, ge, gs;
	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	printf("\"uids\":[%u,%u,%u],\"gids\":[%u,%u,%u],\"groups\":[", r, e, s, gr, ge, gs);
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	printf("]");
}

static void print_signals(void) {
	sigset_t blocked;
	bool first = true;
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	printf("\"signals_blocked\":[");
	for (int i = 1; i < 65; i++)
		if (sigismember(&blocked, i) == 1) {
			printf("%s%d", first ? "" : ",", i);
			first = false;
		}
	first = true;
	printf("],\"signals_ignored\":[");
	for (int i = 1; i < 65; i++) {
		struct sigaction action;
		if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
			printf("%s%d", first ? "" : ",", i);
			first = false;
		}
	}
	printf("]");
}

static void print_environment(void) {
	printf("\"env\":[");
	for (char **item = environ; *item; item++) {
		printf(item == environ ? "" : ",");
		print_text(*item);
	}
	printf("]");
}

static int facts(int argc, char **argv) {
	static const char *const fields[] = {
		"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"};
	char cwd[4096];
	struct utsname system_name;
	mode_t mask = umask(0);
	umask(mask);
	uname(&system_name);
	printf("{\"pid\":%d,\"ppid\":%d,\"pgid\":%d,\"sid\":%d,\"umask\":%u,\"nice\":%d,", getpid(),
		getppid(), getpgrp(), getsid(0), (unsigned)mask, getpriority(PRIO_PROCESS, 0));
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		print_status_field(fields[i]);
		putchar(',');
	}
	print_ids();
	printf(",\"hostname\":");
	print_text(system_name.nodename);
	printf(",\"cwd\":");
	print_text(getcwd(cwd, sizeof cwd) ? cwd : "");
	printf(",\"tty\":%s,\"args\":[", isatty(0) ? "true" : "false");
	for (int i = 0; i < argc; i++) {
		printf(i ? "," : "");
		print_text(argv[i]);
	}
	printf("],");
	print_namespaces();
	putchar(',');
	print_descriptors();
	putchar(',');
	print_limits();
	putchar(',');
	print_signals();
	putchar(',');
	print_environment();
	putchar(',');
	print_file("oom_score_adj", "/proc/self/oom_score_adj");
	putchar(',');
	print_file("cgroup", "/proc/self/cgroup");
	putchar(',');
	print_file("mountinfo", "/proc/self/mountinfo");
	putchar(',');
	print_file("uid_map", "/proc/self/uid_map");
	long keyring = syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3, 0);
	printf(",\"session_keyring\":%ld", keyring < 0 ? -(long)errno : keyring);
	printf("}\n");
	return 0;
}

/* In a child: some calls do not come back. */
static int one_syscall(long number) {
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		errno = 0;
		syscall(number, 0, 0, 0, 0, 0, 0);
		_exit(errno & 0xff);
	}
	int status = 0;
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("errno %d\n", WEXITSTATUS(status));
	return 0;
}

#define NUMBERS 601

/* -100 - N: ended by signal N. A call that waits is ended by the alarm. */
static int answer_of(long (*call)(long number), long number) {
	pid_t child = fork();
	if (child == 0) {
		struct itimerval soon = {.it_value = {.tv_usec = 30000}};
		setsid();
		setitimer(ITIMER_REAL, &soon, NULL);
		long r = call(number);
		_exit(r < 0 && r >= -4095 ? (int)-r & 0xff : 0);
	}
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? -100 - WTERMSIG(status) : WEXITSTATUS(status);
}

static long native_call(long number) {
	long r = syscall(number, 0, 0, 0, 0, 0, 0);
	return r == -1 ? -errno : r;
}

#ifdef __x86_64__
static long i386_call3(long number, long a, long b, long c) {
	long r;
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

static long i386_call(long number) {
	return i386_call3(number, 0, 0, 0);
}

static long x32_call(long number) {
	return native_call(number | 0x40000000);
}
#endif

static void print_answers(const char *name, long (*call)(long number)) {
	printf("\"%s\":[", name);
	for (long number = 0; number < NUMBERS; number++) {
		fflush(stdout);
		printf("%s%d", number ? "," : "", answer_of(call, number));
	}
	printf("]");
}

static int matrix(void) {
	printf("{");
	print_answers("native", native_call);
#ifdef __x86_64__
	printf(",");
	print_answers("x32", x32_call);
	printf(",");
	print_answers("i386", i386_call);
#endif
	printf("}\n");
	return 0;
}

static int one_i386(int argc, char **argv) {
	long words[4] = {0};
	for (int i = 0; i < 4 && i + 2 < argc; i++)
		words[i] = atol(argv[i + 2]);
#ifdef __x86_64__
	printf("%ld\n", i386_call3(words[0], words[1], words[2], words[3]));
	return 0;
#else
	(void)words;
	return 1;
#endif
}

static void end_well(int number) {
	(void)number;
	_exit(0);
}

/* By a handler: the tests see in /proc that the signal is taken, which a sigwait does not show. */
static int wait_for_term(void) {
	signal(SIGTERM, end_well);
	for (;;)
		pause();
	return 0;
}

static int notify(const char *text) {
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!path || strlen(path) >= sizeof address.sun_path) {
		fprintf(stderr, "NOTIFY_SOCKET is not set\n");
		return 1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		size++;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, size) < 0) {
		perror("notify");
		return 1;
	}
	close(fd);
	return wait_for_term();
}

/* As sd_listen_fds(3) has it: the variables are for this process or for nobody. */
static int answer(void) {
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	if (!pid || atoi(pid) != getpid() || !count || atoi(count) != 1) {
		fprintf(stderr, "no socket was passed to process %d\n", getpid());
		return 1;
	}
	for (;;) {
		int fd = accept4(3, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return 1;
		dprintf(fd, "%s answers\n", getenv("LISTEN_FDNAMES"));
		close(fd);
	}
}

static int echo_datagrams(int port) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		perror("udp");
		return 1;
	}
	for (;;) {
		char data[2048];
		struct sockaddr_in from;
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
		if (n >= 0)
			sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, size);
	}
}

/* What a shell in front of this program would take for typed. */
static int push_input(void) {
	const char *const paths[] = {
		"/dev/tty", "/proc/self/fd/0", "/proc/self/fd/1", "/dev/console"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		int fd = open(paths[i], O_RDWR | O_NOCTTY | O_CLOEXEC);
		if (fd < 0) {
			printf("%s open %d\n", paths[i], errno);
			continue;
		}
		for (const char *c = "echo pushed-$((3+4))\n"; *c; c++)
			if (ioctl(fd, TIOCSTI, c) < 0 && *c == 'e')
				printf("%s TIOCSTI %d\n", paths[i], errno);
		char paste[] = {3, 0};
		if (ioctl(fd, TIOCLINUX, paste) < 0)
			printf("%s TIOCLINUX %d\n", paths[i], errno);
		if (ioctl(fd, TIOCSCTTY, 1) < 0)
			printf("%s TIOCSCTTY %d\n", paths[i], errno);
		close(fd);
	}
	return 0;
}

int main(int argc, char **argv) {
	const char *verb = argc > 1 ? argv[1] : "facts";
	int number = argc > 2 ? atoi(argv[2]) : 0;
	if (strcmp(verb, "exit") == 0)
		return number;
	if (strcmp(verb, "kill") == 0) {
		signal(number, SIG_DFL);
		raise(number);
		/* The first process of a PID namespace is deaf to its own signals. */
		return 128 + number;
	}
	if (strcmp(verb, "syscall") == 0)
		return one_syscall(number);
	if (strcmp(verb, "matrix") == 0)
		return matrix();
	if (strcmp(verb, "i386") == 0)
		return one_i386(argc, argv);
	if (strcmp(verb, "sleep") == 0)
		return wait_for_term();
	if (strcmp(verb, "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	if (strcmp(verb, "udp") == 0)
		return echo_datagrams(number);
	if (strcmp(verb, "tiocsti") == 0)
		return push_input();
	if (strcmp(verb, "answer") == 0)
		return answer();
	if (strcmp(verb, "notify") == 0)
		return notify(argc > 2 ? argv[2] : "READY=1");
	return facts(argc, argv);
}
