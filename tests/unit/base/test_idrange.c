/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps of ids, and the files of subordinate ranges (security.md B4-09). */
#include "base/idrange.h"

#include "base/cleanup.h"

#include <string.h>

static void test_ids(void) {
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x10", "4294967295",
		"4294967296", "18446744073709551616", "1e3"};
	uint32_t id = 7;

	array_foreach (text, bad)
		g_assert_false(id_parse(*text, &id));
	g_assert_cmpuint(id, ==, 7);
	g_assert_true(id_parse("0", &id));
	g_assert_cmpuint(id, ==, 0);
	g_assert_true(id_parse("4294967294", &id));
	g_assert_cmpuint(id, ==, ID_MAX);
}

static void test_check(void) {
	static const struct {
		IdRange rows[3];
		size_t n;
		const char *error; /* NULL: good */
	} cases[] = {
		{{{0, 100000, 65536}}, 1, NULL},
		{{{0, 0, 4294967295}}, 1, NULL},
		{{{4294967294, 1, 1}}, 1, NULL},
		{{{0, 1, 10}, {10, 100, 5}, {15, 11, 1}}, 3, NULL},
		{{{0}}, 0, "maps no id"},
		{{{0, 1, 0}}, 1, "no ids"},
		{{{1, 0, 4294967295}}, 1, "beyond"},
		{{{0, 1, 4294967295}}, 1, "beyond"},
		{{{0, 4294967295, 1}}, 1, "beyond"},
		{{{0, 1, 10}, {9, 100, 5}}, 2, "id 9 twice"},
		{{{5, 100, 5}, {0, 1, 6}}, 2, "id 5 twice"},
		{{{0, 1, 10}, {20, 10, 5}}, 2, "to id 10 twice"},
		{{{0, 1, 10}, {20, 1, 1}}, 2, "to id 1 twice"},
	};

	array_foreach (row, cases) {
		g_autoptr(GError) error = NULL;
		IdMap map = {(IdRange *)row->rows, row->n};
		bool good = id_map_check(&map, "--uidmap", &error);

		g_assert_cmpint(good, ==, !row->error);
		if (row->error)
			g_assert_nonnull(strstr(error->message, row->error));
	}
	IdMap many = {0};
	for (uint32_t i = 0; i <= ID_MAP_ROWS_MAX; i++)
		id_map_append(&many, i, i, 1);
	g_autoptr(GError) error = NULL;
	g_assert_false(id_map_check(&many, "--uidmap", &error));
	g_assert_nonnull(strstr(error->message, "more than the kernel's 340"));
	id_map_clear(&many);
}

static void test_sides(void) {
	IdMap map = {0}, again = {0};
	uint32_t id;

	id_map_append(&map, 0, 100000, 10);
	id_map_append(&map, 1000, 5, 1);
	g_assert_true(id_map_to_outside(&map, 9, &id));
	g_assert_cmpuint(id, ==, 100009);
	g_assert_false(id_map_to_outside(&map, 10, &id));
	g_assert_true(id_map_to_inside(&map, 5, &id));
	g_assert_cmpuint(id, ==, 1000);
	g_assert_false(id_map_to_inside(&map, 6, &id));
	g_autofree char *text = id_map_to_text(&map);
	g_assert_cmpstr(text, ==, "0 100000 10\n1000 5 1\n");
	g_assert_true(
		id_map_from_text("         0     100000         10\n1000 5 1\n", &again, NULL));
	g_autofree char *same = id_map_to_text(&again);
	g_assert_cmpstr(text, ==, same);
	g_assert_false(id_map_from_text("0 1\n", &again, NULL));
	g_assert_false(id_map_from_text("0 1 2 3\n", &again, NULL));
	id_map_clear(&map);
	id_map_clear(&again);
}

static void check_file(const char *content, const char *expected, const char *error_text) {
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL, *found = NULL;
	int fd = g_file_open_tmp("podctl-idrange-XXXXXX", &path, NULL);
	IdMap map = {0};

	g_assert_cmpint(write(fd, content, strlen(content)), ==, (ssize_t)strlen(content));
	close(fd);
	bool good = id_read_subordinate(path, "containers", "77", &map, &error);
	unlink(path);
	g_assert_cmpint(good, ==, !error_text);
	if (error_text) {
		g_assert_nonnull(strstr(error->message, error_text));
		return;
	}
	found = id_map_to_text(&map);
	g_assert_cmpstr(found, ==, expected);
	id_map_clear(&map);
}

static void test_files(void) {
	check_file("", "", NULL);
	check_file("# containers:1:1\n\nother:0:0\ncontainersx:1:1\n", "", NULL);
	check_file("containers:100000:65536\n", "0 100000 65536\n", NULL);
	check_file("containers:100000:65536", "0 100000 65536\n", NULL);
	check_file("containers:10:5\nmail:1:1\n77:100:7\n", "0 10 5\n5 100 7\n", NULL);
	check_file("containers:10:5\ncontainers:14:5\n", NULL, "twice");
	check_file("containers:10:0\n", NULL, "line 1");
	check_file("containers:0:10\n", NULL, "line 1");
	check_file("x:1:1\ncontainers:4294967295:1\n", NULL, "line 2");
	check_file("containers:4294967290:6\n", NULL, "line 1");
	check_file("containers:10\n", NULL, "line 1");
	check_file("containers:10:5:3\n", NULL, "line 1");
	check_file("containers:-1:5\n", NULL, "line 1");
	check_file("containers: 1:5\n", NULL, "line 1");
	check_file("containers:2:4000000000\ncontainers:1:1\n", "0 2 4000000000\n4000000000 1 1\n",
		NULL);
}

/* What a zero byte hides is nobody's; the lines after it count. */
static void test_zero_bytes(void) {
	static const char text[] = "mail:1\0:1\ncontainers:7:7\0\ncontainers:10:5\n\0\n77:30:2\n";
	_cleanup_fclose_ FILE *file = fmemopen((char *)text, sizeof(text) - 1, "r");
	IdMap map = {0};

	g_assert_true(id_read_subordinate_stream(file, "text", "containers", "77", &map, NULL));
	g_autofree char *found = id_map_to_text(&map);
	g_assert_cmpstr(found, ==, "0 10 5\n5 30 2\n");
	id_map_clear(&map);
}

/* The third field, where it is a number. */
static void test_highest_account(void) {
	g_assert_cmpuint(id_highest_account(""), ==, 0);
	g_assert_cmpuint(id_highest_account("a:x:5:6:g:/:/bin/sh\nb:x:70:\nshort:x:900\n"), ==, 70);
	g_assert_cmpuint(id_highest_account("a:x:4294967295:0:\nb:x:-7:0:\nc:x:1e9:0:"), ==, 0);
}

/* security: B16-06 */
static void test_file_kinds(void) {
	IdMap map = {0};

	g_assert_true(id_read_subordinate("/nonexistent/subuid", "containers", NULL, &map, NULL));
	g_assert_cmpuint(map.n, ==, 0);
	g_assert_false(id_read_subordinate("/dev/zero", "containers", NULL, &map, NULL));
	g_assert_false(id_read_subordinate("/", "containers", NULL, &map, NULL));
}

/* A million lines, and lines that never end. */
static void test_large_file(void) {
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("podctl-idrange-XXXXXX", &path, NULL);
	FILE *file = fdopen(fd, "w");
	g_autofree char *blanks = g_strnfill(1 << 20, 'x');
	IdMap map = {0};

	for (int i = 0; i < 1000000; i++)
		fprintf(file, "user%d:%d:10\n", i, i);
	fprintf(file, "%s:1:1\ncontainers:5:6\n", blanks);
	fclose(file);
	gint64 start = g_get_monotonic_time();
	g_assert_true(id_read_subordinate(path, "containers", NULL, &map, NULL));
	g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
	unlink(path);
	g_assert_cmpuint(map.n, ==, 1);
	g_assert_cmpuint(map.rows[0].outside, ==, 5);
	id_map_clear(&map);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/idrange/ids_are_strict_decimal", test_ids);
	g_test_add_func("/base/idrange/a_map_without_sense_is_refused", test_check);
	g_test_add_func("/base/idrange/both_sides_are_found", test_sides);
	g_test_add_func("/base/idrange/subordinate_files", test_files);
	g_test_add_func("/base/idrange/zero_bytes_hide_no_line", test_zero_bytes);
	g_test_add_func("/base/idrange/highest_account", test_highest_account);
	g_test_add_func("/base/idrange/a_file_that_is_none", test_file_kinds);
	g_test_add_func("/base/idrange/a_huge_file_is_read_in_no_time", test_large_file);
	return g_test_run();
}
