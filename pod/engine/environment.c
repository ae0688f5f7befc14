/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Environment lists, and labels, which are written alike. The caller's variables are read when a
 * container is made and never later: a restart after a reboot must give the same container.
 */
#include "base/fd.h"
#include "base/options.h"
#include "engine/resolve.h"

#include <fcntl.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 20 };

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

/* The lines of a file of assignments, without notes and empty ones. Free with g_strfreev. */
static char **read_assignments(const char *path, const char *what, GError **err) {
	g_autofree char *text = NULL;
	char **kept = NULL;

	if (!fd_read_file(AT_FDCWD, path, FILE_LIMIT, &text, NULL, err)) {
		fail_prefix(err, "cannot read %s file", what);
		return NULL;
	}
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_strchug(*line);
		if (g_str_has_suffix(*line, "\r"))
			(*line)[strlen(*line) - 1] = '\0';
		if (**line && **line != '#')
			options_append(&kept, *line);
	}
	return kept ? kept : g_new0(char *, 1);
}

static bool put_file(char ***env, const char *path, GError **err) {
	g_auto(GStrv) lines = read_assignments(path, "environment", err);

	if (!lines)
		return false;
	for (char **line = lines; *line; line++)
		if (!put_request(env, *line, err))
			return fail_prefix(err, "environment file \"%s\"", path);
	return true;
}

void inherit_labels(char ***labels, char *const *inherited) {
	char **own = *labels;

	*labels = g_strdupv((char **)(uintptr_t)inherited);
	for (char **label = own; label && *label; label++)
		env_put(labels, *label);
	g_strfreev(own);
}

bool resolve_labels(char ***labels, char *const *label_files, GError **err) {
	g_auto(GStrv) result = NULL;

	for (; label_files && *label_files; label_files++) {
		g_auto(GStrv) lines = read_assignments(*label_files, "label", err);
		if (!lines)
			return false;
		for (char **line = lines; *line; line++) {
			if (**line == '=')
				return fail(err, ERROR_INVALID,
					"label file \"%s\": label \"%s\" has no key", *label_files,
					*line);
			env_put(&result, *line);
		}
	}
	for (char **label = *labels; label && *label; label++)
		env_put(&result, *label);
	g_strfreev(*labels);
	*labels = g_steal_pointer(&result);
	return true;
}

void resolve_host_env(ContainerSpec *spec) {
	static const char *const proxies[] = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
		"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"};

	g_strfreev(spec->host_env);
	spec->host_env = NULL;
	for (char **own = environ; spec->env_host && *own; own++)
		if (spec_env_name_ok(*own) && strchr(*own, '='))
			env_put(&spec->host_env, *own);
	for (size_t i = 0; spec->http_proxy != 0 && i < G_N_ELEMENTS(proxies); i++) {
		if (!g_getenv(proxies[i]))
			continue;
		g_autofree char *assignment =
			g_strdup_printf("%s=%s", proxies[i], g_getenv(proxies[i]));
		env_put(&spec->host_env, assignment);
	}
}

bool env_image_entry_ok(const char *entry) {
	size_t length = name_length(entry);

	return length > 0 && entry[length] == '=' && !memchr(entry, '*', length) &&
	       !memchr(entry, '\n', length);
}

static bool is_name_byte(char c) {
	return g_ascii_isalnum(c) || c == '_';
}

/* The name after a '$' at *text, which moves behind it; NULL for a '$' that stands for itself. */
static char *take_name(const char **text) {
	const char *start = *text, *end = start;

	if (*start == '{') {
		end = strchr(start, '}');
		if (!end)
			return NULL;
		*text = end + 1;
		return g_strndup(start + 1, (size_t)(end - start - 1));
	}
	while (is_name_byte(*end))
		end++;
	*text = end;
	return end > start ? g_strndup(start, (size_t)(end - start)) : NULL;
}

char *env_expand(const char *assignment, char *const *env) {
	size_t head = name_length(assignment);
	const char *at = assignment + head;
	GString *out = g_string_new_len(assignment, (gssize)head);

	while (*at) {
		if (*at != '$') {
			g_string_append_c(out, *at++);
			continue;
		}
		at++;
		g_autofree char *name = take_name(&at);
		const char *value = name ? env_get(env, name) : NULL;
		g_string_append(out, name ? (value ? value : "") : "$");
	}
	return g_string_free(out, FALSE);
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
