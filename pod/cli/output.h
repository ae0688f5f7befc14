/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people read: aligned columns, ages, sizes, and lists by --format. */
#pragma once

#include "base/json.h"

/* Writes text to stdout, without control characters if that is a terminal; a reader that has gone
 * away is no error. */
bool output_print(const char *text, GError **err);

/* Lines of tab-separated cells become columns: at least 12 wide, two blanks apart, the last one
 * as it is (podman's tables). Counts characters, not bytes. Free with g_free. */
char *output_align(const char *text);

/* "3 minutes", "About an hour", "Less than a second". */
char *output_duration(uint64_t usec);

/* "7.62 MB": powers of 1000, three digits. */
char *output_size(uint64_t bytes);

/* Realtime microseconds as Go prints a time: "2026-01-02 15:04:05.000006 +0000 UTC". 0 gives "". */
char *output_time(uint64_t usec);

typedef struct Heading {
	const char *field;
	const char *text;
} Heading;

typedef struct ListFormat {
	const char *format;      /* --format; NULL: the standard table */
	const char *standard;    /* its columns: "{{.ID}}\t{{.Names}}" */
	const Heading *headings; /* where a heading is not the field's name; ends with NULL */
	bool no_heading;
} ListFormat;

/* Prints rows as --format says: nothing or "table ...": a table; "json": the objects of raw;
 * else a template for each row. \t and \n in the template are a tab and a new line. */
bool output_list(json_t *rows, const json_t *raw, const ListFormat *list, GError **err);

/* Prints one value by a template; NULL or "json": indented JSON. */
bool output_value(json_t *value, const char *format, GError **err);
