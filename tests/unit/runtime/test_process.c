/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users from hostile account files, programs from PATH, environments. */
#include "base/cleanup.h"
#include "runtime/process.h"
#include "runtime/runtime.h"

#include <sched.h>
#include <string.h>
#include <sys/stat.h>

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# comment:x:5:5::/:\n"
			     "short:x:7\n"
			     "1000:x:0:0::/evil:\n"
			     "web:x:33:34:Web:/var/www:/bin/false\n"
			     "neg:x:-1:0::/:\n"
			     "big:x:4294967296:0::/:\n"
			     "last:x:9:9::/last:/x";
static const char group[] = "root:x:0:\nweb:x:34:\nlog:x:40:other,web\nnot:x:41:webmaster,xweb\n"
			    "also:x:42:web,other\n";

/* "uid:gid:groups:home" or "error". */
static char *describe(const char *user) {
	ProcessUser found = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (!process_parse_user(user, passwd, group, NULL, NULL, 0, &found, &error)) {
		g_assert_true(error_is(error, ERROR_INVALID));
		process_user_clear(&found);
		return g_strdup("error");
	}
	g_string_append_printf(text, "%u:%u:", found.uid, found.gid);
	for (size_t i = 0; i < found.n_groups; i++)
		g_string_append_printf(text, "%s%u", i ? "," : "", found.groups[i]);
	g_string_append_printf(text, ":%s", found.home);
	process_user_clear(&found);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_user(void) {
	static const struct {
		const char *user, *expected;
	} cases[] = {
		{"", "0:0:0:/root"},
		{"0", "0:0:0:/root"},
		{"root", "0:0:0:/root"},
		{"web", "33:34:34,40,42:/var/www"},
		{"33", "33:34:34,40,42:/var/www"},
		{"web:log", "33:40:40:/var/www"},
		{"web:7", "33:7:7:/var/www"},
		{":7", "0:7:7:/root"},
		{"last", "9:9:9:/last"},
		/* Digits are an id, whatever the file calls a user (CVE-2016-3697). */
		{"1000", "1000:0:0:/"},
		{"1000:1000", "1000:1000:1000:/"},
		{"4294967294", "4294967294:0:0:/"},
		{"4294967295", "error"},
		{"4294967296", "error"},
		{"99999999999999999999", "error"},
		{"-1", "error"},
		{"+1", "error"},
		{"0x0", "error"},
		{" 7", "error"},
		{"7 ", "error"},
		{"1e3", "error"},
		{"nobody", "error"},
		{"neg", "error"},
		{"big", "error"},
		{"short", "error"},
		{"# comment", "error"},
		{"web:", "error"},
		{"web:nogroup", "error"},
		{"web:4294967295", "error"},
	};

	array_foreach (row, cases) {
		g_autofree char *found = describe(row->user);
		g_test_message("user \"%s\"", row->user);
		g_assert_cmpstr(found, ==, row->expected);
	}
}

static void test_no_files(void) {
	ProcessUser user = {0};
	g_autoptr(GError) error = NULL;
	char *groups[] = {(char *)"5", (char *)"5", NULL};
	const gid_t gids[] = {8, 5};

	g_assert_true(process_parse_user("12:13", NULL, NULL, groups, gids, 2, &user, &error));
	g_assert_cmpuint(user.uid, ==, 12);
	g_assert_cmpuint(user.gid, ==, 13);
	g_assert_cmpuint(user.n_groups, ==, 3);
	g_assert_cmpstr(user.home, ==, "/");
	process_user_clear(&user);
	g_assert_false(process_parse_user("web", NULL, NULL, NULL, NULL, 0, &user, &error));
	g_assert_cmpstr(
		error->message, ==, "unable to find user web: no matching entries in passwd file");
	process_user_clear(&user);
}

static void test_environment(void) {
	static const char *const none[] = {"A=1", "HOME=", NULL}, *const own[] = {"HOME=/x", NULL};
	ProcessUser user = {.home = (char *)"/home"};
	g_auto(GStrv) first = process_make_env((char **)none, &user, "/run/notify/notify");
	g_auto(GStrv) second = process_make_env((char **)own, &user, NULL);

	g_assert_cmpstr(process_env_value(first, "A"), ==, "1");
	g_assert_cmpstr(process_env_value(first, "HOME"), ==, "/home");
	g_assert_cmpstr(process_env_value(first, "NOTIFY_SOCKET"), ==, "/run/notify/notify");
	g_assert_cmpuint(g_strv_length(first), ==, 3);
	g_assert_cmpstr(process_env_value(second, "HOME"), ==, "/x");
	g_assert_null(process_env_value(second, "HOM"));
}

static void test_program(void) {
	g_autofree char *dir = g_dir_make_tmp("podctl-path-XXXXXX", NULL);
	g_autofree char *program = g_build_filename(dir, "tool", NULL);
	g_autofree char *plain = g_build_filename(dir, "plain", NULL);
	g_autofree char *list = g_strconcat("/nonexistent:", dir, NULL);
	g_autoptr(GError) missing = NULL, denied = NULL;

	g_assert_true(g_file_set_contents(program, "#!/bin/sh\n", -1, NULL));
	g_assert_true(g_file_set_contents(plain, "", -1, NULL));
	g_assert_cmpint(chmod(program, 0755), ==, 0);
	g_autofree char *found = process_find_program("tool", list, NULL);
	g_assert_cmpstr(found, ==, program);
	g_assert_null(process_find_program("nope", list, &missing));
	g_assert_true(error_is(missing, ERROR_COMMAND_NOT_FOUND));
	g_assert_null(process_find_program("plain", list, &denied));
	g_assert_true(error_is(denied, ERROR_COMMAND_NOT_EXECUTABLE));
	unlink(program);
	unlink(plain);
	rmdir(dir);
}

static void test_sysctl(void) {
	static const struct {
		const char *assignment;
		bool allowed;
	} cases[] = {
		{"net.ipv4.ip_forward=1", true},
		{"net/ipv4/conf/eth0.5/forwarding=1", true},
		{"net.ipv4.conf.eth0/5.forwarding=1", true},
		{"kernel.shmmax=1", true},
		{"fs.mqueue.msg_max=1", true},
		{"kernel.domainname=x", true},
		{"kernel.hostname=x", false},
		{"kernel.core_pattern=|/x", false},
		{"kernel.shmmaxx=1", false},
		{"net/../kernel/core_pattern=x", false},
		{"net..x=1", false},
		{"net.=1", false},
		{"net=1", false},
		{"net.ipv4.ip_forward", false},
		{"fs.mqueue./../x=1", false},
		{"kernel.shm_rmid_forced+kernel.core_pattern=1", false},
		{"net.ipv4.x=1\nkernel.y=2", false},
		{"net.a b=1", false},
		{"", false},
		{"=", false},
	};
	const int all = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	g_autoptr(GError) host = NULL;

	array_foreach (row, cases) {
		g_autoptr(GError) error = NULL;
		g_test_message("sysctl \"%s\"", row->assignment);
		g_assert_cmpint(
			runtime_sysctl_check(row->assignment, all, &error), ==, row->allowed);
	}
	g_assert_false(runtime_sysctl_check("net.ipv4.ip_forward=1", CLONE_NEWIPC, &host));
	g_assert_cmpstr(host->message, ==,
		"sysctl \"net.ipv4.ip_forward\" needs a private network namespace");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/process/user", test_user);
	g_test_add_func("/runtime/process/user-without-files", test_no_files);
	g_test_add_func("/runtime/process/environment", test_environment);
	g_test_add_func("/runtime/process/program", test_program);
	g_test_add_func("/runtime/sysctl/check", test_sysctl);
	return g_test_run();
}
