/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/reference.h"

#include <string.h>

/* own is what a user's own image is called, docker what a docker-archive means; NULL: refused */
static const struct {
	const char *name, *own, *docker;
} rows[] = {
	{"bb", "localhost/bb:latest", "docker.io/library/bb:latest"},
	{"bb:1", "localhost/bb:1", "docker.io/library/bb:1"},
	{"a/b", "localhost/a/b:latest", "docker.io/a/b:latest"},
	{"localhost/bb", "localhost/bb:latest", "localhost/bb:latest"},
	{"docker.io/bb", "docker.io/library/bb:latest", "docker.io/library/bb:latest"},
	{"reg.example:5000/a/b:v1.2_3", "reg.example:5000/a/b:v1.2_3",
		"reg.example:5000/a/b:v1.2_3"},
	{"a__b-c--d.e", "localhost/a__b-c--d.e:latest", "docker.io/library/a__b-c--d.e:latest"},
	{"bb:Tag", "localhost/bb:Tag", "docker.io/library/bb:Tag"},
	{"", NULL, NULL},
	{"BB", NULL, NULL},
	{"bb:", NULL, NULL},
	{"bb:-x", NULL, NULL},
	{"-bb", NULL, NULL},
	{"a//b", NULL, NULL},
	{"a/", NULL, NULL},
	{"/a", NULL, NULL},
	{"../a", NULL, NULL},
	{"a/../b", NULL, NULL},
	{"a._b", NULL, NULL},
	{"a___b", NULL, NULL},
	{"a b", NULL, NULL},
	{"a\nb", NULL, NULL},
	{"reg.example:x/a", NULL, NULL},
	{"bb@sha256:00", NULL, NULL},
};

static void test_normalise(void) {
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *own = reference_normalise(rows[i].name, &error);
		g_autofree char *docker = reference_normalise_docker(rows[i].name, NULL);
		g_assert_cmpstr(own, ==, rows[i].own);
		g_assert_cmpstr(docker, ==, rows[i].docker);
		g_assert_true(own ? !error : error_is(error, ERROR_INVALID));
	}
}

static void test_long(void) {
	g_autofree char *name = g_strnfill(300, 'a');

	g_assert_null(reference_normalise(name, NULL));
}

static void test_candidates(void) {
	g_auto(GStrv) bare = reference_candidates("bb", NULL);
	g_auto(GStrv) whole = reference_candidates("reg.example/bb:2", NULL);

	g_assert_cmpuint(g_strv_length(bare), ==, 2);
	g_assert_cmpstr(bare[0], ==, "localhost/bb:latest");
	g_assert_cmpstr(bare[1], ==, "docker.io/library/bb:latest");
	g_assert_cmpuint(g_strv_length(whole), ==, 1);
	g_assert_cmpstr(whole[0], ==, "reg.example/bb:2");
}

static void test_suffix(void) {
	g_assert_true(reference_is_suffix("quay.example/a/bb:latest", "bb"));
	g_assert_true(reference_is_suffix("quay.example/a/bb:1", "a/bb:1"));
	g_assert_false(reference_is_suffix("quay.example/a/bb:1", "bb"));
	g_assert_false(reference_is_suffix("quay.example/a/xbb:latest", "bb"));
}

static void test_digest(void) {
	g_autofree char *hex = g_strnfill(64, 'a');
	g_autofree char *digest = g_strconcat("sha256:", hex, NULL);
	g_autofree char *upper = g_ascii_strup(digest + 7, -1);
	g_autofree char *upper_digest = g_strconcat("sha256:", upper, NULL);
	g_autofree char *longer = g_strconcat(digest, "a", NULL);

	g_assert_cmpstr(reference_digest_hex(digest), ==, hex);
	g_assert_null(reference_digest_hex(upper_digest));
	g_assert_null(reference_digest_hex(longer));
	g_assert_null(reference_digest_hex("sha256:../../x"));
	g_assert_null(reference_digest_hex("sha512:aa"));
	g_assert_null(reference_digest_hex(""));
	g_assert_null(reference_digest_hex(NULL));
}

static void test_escape(void) {
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!rows[i].own)
			continue;
		g_autofree char *file = reference_escape(rows[i].own);
		g_autofree char *back = reference_unescape(file);
		g_assert_null(strchr(file, '/'));
		g_assert_cmpuint(strlen(file), <=, 255);
		g_assert_cmpstr(back, ==, rows[i].own);
	}
	g_assert_null(reference_unescape(".0123.tmp"));
	g_assert_null(reference_unescape("a%2"));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/image/reference/normalise", test_normalise);
	g_test_add_func("/image/reference/too-long", test_long);
	g_test_add_func("/image/reference/candidates", test_candidates);
	g_test_add_func("/image/reference/suffix", test_suffix);
	g_test_add_func("/image/reference/digest", test_digest);
	g_test_add_func("/image/reference/escape-round-trip", test_escape);
	return g_test_run();
}
