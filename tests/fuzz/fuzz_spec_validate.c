/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any text in any option of a container or pod: each line is FIELD=TEXT. Validation
 * comes to an answer, and what is stored reads back the same.
 */
#include "model/spec_fields.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set_list(char ***list, const char *text) {
	guint n = *list ? g_strv_length(*list) : 0;

	*list = g_renew(char *, *list, n + 2);
	(*list)[n] = g_strdup(text);
	(*list)[n + 1] = NULL;
}

static void set_field(const FieldRow *row, void *object, const char *text) {
	void *field = (char *)object + row->offset;

	if (row->kind == FIELD_STRING) {
		g_free(*(char **)field);
		*(char **)field = g_strdup(text);
	} else if (row->kind == FIELD_LIST) {
		set_list(field, text);
	} else if (row->kind == FIELD_BOOL) {
		*(bool *)field = *text != '0';
	} else if (row->kind == FIELD_INT) {
		*(int *)field = (int)g_ascii_strtoll(text, NULL, 10);
	} else {
		*(uint64_t *)field = g_ascii_strtoull(text, NULL, 10);
	}
}

static void fill(const FieldRow *rows, void *object, const char *line) {
	const char *equals = strchr(line, '=');
	size_t length = equals ? (size_t)(equals - line) : 0;

	for (; equals && rows->key; rows++)
		if (strncmp(rows->key, line, length) == 0 && !rows->key[length])
			set_field(rows, object, equals + 1);
}

static void check_stored(const FieldRow *rows, const void *object, void *other) {
	json_auto_t *stored = fields_to_json(rows, object);

	fields_from_json(rows, other, stored);
	json_auto_t *again = fields_to_json(rows, other);
	g_assert_true(json_equal(stored, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_strndup((const char *)data, size);
	g_auto(GStrv) lines = g_strsplit(text, "\n", 64);
	g_autoptr(ContainerSpec) container = container_spec_new(),
				 container_again = container_spec_new();
	g_autoptr(PodSpec) pod = pod_spec_new(), pod_again = pod_spec_new();
	g_autoptr(GError) container_error = NULL, pod_error = NULL;

	/* JSON is UTF-8; other bytes are refused before a spec is made */
	if (!g_utf8_validate(text, -1, NULL))
		return 0;
	for (char **line = lines; *line; line++) {
		fill(container_spec_fields, container, *line);
		fill(pod_spec_fields, pod, *line);
	}
	g_assert_true(container_spec_validate(container, &container_error) == !container_error);
	g_assert_true(pod_spec_validate(pod, &pod_error) == !pod_error);
	check_stored(container_spec_fields, container, container_again);
	check_stored(pod_spec_fields, pod, pod_again);
	return 0;
}
