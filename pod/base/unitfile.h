/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd unit files as an ordered list of groups of lines: repeated keys, comments and unknown
 * groups survive, which GKeyFile cannot do. Syntax is that of Quadlet: a continued line is joined
 * without a blank, and comments inside it are skipped.
 *
 * All text lives as long as the UnitFile: parsed lines point into the text that was handed over,
 * added ones are literals or come from unit_file_intern() and unit_file_concat().
 */
#pragma once

#include "base/error.h"

#include <stddef.h>

typedef struct UnitLine {
	const char *key;   /* NULL: a comment or a blank line, its text in value */
	const char *value; /* never NULL */
	const char *path;  /* file it was read from; NULL for a line that was added */
	unsigned number;   /* its first physical line, from 1 */
} UnitLine;

typedef struct UnitGroup {
	const char *name;    /* "" holds the comments of a file without any group */
	GPtrArray *comments; /* texts in front of the header; NULL: none */
	GArray *lines;       /* of UnitLine */
} UnitGroup;

typedef struct UnitFile {
	GPtrArray *groups;     /* of UnitGroup */
	GPtrArray *texts;      /* buffers the lines point into */
	GStringChunk *strings; /* everything else */
} UnitFile;

UnitFile *unit_file_new(void);
void unit_file_free(UnitFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UnitFile, unit_file_free)

/* Parses size bytes of text, which must be followed by a NUL; text is taken over and written to.
 * path names the file in errors ("path:line: ...", ERROR_CORRUPT) and in the lines. A last key that
 * ends in a backslash and has only comments behind it is lost, as in Quadlet: *ret_lost_line is its
 * line, else 0. After an error the file is only good for unit_file_free(). */
bool unit_file_parse(UnitFile *file, const char *path, char *text, size_t size,
	unsigned *ret_lost_line, GError **err);

/* Appends the lines of from to the groups of the same name; other groups come to the end. from is
 * consumed. */
void unit_file_merge(UnitFile *file, UnitFile *from);

/* NULL if there is none. */
UnitGroup *unit_file_group(const UnitFile *file, const char *name);

/* The last line with the key, or NULL. */
const UnitLine *unit_group_last(const UnitGroup *group, const char *key);
const UnitLine *unit_file_last(const UnitFile *file, const char *group, const char *key);

/* Value of the last line, read as a string (unit_file_string), or NULL if there is no such key. */
const char *unit_file_value(UnitFile *file, const char *group, const char *key);

/* A scalar: trailing white space goes, then one pair of double quotes around the whole. */
const char *unit_file_string(UnitFile *file, const char *raw);

/* 1, yes, true, on in any case; everything else is false. */
bool unit_value_is_true(const char *value);

/* The group is made at the end of the file if it is missing. key and value are kept, not copied. */
void unit_file_add(UnitFile *file, const char *group, const char *key, const char *value);
/* Changes the last line of the key in place, or adds it. */
void unit_file_set(UnitFile *file, const char *group, const char *key, const char *value);
/* Makes it the first line of the group. */
void unit_file_prepend(UnitFile *file, const char *group, const char *key, const char *value);
void unit_file_unset(UnitFile *file, const char *group, const char *key);
/* An existing group of the new name gets the lines. Without the old group nothing happens. */
void unit_file_rename_group(UnitFile *file, const char *old_name, const char *new_name);

/* A copy that lives as long as the file. concat takes strings up to a NULL. */
const char *unit_file_intern(UnitFile *file, const char *text);
const char *unit_file_concat(UnitFile *file, const char *first, ...) G_GNUC_NULL_TERMINATED;

/* Appends the whole file as text. */
void unit_file_write(const UnitFile *file, GString *out);
