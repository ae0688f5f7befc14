/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a container's output: the log file, the copy for a front process. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

/* The text of each entry with its stream and tag: "stdout F one|stderr F two|". */
static char *entries(const Rig *rig) {
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	GString *text = g_string_new(NULL);

	for (char **line = lines; *line && **line; line++) {
		g_assert_true(g_regex_match_simple(
			"^20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}\\+00:00 "
			"std(out|err) [FP] ",
			*line, 0, 0));
		g_string_append_printf(text, "%s|", *line + 36);
	}
	return g_string_free(text, FALSE);
}

static void assert_entries(const Rig *rig, const char *expected) {
	g_autofree char *text = entries(rig);
	g_assert_cmpstr(text, ==, expected);
}

static void test_lines(void) {
	g_autoptr(Rig) rig = rig_new();
	rig_start(rig, "echo one; echo; printf 'two\\nthree'; printf ' more\\n'; printf end");
	rig_wait(rig);
	assert_entries(
		rig, "stdout F one|stdout F |stdout F two|stdout F three more|stdout P end|");
}

static void test_time(void) {
	g_autoptr(Rig) rig = rig_new();
	int64_t before = g_get_real_time();
	rig_start(rig, "echo x >&2");
	rig_wait(rig);
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_autofree char *stamp = g_strndup(log, 35);
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(stamp, NULL);
	g_assert_nonnull(time);
	int64_t written = g_date_time_to_unix(time);
	g_assert_cmpint(written, >=, before / 1000000);
	g_assert_cmpint(written, <=, g_get_real_time() / 1000000);
	assert_entries(rig, "stderr F x|");
}

static void test_long_line(void) {
	g_autoptr(Rig) rig = rig_new();
	rig_start(rig, "head -c 100000 /dev/zero | tr '\\0' x; echo end; echo next");
	rig_wait(rig);
	g_autofree char *text = entries(rig);
	g_auto(GStrv) parts = g_strsplit(text, "|", -1);
	g_assert_cmpuint(g_strv_length(parts), ==, 5);
	g_assert_cmpuint(strlen(parts[0]), ==, strlen("stdout P ") + 49152);
	g_assert_cmpuint(strlen(parts[1]), ==, strlen("stdout P ") + 49152);
	g_assert_cmpuint(strlen(parts[2]), ==, strlen("stdout F ") + 100000 - 2 * 49152 + 3);
	g_assert_true(g_str_has_prefix(parts[1], "stdout P "));
	g_assert_true(g_str_has_prefix(parts[2], "stdout F "));
	g_assert_cmpstr(parts[3], ==, "stdout F next");
}

static void test_prompt(void) {
	g_autoptr(Rig) rig = rig_new();
	rig_start(rig, "printf '> '; exec sleep 60");
	rig_await(rig, "ctr.log", "stdout P > ");
	kill(rig->supervisor, SIGTERM);
	rig_wait(rig);
}

static void test_all_bytes(void) {
	g_autoptr(Rig) rig = rig_new();
	/* a fast writer: nothing is lost, whatever the chunks were */
	rig_start(rig, "seq 1 300000; seq 1 100000 >&2");
	rig_wait(rig);
	g_autofree char *log = rig_read(rig, "ctr.log");
	uint64_t next[2] = {1, 1};
	for (char *line = log; *line;) {
		char *end = strchr(line, '\n');
		bool is_error = memcmp(line + 36, "stderr", 6) == 0;
		*end = '\0';
		g_assert_cmpuint(g_ascii_strtoull(line + 45, NULL, 10), ==, next[is_error]);
		g_assert_cmpint(line[43], ==, 'F');
		next[is_error]++;
		line = end + 1;
	}
	g_assert_cmpuint(next[0], ==, 300001);
	g_assert_cmpuint(next[1], ==, 100001);
}

static void test_pipe_left_open(void) {
	g_autoptr(Rig) rig = rig_new();
	int64_t begun = g_get_monotonic_time();
	rig_start(rig, "sleep 20 & echo $! > left; echo said; exit 4");
	rig_wait(rig);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 3000000);
	assert_entries(rig, "stdout F said|");
	g_autofree char *left = rig_read(rig, "left");
	kill((pid_t)g_ascii_strtoll(left, NULL, 10), SIGKILL);
}

static void test_rotation(void) {
	g_autoptr(Rig) rig = rig_new();
	rig->handoff.log_max_bytes = 8192;
	rig_start(rig, "seq 1 20000; head -c 20000 /dev/zero | tr '\\0' y; echo; echo last");
	rig_wait(rig);
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_assert_cmpuint(strlen(log), <=, 8192);
	g_assert_true(g_str_has_suffix(log, " stdout F last\n"));
	g_assert_false(rig_exists(rig, "ctr.log.new"));
}

static void test_reopen(void) {
	g_autoptr(Rig) rig = rig_new();
	rig_start(rig, "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two");
	rig_await(rig, "ctr.log", "one");
	g_autofree char *from = g_build_filename(rig->dir, "ctr.log", NULL);
	g_autofree char *to = g_build_filename(rig->dir, "old.log", NULL);
	g_autofree char *go = g_build_filename(rig->dir, "go", NULL);
	g_assert_cmpint(rename(from, to), ==, 0);
	kill(rig->supervisor, SIGUSR1);
	for (int i = 0; i < 300 && !rig_exists(rig, "ctr.log"); i++)
		g_usleep(10000);
	g_assert_true(g_file_set_contents(go, "", 0, NULL));
	rig_wait(rig);
	assert_entries(rig, "stdout F two|");
}

static void test_full_disk(void) {
	g_autoptr(Rig) rig = rig_new();
	rig->file_limit_bytes = 4096;
	rig_start(rig, "echo begin; sleep 0.2; seq 1 50000; exit 6");
	rig_wait(rig);
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_assert_cmpuint(strlen(log), <=, 4096);
	g_assert_true(g_str_has_suffix(log, "\n"));
	g_autofree char *arguments = rig_read(rig, "cleanup-args");
	g_assert_cmpstr(arguments, ==, "ID --exit-status=6\n");
}

static GString *read_front(int fd, size_t at_most) {
	GString *text = g_string_new(NULL);
	char bytes[8192];
	ssize_t n;
	while (text->len < at_most && (n = read(fd, bytes, sizeof(bytes))) > 0)
		g_string_append_len(text, bytes, n);
	return text;
}

static void test_front_copy(void) {
	g_autoptr(Rig) rig = rig_new();
	int out[2], err[2];
	g_assert_cmpint(pipe2(out, O_CLOEXEC) + pipe2(err, O_CLOEXEC), ==, 0);
	rig->handoff.front_stdout_fd = out[1] = rig_high(out[1]);
	rig->handoff.front_stderr_fd = err[1] = rig_high(err[1]);
	/* more than all the pipes take, read slowly at first: back pressure, nothing lost */
	rig_start(rig, "seq 1 200000; printf oops >&2; exit 3");
	close(out[1]);
	close(err[1]);
	g_usleep(300000);
	GString *text = read_front(out[0], SIZE_MAX);
	GString *error = read_front(err[0], SIZE_MAX);
	g_assert_cmpuint(text->len, ==, 1288895);
	g_assert_true(g_str_has_suffix(text->str, "\n199999\n200000\n"));
	g_assert_cmpstr(error->str, ==, "oops");
	g_string_free(text, TRUE);
	g_string_free(error, TRUE);
	close(out[0]);
	close(err[0]);
	rig_wait(rig);
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_assert_nonnull(strstr(log, " stdout F 200000\n"));
}

static void test_front_gone(void) {
	g_autoptr(Rig) rig = rig_new();
	int out[2];
	g_assert_cmpint(pipe2(out, O_CLOEXEC), ==, 0);
	rig->handoff.front_stdout_fd = out[1] = rig_high(out[1]);
	rig_start(rig, "seq 1 50000; sleep 0.3; seq 50001 100000");
	close(out[1]);
	g_usleep(100000);
	close(out[0]);
	rig_wait(rig);
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_assert_true(g_str_has_suffix(log, " stdout F 100000\n"));
}

static void test_front_stuck_stop(void) {
	g_autoptr(Rig) rig = rig_new();
	int out[2];
	g_assert_cmpint(pipe2(out, O_CLOEXEC), ==, 0);
	rig->handoff.front_stdout_fd = out[1] = rig_high(out[1]);
	rig_start(rig, "exec yes");
	g_usleep(200000);
	/* the front's own flags are its own */
	g_assert_cmpint(fcntl(out[1], F_GETFL) & O_NONBLOCK, ==, 0);
	int64_t begun = g_get_monotonic_time();
	kill(rig->supervisor, SIGTERM);
	rig_wait(rig);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 3000000);
	close(out[0]);
	close(out[1]);
}

static void test_console(void) {
	g_autoptr(Rig) rig = rig_new();
	int master, slave;
	g_autofree char *name = NULL;

	g_assert_cmpint(openpty(&master, &slave, NULL, NULL, NULL), ==, 0);
	rig->handoff.console_fd = rig_high(master);
	name = g_strdup(ttyname(slave));
	g_autofree char *script = g_strdup_printf(
		"echo first > %s; sleep 0.2; seq 1 3000 > %s; echo last > %s", name, name, name);
	rig_start(rig, script);
	close(slave);
	close(rig->handoff.console_fd);
	rig_wait(rig);
	g_autofree char *log = rig_read(rig, "ctr.log");
	g_assert_nonnull(strstr(log, " stdout F first\r\n"));
	g_assert_nonnull(strstr(log, " stdout F 3000\r\n"));
	g_assert_true(g_str_has_suffix(log, " stdout F last\r\n"));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/supervisor/log-file/lines", test_lines);
	g_test_add_func("/supervisor/log-file/time", test_time);
	g_test_add_func("/supervisor/log-file/long-line", test_long_line);
	g_test_add_func("/supervisor/log-file/prompt", test_prompt);
	g_test_add_func("/supervisor/log-file/all-bytes", test_all_bytes);
	g_test_add_func("/supervisor/log-file/pipe-left-open", test_pipe_left_open);
	g_test_add_func("/supervisor/log-file/rotation", test_rotation);
	g_test_add_func("/supervisor/log-file/reopen", test_reopen);
	g_test_add_func("/supervisor/log-file/full-disk", test_full_disk);
	g_test_add_func("/supervisor/front/copy", test_front_copy);
	g_test_add_func("/supervisor/front/gone", test_front_gone);
	g_test_add_func("/supervisor/front/stuck-does-not-stop-a-stop", test_front_stuck_stop);
	g_test_add_func("/supervisor/console/reopened-by-the-container", test_console);
	return g_test_run();
}
