/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The datagrams that journald gets. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "supervisor/log_journal.h"

#define FIELDS "CONTAINER_NAME=web\nCONTAINER_ID=0123\n"

static Rig *journal_rig(void) {
	Rig *rig = rig_new();
	rig->handoff.log = HANDOFF_LOG_JOURNALD;
	rig_text(rig, &rig->handoff.journal_fields, FIELDS, strlen(FIELDS));
	return rig;
}

static void assert_next(const Rig *rig, const char *expected) {
	g_autofree char *entry = rig_datagram(rig->journal_fd, 3000, NULL);
	g_assert_cmpstr(entry, ==, expected);
}

static void test_entries(void) {
	g_autoptr(Rig) rig = journal_rig();
	rig_start(rig, "echo one; sleep 0.1; echo two >&2; sleep 0.1; echo '<4>warn'; "
		       "echo '<9>no'; echo; printf end");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=one\n");
	assert_next(rig, FIELDS "PRIORITY=3\nMESSAGE=two\n");
	assert_next(rig, FIELDS "PRIORITY=4\nMESSAGE=warn\n");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=<9>no\n");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=\n");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=end\nCONTAINER_PARTIAL_MESSAGE=true\n");
	rig_wait(rig);
	g_assert_false(rig_exists(rig, "ctr.log"));
}

static void test_long_line(void) {
	g_autoptr(Rig) rig = journal_rig();
	rig_start(rig, "head -c 60000 /dev/zero | tr '\\0' x; echo");
	g_autofree char *first = rig_datagram(rig->journal_fd, 3000, NULL);
	g_autofree char *second = rig_datagram(rig->journal_fd, 3000, NULL);
	g_assert_true(g_str_has_suffix(first, "x\nCONTAINER_PARTIAL_MESSAGE=true\n"));
	g_assert_null(strstr(second, "PARTIAL"));
	g_assert_cmpuint(
		strlen(second), ==, strlen(FIELDS "PRIORITY=6\nMESSAGE=\n") + 60000 - 49152);
	rig_wait(rig);
}

/* security: B10-04 */
static void test_forged(void) {
	g_autoptr(Rig) rig = journal_rig();
	rig_start(rig, "printf 'a\\nCONTAINER_ID=999\\n'; printf 'b\\r_UID=0\\n'");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=a\n");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=CONTAINER_ID=999\n");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=b\r_UID=0\n");
	rig_wait(rig);
}

static void test_restarted(void) {
	g_autoptr(Rig) rig = journal_rig();
	rig_start(rig, "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two");
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=one\n");
	close(rig->journal_fd);
	g_unlink(rig->journal_path);
	rig->journal_fd = rig_bind(rig->journal_path);
	g_autofree char *go = g_build_filename(rig->dir, "go", NULL);
	g_assert_true(g_file_set_contents(go, "", 0, NULL));
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=two\n");
	rig_wait(rig);
}

static void test_stuck(void) {
	g_autoptr(Rig) rig = journal_rig();
	int64_t begun = g_get_monotonic_time();
	/* nobody reads: the container ends all the same, in little more than a second */
	rig_start(rig, "seq 1 50000; exit 5");
	rig_wait(rig);
	g_assert_cmpint(g_get_monotonic_time() - begun, <, 4000000);
	g_autofree char *arguments = rig_read(rig, "cleanup-args");
	g_assert_cmpstr(arguments, ==, "ID --exit-status=5\n");
}

static void test_loss_is_told(void) {
	g_autoptr(Rig) rig = journal_rig();
	rig_start(rig, "seq 1 5000; touch full; while [ ! -e go ]; do sleep 0.02; done; echo two");
	for (int i = 0; i < 500 && !rig_exists(rig, "full"); i++)
		g_usleep(10000);
	g_usleep(1500000);
	for (char *entry; (entry = rig_datagram(rig->journal_fd, 0, NULL));)
		g_free(entry);
	g_autofree char *go = g_build_filename(rig->dir, "go", NULL);
	g_assert_true(g_file_set_contents(go, "", 0, NULL));
	g_autofree char *loss = rig_datagram(rig->journal_fd, 3000, NULL);
	g_assert_nonnull(
		strstr(loss, "\nMESSAGE=podctl: lines lost, journald did not take them: "));
	assert_next(rig, FIELDS "PRIORITY=6\nMESSAGE=two\n");
	rig_wait(rig);
}

/* A datagram that the socket does not take: the entry comes as a file nobody can change. */
static void test_big_entry(void) {
	static Supervisor supervisor;
	g_autofree char *line = g_strnfill(40000, 'z');
	g_autofree char *text = g_malloc0(70000);
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	int pair[2], size = 1, fd;

	supervisor.handoff = (const Handoff *)(const void *)supervisor.small_block;
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	g_assert_cmpint(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), ==, 0);
	supervisor.log_journal.fd = pair[0];
	log_journal_add(&supervisor, false, true, line, 40000, false);
	g_assert_cmpuint(supervisor.log_journal.lines_lost, ==, 0);

	g_assert_cmpint(recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC), ==, 0);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	g_assert_nonnull(header);
	g_assert_cmpint(header->cmsg_type, ==, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	g_assert_cmpint(
		pread(fd, text, 69999, 0), ==, (ssize_t)strlen("PRIORITY=6\nMESSAGE=\n") + 40000);
	g_assert_true(g_str_has_prefix(text, "PRIORITY=6\nMESSAGE=zzz"));
	g_assert_cmpint(write(fd, "x", 1), ==, -1);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/supervisor/log-journal/entries", test_entries);
	g_test_add_func("/supervisor/log-journal/long-line", test_long_line);
	g_test_add_func("/supervisor/log-journal/forged-fields", test_forged);
	g_test_add_func("/supervisor/log-journal/journald-restarted", test_restarted);
	g_test_add_func("/supervisor/log-journal/journald-stuck", test_stuck);
	g_test_add_func("/supervisor/log-journal/loss-is-told", test_loss_is_told);
	g_test_add_func("/supervisor/log-journal/big-entry", test_big_entry);
	return g_test_run();
}
