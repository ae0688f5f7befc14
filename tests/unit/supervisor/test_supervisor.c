/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How podctl-supervisor behaves: the end of a container, stops, restarts, a bad hand-off block. */
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

static void assert_args(const Rig *rig, const char *command, const char *expected) {
	g_autofree char *name = g_strdup_printf("%s-args", command);
	g_autofree char *text = rig_read(rig, name);
	g_assert_cmpstr(g_strstrip(text), ==, expected);
}

static void test_status(void) {
	static const struct {
		const char *script;
		const char *args;
	} cases[] = {
		{"exit 0", "ID --exit-status=0"},
		{"exit 7", "ID --exit-status=7"},
		{"kill -9 $$", "ID --exit-status=137"},
		{"kill -TERM $$", "ID --exit-status=143"},
		{"exec /nowhere", "ID --exit-status=127"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Rig) rig = rig_new();
		rig_start(rig, cases[i].script);
		g_assert_cmpint(rig_wait(rig), ==, 42); /* the cleanup command's own */
		assert_args(rig, "cleanup", cases[i].args);
		g_assert_false(rig_exists(rig, "relaunch-args"));
	}
}

/* The cgroup is played by files in the directory. */
static void test_cgroup(void) {
	g_autoptr(Rig) rig = rig_new();
	g_autofree char *events = g_build_filename(rig->dir, "memory.events", NULL);
	g_autofree char *killer = g_build_filename(rig->dir, "cgroup.kill", NULL);
	g_assert_true(g_file_set_contents(events, "oom 0\noom_kill 0\n", -1, NULL));
	g_assert_true(g_file_set_contents(killer, "", 0, NULL));
	rig_text(rig, &rig->handoff.cgroup, rig->dir, strlen(rig->dir));
	rig->handoff.stop_timeout_usec = 0;
	rig_start(rig, "echo up; while :; do sleep 0.05; done");
	rig_await(rig, "ctr.log", " F up\n");
	g_assert_true(
		g_file_set_contents(events, "oom 1\noom_kill 1\noom_group_kill 0\n", -1, NULL));
	kill(rig->supervisor, SIGTERM);
	rig_wait(rig);
	assert_args(rig, "cleanup", "ID --exit-status=137 --oom");
	g_autofree char *killed = rig_read(rig, "cgroup.kill");
	g_assert_cmpstr(killed, ==, "1");
}

static void test_cleanup_missing(void) {
	g_autoptr(Rig) rig = rig_new();
	rig_text(rig, &rig->handoff.cleanup_argv, "/nowhere/podctl\0", 17);
	rig_start(rig, "exit 9");
	g_assert_cmpint(rig_wait(rig), ==, 9);
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_assert_nonnull(
		strstr(log, " stderr F podctl-supervisor: cannot execute /nowhere/podctl: "));
}

static void test_front_fd_survives(void) {
	g_autoptr(Rig) rig = rig_new();
	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	rig->handoff.front_fd = rig_high(pair[1]);
	rig_start(rig, "true");
	rig_wait(rig);
	g_autofree char *fds = rig_read(rig, "cleanup-fds");
	g_autofree char *entry = g_strdup_printf(" %d -> socket:", rig->handoff.front_fd);
	g_assert_nonnull(strstr(fds, entry));
	/* Nothing else of ours: the standard ones, the front and the listed directory itself. */
	g_auto(GStrv) parts = g_strsplit(fds, " -> ", -1);
	g_assert_cmpuint(g_strv_length(parts), ==, 1 + 5);
	close(rig->handoff.front_fd);
	close(pair[0]);
}

static void test_stop(void) {
	g_autoptr(Rig) rig = rig_new();
	rig->handoff.restart = HANDOFF_RESTART_ALWAYS;
	rig_start(rig, "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done");
	rig_await(rig, "ctr.log", " F up\n");
	g_assert_cmpint(kill(rig->supervisor, SIGTERM), ==, 0);
	rig_wait(rig);
	assert_args(rig, "cleanup", "ID --exit-status=3");
	g_assert_true(rig_exists(rig, HANDOFF_STOP_FILE));
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_assert_nonnull(strstr(log, " stdout F bye\n"));
}

static void test_stop_kills(void) {
	g_autoptr(Rig) rig = rig_new();
	rig->handoff.stop_timeout_usec = 300000;
	rig_start(rig, "trap '' TERM; echo up; exec sleep 60");
	rig_await(rig, "ctr.log", " F up\n");
	int64_t begun = g_get_monotonic_time();
	kill(rig->supervisor, SIGHUP);
	kill(rig->supervisor, SIGINT);
	kill(rig->supervisor, SIGTERM);
	rig_wait(rig);
	int64_t took = g_get_monotonic_time() - begun;
	g_assert_cmpint(took, >=, 300000);
	g_assert_cmpint(took, <, 3000000);
	assert_args(rig, "cleanup", "ID --exit-status=137");
}

static void test_run_timeout(void) {
	g_autoptr(Rig) rig = rig_new();
	rig->handoff.run_timeout_usec = 300000;
	rig->handoff.started_usec = (uint64_t)g_get_real_time();
	rig_start(rig, "exec sleep 60");
	rig_wait(rig);
	assert_args(rig, "cleanup", "ID --exit-status=137");
	g_assert_false(rig_exists(rig, HANDOFF_STOP_FILE));
}

static int64_t run_for(Rig *rig, const char *script) {
	int64_t begun = g_get_monotonic_time();
	rig_start(rig, script);
	rig_wait(rig);
	return g_get_monotonic_time() - begun;
}

static void test_restart(void) {
	static const struct {
		enum HandoffRestart policy;
		uint32_t limit, count;
		const char *script;
		bool restarts;
	} cases[] = {
		{HANDOFF_RESTART_NO, 0, 0, "exit 1", false},
		{HANDOFF_RESTART_ALWAYS, 0, 0, "exit 0", true},
		{HANDOFF_RESTART_ON_FAILURE, 0, 0, "exit 0", false},
		{HANDOFF_RESTART_ON_FAILURE, 0, 7, "exit 1", true},
		{HANDOFF_RESTART_ON_FAILURE, 3, 2, "kill -9 $$", true},
		{HANDOFF_RESTART_ON_FAILURE, 3, 3, "exit 1", false},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Rig) rig = rig_new();
		rig->handoff.restart = cases[i].policy;
		rig->handoff.restart_limit = cases[i].limit;
		rig->handoff.restart_count = cases[i].count;
		int64_t took = run_for(rig, cases[i].script);
		g_assert_true(rig_exists(rig, "relaunch-args") == cases[i].restarts);
		g_assert_true(rig_exists(rig, "cleanup-args") != cases[i].restarts);
		if (cases[i].restarts)
			g_assert_cmpint(took, >=, 100000);
	}
}

/* security: B12-09 */
static void test_restart_backoff(void) {
	g_autoptr(Rig) rig = rig_new();
	g_autofree char *path = g_build_filename(rig->dir, "restart-backoff", NULL);
	rig->handoff.restart = HANDOFF_RESTART_ALWAYS;
	rig->handoff.restart_count = 3;
	g_assert_true(g_file_set_contents(path, "3", 1, NULL));
	g_assert_cmpint(run_for(rig, "exit 5"), >=, 800000);
	assert_args(rig, "relaunch", "ID --exit-status=5");
	g_autofree char *next = rig_read(rig, "restart-backoff");
	g_assert_cmpstr(next, ==, "4");
}

static void test_restart_not_after_stop(void) {
	g_autoptr(Rig) rig = rig_new();
	rig->handoff.restart = HANDOFF_RESTART_ALWAYS;
	rig_start(rig, "touch " HANDOFF_STOP_FILE "; exit 1");
	rig_wait(rig);
	assert_args(rig, "cleanup", "ID --exit-status=1");
}

static void test_restart_stopped_in_delay(void) {
	g_autoptr(Rig) rig = rig_new();
	g_autofree char *path = g_build_filename(rig->dir, "restart-backoff", NULL);
	rig->handoff.restart = HANDOFF_RESTART_ALWAYS;
	rig->handoff.restart_count = 9;
	g_assert_true(g_file_set_contents(path, "9", 1, NULL));
	int64_t begun = g_get_monotonic_time();
	rig_start(rig, "exit 1");
	g_usleep(300000);
	kill(rig->supervisor, SIGTERM);
	rig_wait(rig);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 5000000);
	assert_args(rig, "cleanup", "ID --exit-status=1");
}

static void refuse_magic(Rig *rig) {
	rig->handoff.magic++;
}
static void refuse_version(Rig *rig) {
	rig->handoff.version++;
}
static void refuse_truncated(Rig *rig) {
	rig->cut_bytes = 10;
}
static void refuse_empty(Rig *rig) {
	rig->cut_bytes = sizeof(Handoff) + rig->block->len;
}
static void refuse_far_offset(Rig *rig) {
	rig->handoff.run_dir.offset = 0xfffffff0u;
	rig->handoff.run_dir.size = 0x20;
}
static void refuse_offset_in_head(Rig *rig) {
	/* the end of the magic number and the version: "tcp\1" */
	rig->handoff.journal_socket = (HandoffText){.offset = 1, .size = 4};
}
static void refuse_wrong_size(Rig *rig) {
	rig->handoff.run_dir.size -= 5;
}
static void refuse_relative(Rig *rig) {
	rig_text(rig, &rig->handoff.cleanup_argv, "podctl\0", 8);
}
static void refuse_log_name(Rig *rig) {
	rig_text(rig, &rig->handoff.log_name, "../x", 5);
}
static void refuse_standard_fd(Rig *rig) {
	rig->handoff.front_fd = 1;
}
static void refuse_closed_fd(Rig *rig) {
	rig->handoff.ready_fd = 999;
}
static void refuse_init_pid(Rig *rig) {
	rig->handoff.init_pid = -1;
}
static void refuse_log_kind(Rig *rig) {
	rig->handoff.log = 99;
}
static void refuse_signal(Rig *rig) {
	rig->handoff.stop_signal = 65;
}
static void refuse_fields(Rig *rig) {
	rig_text(rig, &rig->handoff.journal_fields, "A=b", 3);
}
static void refuse_long(Rig *rig) {
	g_autofree char *filler = g_malloc0(HANDOFF_MAX_BYTES);
	g_byte_array_append(rig->block, (guint8 *)filler, HANDOFF_MAX_BYTES);
}

static void test_bad_block(void) {
	static void (*const spoil[])(Rig *) = {refuse_magic, refuse_version, refuse_truncated,
		refuse_empty, refuse_far_offset, refuse_offset_in_head, refuse_wrong_size,
		refuse_relative, refuse_log_name, refuse_standard_fd, refuse_closed_fd,
		refuse_init_pid, refuse_log_kind, refuse_signal, refuse_fields, refuse_long};

	/* The supervisor says why on its stderr, which is ours here. */
	for (size_t i = 0; i < G_N_ELEMENTS(spoil); i++) {
		g_autoptr(Rig) rig = rig_new();
		spoil[i](rig);
		rig_start(rig, "exit 0");
		g_test_message("case %zu", i);
		g_assert_cmpint(rig_wait(rig), ==, 125);
		g_assert_false(rig_exists(rig, "cleanup-args"));
	}
}

/* Whatever the block says, the supervisor does not crash and does not stay. */
static void test_flipped_bytes(void) {
	int refused = 0, taken = 0;
	for (int round = 0; round < 300; round++) {
		g_autoptr(Rig) rig = rig_new();
		int flips = g_test_rand_int_range(1, 5);
		for (int i = 0; i < flips; i++) {
			bool head = g_test_rand_bit();
			rig->flip_at[i] = (uint32_t)g_test_rand_int_range(
				8, head ? (int)sizeof(Handoff) : 4096);
			rig->flip_with[i] = (uint8_t)(1u << g_test_rand_int_range(0, 8));
		}
		rig_start(rig, "echo x; exit 0");
		int status = rig_wait(rig);
		refused += status == 125;
		taken += status != 125;
		/* 255: a process that is not its child, whose end nobody saw; SIGKILL: its time was
		 * flipped to be over */
		g_assert_true(status < 128 || status == 255 || status == 128 + SIGKILL);
	}
	g_assert_cmpint(refused, >, 30);
	g_assert_cmpint(taken, >, 30);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/supervisor/end/status", test_status);
	g_test_add_func("/supervisor/end/cgroup", test_cgroup);
	g_test_add_func("/supervisor/end/cleanup-missing", test_cleanup_missing);
	g_test_add_func("/supervisor/end/front-survives", test_front_fd_survives);
	g_test_add_func("/supervisor/stop/signal", test_stop);
	g_test_add_func("/supervisor/stop/kill-after-timeout", test_stop_kills);
	g_test_add_func("/supervisor/stop/run-timeout", test_run_timeout);
	g_test_add_func("/supervisor/restart/policies", test_restart);
	g_test_add_func("/supervisor/restart/backoff", test_restart_backoff);
	g_test_add_func("/supervisor/restart/not-after-stop", test_restart_not_after_stop);
	g_test_add_func("/supervisor/restart/stopped-in-delay", test_restart_stopped_in_delay);
	g_test_add_func("/supervisor/handoff/bad-block", test_bad_block);
	g_test_add_func("/supervisor/handoff/flipped-bytes", test_flipped_bytes);
	return g_test_run();
}
