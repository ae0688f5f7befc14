/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands in [Service]. See cmdline.h. */
#include "cmdline.h"

#include "keys.h"

#include <stdarg.h>

void cmdline_prepare(Conversion *c) {
	g_autoptr(GPtrArray) modules = section_lines(c->unit->section, "ContainersConfModule");
	g_autoptr(GPtrArray) arguments = keys_words(c->unit, "GlobalArgs", WORDS_ESCAPED);

	g_ptr_array_add(c->base, (void *)c->generator->program);
	for (guint i = 0; i < modules->len; i++) {
		const UnitLine *line = g_ptr_array_index(modules, i);
		g_ptr_array_add(c->base,
			(void *)unit_file_concat(c->unit->file, "--module=", line->value, NULL));
	}
	for (guint i = 0; i < arguments->len; i++)
		g_ptr_array_add(c->base, g_ptr_array_index(arguments, i));
}

static void append_words(GPtrArray *words, const GPtrArray *more) {
	for (guint i = 0; i < more->len; i++)
		g_ptr_array_add(words, g_ptr_array_index(more, i));
}

void cmdline_begin(Conversion *c) {
	g_ptr_array_set_size(c->words, 0);
	append_words(c->words, c->base);
}

static void add_line(Conversion *c, const char *key, const char *prefix, const GPtrArray *words) {
	UnitFile *file = c->unit->file;
	g_autoptr(GString) text = g_string_sized_new(256);

	g_string_append(text, prefix);
	words_append_line(text, (const char *const *)words->pdata, words->len);
	unit_file_add(file, "Service", key,
		g_string_chunk_insert_len(file->strings, text->str, (gssize)text->len));
}

void cmdline_add_built(Conversion *c, const char *key) {
	add_line(c, key, "", c->words);
}

void cmdline_add(Conversion *c, const char *key, const char *prefix, const GPtrArray *extra, ...) {
	g_autoptr(GPtrArray) words = g_ptr_array_sized_new(16);
	va_list args;

	append_words(words, c->base);
	va_start(args, extra);
	for (const char *word = va_arg(args, const char *); word; word = va_arg(args, const char *))
		g_ptr_array_add(words, (void *)word);
	va_end(args);
	if (extra)
		append_words(words, extra);
	add_line(c, key, prefix, words);
}
