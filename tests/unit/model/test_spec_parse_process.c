/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The small syntaxes of options about the process. */
#include "base/cleanup.h"
#include "model/spec.h"
#include "model/spec_parse.h"

#include <sys/personality.h>

typedef bool (*Check)(const char *text, GError **err);

static void refuses(Check check, const char *text) {
	g_autoptr(GError) error = NULL;

	g_assert_false(check(text, &error));
	g_assert_true(error_is(error, ERROR_INVALID));
	if (*text)
		g_assert_nonnull(strstr(error->message, text));
}

static bool check_user(const char *text, GError **err) {
	return spec_check_user(text, err);
}

static void test_user(void) {
	static const char *const good[] = {"", "0", "4294967294", "user", "_x", "a.b-c@d$", "1:2",
		"user:group", ":5", "u:0", "007"};
	static const char *const bad[] = {"-1", "+1", " 1", "1 ", "4294967295", "4294967296",
		"99999999999999999999", "0x0", "1e3", "1:-1", "1:2:3", "1:4294967295", "a b",
		"a:", "a\n", "é"};

	array_foreach (text, good)
		g_assert_true(spec_check_user(*text, NULL));
	array_foreach (text, bad)
		g_assert_false(spec_check_user(*text, NULL));
	refuses(check_user, "4294967295");
}

static void test_timezone(void) {
	static const char *const good[] = {
		"local", "UTC", "Europe/Vienna", "America/Argentina/La_Rioja", "Etc/GMT+5"};
	static const char *const bad[] = {
		"", "/etc/shadow", "../x", "a/../b", "a//b", "a/", "a b", ".", "a\nb"};

	array_foreach (text, good)
		g_assert_true(spec_parse_timezone(*text, NULL));
	array_foreach (text, bad)
		refuses(spec_parse_timezone, *text);
}

static void test_personality(void) {
	unsigned long persona = 1;

	g_assert_true(spec_parse_personality("LINUX", &persona, NULL));
	g_assert_cmpuint(persona, ==, PER_LINUX);
	g_assert_true(spec_parse_personality("linux32", &persona, NULL));
	g_assert_cmpuint(persona, ==, PER_LINUX32);
	g_assert_false(spec_parse_personality("linux64", &persona, NULL));
	g_assert_false(spec_parse_personality("", &persona, NULL));
}

static void test_descriptors(void) {
	char *const good[] = {(char *)"9", (char *)"3", (char *)"9", NULL};
	static const char *const bad[] = {"2", "-1", "1024", "x", "", "3x", "0x3"};
	g_autofree int *fds = NULL;
	size_t count;

	g_assert_true(spec_parse_fd_list(good, &fds, &count, NULL));
	g_assert_cmpuint(count, ==, 2);
	g_assert_cmpint(fds[0], ==, 3);
	g_assert_cmpint(fds[1], ==, 9);
	array_foreach (text, bad) {
		char *const list[] = {(char *)(uintptr_t)*text, NULL};
		g_autofree int *none = NULL;
		g_assert_false(spec_parse_fd_list(list, &none, &count, NULL));
	}
}

static void test_proc_options(void) {
	static const char *const bad[] = {"", "frob", "hidepid", "hidepid=", "hidepid=9",
		"hidepid=2,", "subset=all", "gid=0"};
	g_auto(GStrv) options = NULL;

	g_assert_true(spec_parse_proc_options("hidepid=2,subset=pid", &options, NULL));
	g_assert_cmpuint(g_strv_length(options), ==, 2);
	array_foreach (text, bad) {
		g_auto(GStrv) none = NULL;
		g_assert_false(spec_parse_proc_options(*text, &none, NULL));
	}
}

static void test_conflicts(void) {
	static const struct {
		size_t offset;
		const char *name;
	} needs_passwd[] = {{offsetof(ContainerSpec, passwd_entry), "passwd-entry"},
		{offsetof(ContainerSpec, group_entry), "group-entry"}};

	array_foreach (row, needs_passwd) {
		g_autoptr(ContainerSpec) spec = container_spec_new();
		g_autoptr(GError) error = NULL;
		spec->image = g_strdup("x");
		spec->passwd = 0;
		*(char **)((char *)spec + row->offset) =
			g_strdup(strstr(row->name, "group") ? "a:x:1:" : "a:x:1:1:x:/:/bin/sh");
		g_assert_false(container_spec_validate(spec, &error));
		g_assert_nonnull(strstr(error->message, row->name));
	}
	g_autoptr(ContainerSpec) spec = container_spec_new();
	spec->image = g_strdup("x");
	spec->init = true;
	g_assert_true(container_spec_validate(spec, NULL));
	spec->pid_mode = g_strdup("host");
	g_assert_false(container_spec_validate(spec, NULL));
	g_clear_pointer(&spec->pid_mode, g_free);
	spec->systemd = g_strdup("always");
	g_assert_false(container_spec_validate(spec, NULL));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/spec_parse_process/user", test_user);
	g_test_add_func("/model/spec_parse_process/timezone", test_timezone);
	g_test_add_func("/model/spec_parse_process/personality", test_personality);
	g_test_add_func("/model/spec_parse_process/descriptors", test_descriptors);
	g_test_add_func("/model/spec_parse_process/proc-options", test_proc_options);
	g_test_add_func("/model/spec_validate_process/conflicts", test_conflicts);
	return g_test_run();
}
