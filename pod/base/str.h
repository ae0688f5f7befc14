/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text helpers that GLib does not have. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* True if text is one of the words of a NULL-terminated list. */
bool str_in_list(const char *text, const char *const *list);

/* Splits one CSV record as podman's csv options do: commas, fields may be enclosed in "...", ""
 * inside is a quote. NULL if a quote is open or stray. Free with g_strfreev. */
char **str_split_csv(const char *text);

/* The nearest of candidates (NULL-terminated) for a "did you mean", or NULL when none is near
 * (edit distance above a third of the length). Compares without regard to case. */
const char *str_nearest(const char *text, const char *const *candidates);

/* Lower-case hex of size bytes; free with g_free. */
char *str_hex(const unsigned char *bytes, size_t size);

/* True if text has only lower-case hex digits and is not empty. */
bool str_is_hex(const char *text);

/* Replaces control characters (also C1 and the marks that turn the direction of text) by '?', in
 * place, so that foreign text cannot drive a terminal. Returns text. The second leaves new lines
 * and tabs alone. */
char *str_strip_control(char *text);
char *str_strip_control_lines(char *text);

/* Lexical path clean-up as Go's path.Clean: removes ".", "..", double and trailing slashes; ".."
 * at the root of an absolute path is dropped. Empty gives ".". Free with g_free. */
char *str_clean_path(const char *path);
