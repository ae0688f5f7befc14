/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of command lines: the rules that decide what a unit runs. */
#include "base/words.h"

#include <string.h>

static void assert_split(const char *text, WordsMode mode, const char *joined) {
	GStringChunk *strings = g_string_chunk_new(256);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	const char *reason = NULL;
	bool ok = words_split(text, mode, strings, words, &reason);

	if (!joined) {
		g_assert_false(ok);
		g_assert_nonnull(reason);
		g_assert_cmpuint(words->len, ==, 0);
	} else {
		g_assert_true(ok);
		g_ptr_array_add(words, NULL);
		g_autofree char *got = g_strjoinv("|", (char **)words->pdata);
		g_assert_cmpstr(got, ==, joined);
	}
	g_string_chunk_free(strings);
}

static void test_plain(void) {
	assert_split("", WORDS_PLAIN, "");
	assert_split(" a \t b\n", WORDS_PLAIN, "a|b");
	assert_split("a\"b c\"d 'e \"f'", WORDS_PLAIN, "ab cd|e \"f");
	assert_split("a\\b \"c\\\" d", WORDS_PLAIN, "a\\b|c\\|d");
	assert_split("x \"open", WORDS_PLAIN, NULL);
	assert_split("a \"\" b", WORDS_PLAIN, "a||b");
}

static void test_escapes(void) {
	assert_split("a\\x20b '\\n' \"\\\"\"", WORDS_ESCAPED, "a b|\n|\"");
	assert_split("\\303\\251 \\xe9 \\u00e9 \\U0001f600", WORDS_ESCAPED,
		"\xc3\x83\xc2\xa9|\xc3\xa9|\xc3\xa9|\xf0\x9f\x98\x80");
	assert_split("\\ud800", WORDS_ESCAPED, "\xef\xbf\xbd");
	assert_split("a \"open", WORDS_ESCAPED, "a|open");
	assert_split("a\\", WORDS_ESCAPED, "a");
	const char *const bad[] = {
		"\\q", "\\.", "\\x2", "\\x00", "\\08", "\\400", "\\u12", "\\U00110000", "ok \\;"};
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_split(bad[i], WORDS_ESCAPED, NULL);
}

static void assert_quoted(const char *word, const char *expected) {
	g_autoptr(GString) out = g_string_new(NULL);

	words_append_quoted(out, word);
	g_assert_cmpstr(out->str, ==, expected);
}

/* security: B16-02 */
static void test_quoting(void) {
	assert_quoted("plain$X%i;{}", "plain$X%i;{}");
	assert_quoted("", "\"\"");
	assert_quoted("a b", "\"a\\x20b\"");
	assert_quoted("it's", "\"it's\"");
	assert_quoted("C:\\tmp", "\"C:\\\\tmp\"");
	assert_quoted("--z=a\tb", "\"--z=a\\tb\"");
	assert_quoted("\x01\x7f", "\"\\x01\\x7f\"");
	assert_quoted("x=\xc3\xa9", "x=\xc3\xa9");
	assert_quoted("\xff", "\xff");
	assert_quoted("\xff ", "\"\xef\xbf\xbd\\x20\"");
}

/* What is written is read back as the same words. */
static void test_round_trip(void) {
	const char *const words[] = {"", "a b", "it's \"x\"", "\\", "\n\r\t\v\f\a\b", "\x1b",
		"\xc3\xa9 \xe2\x82\xac", "''"};
	g_autoptr(GString) line = g_string_new(NULL);
	g_autoptr(GPtrArray) back = g_ptr_array_new();
	GStringChunk *strings = g_string_chunk_new(256);
	const char *reason = NULL;

	words_append_line(line, words, G_N_ELEMENTS(words));
	g_assert_true(words_split(line->str, WORDS_ESCAPED, strings, back, &reason));
	g_assert_cmpuint(back->len, ==, G_N_ELEMENTS(words));
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		g_assert_cmpstr(g_ptr_array_index(back, i), ==, words[i]);
	g_string_chunk_free(strings);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/words/plain-keeps-backslashes", test_plain);
	g_test_add_func("/base/words/escapes", test_escapes);
	g_test_add_func("/base/words/quoting", test_quoting);
	g_test_add_func("/base/words/round-trip", test_round_trip);
	return g_test_run();
}
