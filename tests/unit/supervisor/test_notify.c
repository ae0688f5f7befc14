/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd is told, and what of a container's messages gets there. */
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "supervisor/notify.h"

static void test_conmon(void) {
	g_autoptr(Rig) rig = rig_new();
	int pair[2];
	g_assert_cmpint(pipe2(pair, O_CLOEXEC), ==, 0);
	rig->handoff.ready_fd = pair[1] = rig_high(pair[1]);
	rig->handoff.notify = HANDOFF_NOTIFY_CONMON;
	rig_start(rig, "sleep 0.5");
	close(pair[1]);
	struct pollfd poller = {.fd = pair[0], .events = POLLIN};
	g_assert_cmpint(poll(&poller, 1, 400), ==, 1); /* closed while it still runs */
	g_autofree char *text = rig_datagram(rig->notify_fd, 0, NULL);
	g_autofree char *expected = g_strdup_printf("MAINPID=%d\nREADY=1\n", rig->supervisor);
	g_assert_cmpstr(text, ==, expected);
	close(pair[0]);
	rig_wait(rig);
}

static void test_ignore(void) {
	g_autoptr(Rig) rig = rig_new();
	rig_start(rig, "true");
	rig_wait(rig);
	g_assert_null(rig_datagram(rig->notify_fd, 0, NULL));
}

static void test_container(void) {
	static const struct {
		const char *sent, *expected;
	} cases[] = {
		{"READY=1", "READY=1\n"},
		{"MAINPID=1\nSTATUS=fine\nFDSTORE=1", "STATUS=fine\n"},
		{"EXTEND_TIMEOUT_USEC=5000000", "EXTEND_TIMEOUT_USEC=5000000\n"},
	};
	g_autoptr(Rig) rig = rig_new();
	rig->handoff.notify = HANDOFF_NOTIFY_CONTAINER;
	rig_start(rig, "exec sleep 60");
	g_autofree char *first = rig_datagram(rig->notify_fd, 3000, NULL);
	g_autofree char *main_pid = g_strdup_printf("MAINPID=%d\n", rig->supervisor);
	g_assert_cmpstr(first, ==, main_pid);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		send(rig->container_notify_fd, cases[i].sent, strlen(cases[i].sent), 0);
		g_autofree char *text = rig_datagram(rig->notify_fd, 3000, NULL);
		g_assert_cmpstr(text, ==, cases[i].expected);
	}
	kill(rig->supervisor, SIGTERM);
	rig_wait(rig);
}

static void test_flood(void) {
	g_autoptr(Rig) rig = rig_new();
	g_autofree char *huge = g_strnfill(20000, 'x');
	int passed = 0;
	rig->handoff.notify = HANDOFF_NOTIFY_CONTAINER;
	rig_start(rig, "exec sleep 60");
	g_free(rig_datagram(rig->notify_fd, 3000, NULL));
	memcpy(huge, "READY=1\n", 8);
	send(rig->container_notify_fd, huge, 20000, 0);
	for (int i = 0; i < 2000; i++)
		send(rig->container_notify_fd, "WATCHDOG=1", 10, 0);
	for (char *text; (text = rig_datagram(rig->notify_fd, 300, NULL)); passed++) {
		g_assert_cmpstr(text, ==, "WATCHDOG=1\n");
		g_free(text);
	}
	g_assert_cmpint(passed, >, 0);
	g_assert_cmpint(passed, <=, 100);
	kill(rig->supervisor, SIGTERM);
	rig_wait(rig);
}

static void test_filter(void) {
	static const struct {
		const char *sent;
		size_t length; /* 0: of the string */
		const char *expected;
	} cases[] = {
		{"READY=1\n", 0, "READY=1\n"},
		{"READY=1\nREADY=1\nREADY=1", 0, "READY=1\n"},
		{"READY=0", 0, ""},
		{" READY=1", 0, ""},
		{"READY=1 ", 0, ""},
		{"RELOADING=1\nMONOTONIC_USEC=5", 0, "RELOADING=1\nMONOTONIC_USEC=77\n"},
		{"STOPPING=1\nWATCHDOG=1", 0, "STOPPING=1\nWATCHDOG=1\n"},
		{"WATCHDOG=trigger", 0, ""},
		{"WATCHDOG_USEC=1", 0, ""},
		{"MAINPID=1\nMAINPIDFDID=1\nFDSTORE=1\nFDNAME=x\nBARRIER=1", 0, ""},
		{"BUSERROR=x\nERRNO=2\nEXIT_STATUS=3\nNOTIFYACCESS=all", 0, ""},
		{"STATUS=a\x1b[31mb\tc\x7f", 0, "STATUS=a?[31mb?c?\n"},
		{"STATUS=gr\xc3\xbc\xc3\x9f \xe2\x82\xac", 0,
			"STATUS=gr\xc3\xbc\xc3\x9f \xe2\x82\xac\n"},
		{"STATUS=\xc0\x80 \xed\xa0\x80 \xff \xc3", 0, "STATUS=?? ??? ? ?\n"},
		{"STATUS=\xc2\x9b"
		 "31m \xe2\x80\xae"
		 "x",
			0, "STATUS=??31m ???x\n"},
		{"STATUS=one\nSTATUS=two", 0, "STATUS=one\n"},
		{"EXTEND_TIMEOUT_USEC=", 0, ""},
		{"EXTEND_TIMEOUT_USEC=-1", 0, ""},
		{"EXTEND_TIMEOUT_USEC=99999999999999999999999", 0, ""},
		{"EXTEND_TIMEOUT_USEC=12x\nMAINPID=2", 0, "EXTEND_TIMEOUT_USEC=12\n"},
		{"READY=1\0MAINPID=1", 17, ""},
		{"\n\n\n", 0, ""},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char text[NOTIFY_TEXT_MAX + 1];
		size_t length = cases[i].length ? cases[i].length : strlen(cases[i].sent);
		text[notify_filter(cases[i].sent, length, 77, text)] = '\0';
		g_assert_cmpstr(text, ==, cases[i].expected);
	}
}

static void test_filter_bound(void) {
	char text[NOTIFY_TEXT_MAX + 64];
	g_autoptr(GString) all = g_string_new("READY=1\nSTOPPING=1\nWATCHDOG=1\nRELOADING=1\n"
					      "EXTEND_TIMEOUT_USEC=18446744073709551615\nSTATUS=");
	while (all->len < NOTIFY_MAX)
		g_string_append(all, "\xf0\x9f\x98\x80");
	size_t length = notify_filter(all->str, all->len, UINT64_MAX, text);
	g_assert_cmpuint(length, >, 600);
	g_assert_cmpuint(length, <=, NOTIFY_TEXT_MAX);
	g_assert_true(g_utf8_validate(text, (gssize)length, NULL));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/supervisor/notify/conmon", test_conmon);
	g_test_add_func("/supervisor/notify/ignore", test_ignore);
	g_test_add_func("/supervisor/notify/container", test_container);
	g_test_add_func("/supervisor/notify/flood", test_flood);
	g_test_add_func("/supervisor/notify/filter", test_filter);
	g_test_add_func("/supervisor/notify/filter-bound", test_filter_bound);
	return g_test_run();
}
