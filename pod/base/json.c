/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jansson with our error idiom. See json.h. */
#include "base/json.h"

#include "base/fd.h"

#include <string.h>

enum { FILE_LIMIT = 16 << 20, DEPTH_LIMIT = 64 };

static bool depth_is_bounded(const json_t *value, unsigned depth) {
	const char *key;
	json_t *member;
	size_t index;

	if (depth > DEPTH_LIMIT)
		return false;
	if (json_is_array(value))
		json_array_foreach (value, index, member)
			if (!depth_is_bounded(member, depth + 1))
				return false;
	json_object_foreach ((json_t *)(uintptr_t)value, key, member) {
		if (!depth_is_bounded(member, depth + 1))
			return false;
	}
	return true;
}

json_t *json_parse(const char *text, size_t size, const char *what, GError **err) {
	json_error_t error;
	json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

	if (!value) {
		fail(err, ERROR_CORRUPT, "cannot parse \"%s\": line %d: %s", what, error.line,
			error.text);
		return NULL;
	}
	if (!depth_is_bounded(value, 0)) {
		json_decref(value);
		fail(err, ERROR_CORRUPT, "cannot parse \"%s\": nested too deeply", what);
		return NULL;
	}
	return value;
}

json_t *json_read_file(int dir_fd, const char *path, GError **err) {
	g_autofree char *text = NULL;
	size_t size;

	if (!fd_read_file(dir_fd, path, FILE_LIMIT, &text, &size, err))
		return NULL;
	return json_parse(text, size, path, err);
}

char *json_to_text(const json_t *value, bool pretty) {
	char *dumped =
		json_dumps(value, JSON_ENCODE_ANY | (pretty ? JSON_INDENT(4) : JSON_COMPACT));
	char *text = g_strdup(dumped ? dumped : "null");

	free(dumped);
	return text;
}

const char *json_get_string(const json_t *object, const char *key, const char *fallback) {
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : fallback;
}

int64_t json_get_int(const json_t *object, const char *key, int64_t fallback) {
	const json_t *member = json_object_get(object, key);

	return json_is_integer(member) ? json_integer_value(member) : fallback;
}

bool json_get_bool(const json_t *object, const char *key, bool fallback) {
	const json_t *member = json_object_get(object, key);

	return json_is_boolean(member) ? json_is_true(member) : fallback;
}

char **json_get_strv(const json_t *object, const char *key) {
	const json_t *list = json_object_get(object, key);
	GPtrArray *strings = g_ptr_array_new();
	size_t index;
	json_t *member;

	json_array_foreach (list, index, member) {
		if (json_is_string(member))
			g_ptr_array_add(strings, g_strdup(json_string_value(member)));
	}
	g_ptr_array_add(strings, NULL);
	return (char **)g_ptr_array_free(strings, FALSE);
}

/* Bytes that are not UTF-8 cannot be kept in JSON; they become U+FFFD. */
static json_t *string_of(const char *text) {
	json_t *value = json_string(text);

	if (!value) {
		g_autofree char *valid = g_utf8_make_valid(text, -1);
		value = json_string(valid);
	}
	return value;
}

void json_put_string(json_t *object, const char *key, const char *text) {
	if (text)
		json_object_set_new(object, key, string_of(text));
}

void json_put_int(json_t *object, const char *key, int64_t value) {
	json_object_set_new(object, key, json_integer(value));
}

void json_put_bool(json_t *object, const char *key, bool value) {
	json_object_set_new(object, key, json_boolean(value));
}

json_t *json_from_strv(char *const *list) {
	json_t *array = json_array();

	for (; list && *list; list++)
		json_array_append_new(array, string_of(*list));
	return array;
}

void json_put_strv(json_t *object, const char *key, char *const *list) {
	if (list)
		json_object_set_new(object, key, json_from_strv(list));
}
