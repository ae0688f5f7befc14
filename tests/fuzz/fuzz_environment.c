/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as environments: of an image, and as --env-merge with an environment to look in. What
 * is taken has a name, and a name keeps one value.
 */
#include "engine/resolve.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_strndup((const char *)data, MIN(size, 4096));
	g_auto(GStrv) lines = g_strsplit(text, "\n", 64);
	g_auto(GStrv) env = NULL;

	for (char **line = lines; *line; line++) {
		if (!env_image_entry_ok(*line))
			continue;
		g_autofree char *name = g_strndup(*line, strcspn(*line, "="));
		env_put(&env, *line);
		g_assert_cmpstr(env_get(env, name), ==, *line + strlen(name) + 1);
	}
	for (char **line = lines; *line; line++) {
		if (!strchr(*line, '='))
			continue;
		g_autofree char *merged = env_expand(*line, env);
		size_t name = strcspn(*line, "=");
		g_assert_true(strncmp(merged, *line, name + 1) == 0);
	}
	return 0;
}
