/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text helpers, errors and JSON. */
#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>

static void test_clean_path(void) {
	static const struct {
		const char *path, *clean;
	} cases[] = {
		{"", "."},
		{"/", "/"},
		{"//", "/"},
		{"/a//b/", "/a/b"},
		{"/a/./b/.", "/a/b"},
		{"/a/../b", "/b"},
		{"/../../b", "/b"},
		{"/..", "/"},
		{"a/..", "."},
		{"a/../..", ".."},
		{"../a/../b", "../b"},
		{"./a", "a"},
		{"/a/...", "/a/..."},
	};

	array_foreach (row, cases) {
		g_autofree char *clean = str_clean_path(row->path);
		g_assert_cmpstr(clean, ==, row->clean);
	}
}

static void test_csv(void) {
	static const struct {
		const char *text, *joined; /* with '|'; NULL: refused */
	} cases[] = {
		{"", ""},
		{"a", "a"},
		{"a,b", "a|b"},
		{"a,,b,", "a||b|"},
		{"\"a,b\",c", "a,b|c"},
		{"\"a\"\"b\"", "a\"b"},
		{"\"\"", ""},
		{"\"a", NULL},
		{"a\"b", NULL},
		{"\"a\"b", NULL},
		{"\"", NULL},
	};

	array_foreach (row, cases) {
		g_auto(GStrv) fields = str_split_csv(row->text);
		g_autofree char *joined = fields ? g_strjoinv("|", fields) : NULL;
		g_test_message("csv %s", row->text);
		g_assert_cmpstr(joined, ==, row->joined);
	}
}

static void test_nearest(void) {
	static const char *const words[] = {"publish", "volume", "network", NULL};

	g_assert_cmpstr(str_nearest("pubish", words), ==, "publish");
	g_assert_cmpstr(str_nearest("Volumes", words), ==, "volume");
	g_assert_null(str_nearest("something", words));
	g_assert_true(str_in_list("volume", words));
	g_assert_false(str_in_list("vol", words));
}

static void test_hex(void) {
	static const unsigned char bytes[] = {0, 0x7f, 0xff};
	g_autofree char *hex = str_hex(bytes, sizeof bytes);
	char text[] = "a\nb\x1b[0m\x7f";
	char wide[] = "\u00e9\xc2\x9b\xe2\x80\xae\xe2\x81\xa7\u20ac\n\t\r";

	g_assert_cmpstr(hex, ==, "007fff");
	g_assert_true(str_is_hex("09af"));
	g_assert_false(str_is_hex("09AF"));
	g_assert_false(str_is_hex(""));
	g_assert_cmpstr(str_strip_control(text), ==, "a?b?[0m?");
	g_assert_cmpstr(str_strip_control_lines(wide), ==, "\u00e9????????\u20ac\n\t?");
	g_assert_cmpstr(str_strip_control(wide), ==, "\u00e9????????\u20ac???");
}

static void test_error(void) {
	g_autoptr(GError) err = NULL;

	g_assert_false(fail_errno(&err, ENOENT, "cannot open \"%s\"", "x"));
	g_assert_true(error_is(err, ERROR_NOT_FOUND));
	g_assert_cmpstr(err->message, ==, "cannot open \"x\": No such file or directory");
	g_assert_false(fail_prefix(&err, "pod %d", 1));
	g_assert_cmpstr(err->message, ==, "pod 1: cannot open \"x\": No such file or directory");
	g_assert_true(error_is(err, ERROR_NOT_FOUND));
	g_assert_false(fail_prefix(NULL, "nothing"));
	g_assert_false(fail(NULL, ERROR_FAILED, "nobody listens"));
	g_assert_false(error_is(NULL, ERROR_FAILED));
	g_clear_error(&err);
	fail_errno(&err, EEXIST, "x");
	g_assert_true(error_is(err, ERROR_EXISTS));
}

/* security: B16-03, B18-03 */
static void test_json(void) {
	static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "[1] x", "nul"};
	g_autoptr(GString) deep = g_string_new(NULL);

	array_foreach (text, bad) {
		g_autoptr(GError) err = NULL;
		g_assert_null(json_parse(*text, strlen(*text), "text", &err));
		g_assert_true(error_is(err, ERROR_CORRUPT));
	}
	for (int i = 0; i < 100; i++)
		g_string_append_c(deep, '[');
	for (int i = 0; i < 100; i++)
		g_string_append_c(deep, ']');
	g_assert_null(json_parse(deep->str, deep->len, "deep", NULL));

	static const char text[] = "{\"s\":\"x\",\"i\":-5,\"b\":true,\"l\":[\"a\",1,\"b\"]}";
	json_auto_t *json = json_parse(text, strlen(text), "text", NULL);
	g_auto(GStrv) list = json_get_strv(json, "l"), none = json_get_strv(json, "s");
	g_assert_cmpstr(json_get_string(json, "s", NULL), ==, "x");
	g_assert_cmpstr(json_get_string(json, "i", "other"), ==, "other");
	g_assert_cmpint(json_get_int(json, "i", 0), ==, -5);
	g_assert_cmpint(json_get_int(NULL, "i", 7), ==, 7);
	g_assert_true(json_get_bool(json, "b", false));
	g_assert_true(json_get_bool(json, "s", true));
	g_assert_cmpuint(g_strv_length(list), ==, 2);
	g_assert_cmpuint(g_strv_length(none), ==, 0);
	json_put_string(json, "s", NULL); /* leaves it alone */
	g_assert_cmpstr(json_get_string(json, "s", NULL), ==, "x");
	json_put_string(json, "bytes", "a\xff");
	g_assert_cmpstr(json_get_string(json, "bytes", NULL), ==, "a\xef\xbf\xbd");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/str/clean-path", test_clean_path);
	g_test_add_func("/base/str/csv", test_csv);
	g_test_add_func("/base/str/nearest", test_nearest);
	g_test_add_func("/base/str/hex", test_hex);
	g_test_add_func("/base/error/messages", test_error);
	g_test_add_func("/base/json/strict-and-forgiving", test_json);
	return g_test_run();
}
