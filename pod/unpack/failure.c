/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors as one line of text. See scope.h. */
#include "unpack/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The text holds names out of the archive: they must not drive the terminal that shows them. */
static void strip_control(char *text) {
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

bool failure_set(Failure *failure, const char *format, ...) {
	va_list arguments;

	if (failure->text[0])
		return false;
	va_start(arguments, format);
	vsnprintf(failure->text, sizeof failure->text, format, arguments);
	va_end(arguments);
	strip_control(failure->text);
	return false;
}

bool failure_errno(Failure *failure, int errnum, const char *format, ...) {
	char text[sizeof failure->text - 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return failure_set(failure, "%s: %s", text, strerror(errnum));
}
