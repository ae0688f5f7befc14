/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes by pid and start time, and what a started child inherits. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

static bool spawn(ProcSpawn spawn_, const char *script, pid_t *ret_pid, GError **err) {
	const char *argv[] = {"sh", "-c", script, NULL};

	spawn_.argv = argv;
	return proc_spawn(&spawn_, ret_pid, err);
}

static ProcId start_sleeper(void) {
	ProcId id = {0};

	g_assert_true(spawn((ProcSpawn){.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1},
		"exec sleep 1000", &id.pid, NULL));
	g_assert_true(proc_start_time(id.pid, &id.start_time));
	return id;
}

static void test_identity(void) {
	ProcId self = {.pid = getpid()}, other, none = {0};

	g_assert_true(proc_start_time(self.pid, &self.start_time));
	g_assert_true(proc_is_alive(self));
	_cleanup_close_ int pidfd = proc_open(self);
	g_assert_cmpint(pidfd, >=, 0);
	/* the same pid at another time is somebody else */
	other = self;
	other.start_time++;
	g_assert_false(proc_is_alive(other));
	g_assert_cmpint(proc_open(other), ==, -1);
	g_assert_false(proc_signal(other, SIGKILL, NULL));
	g_assert_false(proc_is_alive(none));
	g_assert_true(proc_wait_end(none, USEC_INFINITY));
}

static void test_end(void) {
	g_autoptr(GError) err = NULL;
	ProcId child = start_sleeper();
	int status;

	uint64_t start = proc_now_monotonic();
	g_assert_false(proc_wait_end(child, 20000));
	g_assert_cmpuint(proc_now_monotonic() - start, >=, 20000);
	g_assert_true(proc_signal(child, SIGTERM, &err));
	g_assert_true(proc_wait_end(child, 10 * USEC_PER_SEC));
	/* a zombie runs no code any more */
	g_assert_false(proc_is_alive(child));
	g_assert_false(proc_start_time(child.pid, &(uint64_t){0}));
	g_assert_true(proc_reap(child.pid, &status, &err));
	g_assert_cmpint(status, ==, 128 + SIGTERM);
	g_assert_false(proc_signal(child, SIGTERM, &err));
	g_assert_true(error_is(err, ERROR_STATE));
	g_assert_false(proc_reap(child.pid, &status, NULL));
}

static char *run_and_read(ProcSpawn spec, const char *script, int *ret_status) {
	int ends[2];
	pid_t pid;
	char *text = NULL;

	g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
	spec.stdout_fd = ends[1];
	g_assert_true(spawn(spec, script, &pid, NULL));
	close(ends[1]);
	g_assert_true(fd_read_all(ends[0], "pipe", 65536, &text, NULL, NULL));
	close(ends[0]);
	g_assert_true(proc_reap(pid, ret_status, NULL));
	return text;
}

static void test_spawn(void) {
	ProcSpawn spec = {.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
	int status;

	g_autofree char *text = run_and_read(spec, "echo hello; exit 3", &status);
	g_assert_cmpstr(text, ==, "hello\n");
	g_assert_cmpint(status, ==, 3);
	g_setenv("SPAWN_TEST_SECRET", "x", TRUE);
	g_autofree char *environment = run_and_read(spec, "echo $SPAWN_TEST_SECRET", &status);
	g_assert_cmpstr(environment, ==, "\n");
}

/* Only 0, 1, 2 and the kept ones, whatever is open here without close-on-exec. */
static void test_spawn_descriptors(void) {
	int leaked = open("/dev/null", O_RDONLY); /* lint: inherited on purpose */
	_cleanup_close_ int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int keep[] = {kept};
	g_autofree char *expected = g_strdup_printf("0\n1\n2\n%d\n", kept);
	int status;

	g_assert_cmpint(leaked, >=, 0);
	g_autofree char *text = run_and_read(
		(ProcSpawn){.stdin_fd = -1, .stderr_fd = -1, .keep = keep, .n_keep = 1},
		"n=0; while [ $n -lt 100 ]; do [ -h /proc/$$/fd/$n ] && echo $n; n=$((n + 1)); "
		"done",
		&status);
	close(leaked);
	g_assert_cmpstr(text, ==, expected);
}

static void test_spawn_missing(void) {
	g_autoptr(GError) err = NULL;
	const char *argv[] = {"no-such-program-here", NULL};
	pid_t pid;
	ProcSpawn spec = {.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};

	g_assert_false(proc_spawn(&spec, &pid, &err));
	g_assert_true(error_is(err, ERROR_COMMAND_NOT_FOUND));
}

static void test_boot_id(void) {
	g_autofree char *id = proc_boot_id(NULL);

	g_assert_cmpuint(strlen(id), ==, 36);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/proc/identity", test_identity);
	g_test_add_func("/base/proc/end", test_end);
	g_test_add_func("/base/proc/spawn", test_spawn);
	g_test_add_func("/base/proc/spawn-descriptors", test_spawn_descriptors);
	g_test_add_func("/base/proc/spawn-missing", test_spawn_missing);
	g_test_add_func("/base/proc/boot-id", test_boot_id);
	return g_test_run();
}
