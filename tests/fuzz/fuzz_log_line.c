/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a k8s-file log, as --since and as detach keys. Nothing of a line is lost, and a time
 * that was printed reads back.
 */
#include "cli/detach_keys.h"
#include "cli/log_source.h"
#include "cli/log_time.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const char *text, size_t size) {
	uint64_t last = 0;

	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		LogLine line;

		log_file_read_line(text, length, &last, &line);
		g_assert_nonnull(line.text);
		g_assert_cmpuint(strlen(line.text), <=, length);
		g_assert_true(line.stamp || strncmp(line.text, text, strlen(line.text)) == 0);
		log_line_clear(&line);
		text += MIN(length + 1, size);
		size -= MIN(length + 1, size);
	}
}

static void check_keys(const char *text, size_t size) {
	g_autofree char *out = g_malloc(size + DETACH_KEYS_MAX);
	g_autofree char *copy = g_strndup(text, size);
	DetachKeys keys;
	size_t passed;

	if (!detach_keys_parse(copy, &keys, NULL))
		g_assert_true(detach_keys_parse(NULL, &keys, NULL));
	g_assert_cmpuint(keys.n, <=, DETACH_KEYS_MAX);
	bool complete = detach_keys_scan(&keys, text, size, out, &passed);
	g_assert_cmpuint(passed, <=, size);
	g_assert_true(!complete || keys.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_strndup((const char *)data, size);
	uint64_t usec, again;

	check_lines((const char *)data, size);
	check_keys((const char *)data, size);
	if (log_time_parse(text, UINT64_C(1700000000000000), &usec) && usec < UINT64_C(1) << 54) {
		g_autofree char *stamp = log_time_format(usec);
		g_assert_true(log_time_parse_stamp(stamp, &again));
		g_assert_cmpuint(usec, ==, again);
	}
	return 0;
}
