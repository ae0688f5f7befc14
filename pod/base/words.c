/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splitting and quoting of words. See words.h. */
#include "base/words.h"

#include "base/cleanup.h"

#include <string.h>

static const struct {
	char letter;
	char value;
} escapes[] = {
	{'a', '\a'},
	{'b', '\b'},
	{'f', '\f'},
	{'n', '\n'},
	{'r', '\r'},
	{'t', '\t'},
	{'v', '\v'},
	{'s', ' '},
	{'\\', '\\'},
	{'"', '"'},
	{'\'', '\''},
};

static bool is_separator(char c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Exactly count digits of base 8 or 16 as one Unicode character; 0 and too large are refused. */
static bool decode_number(
	const char **text, int base, unsigned count, gunichar max, GString *word) {
	gunichar value = 0;

	for (unsigned i = 0; i < count; i++) {
		int digit = g_ascii_xdigit_value((*text)[i]);
		if (digit < 0 || digit >= base)
			return false;
		value = value * (gunichar)base + (gunichar)digit;
	}
	if (value == 0 || value > max)
		return false;
	*text += count;
	/* Half a surrogate pair is no character; Quadlet writes the replacement character. */
	g_string_append_unichar(word, value >= 0xd800 && value <= 0xdfff ? 0xfffd : value);
	return true;
}

/* One escape; *text is behind the backslash. A backslash at the very end is dropped. */
static bool decode_escape(const char **text, GString *word) {
	char c = **text;

	if (!c)
		return true;
	array_foreach (row, escapes) {
		if (row->letter == c) {
			(*text)++;
			g_string_append_c(word, row->value);
			return true;
		}
	}
	if (c >= '0' && c <= '7')
		return decode_number(text, 8, 3, 0377, word);
	if (c != 'x' && c != 'u' && c != 'U')
		return false;
	(*text)++;
	return decode_number(text, 16, c == 'x' ? 2 : c == 'u' ? 4 : 8, 0x10ffff, word);
}

/* One word from *text, which is at its first character. */
static bool split_word(const char **text, WordsMode mode, GString *word, const char **ret_reason) {
	char quote = '\0';
	const char *p = *text;

	for (;;) {
		char c = *p;
		if (!c || (!quote && is_separator(c)))
			break;
		p++;
		if (quote && c == quote) {
			quote = '\0';
		} else if (!quote && (c == '"' || c == '\'')) {
			quote = c;
		} else if (c == '\\' && mode == WORDS_ESCAPED) {
			if (!decode_escape(&p, word)) {
				*ret_reason = "unknown escape sequence";
				return false;
			}
		} else {
			g_string_append_c(word, c);
		}
	}
	*text = p;
	if (quote && mode == WORDS_PLAIN) {
		*ret_reason = "quote is not closed";
		return false;
	}
	return true;
}

/* Most words have neither quotes nor escapes: this takes one without a copy through a buffer. */
static const char *take_simple_word(const char **text, WordsMode mode, GStringChunk *strings) {
	size_t length = strcspn(*text, mode == WORDS_ESCAPED ? " \t\n\r\"'\\" : " \t\n\r\"'");
	const char *end = *text + length;

	if (*end && !is_separator(*end))
		return NULL;
	const char *word = g_string_chunk_insert_len(strings, *text, (gssize)length);
	*text = end;
	return word;
}

bool words_split(const char *text, WordsMode mode, GStringChunk *strings, GPtrArray *out,
	const char **ret_reason) {
	guint before = out->len;

	for (;;) {
		while (is_separator(*text))
			text++;
		if (!*text)
			return true;
		const char *simple = take_simple_word(&text, mode, strings);
		if (simple) {
			g_ptr_array_add(out, (void *)simple);
			continue;
		}
		g_autoptr(GString) word = g_string_new(NULL);
		if (!split_word(&text, mode, word, ret_reason)) {
			g_ptr_array_set_size(out, (int)before);
			return false;
		}
		g_ptr_array_add(
			out, g_string_chunk_insert_len(strings, word->str, (gssize)word->len));
	}
}

static bool needs_quotes(const char *word) {
	if (!*word)
		return true;
	for (const unsigned char *p = (const unsigned char *)word; *p; p++)
		if (*p <= 0x20 || *p == 0x7f || *p == '"' || *p == '\'' || *p == '\\')
			return true;
	return false;
}

/* One ASCII character inside double quotes. */
static void append_escaped(GString *out, char c) {
	static const char hex[] = "0123456789abcdef";

	if (c == '\'') {
		g_string_append_c(out, c);
		return;
	}
	array_foreach (row, escapes) {
		if (row->value == c && c != ' ') {
			g_string_append_c(out, '\\');
			g_string_append_c(out, row->letter);
			return;
		}
	}
	if (c > 0x20 && c != 0x7f) {
		g_string_append_c(out, c);
		return;
	}
	g_string_append(out, "\\x");
	g_string_append_c(out, hex[(unsigned char)c >> 4]);
	g_string_append_c(out, hex[c & 15]);
}

void words_append_quoted(GString *out, const char *word) {
	if (!needs_quotes(word)) {
		g_string_append(out, word);
		return;
	}
	g_string_append_c(out, '"');
	while (*word) {
		if ((unsigned char)*word < 0x80) {
			append_escaped(out, *word++);
			continue;
		}
		gunichar c = g_utf8_get_char_validated(word, -1);
		if (c == (gunichar)-1 || c == (gunichar)-2) {
			g_string_append_unichar(out, 0xfffd);
			word++;
		} else {
			g_string_append_unichar(out, c);
			word = g_utf8_next_char(word);
		}
	}
	g_string_append_c(out, '"');
}

void words_append_line(GString *out, const char *const *words, size_t n) {
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			g_string_append_c(out, ' ');
		words_append_quoted(out, words[i]);
	}
}
