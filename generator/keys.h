/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Key tables. The rows of a type stand in the order in which their options appear on the command
 * line, so one walk over the table writes the command. See generator.h for how to add a key.
 */
#pragma once

#include "generator.h"

typedef enum KeyKind {
	KEY_READ,    /* emits nothing here: a handler of another row or a rule reads it */
	KEY_FIXED,   /* no key: the option word, always */
	KEY_STRING,  /* last line as a string; emitted when not empty */
	KEY_TEXT,    /* last line as a string; emitted even when empty */
	KEY_BOOL,    /* OPTION for true, OPTION=false otherwise */
	KEY_FLAG,    /* true only: OPTION, then prefix as a second word if there is one */
	KEY_LINES,   /* every line verbatim; an empty one clears those before it */
	KEY_WORDS,   /* every line split into words, a backslash is literal */
	KEY_ARGS,    /* every line split into words with escapes */
	KEY_COMMAND, /* the last line split with escapes; nothing on a bad escape */
	KEY_PAIRS,   /* NAME=VALUE words: the last one of a name counts, sorted by name */
	KEY_CALL,    /* the handler does it; called when the key is there */
	KEY_ALWAYS,  /* the handler is called in any case */
} KeyKind;

typedef enum KeyFlags {
	KEY_LOWER = 1 << 0, /* values in lower case */
	KEY_PATH = 1 << 1,  /* relative paths start at the unit file's directory */
} KeyFlags;

struct KeyRow {
	const char *key; /* NULL: KEY_FIXED, or KEY_ALWAYS without a key of its own */
	KeyKind kind;
	const char *option; /* a word before each value; NULL: none */
	const char *prefix; /* glued in front of each value; NULL: none */
	unsigned flags;
	bool (*call)(Conversion *c, const KeyRow *row, GError **err);
};

/* Enough rows for the largest table; the tests walk them all. */
#define KEYS_MAX 128

/* The lines of the type's group, by row. */
struct Section {
	const KeyRow *rows;
	size_t n_rows;
	UnitLine *lines; /* a copy: the group itself is renamed and may move */
	short *line_rows;
	size_t n_lines;
	short first[KEYS_MAX]; /* first and last line of a row, -1: none */
	short last[KEYS_MAX];
};

/* Sorts the lines of the group by row. The section is complete even after an error, which is the
 * first unknown key. */
Section *section_new(const Unit *unit, GError **err);
void section_free(Section *section);

/* Lookups. The key must be in the table. */
const UnitLine *section_last(const Section *section, const char *key);
/* Lines of the key that count: an empty value clears those before it. Free with g_ptr_array_unref;
 * never NULL. */
GPtrArray *section_lines(const Section *section, const char *key);

/* Last line as a string; NULL if the key is absent. */
const char *keys_text(const Unit *unit, const char *key);
/* The same, but NULL for an empty value. */
const char *keys_string(const Unit *unit, const char *key);
/* -1 absent, 0, 1 */
int keys_tristate(const Unit *unit, const char *key);
/* All words of a KEY_WORDS (escaped false) or KEY_ARGS key. Free with g_ptr_array_unref. */
GPtrArray *keys_words(const Unit *unit, const char *key, WordsMode mode);
/* Splits one line; a bad one is a warning and appends nothing. */
void keys_split(const Unit *unit, const UnitLine *line, WordsMode mode, GPtrArray *out);

/* Walks the table of the unit's type and appends to c->words. */
bool keys_emit(Conversion *c, GError **err);
