/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules for names in an archive. See layer_path.h. */
#include "unpack/layer_path.h"

#include <string.h>

static const char whiteout_prefix[] = ".wh.";
static const char opaque_name[] = ".wh..wh..opq";

#define WHITEOUT_PREFIX_LENGTH (sizeof whiteout_prefix - 1)

static bool component_is(const char *component, size_t length, const char *text) {
	return length == strlen(text) && memcmp(component, text, length) == 0;
}

bool layer_path_clean(const char *raw, char ret_path[LIMIT_PATH + 1], Failure *failure) {
	size_t used = 0;
	unsigned depth = 0;

	if (*raw == '\0')
		return failure_set(failure, "a member without a name");
	if (strnlen(raw, LIMIT_PATH + 1) > LIMIT_PATH)
		return failure_set(failure, "member \"%.64s...\": the name is longer than %d bytes",
			raw, LIMIT_PATH);
	for (const char *rest = raw; *rest;) {
		size_t length = strcspn(rest, "/");
		if (length == 0) {
			rest++;
			continue;
		}
		if (component_is(rest, length, ".."))
			return failure_set(failure, "member \"%.256s\": \"..\" in a name", raw);
		if (length > LIMIT_COMPONENT)
			return failure_set(failure,
				"member \"%.64s...\": a component is longer than %d bytes", raw,
				LIMIT_COMPONENT);
		if (!component_is(rest, length, ".")) {
			if (++depth > LIMIT_DEPTH)
				return failure_set(failure,
					"member \"%.64s...\": nested deeper than %d", raw,
					LIMIT_DEPTH);
			if (used > 0)
				ret_path[used++] = '/';
			memcpy(ret_path + used, rest, length);
			used += length;
		}
		rest += length;
	}
	ret_path[used] = '\0';
	return true;
}

static bool has_whiteout_prefix(const char *component) {
	return strncmp(component, whiteout_prefix, WHITEOUT_PREFIX_LENGTH) == 0;
}

bool layer_path_classify(char *path, LayerPathKind *ret_kind, Failure *failure) {
	char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (const char *component = path; component < name; component = strchr(component, '/') + 1)
		if (has_whiteout_prefix(component))
			return failure_set(failure, "member \"%.256s\": below a whiteout", path);
	*ret_kind = LAYER_PATH_PLAIN;
	if (!has_whiteout_prefix(name))
		return true;
	if (strcmp(name, opaque_name) == 0) {
		*ret_kind = LAYER_PATH_OPAQUE;
		*(name == path ? name : name - 1) = '\0';
		return true;
	}
	const char *hidden = name + WHITEOUT_PREFIX_LENGTH;
	if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0 ||
		has_whiteout_prefix(hidden))
		return failure_set(failure, "member \"%.256s\": not a valid whiteout", path);
	*ret_kind = LAYER_PATH_WHITEOUT;
	memmove(name, hidden, strlen(hidden) + 1);
	return true;
}

void layer_path_split(const char *path, char ret_directory[LIMIT_PATH + 1], const char **ret_name) {
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;

	memcpy(ret_directory, path, length);
	ret_directory[length] = '\0';
	*ret_name = slash ? slash + 1 : path;
}
