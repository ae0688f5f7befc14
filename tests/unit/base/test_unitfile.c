/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit files: what the generator relies on when it reads, changes and writes them. */
#include "base/unitfile.h"

#include <string.h>

static UnitFile *parse(const char *text, unsigned *ret_lost, GError **err) {
	g_autoptr(UnitFile) file = unit_file_new();
	size_t size = strlen(text);

	if (!unit_file_parse(file, "x.container", g_memdup2(text, size + 1), size, ret_lost, err))
		return NULL;
	return g_steal_pointer(&file);
}

static UnitFile *parse_good(const char *text) {
	unsigned lost = 0;
	g_autoptr(GError) error = NULL;
	UnitFile *file = parse(text, &lost, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(lost, ==, 0);
	return file;
}

static void assert_written(const UnitFile *file, const char *expected) {
	g_autoptr(GString) out = g_string_new(NULL);

	unit_file_write(file, out);
	g_assert_cmpstr(out->str, ==, expected);
}

static void assert_round_trip(const char *text, const char *expected) {
	g_autoptr(UnitFile) file = parse_good(text);

	assert_written(file, expected);
}

static void test_round_trip(void) {
	assert_round_trip("", "");
	assert_round_trip("# only\n; comments\n", "# only\n; comments\n");
	assert_round_trip("# c\n[A]\nk=v\n\n# d\n[B]\n# e\nx=y\n# f\n",
		"# c\n[A]\nk=v\n\n# d\n[B]\n# e\nx=y\n# f\n");
	assert_round_trip("[A]\na=1\n[B]\nb=2\n[A]\na=3\n", "[A]\na=1\na=3\n\n[B]\nb=2\n");
	assert_round_trip("[A]\r\n k = v \r\n", "[A]\nk=v\n");
	assert_round_trip("[A]\nk=v", "[A]\nk=v\n");
	assert_round_trip("[A]\nk==\n", "[A]\nk==\n");
}

static void test_continuation(void) {
	assert_round_trip("[A]\nk=a\\\n  b\n", "[A]\nk=ab\n");
	assert_round_trip("[A]\nk=a \\\n  b\n", "[A]\nk=a b\n");
	assert_round_trip("[A]\nk=a \\  \n# no\n\n  b\nl=c\n", "[A]\nk=a b\nl=c\n");
	assert_round_trip("[A]\nk=a \\\n\n[B]\n", "[A]\nk=a [B]\n");
	assert_round_trip("[A]\nk=a\\", "[A]\nk=a\n");
	assert_round_trip("[A]\n# c \\\nk=v\n", "[A]\n# c \\\nk=v\n");
}

static void test_lost_line(void) {
	unsigned lost = 0;
	g_autoptr(GError) error = NULL;
	g_autoptr(UnitFile) file = parse("[A]\nk=v\nl=a \\\n# end\n\n", &lost, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(lost, ==, 3);
	g_assert_nonnull(unit_file_last(file, "A", "k"));
	g_assert_null(unit_file_last(file, "A", "l"));
}

static void assert_error(const char *text, const char *expected) {
	unsigned lost;
	g_autoptr(GError) error = NULL;
	g_autoptr(UnitFile) file = parse(text, &lost, &error);

	g_assert_null(file);
	g_assert_true(error_is(error, ERROR_CORRUPT));
	g_assert_true(g_str_has_prefix(error->message, expected));
}

static void test_errors(void) {
	assert_error("k=v\n", "x.container:1: ");
	assert_error("[A]\n\nnothing\n", "x.container:3: ");
	assert_error("[A]\n=v\n", "x.container:2: ");
	assert_error("[A]\nk=a \\\nb\n[]\n", "x.container:4: ");
	assert_error("[A[b]\n", "x.container:1: ");
	assert_error("\xef\xbb\xbf[A]\n", "x.container:1: ");
}

static void test_line_numbers(void) {
	g_autoptr(UnitFile) file = parse_good("# c\n[A]\nk=a \\\n b\nl=c\n");

	g_assert_cmpuint(unit_file_last(file, "A", "k")->number, ==, 3);
	g_assert_cmpuint(unit_file_last(file, "A", "l")->number, ==, 5);
	g_assert_cmpstr(unit_file_last(file, "A", "l")->path, ==, "x.container");
}

static void test_strings(void) {
	g_autoptr(UnitFile) file = unit_file_new();

	g_assert_cmpstr(unit_file_string(file, "a b  "), ==, "a b");
	g_assert_cmpstr(unit_file_string(file, "\"a b\" "), ==, "a b");
	g_assert_cmpstr(unit_file_string(file, "\"A\"B\""), ==, "A\"B");
	g_assert_cmpstr(unit_file_string(file, "\""), ==, "\"");
	g_assert_cmpstr(unit_file_string(file, "\"\""), ==, "");
	g_assert_cmpstr(unit_file_string(file, "'a'"), ==, "'a'");
	g_assert_true(unit_value_is_true("YES") && unit_value_is_true("1"));
	g_assert_false(unit_value_is_true("y") || unit_value_is_true(""));
}

static void test_changes(void) {
	g_autoptr(UnitFile) file = parse_good("[A]\nk=1\nk=2\n[B]\nz=0\n");

	unit_file_set(file, "A", "k", "3");
	unit_file_prepend(file, "A", "first", "1");
	unit_file_add(file, "C", "new", "1");
	unit_file_rename_group(file, "B", "X-B");
	assert_written(file, "[A]\nfirst=1\nk=1\nk=3\n\n[X-B]\nz=0\n\n[C]\nnew=1\n");
	unit_file_unset(file, "A", "k");
	unit_file_rename_group(file, "X-B", "A");
	assert_written(file, "[A]\nfirst=1\nz=0\n\n[C]\nnew=1\n");
}

static void test_merge(void) {
	g_autoptr(UnitFile) file = parse_good("[A]\nk=1\n");

	unit_file_merge(file, parse_good("# lost\n"));
	unit_file_merge(file, parse_good("# c\n[A]\nk=2\n[B]\nl=1\n"));
	assert_written(file, "[A]\nk=1\n# c\nk=2\n\n[B]\nl=1\n");
	g_assert_cmpstr(unit_file_value(file, "A", "k"), ==, "2");
}

static void test_concat(void) {
	g_autoptr(UnitFile) file = unit_file_new();
	g_autofree char *longer = g_strnfill(1000, 'x');

	g_assert_cmpstr(unit_file_concat(file, "a", "", "bc", NULL), ==, "abc");
	g_assert_cmpuint(strlen(unit_file_concat(file, longer, "y", NULL)), ==, 1001);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/unitfile/round-trip", test_round_trip);
	g_test_add_func("/base/unitfile/continuation-joins-without-a-blank", test_continuation);
	g_test_add_func("/base/unitfile/dangling-continuation-is-lost", test_lost_line);
	g_test_add_func("/base/unitfile/errors-name-the-line", test_errors);
	g_test_add_func("/base/unitfile/lines-know-where-they-began", test_line_numbers);
	g_test_add_func("/base/unitfile/strings-lose-one-pair-of-quotes", test_strings);
	g_test_add_func("/base/unitfile/changes-keep-the-order", test_changes);
	g_test_add_func("/base/unitfile/merge-appends-and-skips-nameless-groups", test_merge);
	g_test_add_func("/base/unitfile/concat-takes-any-length", test_concat);
	return g_test_run();
}
