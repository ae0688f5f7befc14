/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sorting. See sort.h. */
#include "cli/sort.h"

#include <string.h>

static int compare_members(const json_t *a, const json_t *b) {
	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t x = json_integer_value(a), y = json_integer_value(b);
		return (x > y) - (x < y);
	}
	const char *x = json_string_value(a), *y = json_string_value(b);
	return strcmp(x ? x : "", y ? y : "");
}

static const json_t *sort_member(const json_t *object, const SortKey *key) {
	const json_t *member = json_object_get(object, key->member);

	return json_is_array(member) ? json_array_get(member, 0) : member;
}

static int compare_objects(const void *a, const void *b, void *data) {
	const SortKey *key = data;
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	int order = compare_members(sort_member(x, key), sort_member(y, key));

	return key->descending ? -order : order;
}

bool sort_objects(json_t *objects, const SortKey *keys, const char *word, GError **err) {
	const SortKey *key = keys;
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	json_t *object;
	size_t index;

	while (key->word && strcmp(key->word, word) != 0)
		key++;
	if (!key->word)
		return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--sort\"", word);
	json_array_foreach (objects, index, object)
		g_ptr_array_add(sorted, json_incref(object));
	json_array_clear(objects);
	g_ptr_array_sort_with_data(sorted, compare_objects, (void *)(uintptr_t)key);
	for (guint i = 0; i < sorted->len; i++)
		json_array_append_new(objects, sorted->pdata[i]);
	return true;
}
