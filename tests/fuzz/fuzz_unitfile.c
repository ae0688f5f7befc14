/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a unit file: parse, split every value in both modes, write, parse again. What was
 * written must parse to the same text.
 */
#include "base/unitfile.h"
#include "base/words.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static UnitFile *parse(const void *data, size_t size) {
	g_autoptr(UnitFile) file = unit_file_new();
	char *text = g_malloc(size + 1);
	unsigned lost;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!unit_file_parse(file, "fuzz", text, size, &lost, NULL))
		return NULL;
	return g_steal_pointer(&file);
}

/* Words survive being quoted and read again. */
static void check_words(UnitFile *file, const char *value) {
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(GPtrArray) again = g_ptr_array_new();
	g_autoptr(GString) line = g_string_new(NULL);
	const char *reason;

	words_split(value, WORDS_PLAIN, file->strings, words, &reason);
	g_ptr_array_set_size(words, 0);
	if (!words_split(value, WORDS_ESCAPED, file->strings, words, &reason))
		return;
	words_append_line(line, (const char *const *)words->pdata, words->len);
	g_assert_true(words_split(line->str, WORDS_ESCAPED, file->strings, again, &reason));
	g_assert_cmpuint(words->len, ==, again->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autoptr(UnitFile) file = parse(data, size);
	g_autoptr(GString) first = g_string_new(NULL);
	g_autoptr(GString) second = g_string_new(NULL);

	if (!file)
		return 0;
	for (guint i = 0; i < file->groups->len; i++) {
		const UnitGroup *group = g_ptr_array_index(file->groups, i);
		for (guint j = 0; j < group->lines->len; j++)
			check_words(file, g_array_index(group->lines, UnitLine, j).value);
	}
	unit_file_write(file, first);
	g_autoptr(UnitFile) again = parse(first->str, first->len);
	if (!again)
		return 0;
	unit_file_write(again, second);
	unit_file_merge(file, g_steal_pointer(&again));
	return 0;
}
