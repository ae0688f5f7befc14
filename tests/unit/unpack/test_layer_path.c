/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names in archives: cleaning, whiteouts; and the digest, against FIPS 180-4's examples. */
#include "unpack/layer_path.h"
#include "unpack/sha256.h"

#include <glib.h>
#include <string.h>

/* clean is NULL where the name is refused */
static const struct {
	const char *raw, *clean;
} clean_rows[] = {
	{"etc/x", "etc/x"},
	{"/etc/x", "etc/x"},
	{"./etc//x/", "etc/x"},
	{"a/./b", "a/b"},
	{".", ""},
	{"./", ""},
	{"/", ""},
	{"//x", "x"},
	{"...", "..."},
	{"..x/y..", "..x/y.."},
	{"", NULL},
	{"..", NULL},
	{"../x", NULL},
	{"a/../../x", NULL},
	{"./../x", NULL},
	{"a/..", NULL},
};

static void test_clean(void) {
	for (size_t i = 0; i < G_N_ELEMENTS(clean_rows); i++) {
		Failure failure = {0};
		char path[LIMIT_PATH + 1];
		bool ok = layer_path_clean(clean_rows[i].raw, path, &failure);
		g_assert_cmpint(ok, ==, clean_rows[i].clean != NULL);
		if (ok)
			g_assert_cmpstr(path, ==, clean_rows[i].clean);
		else
			g_assert_cmpstr(failure.text, !=, "");
	}
}

static bool clean_of_length(size_t component, size_t count) {
	g_autoptr(GString) name = g_string_new(NULL);
	char path[LIMIT_PATH + 1];
	Failure failure = {0};

	for (size_t i = 0; i < count; i++) {
		for (size_t n = 0; n < component; n++)
			g_string_append_c(name, 'a');
		g_string_append_c(name, '/');
	}
	return layer_path_clean(name->str, path, &failure);
}

static void test_bounds(void) {
	g_assert_true(clean_of_length(255, 1));
	g_assert_false(clean_of_length(256, 1));
	g_assert_true(clean_of_length(255, 16));
	g_assert_false(clean_of_length(255, 17));
	g_assert_true(clean_of_length(1, LIMIT_DEPTH));
	g_assert_false(clean_of_length(1, LIMIT_DEPTH + 1));
}

static const struct {
	const char *path, *result; /* NULL: refused */
	LayerPathKind kind;
} classify_rows[] = {
	{"a/b", "a/b", LAYER_PATH_PLAIN},
	{"a/.wh", "a/.wh", LAYER_PATH_PLAIN},
	{"a/x.wh.b", "a/x.wh.b", LAYER_PATH_PLAIN},
	{".wh.b", "b", LAYER_PATH_WHITEOUT},
	{"a/.wh.b", "a/b", LAYER_PATH_WHITEOUT},
	{"a/.wh..b", "a/.b", LAYER_PATH_WHITEOUT},
	{"a/.wh....", "a/...", LAYER_PATH_WHITEOUT},
	{"a/.wh..wh..opq", "a", LAYER_PATH_OPAQUE},
	{".wh..wh..opq", "", LAYER_PATH_OPAQUE},
	{"a/.wh.", NULL, 0},
	{"a/.wh..", NULL, 0},
	{"a/.wh...", NULL, 0},
	{".wh..wh.plnk", NULL, 0},
	{".wh..wh.x", NULL, 0},
	{".wh.a/b", NULL, 0},
	{"x/.wh.a/b", NULL, 0},
	{"x/.wh..wh..opq/b", NULL, 0},
};

static void test_classify(void) {
	for (size_t i = 0; i < G_N_ELEMENTS(classify_rows); i++) {
		Failure failure = {0};
		LayerPathKind kind;
		g_autofree char *path = g_strdup(classify_rows[i].path);
		bool ok = layer_path_classify(path, &kind, &failure);
		g_assert_cmpint(ok, ==, classify_rows[i].result != NULL);
		if (!ok)
			continue;
		g_assert_cmpstr(path, ==, classify_rows[i].result);
		g_assert_cmpint(kind, ==, classify_rows[i].kind);
	}
}

static void test_split(void) {
	char directory[LIMIT_PATH + 1];
	const char *name;

	layer_path_split("a/b/c", directory, &name);
	g_assert_cmpstr(directory, ==, "a/b");
	g_assert_cmpstr(name, ==, "c");
	layer_path_split("c", directory, &name);
	g_assert_cmpstr(directory, ==, "");
	g_assert_cmpstr(name, ==, "c");
}

static void test_failure_is_one_clean_line(void) {
	Failure failure = {0};

	g_assert_false(failure_set(&failure, "a\nb\033[31m"));
	g_assert_cmpstr(failure.text, ==, "a?b?[31m");
	failure_set(&failure, "second");
	g_assert_cmpstr(failure.text, ==, "a?b?[31m");
}

/* The digest of any split of the text equals GLib's. */
static void test_sha256(void) {
	unsigned char data[300];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 7);
	for (size_t size = 0; size <= sizeof data; size++) {
		g_autofree char *expected =
			g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, size);
		char hex[65];
		Sha256 hash;
		size_t first = size / 3;
		sha256_init(&hash);
		sha256_update(&hash, data, first);
		sha256_update(&hash, data + first, size - first);
		sha256_finish(&hash, hex);
		g_assert_cmpstr(hex, ==, expected);
	}
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/unpack/layer_path/clean", test_clean);
	g_test_add_func("/unpack/layer_path/bounds", test_bounds);
	g_test_add_func("/unpack/layer_path/classify", test_classify);
	g_test_add_func("/unpack/layer_path/split", test_split);
	g_test_add_func("/unpack/failure/one-clean-line", test_failure_is_one_clean_line);
	g_test_add_func("/unpack/sha256/equals-glib", test_sha256);
	return g_test_run();
}
