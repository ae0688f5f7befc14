/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Debug messages and warnings. Library rooms never print errors: they return them. A debug message
 * is free anywhere; a warning is a failure that was survived and ends in ", ignoring" or
 * ", continuing". The level and the sink are the only globals of the tree.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum LogLevel {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
} LogLevel;

/* Where messages go; the default writes "level: text\n" to stderr. text has no newline at its end.
 */
typedef void (*LogSink)(LogLevel level, const char *text);

void log_set_level(LogLevel level);
LogLevel log_get_level(void);
void log_set_sink(LogSink sink);

/* podman's words: trace debug info warn warning error fatal panic. False if it is none of them. */
bool log_level_from_string(const char *text, LogLevel *ret_level);

void log_message(LogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define log_debug(...)                                             \
	do {                                                       \
		if (log_get_level() >= LOG_LEVEL_DEBUG)            \
			log_message(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)
#define log_info(...)    log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
