/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Command lines inside unit files: splitting a value into words and writing words back so that
 * systemd reads the same words again. The rules are those of Quadlet (quotes, escapes), so a file
 * means the same here and there.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum WordsMode {
	WORDS_PLAIN,   /* a backslash is an ordinary character; a quote left open is an error */
	WORDS_ESCAPED, /* \n, \x20, \u00e9 ... also inside both kinds of quotes; an unknown escape
			  is an error; a quote left open runs to the end */
} WordsMode;

/* Splits text at blanks and appends the words to out; they live in strings. An empty quoted word is
 * kept. On a syntax error nothing is appended, *ret_reason (a constant) says why, and the result is
 * false. */
bool words_split(const char *text, WordsMode mode, GStringChunk *strings, GPtrArray *out,
	const char **ret_reason);

/* Appends the word, in double quotes and escaped where systemd needs it. The empty word gives "".
 * Variables and specifiers ($, %) pass unchanged: systemd expands them. */
void words_append_quoted(GString *out, const char *word);

/* Appends n words, quoted as above and joined by one blank. */
void words_append_line(GString *out, const char *const *words, size_t n);
