/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The three ways to fail. See error.h. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

GQuark error_quark(void) {
	return g_quark_from_static_string("podctl-error");
}

bool(fail)(GError **err, ErrorCode code, const char *format, ...) {
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(err, PODCTL_ERROR, (int)code, text);
	return false;
}

bool(fail_errno)(GError **err, int errnum, const char *format, ...) {
	ErrorCode code = errnum == ENOENT   ? ERROR_NOT_FOUND
			 : errnum == EEXIST ? ERROR_EXISTS
					    : ERROR_FAILED;
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	return fail(err, code, "%s: %s", text, strerror(errnum));
}

bool(fail_prefix)(GError **err, const char *format, ...) {
	va_list args;

	if (!err || !*err)
		return false;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_prefix_error(err, "%s: ", text);
	return false;
}

bool error_is(const GError *err, ErrorCode code) {
	return err && g_error_matches(err, PODCTL_ERROR, (int)code);
}
