/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where lines of a container's log come from: one struct of functions a log driver. The journal's
 * lives in the module podctl-journal, so that only those who read a journal load libsystemd.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>

typedef struct LogLine {
	uint64_t usec; /* realtime */
	char *stamp;   /* the time as the log has it; NULL: only usec is known */
	char *text;    /* without its newline */
	bool is_error; /* the container wrote it to stderr */
	bool partial;  /* the line goes on in the next one */
} LogLine;

static inline void log_line_clear(LogLine *line) {
	g_clear_pointer(&line->stamp, g_free);
	g_clear_pointer(&line->text, g_free);
}

typedef struct LogSource {
	/* id is the container's full id, path that of the log file or NULL. Entries before
	 * since_usec may be left out. NULL on error. */
	void *(*open)(const char *id, const char *path, uint64_t since_usec, GError **err);

	/* The next line into *ret_line, owned by the caller. *ret_found false: nothing more now. */
	bool (*next)(void *handle, LogLine *ret_line, bool *ret_found, GError **err);

	/* A descriptor that becomes readable when there may be more; -1: there is none, ask again
	 * after a while. */
	int (*wait_fd)(void *handle);

	/* To be called when wait_fd was readable. */
	void (*woken)(void *handle);

	void (*close)(void *handle); /* NULL is fine */
} LogSource;

/* The k8s-file format: "TIME STREAM F|P TEXT" a line. */
extern const LogSource log_file_source;

/* One line of it, without its newline, into *ret_line (log_line_clear). What is none of ours comes
 * out as it is, with the time of the line before it: *last_usec, which is brought forward. */
void log_file_read_line(const char *text, size_t length, uint64_t *last_usec, LogLine *ret_line);

#define JOURNAL_MODULE "podctl-journal"
#define JOURNAL_SYMBOL "podctl_journal_source"
