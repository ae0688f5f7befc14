/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log level and sink. See log.h. */
#include "base/log.h"
#include "base/cleanup.h"
#include "base/str.h"

#include <stdarg.h>
#include <string.h>

static void write_stderr(LogLevel level, const char *text) {
	static const char *const words[] = {"Error", "Warning", "Info", "Debug"};

	fprintf(stderr, "%s: %s\n", words[level], text);
}

static LogLevel current_level = LOG_LEVEL_WARNING;
static LogSink current_sink = write_stderr;

void log_set_level(LogLevel level) {
	current_level = level;
}

LogLevel log_get_level(void) {
	return current_level;
}

void log_set_sink(LogSink sink) {
	current_sink = sink ? sink : write_stderr;
}

bool log_level_from_string(const char *text, LogLevel *ret_level) {
	static const struct {
		const char *word;
		LogLevel level;
	} levels[] = {
		{"trace", LOG_LEVEL_DEBUG},
		{"debug", LOG_LEVEL_DEBUG},
		{"info", LOG_LEVEL_INFO},
		{"warn", LOG_LEVEL_WARNING},
		{"warning", LOG_LEVEL_WARNING},
		{"error", LOG_LEVEL_ERROR},
		{"fatal", LOG_LEVEL_ERROR},
		{"panic", LOG_LEVEL_ERROR},
	};

	array_foreach (row, levels) {
		if (g_ascii_strcasecmp(row->word, text) == 0) {
			*ret_level = row->level;
			return true;
		}
	}
	return false;
}

void log_message(LogLevel level, const char *format, ...) {
	va_list args;

	if (level > current_level)
		return;
	int saved = errno;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	/* names and lines of others are in it */
	current_sink(level, str_strip_control(g_strdelimit(text, "\r\n\t", ' ')));
	errno = saved;
}
