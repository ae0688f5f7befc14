/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes by pid and start time. See proc.h. */
#include "base/proc.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

bool proc_start_time(pid_t pid, uint64_t *ret_start_time) {
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;
	char state;
	unsigned long long start_time;

	if (pid <= 0 || !fd_read_file(AT_FDCWD, path, 8192, &text, NULL, NULL))
		return false;
	/* the command name may hold anything, also ')': fields start after the last one */
	const char *rest = strrchr(text, ')');
	if (!rest ||
		sscanf(rest,
			") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			"%*d %llu",
			&state, &start_time) != 2)
		return false;
	if (state == 'Z' || state == 'X')
		return false;
	*ret_start_time = start_time;
	return true;
}

int proc_open(ProcId id) {
	uint64_t start_time;

	if (id.pid <= 0)
		return -1;
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, id.pid, 0);
	/* checked after the open: the descriptor pins the process that the check sees */
	if (pidfd < 0 || !proc_start_time(id.pid, &start_time) || start_time != id.start_time)
		return -1;
	return steal_fd(&pidfd);
}

bool proc_is_alive(ProcId id) {
	uint64_t start_time;

	return proc_start_time(id.pid, &start_time) && start_time == id.start_time;
}

bool proc_signal(ProcId id, int signal_number, GError **err) {
	_cleanup_close_ int pidfd = proc_open(id);

	if (pidfd < 0)
		return fail(
			err, ERROR_STATE, "cannot signal process %d: it has ended", (int)id.pid);
	if (syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0) < 0) {
		if (errno == ESRCH)
			return fail(err, ERROR_STATE, "cannot signal process %d: it has ended",
				(int)id.pid);
		return fail_errno(err, errno, "cannot send signal %d to process %d", signal_number,
			(int)id.pid);
	}
	return true;
}

bool proc_wait_end(ProcId id, uint64_t timeout_usec) {
	_cleanup_close_ int pidfd = proc_open(id);
	uint64_t start = proc_now_monotonic();

	if (pidfd < 0)
		return true;
	for (;;) {
		struct pollfd poller = {.fd = pidfd, .events = POLLIN};
		uint64_t waited = proc_now_monotonic() - start;
		int milliseconds = -1;
		if (timeout_usec != USEC_INFINITY) {
			uint64_t left = waited >= timeout_usec ? 0 : timeout_usec - waited;
			milliseconds = (int)MIN((left + 999) / 1000, (uint64_t)INT32_MAX);
		}
		int n = poll(&poller, 1, milliseconds);
		if (n > 0)
			return true;
		if (n == 0 && (timeout_usec != USEC_INFINITY) &&
			proc_now_monotonic() - start >= timeout_usec)
			return false;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static const char *const small_environment[] = {"PATH=" PROC_DEFAULT_PATH, "LC_ALL=C.UTF-8", NULL};

/* In the child: descriptor numbers may overlap, so everything is first lifted above them all. */
static bool arrange_descriptors(const ProcSpawn *spawn) {
	int wanted[3] = {spawn->stdin_fd, spawn->stdout_fd, spawn->stderr_fd};
	int top = 2;

	for (size_t i = 0; i < spawn->n_keep; i++)
		top = MAX(top, spawn->keep[i]);
	for (int target = 0; target <= 2; target++) {
		int source = wanted[target];
		if (source < 0 && target == 2)
			source = 2;
		int lifted = source >= 0 ? fcntl(source, F_DUPFD_CLOEXEC, top + 1)
					 : open("/dev/null", O_RDWR | O_CLOEXEC);
		if (lifted < 0)
			return false;
		wanted[target] = lifted;
	}
	for (int target = 0; target <= 2; target++)
		if (dup3(wanted[target], target, 0) < 0)
			return false;
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return false;
	for (size_t i = 0; i < spawn->n_keep; i++)
		if (fcntl(spawn->keep[i], F_SETFD, 0) < 0)
			return false;
	return true;
}

static _Noreturn void run_child(const ProcSpawn *spawn, int report_fd) {
	const char *const *env = spawn->env ? spawn->env : small_environment;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (arrange_descriptors(spawn))
		execvpe(spawn->argv[0], (char *const *)(uintptr_t)spawn->argv,
			(char *const *)(uintptr_t)env);
	int errnum = errno;
	ssize_t ignored = write(report_fd, &errnum, sizeof errnum);
	(void)ignored;
	_exit(127);
}

bool proc_spawn(const ProcSpawn *spawn, pid_t *ret_pid, GError **err) {
	_cleanup_close_ int report_read = -1, report_write = -1;
	int pipe_fds[2], errnum = 0;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot start \"%s\"", spawn->argv[0]);
	report_read = pipe_fds[0];
	/* above every kept number, so that arranging descriptors cannot hit it */
	report_write = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, 64);
	close(pipe_fds[1]);
	pid_t pid = fork();
	if (pid < 0)
		return fail_errno(err, errno, "cannot start \"%s\"", spawn->argv[0]);
	if (pid == 0)
		run_child(spawn, report_write);
	close_fd_ptr(&report_write);
	ssize_t n;
	do
		n = read(report_read, &errnum, sizeof errnum);
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		*ret_pid = pid;
		return true;
	}
	proc_reap(pid, &(int){0}, NULL);
	if (errnum == ENOENT)
		return fail(err, ERROR_COMMAND_NOT_FOUND,
			"cannot start \"%s\": it is not installed", spawn->argv[0]);
	return fail_errno(err, errnum, "cannot start \"%s\"", spawn->argv[0]);
}

bool proc_reap(pid_t pid, int *ret_status, GError **err) {
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(err, errno, "cannot wait for process %d", (int)pid);
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

char *proc_boot_id(GError **err) {
	char *text = NULL;

	if (!fd_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, NULL, err))
		return NULL;
	return g_strchomp(text);
}

static uint64_t read_clock(clockid_t clock) {
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t proc_now_monotonic(void) {
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t proc_now_realtime(void) {
	return read_clock(CLOCK_REALTIME);
}

pid_t proc_fork_session(bool orphan, GError **err) {
	pid_t pid = fork();

	if (pid < 0) {
		fail_errno(err, errno, "cannot fork");
		return -1;
	}
	if (orphan && pid > 0) {
		int status;
		if (proc_reap(pid, &status, NULL) && status == 0)
			return 1;
		fail(err, ERROR_FAILED, "cannot fork");
		return -1;
	}
	if (orphan) {
		pid_t own = fork();
		if (own != 0)
			_exit(own < 0);
		pid = 0;
	}
	if (pid == 0) {
		setsid();
		signal(SIGPIPE, SIG_DFL);
		signal(SIGCHLD, SIG_DFL);
	}
	return pid;
}

bool proc_exec(const char *path, const char *const *argv, const char *const *env, const int *keep,
	size_t n_keep, GError **err) {
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot start \"%s\"", path);
	for (size_t i = 0; i < n_keep; i++)
		if (fcntl(keep[i], F_SETFD, 0) < 0)
			return fail_errno(
				err, errno, "cannot pass descriptor %d to \"%s\"", keep[i], path);
	execve(path, (char *const *)(uintptr_t)argv,
		(char *const *)(uintptr_t)(env ? env : small_environment));
	return fail_errno(err, errno, "cannot start \"%s\"", path);
}

ProcId proc_self(void) {
	ProcId self = {.pid = getpid()};

	proc_start_time(self.pid, &self.start_time);
	return self;
}

char *proc_self_path(const char *fallback) {
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

	if (length <= 0)
		return g_strdup(fallback);
	path[length] = '\0';
	/* a replaced file reads "PATH (deleted)" */
	return g_strdup(access(path, X_OK) == 0 ? path : fallback);
}
