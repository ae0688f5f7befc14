/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any text as a --format template, over data that has every kind of value. */
#include "cli/template.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char values[] = "{\"A\": \"text\", \"B\": 3, \"C\": 0.5, \"D\": true, \"E\": null, "
			     "\"F\": [1, \"x\", {\"G\": []}],"
			     " \"H\": {\"k\": \"v\"}, \"Labels\": {\"a\": \"b\"}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_strndup((const char *)data, size);
	json_auto_t *value = json_parse(values, strlen(values), "values", NULL);
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	g_autoptr(Template) parsed = template_parse(text, &error);
	g_assert_true(!parsed == !!error);
	if (!parsed)
		return 0;
	template_append_headers(parsed, NULL, out);
	g_assert_true(template_execute(parsed, value, out, &error) == !error);
	return 0;
}
