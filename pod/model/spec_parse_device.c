/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices. See device_request.h. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "model/device_request.h"

#include <string.h>

/* Bits of "rwm"; false for anything else, also for a letter twice. */
static bool read_use(const char *text, int *ret_use) {
	int use = 0;

	for (const char *p = text; *p; p++) {
		int bit = *p == 'r' ? USE_READ : *p == 'w' ? USE_WRITE : *p == 'm' ? USE_MKNOD : 0;
		if (!bit || use & bit)
			return false;
		use |= bit;
	}
	*ret_use = use;
	return use != 0;
}

void device_request_free(DeviceRequest *request) {
	if (!request)
		return;
	g_free(request->source);
	g_free(request->destination);
	g_free(request);
}

static bool read_device(DeviceRequest *request, const char *text, GError **err) {
	g_auto(GStrv) parts = g_strsplit(text, ":", -1);
	size_t n = g_strv_length(parts);

	if (*text != '/' && strchr(text, '/') && strchr(text, '='))
		return fail(err, ERROR_UNSUPPORTED, "names of CDI devices are not supported");
	if (n < 1 || n > 3 || *parts[0] != '/')
		return fail(err, ERROR_INVALID, "it is HOST[:INSIDE][:rwm] with absolute paths");
	request->use = USE_READ | USE_WRITE | USE_MKNOD;
	bool short_form = n == 2 && *parts[1] != '/';
	if ((n == 3 || short_form) && !read_use(parts[n - 1], &request->use))
		return fail(err, ERROR_INVALID, "\"%s\" is not made of r, w and m", parts[n - 1]);
	const char *inside = n > 1 && !short_form ? parts[1] : parts[0];
	if (*inside != '/')
		return fail(err, ERROR_INVALID, "container path \"%s\" is not absolute", inside);
	request->source = str_clean_path(parts[0]);
	request->destination = str_clean_path(inside);
	if (strcmp(request->destination, "/") == 0)
		return fail(err, ERROR_INVALID, "container path \"%s\" is the root itself", inside);
	return true;
}

DeviceRequest *spec_parse_device(const char *text, GError **err) {
	g_autoptr(DeviceRequest) request = g_new0(DeviceRequest, 1);

	if (!read_device(request, text, err)) {
		fail_prefix(err, "invalid device \"%s\"", text);
		return NULL;
	}
	return g_steal_pointer(&request);
}

static bool read_number(const char *text, int *ret_number) {
	*ret_number = -1;
	return strcmp(text, "*") == 0 || parse_int(text, 0, (1 << 20) - 1, ret_number);
}

bool spec_parse_device_rule(const char *text, DeviceRule *ret_rule, GError **err) {
	g_auto(GStrv) parts = g_strsplit(text, " ", -1);
	bool good = g_strv_length(parts) == 3 && strlen(parts[0]) == 1 &&
		    strchr("abc", *parts[0]) && read_use(parts[2], &ret_rule->use);
	g_auto(GStrv) numbers = good ? g_strsplit(parts[1], ":", -1) : NULL;

	if (good && g_strv_length(numbers) == 2 && read_number(numbers[0], &ret_rule->major) &&
		read_number(numbers[1], &ret_rule->minor)) {
		ret_rule->type = *parts[0];
		return true;
	}
	return fail(err, ERROR_INVALID,
		"invalid device rule \"%s\": it is TYPE MAJOR:MINOR ACCESS, as in \"c 1:3 rwm\"",
		text);
}
