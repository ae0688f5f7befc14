/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules for single entries, as pure text. See entry.h. */
#include "archive/entry.h"

#include <string.h>

void entry_xattr_free(void *xattr) {
	EntryXattr *entry = xattr;

	g_free(entry->name);
	g_free(entry->value);
	g_free(entry);
}

bool entry_xattr_is_allowed(const char *name) {
	if (g_str_has_prefix(name, "user.overlay."))
		return false;
	return (g_str_has_prefix(name, "user.") && name[5]) ||
	       strcmp(name, "security.capability") == 0;
}

static bool refuse(const char *raw, const char *why, GError **err) {
	return fail(
		err, ERROR_INVALID, "refusing the name \"%.256s\" in the archive: %s", raw, why);
}

bool entry_path_clean(const char *raw, char ret_path[LIMIT_PATH + 1], GError **err) {
	size_t used = 0;
	unsigned depth = 0;

	if (*raw == '\0')
		return refuse(raw, "it is empty", err);
	if (*raw == '/')
		return refuse(raw, "it is absolute", err);
	for (const char *p = raw; *p;) {
		size_t length = strcspn(p, "/");

		if (length == 2 && p[0] == '.' && p[1] == '.')
			return refuse(raw, "it has a \"..\"", err);
		if (length > LIMIT_COMPONENT || ++depth > LIMIT_DEPTH)
			return refuse(raw, "it is too long", err);
		if (length > 0 && !(length == 1 && p[0] == '.')) {
			if (used + length + 1 > LIMIT_PATH)
				return refuse(raw, "it is too long", err);
			if (used)
				ret_path[used++] = '/';
			memcpy(ret_path + used, p, length);
			used += length;
		}
		p += length + strspn(p + length, "/");
	}
	ret_path[used] = '\0';
	return true;
}
