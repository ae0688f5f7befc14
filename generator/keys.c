/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Key tables: sorting a group's lines by row, and writing a command from them. See keys.h. */
#include "keys.h"

#include "cmdline.h"
#include "common.h"

#include "base/log.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static short find_row(const Section *section, const char *key) {
	for (size_t i = 0; i < section->n_rows; i++) {
		const char *name = section->rows[i].key;
		/* Most rows differ in the first character: spare the call. */
		if (name && name[0] == key[0] && strcmp(name, key) == 0)
			return (short)i;
	}
	return -1;
}

static bool fail_unknown_key(const Unit *unit, const UnitLine *line, GError **err) {
	const UnitType *type = unit->type;
	const char *candidates[KEYS_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < type->n_rows; i++)
		if (type->rows[i].key)
			candidates[n++] = type->rows[i].key;
	candidates[n] = NULL;
	const char *nearest = str_nearest(line->key, candidates);
	if (nearest)
		return unit_fail(unit, line, err, ERROR_INVALID,
			"unknown key \"%s\" in [%s], did you mean \"%s\"?", line->key, type->group,
			nearest);
	return unit_fail(unit, line, err, ERROR_INVALID, "unknown key \"%s\" in [%s]", line->key,
		type->group);
}

Section *section_new(const Unit *unit, GError **err) {
	const UnitGroup *group = unit_file_group(unit->file, unit->type->group);
	Section *section = g_new0(Section, 1);
	bool ok = true;

	section->rows = unit->type->rows;
	section->n_rows = unit->type->n_rows;
	memset(section->first, 0xff, sizeof(section->first));
	memset(section->last, 0xff, sizeof(section->last));
	if (!group || group->lines->len == 0)
		return section;
	section->lines = g_memdup2(group->lines->data, group->lines->len * sizeof(UnitLine));
	section->line_rows = g_new(short, group->lines->len);
	section->n_lines = MIN(group->lines->len, (guint)G_MAXSHORT);
	for (size_t i = 0; i < section->n_lines; i++) {
		const UnitLine *line = &section->lines[i];
		short row = line->key ? find_row(section, line->key) : -1;
		section->line_rows[i] = row;
		if (line->key && row < 0 && ok)
			ok = fail_unknown_key(unit, line, err);
		if (row < 0)
			continue;
		if (section->first[row] < 0)
			section->first[row] = (short)i;
		section->last[row] = (short)i;
	}
	if (ok && section->n_lines < group->lines->len)
		unit_fail(unit, &section->lines[section->n_lines], err, ERROR_INVALID,
			"more than %d lines in [%s]", G_MAXSHORT, unit->type->group);
	return section;
}

void section_free(Section *section) {
	if (!section)
		return;
	g_free(section->lines);
	g_free(section->line_rows);
	g_free(section);
}

static const UnitLine *row_last(const Section *section, short row) {
	return row < 0 || section->last[row] < 0 ? NULL : &section->lines[section->last[row]];
}

static GPtrArray *row_lines(const Section *section, short row) {
	GPtrArray *lines = g_ptr_array_new();

	if (row < 0 || section->first[row] < 0)
		return lines;
	for (short i = section->first[row]; i <= section->last[row]; i++) {
		if (section->line_rows[i] != row)
			continue;
		if (*section->lines[i].value)
			g_ptr_array_add(lines, &section->lines[i]);
		else
			g_ptr_array_set_size(lines, 0);
	}
	return lines;
}

const UnitLine *section_last(const Section *section, const char *key) {
	return row_last(section, find_row(section, key));
}

GPtrArray *section_lines(const Section *section, const char *key) {
	return row_lines(section, find_row(section, key));
}

const char *keys_text(const Unit *unit, const char *key) {
	const UnitLine *line = section_last(unit->section, key);

	return line ? unit_file_string(unit->file, line->value) : NULL;
}

const char *keys_string(const Unit *unit, const char *key) {
	const char *text = keys_text(unit, key);

	return text && *text ? text : NULL;
}

int keys_tristate(const Unit *unit, const char *key) {
	const char *text = keys_text(unit, key);

	return text ? unit_value_is_true(text) : -1;
}

void keys_split(const Unit *unit, const UnitLine *line, WordsMode mode, GPtrArray *out) {
	const char *reason = NULL;

	if (!words_split(line->value, mode, unit->file->strings, out, &reason))
		unit_warn(unit, line, "%s= has a bad value (%s), ignoring this line", line->key,
			reason);
}

static GPtrArray *row_words(const Unit *unit, short row, WordsMode mode) {
	g_autoptr(GPtrArray) lines = row_lines(unit->section, row);
	GPtrArray *words = g_ptr_array_new();

	for (guint i = 0; i < lines->len; i++)
		keys_split(unit, g_ptr_array_index(lines, i), mode, words);
	return words;
}

GPtrArray *keys_words(const Unit *unit, const char *key, WordsMode mode) {
	return row_words(unit, find_row(unit->section, key), mode);
}

/* One value with its option word, as the row says. */
static void emit_value(Conversion *c, const KeyRow *row, const char *value) {
	UnitFile *file = c->unit->file;

	if (row->flags & KEY_PATH)
		value = common_absolute(c->unit, value);
	if (row->flags & KEY_LOWER) {
		g_autofree char *lower = g_ascii_strdown(value, -1);
		value = unit_file_intern(file, lower);
	}
	if (row->option)
		g_ptr_array_add(c->words, (void *)row->option);
	if (row->prefix)
		value = unit_file_concat(file, row->prefix, value, NULL);
	g_ptr_array_add(c->words, (void *)value);
}

typedef struct Pair {
	const char *word;
	size_t name_length;
	guint position;
} Pair;

static int compare_names(const Pair *a, const Pair *b) {
	size_t common = MIN(a->name_length, b->name_length);
	int order = memcmp(a->word, b->word, common);

	return order ? order
		     : (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

static int compare_pairs(const void *a, const void *b) {
	const Pair *left = a, *right = b;
	int order = compare_names(left, right);

	return order ? order
		     : (left->position > right->position) - (left->position < right->position);
}

static void emit_pairs(Conversion *c, const KeyRow *row, short index) {
	g_autoptr(GPtrArray) words = row_words(c->unit, index, WORDS_ESCAPED);
	g_autofree Pair *pairs = g_new(Pair, words->len + 1);

	for (guint i = 0; i < words->len; i++) {
		const char *word = g_ptr_array_index(words, i);
		pairs[i] = (Pair){word, strcspn(word, "="), i};
	}
	qsort(pairs, words->len, sizeof(Pair), compare_pairs);
	for (guint i = 0; i < words->len; i++)
		if (i + 1 == words->len || compare_names(&pairs[i], &pairs[i + 1]) != 0)
			emit_value(c, row, pairs[i].word);
}

static void emit_bool(Conversion *c, const KeyRow *row, const char *text) {
	bool value = unit_value_is_true(text);

	if (row->kind == KEY_BOOL) {
		const char *word = row->option;
		if (!value)
			word = unit_file_concat(c->unit->file, row->option, "=false", NULL);
		g_ptr_array_add(c->words, (void *)word);
		return;
	}
	if (!value)
		return;
	g_ptr_array_add(c->words, (void *)row->option);
	if (row->prefix)
		g_ptr_array_add(c->words, (void *)row->prefix);
}

static void emit_lines(Conversion *c, const KeyRow *row, short index) {
	g_autoptr(GPtrArray) lines = row_lines(c->unit->section, index);

	for (guint i = 0; i < lines->len; i++)
		emit_value(c, row, ((const UnitLine *)g_ptr_array_index(lines, i))->value);
}

static void emit_words(Conversion *c, const KeyRow *row, short index, WordsMode mode) {
	g_autoptr(GPtrArray) words = row_words(c->unit, index, mode);

	for (guint i = 0; i < words->len; i++)
		emit_value(c, row, g_ptr_array_index(words, i));
}

/* A row whose key is there. */
static bool emit_row(Conversion *c, const KeyRow *row, short index, GError **err) {
	const UnitLine *last = row_last(c->unit->section, index);
	const char *text = unit_file_string(c->unit->file, last->value);

	switch (row->kind) {
	case KEY_READ:
	case KEY_FIXED:
	case KEY_ALWAYS:
		break;
	case KEY_STRING:
		if (*text)
			emit_value(c, row, text);
		break;
	case KEY_TEXT:
		emit_value(c, row, text);
		break;
	case KEY_BOOL:
	case KEY_FLAG:
		emit_bool(c, row, text);
		break;
	case KEY_LINES:
		emit_lines(c, row, index);
		break;
	case KEY_WORDS:
		emit_words(c, row, index, WORDS_PLAIN);
		break;
	case KEY_ARGS:
		emit_words(c, row, index, WORDS_ESCAPED);
		break;
	case KEY_COMMAND:
		keys_split(c->unit, last, WORDS_ESCAPED, c->words);
		break;
	case KEY_PAIRS:
		emit_pairs(c, row, index);
		break;
	case KEY_CALL:
		return row->call(c, row, err);
	}
	return true;
}

bool keys_emit(Conversion *c, GError **err) {
	const Section *section = c->unit->section;

	for (size_t i = 0; i < section->n_rows; i++) {
		const KeyRow *row = &section->rows[i];
		bool ok = true;
		if (row->kind == KEY_FIXED)
			g_ptr_array_add(c->words, (void *)row->option);
		else if (row->kind == KEY_ALWAYS)
			ok = row->call(c, row, err);
		else if (section->first[i] >= 0)
			ok = emit_row(c, row, (short)i, err);
		if (!ok)
			return false;
	}
	return true;
}
