/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespace modes, --userns, id maps. */
#include "base/cleanup.h"
#include "model/namespace_mode.h"

#include <string.h>

static void test_modes(void) {
	static const struct {
		const char *text;
		NamespaceKind kind;
		const char *value;
	} good[] = {
		{NULL, NAMESPACE_DEFAULT, NULL},
		{"", NAMESPACE_DEFAULT, NULL},
		{"private", NAMESPACE_PRIVATE, NULL},
		{"host", NAMESPACE_HOST, NULL},
		{"none", NAMESPACE_NONE, NULL},
		{"shareable", NAMESPACE_SHAREABLE, NULL},
		{"pod", NAMESPACE_POD, NULL},
		{"container:web", NAMESPACE_CONTAINER, "web"},
		{"ns:/proc/1/ns/net", NAMESPACE_PATH, "/proc/1/ns/net"},
	};
	static const char *const bad[] = {"Host", "host:", "private:x", "container",
		"container:", "container:a/b", "container:a b", "ns:", "ns:rel", "ns", "pod:x",
		"hos"};
	NamespaceMode mode;

	array_foreach (row, good) {
		g_assert_true(spec_parse_namespace(row->text, &mode, NULL));
		g_assert_cmpint(mode.kind, ==, row->kind);
		g_assert_cmpstr(mode.value, ==, row->value);
	}
	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;
		g_assert_false(spec_parse_namespace(*text, &mode, &error));
		g_assert_nonnull(strstr(error->message, *text));
	}
}

static void check_rows(const char *rows, bool group, const char *expected) {
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) list = g_strsplit(rows, " ", -1);
	IdMap map = {0};
	bool good = spec_parse_id_map(list, group, &map, &error);

	if (!expected) {
		g_assert_false(good);
		g_assert_nonnull(error);
		id_map_clear(&map);
		return;
	}
	g_assert_no_error(error);
	g_autofree char *text = id_map_to_text(&map);
	g_strdelimit(text, "\n", ',');
	g_assert_cmpstr(text, ==, expected);
	id_map_clear(&map);
}

static void test_rows(void) {
	static const char *const bad[] = {"", "0", "0:", ":1", "0:1:", "0:1:0", "0:1:2:3", "a:1",
		"0:-1", "0:+1", "4294967295:1", "0:4294967295", "0:4294967294:2", "4294967294:0:2",
		"0:0:4294967296", "0:1:99999999999999999999", "+0:1", "x0:1", "0:@@1", "@0:1",
		"0x0:1", " 0:1", "0:1\n", "0:1,5:6"};

	check_rows("0:100000:65536", false, "0 100000 65536,");
	check_rows("0:5", false, "0 5 1,");
	check_rows("0:@5", false, "0 5 1,");
	check_rows("0:0:4294967295", false, "0 0 4294967295,");
	check_rows("0:100:10 +5:7", false, "0 100 5,6 106 4,5 7 1,");
	check_rows("0:100:10 +0:7:20", false, "0 7 20,");
	/* what is taken outside goes too */
	check_rows("0:100:10 +50:103", false, "0 100 3,4 104 6,50 103 1,");
	check_rows("0:100:10 u50:5 g60:6", false, "0 100 10,50 5 1,");
	check_rows("0:100:10 u50:5 g60:6", true, "0 100 10,60 6 1,");
	check_rows("0:100:10 ug50:5", true, "0 100 10,50 5 1,");
	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;
		char *const list[] = {(char *)*text, NULL};
		IdMap map = {0};

		g_assert_false(spec_parse_id_map(list, false, &map, &error));
		g_assert_nonnull(strstr(error->message, *text));
		id_map_clear(&map);
	}
}

static void test_userns(void) {
	static const struct {
		const char *text;
		UserNsKind kind;
	} good[] = {
		{NULL, USERNS_HOST},
		{"", USERNS_HOST},
		{"host", USERNS_HOST},
		{"private", USERNS_PRIVATE},
		{"nomap", USERNS_NOMAP},
		{"auto", USERNS_AUTO},
		{"auto:", USERNS_AUTO},
		{"keep-id", USERNS_KEEP_ID},
		{"container:x", USERNS_CONTAINER},
		{"ns:/x", USERNS_PATH},
	};
	static const char *const bad[] = {"x", "host:", "private:a", "nomap:x", "auto:x",
		"auto:size=", "auto:size=0", "auto:size=-1", "auto:size=4294967295",
		"auto:size=1,,", "auto:uidmapping=1", "keep-id:uid", "keep-id:uid=-1",
		"keep-id:uid=4294967295", "keep-id:gid=x", "keep-id:x=1", "container:", "ns:x",
		"AUTO"};
	UserNsRequest request;

	array_foreach (row, good) {
		g_assert_true(spec_parse_userns(row->text, &request, NULL) ||
			      g_strcmp0(row->text, "auto:") == 0);
		if (g_strcmp0(row->text, "auto:") != 0) {
			g_assert_cmpint(request.kind, ==, row->kind);
			userns_request_clear(&request);
		}
	}
	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;
		g_assert_false(spec_parse_userns(*text, &request, &error));
		g_assert_nonnull(strstr(error->message, *text));
	}
	g_assert_true(spec_parse_userns(
		"auto:size=10,uidmapping=0:5:2,uidmapping=9:1,gidmapping=1:2", &request, NULL));
	g_assert_cmpuint(request.size, ==, 10);
	g_assert_cmpuint(request.uid_map.n, ==, 2);
	g_assert_cmpuint(request.gid_map.n, ==, 1);
	userns_request_clear(&request);
	g_assert_true(spec_parse_userns("keep-id:uid=5,gid=6", &request, NULL));
	g_assert_cmpuint(request.uid, ==, 5);
	g_assert_cmpuint(request.gid, ==, 6);
	userns_request_clear(&request);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/namespace_mode/modes", test_modes);
	g_test_add_func("/model/namespace_mode/rows_of_a_map", test_rows);
	g_test_add_func("/model/namespace_mode/user_namespaces", test_userns);
	return g_test_run();
}
