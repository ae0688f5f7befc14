/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-supervisor: the one process beside a container (D3, D4). It was the launcher before and
 * becomes the cleanup command, or the launcher of the next run, afterwards; the process id stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/attach.h"
#include "supervisor/handoff_read.h"
#include "supervisor/harden.h"
#include "supervisor/loop.h"
#include "supervisor/notify.h"
#include "supervisor/number.h"
#include "supervisor/streams.h"

#define EXIT_REFUSED             125 /* podman's "the error is with podman itself" */
#define DELAY_FIRST_USEC         (SECOND_USEC / 10)
#define DELAY_MAX_USEC           (60 * SECOND_USEC)
#define LONG_RUN_USEC            (600 * SECOND_USEC)
#define DELAY_DOUBLINGS          10u /* more do not matter: the greatest delay is reached */
#define FRONT_TIMEOUT_MSEC       5000
#define BACKOFF_FILE             "restart-backoff"
#define MEMORY_EVENTS_MAX        512
#define POLICY_MAX               64
#define CLOSE_RANGE_CLOEXEC_FLAG 4u /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */

/* Ignored while the container runs: an end of ours without its end helps nobody. */
static const int not_for_us[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGUSR2, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};

static void complain(const char *text) {
	static const char name[] = "podctl-supervisor: ";
	(void)!write(STDERR_FILENO, name, sizeof(name) - 1);
	(void)!write(STDERR_FILENO, text, strlen(text));
	(void)!write(STDERR_FILENO, "\n", 1);
}

/* How many processes of the cgroup the kernel has killed for memory so far. */
static uint64_t oom_kills(const Supervisor *s) {
	char text[MEMORY_EVENTS_MAX];
	static const char key[] = "oom_kill ";
	const char *cgroup = handoff_text(s, s->handoff->cgroup);
	uint64_t count = 0;

	int fd = cgroup ? loop_open_in(cgroup, "memory.events", O_RDONLY) : -1;
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *found = strstr(text, key);
	if (found)
		(void)number_get(
			found + sizeof(key) - 1, strlen(found) - (sizeof(key) - 1), &count);
	return count;
}

static bool open_signals(Supervisor *s) {
	sigset_t mask;

	for (size_t i = 0; i < sizeof(not_for_us) / sizeof(not_for_us[0]); i++)
		(void)signal(not_for_us[i], SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	s->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signal_fd >= 0;
}

/* Defaults for the next program, but a stop that comes now waits for it instead of ending it
 * before it could undo anything. */
static void hand_on_signals(void) {
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGINT);
	(void)signal(SIGUSR1, SIG_IGN);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)signal(SIGUSR1, SIG_DFL);
	for (size_t i = 0; i < sizeof(not_for_us) / sizeof(not_for_us[0]); i++)
		(void)signal(not_for_us[i], SIG_DFL);
}

static void keep_over_exec(int fd) {
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, 0);
}

/* Only what the front process needs stays open. */
static void hand_on_descriptors(const Supervisor *s, bool relaunch) {
	(void)syscall(SYS_close_range, HANDOFF_FD, ~0u, CLOSE_RANGE_CLOEXEC_FLAG);
	keep_over_exec(s->handoff->front_fd);
	if (relaunch) {
		keep_over_exec(s->handoff->front_stdout_fd);
		keep_over_exec(s->handoff->front_stderr_fd);
	}
}

static int exit_code(const Supervisor *s) {
	return WIFSIGNALED(s->wait_status) ? 128 + WTERMSIG(s->wait_status)
					   : WEXITSTATUS(s->wait_status);
}

/* Does not return unless the exec fails; then says so where somebody will look. */
static void run_command(Supervisor *s, HandoffText command, bool relaunch, bool oom) {
	char status[sizeof("--exit-status=") + NUMBER_DIGITS] = "--exit-status=";
	char problem[200] = "podctl-supervisor: cannot execute ";
	const char *argv[ARGV_MAX + 3];
	size_t words = handoff_argv(s, command, argv);
	size_t length = strlen(status);

	status[length + number_put(status + length, (uint64_t)exit_code(s))] = '\0';
	argv[words++] = status;
	if (oom)
		argv[words++] = "--oom";
	argv[words] = NULL;

	hand_on_descriptors(s, relaunch);
	hand_on_signals();
	harden_undo(s);
	execve(argv[0], (char *const *)argv, environ);

	const char *reason = strerror(errno);
	strncat(problem, argv[0], sizeof(problem) / 2);
	strncat(problem, ": ", 3);
	strncat(problem, reason, sizeof(problem) - strlen(problem) - 1);
	complain(problem + sizeof("podctl-supervisor: ") - 1);
	streams_log_note(s, problem);
}

/* True if the front process of a foreground run has cleaned up behind the container. */
static bool front_cleans_up(const Supervisor *s, bool oom) {
	const HandoffEnd end = {exit_code(s), oom};
	struct pollfd answer = {.fd = s->handoff->front_fd, .events = POLLIN};
	char word;

	if (answer.fd < 0 || s->front_gone ||
		send(answer.fd, &end, sizeof(end), MSG_NOSIGNAL) != sizeof(end))
		return false;
	/* our own signals wait in the signalfd and interrupt nothing */
	return poll(&answer, 1, FRONT_TIMEOUT_MSEC) == 1 && recv(answer.fd, &word, 1, 0) == 1;
}

/* How many short runs came before this one. A file, because each run has its own supervisor. */
static unsigned read_backoff(const Supervisor *s) {
	char digit = '0';
	if (s->handoff->restart_count == 0)
		return 0;
	int fd = loop_open_in(handoff_text(s, s->handoff->run_dir), BACKOFF_FILE, O_RDONLY);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, &digit, 1);
	close(fd);
	return n == 1 && digit >= '0' && digit <= '0' + (int)DELAY_DOUBLINGS ? (unsigned)digit - '0'
									     : 0;
}

static void write_backoff(const Supervisor *s, unsigned doublings) {
	char digit = (char)('0' + doublings);
	int fd = loop_open_in(
		handoff_text(s, s->handoff->run_dir), BACKOFF_FILE, O_WRONLY | O_CREAT);
	if (fd < 0)
		return;
	(void)!pwrite(fd, &digit, 1, 0);
	close(fd);
}

/* `podctl update --restart` has changed the policy since the container's start. */
static void read_policy(const Supervisor *s, uint32_t *policy, uint32_t *limit) {
	char text[POLICY_MAX];
	uint64_t first, second;
	int fd = loop_open_in(handoff_text(s, s->handoff->run_dir), HANDOFF_RESTART_FILE, O_RDONLY);

	if (fd < 0)
		return;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	const char *space = strchr(text, ' ');
	if (!space || !number_get(text, (size_t)(space - text), &first) ||
		!number_get(space + 1, strcspn(space + 1, "\n"), &second))
		return;
	*policy = (uint32_t)first;
	*limit = (uint32_t)second;
}

static bool may_restart(const Supervisor *s) {
	const Handoff *h = s->handoff;
	uint32_t policy = h->restart, limit = h->restart_limit;

	read_policy(s, &policy, &limit);
	if (policy == HANDOFF_RESTART_NO || s->stop_asked || loop_stop_requested(s))
		return false;
	if (policy == HANDOFF_RESTART_ALWAYS)
		return true;
	return exit_code(s) != 0 && (limit == 0 || h->restart_count < limit);
}

/* Waits longer each time, so that a container that cannot start does not eat the machine. */
static bool wait_restart(Supervisor *s) {
	unsigned doublings = 0;
	if (now_usec() - s->begun_usec < LONG_RUN_USEC)
		doublings = read_backoff(s);
	uint64_t delay = DELAY_FIRST_USEC << doublings;
	write_backoff(s, doublings < DELAY_DOUBLINGS ? doublings + 1 : doublings);
	return loop_wait_restart(s, delay < DELAY_MAX_USEC ? delay : DELAY_MAX_USEC);
}

int main(void) {
	/* Not on the stack: it would be zeroed, and so become memory that is used. */
	static Supervisor supervisor;
	Supervisor *s = &supervisor;

	const char *problem = handoff_read(s);
	if (problem) {
		complain(problem);
		return EXIT_REFUSED;
	}
	/* they came here without it; only hand_on_descriptors lets some go further */
	(void)syscall(SYS_close_range, HANDOFF_FD, ~0u, CLOSE_RANGE_CLOEXEC_FLAG);
	s->buffers = mmap(NULL, sizeof(Buffers), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->buffers == MAP_FAILED || !open_signals(s)) {
		complain("no memory");
		return EXIT_REFUSED;
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	streams_open(s);
	attach_open(s);
	notify_begin(s);
	harden_apply(s);

	loop_run(s);

	/* the cgroup was made for this run: whatever it counts is ours */
	bool oom = oom_kills(s) > 0;
	bool again = may_restart(s);
	attach_end(s, exit_code(s), again);
	if (again && wait_restart(s))
		run_command(s, s->handoff->relaunch_argv, true, oom);
	if (!front_cleans_up(s, oom))
		run_command(s, s->handoff->cleanup_argv, false, oom);
	return exit_code(s);
}
