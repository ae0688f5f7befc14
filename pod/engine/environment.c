/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Environment lists. The caller's variables are read when a container is made and never later:
 * a restart after a reboot must give the same container.
 */
#include "base/fd.h"
#include "base/options.h"
#include "engine/resolve.h"

#include <fcntl.h>
#include <string.h>

enum { ENV_FILE_LIMIT = 1 << 20 };

static size_t name_length(const char *assignment) {
	return strcspn(assignment, "=");
}

void env_put(char ***env, const char *assignment) {
	size_t length = name_length(assignment);

	for (char **entry = *env; entry && *entry; entry++) {
		if (name_length(*entry) == length && strncmp(*entry, assignment, length) == 0) {
			g_free(*entry);
			*entry = g_strdup(assignment);
			return;
		}
	}
	options_append(env, assignment);
}

const char *env_get(char *const *env, const char *name) {
	size_t length = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

/* K=V as it is; K from our environment if set there; K* all that begin with K. */
static bool put_request(char ***env, const char *request, GError **err) {
	size_t length = strlen(request);

	if (!*request || *request == '=')
		return fail(err, ERROR_INVALID, "invalid environment variable \"%s\": no name",
			request);
	if (strchr(request, '=')) {
		env_put(env, request);
	} else if (request[length - 1] == '*') {
		for (char **own = environ; *own; own++)
			if (strncmp(*own, request, length - 1) == 0)
				env_put(env, *own);
	} else if (g_getenv(request)) {
		g_autofree char *assignment = g_strdup_printf("%s=%s", request, g_getenv(request));
		env_put(env, assignment);
	}
	return true;
}

static bool put_file(char ***env, const char *path, GError **err) {
	g_autofree char *text = NULL;

	if (!fd_read_file(AT_FDCWD, path, ENV_FILE_LIMIT, &text, NULL, err))
		return fail_prefix(err, "cannot read environment file");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_strchug(*line);
		if (!**line || **line == '#')
			continue;
		if (g_str_has_suffix(*line, "\r"))
			(*line)[strlen(*line) - 1] = '\0';
		if (!put_request(env, *line, err))
			return fail_prefix(err, "environment file \"%s\"", path);
	}
	return true;
}

bool resolve_environment(char ***env, char *const *env_files, GError **err) {
	g_auto(GStrv) result = NULL;

	for (; env_files && *env_files; env_files++)
		if (!put_file(&result, *env_files, err))
			return false;
	for (char **request = *env; request && *request; request++)
		if (!put_request(&result, *request, err))
			return false;
	g_strfreev(*env);
	*env = g_steal_pointer(&result);
	return true;
}
