/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One error idiom for the whole tree: `bool verb(..., GError **err)`, false exactly when err is
 * set. Functions that return a pointer return NULL, functions that return a descriptor return -1
 * under the same rule. Codes exist for exit statuses and tests; text is for people and is never
 * compared. A message names the action and the operand in the user's words, quotes user strings
 * with ", has no trailing period and no function names:
 *   cannot mount "/srv/data" on "/data": Permission denied
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum ErrorCode {
	ERROR_FAILED = 1,             /* anything without a code of its own: exit 125 */
	ERROR_INVALID,                /* bad option, bad syntax, contradiction: exit 125 */
	ERROR_UNSUPPORTED,            /* known, but not offered here: refused by name: exit 125 */
	ERROR_NOT_FOUND,              /* no such pod, container, image, file */
	ERROR_EXISTS,                 /* name in use */
	ERROR_IN_USE,                 /* something else depends on it */
	ERROR_STATE,                  /* not running, already running */
	ERROR_TIMEOUT,                /* a bound was reached */
	ERROR_CORRUPT,                /* a file of ours, or foreign bytes, do not parse */
	ERROR_COMMAND_NOT_EXECUTABLE, /* exit 126 */
	ERROR_COMMAND_NOT_FOUND,      /* exit 127 */
} ErrorCode;

#define PODCTL_ERROR (error_quark())
GQuark error_quark(void);

/* Sets err to the formatted message; always returns false, so a failing line is one line. */
bool fail(GError **err, ErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same with ": strerror(errnum)" appended. The code is ERROR_NOT_FOUND for ENOENT,
 * ERROR_EXISTS for EEXIST, ERROR_FAILED otherwise. errnum is a positive errno. */
bool fail_errno(GError **err, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Puts "text: " in front of an error that is already there. err may be NULL. Returns false. */
bool fail_prefix(GError **err, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The result is spelled out for the compiler: without it, it believes that a function may go on
 * after a failure, with values that were never set. */
static inline bool always_false(G_GNUC_UNUSED bool result) {
	return false;
}
#define fail(...)        always_false((fail)(__VA_ARGS__))
#define fail_errno(...)  always_false((fail_errno)(__VA_ARGS__))
#define fail_prefix(...) always_false((fail_prefix)(__VA_ARGS__))

/* True if err is set, of our domain and has this code. */
bool error_is(const GError *err, ErrorCode code);
