/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl-pause as pid 1 of a pid namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child in a new pid namespace; -1 when we may not make one. */
static pid_t start_pause(void) {
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} arguments = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0) {
		execl(g_getenv("PODCTL_PAUSE"), "podctl-pause", "web", NULL);
		_exit(1);
	}
	return pid;
}

static char *status_line(pid_t pid, const char *key) {
	g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return g_strdup("");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, key) && (*line)[strlen(key)] == ':')
			return g_strdup(g_strstrip(*line + strlen(key) + 1));
	return g_strdup("");
}

/* It has done its set-up when its filter is there. */
static bool await_locked(pid_t pid) {
	for (int i = 0; i < 500; i++) {
		g_autofree char *mode = status_line(pid, "Seccomp");
		if (strcmp(mode, "2") == 0)
			return true;
		g_usleep(2000);
	}
	return false;
}

static int end_of(pid_t pid) {
	int status = 0;
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_signals(void) {
	static const int harmless[] = {
		SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGPIPE, SIGALRM, SIGWINCH, SIGCHLD, SIGCONT};
	static const int ending[] = {SIGTERM, SIGINT};

	for (size_t i = 0; i < G_N_ELEMENTS(ending); i++) {
		pid_t pid = start_pause();
		if (pid < 0) {
			g_test_skip("no new pid namespace");
			return;
		}
		g_assert_true(await_locked(pid));
		for (size_t j = 0; j < G_N_ELEMENTS(harmless); j++)
			kill(pid, harmless[j]);
		kill(pid, SIGSTOP);
		kill(pid, SIGCONT);
		g_usleep(50000);
		g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, 0);
		kill(pid, ending[i]);
		g_assert_cmpint(end_of(pid), ==, 0);
	}
}

static void test_reaps(void) {
	pid_t pid = start_pause();
	if (pid < 0) {
		g_test_skip("no new pid namespace");
		return;
	}
	g_assert_true(await_locked(pid));

	int alive[2];
	g_assert_cmpint(pipe2(alive, O_CLOEXEC), ==, 0);
	pid_t joiner = fork();
	if (joiner == 0) {
		int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (setns(pidfd, CLONE_NEWPID) < 0)
			_exit(1);
		/* the child's children are orphans of pid 1; zombie orphans, and running ones */
		pid_t child = fork();
		if (child == 0) {
			for (int i = 0; i < 20; i++)
				if (fork() == 0) {
					usleep(i % 2 ? 0 : 50000);
					_exit(0);
				}
			usleep(20000);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		_exit(0);
	}
	close(alive[1]);
	g_assert_cmpint(end_of(joiner), ==, 0);
	/* all orphans are gone once nobody holds the pipe */
	char byte;
	g_assert_cmpint(read(alive[0], &byte, 1), ==, 0);
	close(alive[0]);
	g_usleep(20000);

	g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
	g_autofree char *parent = g_strdup_printf("%d", pid);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *ppid = status_line((pid_t)g_ascii_strtoll(name, NULL, 10), "PPid");
		g_assert_cmpstr(ppid, !=, parent);
	}
	kill(pid, SIGTERM);
	g_assert_cmpint(end_of(pid), ==, 0);
}

static void test_locked(void) {
	pid_t pid = start_pause();
	if (pid < 0) {
		g_test_skip("no new pid namespace");
		return;
	}
	g_assert_true(await_locked(pid));
	g_autofree char *privileges = status_line(pid, "NoNewPrivs");
	g_autofree char *name = status_line(pid, "Name");
	g_assert_cmpstr(privileges, ==, "1");
	g_assert_cmpstr(name, ==, "podctl-pause");
	kill(pid, SIGKILL);
	g_assert_cmpint(end_of(pid), ==, 128 + SIGKILL);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/supervisor/pause/signals", test_signals);
	g_test_add_func("/supervisor/pause/reaps", test_reaps);
	g_test_add_func("/supervisor/pause/locked", test_locked);
	return g_test_run();
}
