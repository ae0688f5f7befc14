/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount= of a container. See mount_key.h. */
#include "mount_key.h"

#include "common.h"
#include "keys.h"

#include "base/str.h"

#include <string.h>

/* Kinds whose source is looked at. */
static const char *const resolved_types[] = {"volume", "bind", "glob", "image", "artifact", NULL};

static bool is_source(const char *field) {
	size_t length = strcspn(field, "=");

	return (length == 6 && memcmp(field, "source", 6) == 0) ||
	       (length == 3 && memcmp(field, "src", 3) == 0);
}

/* Index of the first "type=X" without a second '=', or -1. */
static int find_type(char **fields) {
	for (int i = 0; fields[i]; i++)
		if (g_str_has_prefix(fields[i], "type=") && !strchr(fields[i] + 5, '='))
			return i;
	return -1;
}

/* The last one counts. */
static int find_source(char **fields) {
	int found = -1;

	for (int i = 0; fields[i]; i++)
		if (is_source(fields[i]))
			found = i;
	return found;
}

static void append_field(GString *out, const char *field) {
	bool quote = strpbrk(field, ",\"\r\n") || g_ascii_isspace(*field);

	if (!quote) {
		g_string_append(out, field);
		return;
	}
	g_string_append_c(out, '"');
	for (; *field; field++) {
		if (*field == '"')
			g_string_append_c(out, '"');
		g_string_append_c(out, *field);
	}
	g_string_append_c(out, '"');
}

/* "type=" first, then the fields in order without their own type. */
static const char *join_fields(UnitFile *file, const char *type, char **fields, int type_index) {
	g_autoptr(GString) out = g_string_new("type=");

	append_field(out, type);
	for (int i = 0; fields[i]; i++) {
		if (i == type_index)
			continue;
		g_string_append_c(out, ',');
		append_field(out, fields[i]);
	}
	return unit_file_intern(file, out->str);
}

/* Replaces the source field by the resolved source. */
static bool resolve_source(Conversion *c, const UnitLine *line, const char *type, char **fields,
	const char *word, GError **err) {
	UnitFile *file = c->unit->file;
	int index = find_source(fields);
	const char *value = index < 0 ? NULL : strchr(fields[index], '=');

	if (index >= 0 && !value)
		return unit_fail(c->unit, line, err, ERROR_INVALID, "Mount=%s: \"%s\" has no value",
			word, fields[index]);
	if (!value || !value[1]) {
		if (strcmp(type, "volume") == 0)
			return true;
		return unit_fail(c->unit, line, err, ERROR_INVALID,
			"Mount=%s: a mount of type %s needs a source", word, type);
	}
	const char *source =
		common_resolve_source(c, line, unit_file_intern(file, value + 1), true, err);
	if (!source)
		return false;
	g_free(fields[index]);
	fields[index] = g_strconcat("source=", source, NULL);
	return true;
}

static bool emit_mount(Conversion *c, const UnitLine *line, const char *word, GError **err) {
	g_auto(GStrv) fields = *word ? str_split_csv(word) : NULL;

	if (!fields || strpbrk(word, "\r\n"))
		return unit_fail(c->unit, line, err, ERROR_INVALID,
			"Mount=%s: not a list of comma-separated fields", word);
	int type_index = find_type(fields);
	const char *type = type_index < 0 ? "volume" : fields[type_index] + strlen("type=");
	if (!str_in_list(type, resolved_types)) {
		common_emit(c, "--mount", word, NULL);
		return true;
	}
	if (!resolve_source(c, line, type, fields, word, err))
		return false;
	common_emit(c, "--mount", join_fields(c->unit->file, type, fields, type_index), NULL);
	return true;
}

bool mount_key_emit(Conversion *c, const KeyRow *row, GError **err) {
	g_autoptr(GPtrArray) lines = section_lines(c->unit->section, row->key);

	for (guint i = 0; i < lines->len; i++) {
		const UnitLine *line = g_ptr_array_index(lines, i);
		g_autoptr(GPtrArray) words = g_ptr_array_new();
		keys_split(c->unit, line, WORDS_ESCAPED, words);
		for (guint j = 0; j < words->len; j++)
			if (!emit_mount(c, line, g_ptr_array_index(words, j), err))
				return false;
	}
	return true;
}
