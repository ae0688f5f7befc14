/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and attributes in an archive. */
#include "archive/entry.h"

#include <string.h>

/* clean is NULL where the name is refused */
static const struct {
	const char *raw, *clean;
} rows[] = {
	{"a", "a"},
	{"a/b/", "a/b"},
	{"./a//b", "a/b"},
	{".", ""},
	{"a/./b", "a/b"},
	{"..a", "..a"},
	{"a..", "a.."},
	{"a b\nc", "a b\nc"},
	{"", NULL},
	{"/", NULL},
	{"/a", NULL},
	{"//a", NULL},
	{"..", NULL},
	{"a/..", NULL},
	{"a/../b", NULL},
	{"../a", NULL},
};

static void test_names(void) {
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		char path[LIMIT_PATH + 1];
		bool good = entry_path_clean(rows[i].raw, path, &error);

		g_assert_true(good == (rows[i].clean != NULL));
		if (good)
			g_assert_cmpstr(path, ==, rows[i].clean);
		else
			g_assert_true(error_is(error, ERROR_INVALID));
	}
}

static bool clean_of(size_t length, size_t count) {
	g_autoptr(GString) name = g_string_new(NULL);
	char path[LIMIT_PATH + 1];

	for (size_t i = 0; i < count; i++) {
		for (size_t n = 0; n < length; n++)
			g_string_append_c(name, 'a');
		g_string_append_c(name, '/');
	}
	return entry_path_clean(name->str, path, NULL);
}

static void test_bounds(void) {
	g_assert_true(clean_of(255, 1));
	g_assert_false(clean_of(256, 1));
	g_assert_true(clean_of(1, LIMIT_DEPTH));
	g_assert_false(clean_of(1, LIMIT_DEPTH + 1));
	g_assert_true(clean_of(255, 15));
	g_assert_false(clean_of(255, 17));
}

/* security: B6-14 */
static void test_attributes(void) {
	static const char *const good[] = {"user.a", "user.overlay", "security.capability"};
	static const char *const bad[] = {"user.", "user.overlay.opaque", "trusted.overlay.opaque",
		"trusted.a", "security.selinux", "security.ima", "system.posix_acl_access", ""};

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(entry_xattr_is_allowed(good[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(entry_xattr_is_allowed(bad[i]));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/archive/entry/names", test_names);
	g_test_add_func("/archive/entry/names-have-bounds", test_bounds);
	g_test_add_func("/archive/entry/attributes-are-on-a-list", test_attributes);
	return g_test_run();
}
