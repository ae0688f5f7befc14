/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --detach-keys: what is a sequence, and finding it in what is typed. */
#include "cli/detach_keys.h"

#include <glib.h>
#include <string.h>

static DetachKeys parse(const char *text) {
	DetachKeys keys = {0};
	g_autoptr(GError) error = NULL;

	g_assert_true(detach_keys_parse(text, &keys, &error));
	g_assert_no_error(error);
	return keys;
}

static void test_words(void) {
	static const struct {
		const char *text, *bytes;
		size_t size;
	} rows[] = {
		{NULL, "\x10\x11", 2},
		{"ctrl-p,ctrl-q", "\x10\x11", 2},
		{"", "", 0},
		{"a", "a", 1},
		{"Z,1,%", "Z1%", 3},
		{"ctrl-a,ctrl-z", "\1\x1a", 2},
		{"ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", "\0\x1b\x1c\x1d\x1e\x1f", 6},
		{"DEL", "\x7f", 1},
		{"a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "aaaaaaaaaaaaaaaa", 16},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		DetachKeys keys = parse(rows[i].text);
		g_assert_cmpuint(keys.n, ==, rows[i].size);
		g_assert_true(memcmp(keys.keys, rows[i].bytes, keys.n) == 0);
	}
}

static void test_bad_words(void) {
	static const char *const texts[] = {"ab", "ctrl-", "ctrl-A", "ctrl-1", "ctrl-aa", "ctrl-,a",
		",", "a,", ",a", "CTRL-a", "ctrl a", " a", "del", "\303\244",
		"a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a"};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		DetachKeys keys;
		g_autoptr(GError) error = NULL;
		g_assert_false(detach_keys_parse(texts[i], &keys, &error));
		g_assert_nonnull(strstr(error->message, "--detach-keys"));
		g_assert_nonnull(strstr(error->message, texts[i]));
	}
}

/* Types text in pieces of every size; what goes through must be wanted. */
static void check(const char *sequence, const char *text, const char *wanted, bool left) {
	size_t size = strlen(text);

	for (size_t piece = 1; piece <= size; piece++) {
		DetachKeys keys = parse(sequence);
		g_autoptr(GString) passed = g_string_new(NULL);
		bool found = false;
		for (size_t at = 0; at < size && !found; at += piece) {
			char out[64 + DETACH_KEYS_MAX];
			size_t used = 0;
			found = detach_keys_scan(
				&keys, text + at, MIN(piece, size - at), out, &used);
			g_string_append_len(passed, out, (gssize)used);
		}
		g_assert_cmpstr(passed->str, ==, wanted);
		g_assert_true(found == left);
	}
}

static void test_scan(void) {
	check("x,y", "abc", "abc", false);
	check("x,y", "abxy", "ab", true);
	check("x,y", "xyab", "", true);
	check("x,y", "axbxxyz", "axbx", true);
	check("x,y", "ax", "a", false);
	check("x,y", "axa", "axa", false);
	check("q", "aq", "a", true);
	check("", "xyq", "xyq", false);
	/* a beginning within a beginning */
	check("a,a,b", "aaab", "a", true);
	check("a,b,a,c", "ababac", "ab", true);
	check("a,b,a,b,c", "abababd", "abababd", false);
	check("p,p,q", "ppxppq", "ppx", true);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cli/detach-keys/words", test_words);
	g_test_add_func("/cli/detach-keys/bad-words", test_bad_words);
	g_test_add_func("/cli/detach-keys/scan", test_scan);
	return g_test_run();
}
