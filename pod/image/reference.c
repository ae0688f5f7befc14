/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of images as text. See reference.h. */
#include "image/reference.h"

#include "base/str.h"

#include <glib.h>
#include <string.h>

/* What a short name means when it is not an image of one's own. Nothing connects to it here. */
#define DEFAULT_HOST    "docker.io" /* lint: the default registry */
#define DEFAULT_LIBRARY "library/"
#define OWN_HOST        "localhost"

#define NAME_LIMIT    255
#define TAG_LIMIT     128
#define ESCAPED_LIMIT 255 /* an escaped name is a file name */

typedef struct Reference {
	char *host; /* NULL: none was written */
	char *path; /* without host and tag */
	char *tag;  /* NULL: none was written */
} Reference;

static void reference_clear(Reference *reference) {
	g_free(reference->host);
	g_free(reference->path);
	g_free(reference->tag);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reference, reference_clear)

/* [a-z0-9]+ joined by one of . _ __ -+ */
static bool component_is_valid(const char *text, size_t length) {
	bool after_separator = true;

	for (size_t i = 0; i < length;) {
		if (g_ascii_islower(text[i]) || g_ascii_isdigit(text[i])) {
			after_separator = false;
			i++;
			continue;
		}
		if (after_separator)
			return false;
		size_t run = 1;
		if (text[i] == '_')
			run += i + 1 < length && text[i + 1] == '_';
		else if (text[i] == '-')
			while (i + run < length && text[i + run] == '-')
				run++;
		else if (text[i] != '.')
			return false;
		after_separator = true;
		i += run;
	}
	return length > 0 && !after_separator;
}

static bool path_is_valid(const char *path) {
	for (;;) {
		size_t length = strcspn(path, "/");
		if (!component_is_valid(path, length))
			return false;
		if (path[length] == '\0')
			return true;
		path += length + 1;
	}
}

static bool tag_is_valid(const char *tag) {
	if (!g_ascii_isalnum(*tag) && *tag != '_')
		return false;
	for (const char *p = tag; *p; p++)
		if (!g_ascii_isalnum(*p) && *p != '_' && *p != '.' && *p != '-')
			return false;
	return strlen(tag) <= TAG_LIMIT;
}

/* Letters, digits, dots and dashes, then perhaps a port. */
static bool host_is_valid(const char *host) {
	const char *port = strchr(host, ':');
	size_t length = port ? (size_t)(port - host) : strlen(host);

	if (length == 0 || !g_ascii_isalnum(host[0]) || !g_ascii_isalnum(host[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!g_ascii_isalnum(host[i]) && host[i] != '.' && host[i] != '-')
			return false;
	return !port || (port[1] && strspn(port + 1, "0123456789") == strlen(port + 1));
}

static bool fail_invalid(const char *name, const char *reason, GError **err) {
	return fail(err, ERROR_INVALID, "\"%s\" is not an image name: %s", name, reason);
}

static bool parse(const char *name, Reference *ret, GError **err) {
	const char *slash = strchr(name, '/'), *rest = name;
	g_auto(Reference) parsed = {0};

	if (strlen(name) > NAME_LIMIT)
		return fail(err, ERROR_INVALID, "\"%.32s...\" is not an image name: longer than %d",
			name, NAME_LIMIT);
	if (strchr(name, '@'))
		return fail_invalid(name, "a digest cannot be given here", err);
	if (slash) {
		g_autofree char *first = g_strndup(name, (size_t)(slash - name));
		if (strpbrk(first, ".:") || strcmp(first, OWN_HOST) == 0) {
			parsed.host = g_steal_pointer(&first);
			rest = slash + 1;
		}
	}
	const char *colon = strrchr(rest, ':');
	parsed.path = colon ? g_strndup(rest, (size_t)(colon - rest)) : g_strdup(rest);
	parsed.tag = colon ? g_strdup(colon + 1) : NULL;
	if (parsed.host && !host_is_valid(parsed.host))
		return fail_invalid(name, "the host is not valid", err);
	if (parsed.tag && !tag_is_valid(parsed.tag))
		return fail_invalid(name, "the tag is not valid", err);
	if (!path_is_valid(parsed.path)) {
		for (const char *p = parsed.path; *p; p++)
			if (g_ascii_isupper(*p))
				return fail_invalid(name, "it must be lower case", err);
		return fail_invalid(name, "words of a-z 0-9 joined by . _ - / are", err);
	}
	*ret = parsed;
	parsed = (Reference){0};
	return true;
}

static char *format(const char *host, const char *path, const char *tag) {
	bool is_library = strcmp(host, DEFAULT_HOST) == 0 && !strchr(path, '/');

	return g_strdup_printf(
		"%s/%s%s:%s", host, is_library ? DEFAULT_LIBRARY : "", path, tag ? tag : "latest");
}

/* True if the stored name is short enough for a file name: '/' and ':' take three bytes there. */
static bool fits(const char *stored) {
	size_t length = strlen(stored);

	for (const char *p = stored; *p; p++)
		if (*p == '/' || *p == ':')
			length += 2;
	return length <= ESCAPED_LIMIT;
}

static char *normalise(const char *name, const char *default_host, GError **err) {
	g_auto(Reference) parsed = {0};

	if (!parse(name, &parsed, err))
		return NULL;
	g_autofree char *stored =
		format(parsed.host ? parsed.host : default_host, parsed.path, parsed.tag);
	if (!fits(stored)) {
		fail_invalid(name, "it is too long", err);
		return NULL;
	}
	return g_steal_pointer(&stored);
}

char *reference_normalise(const char *name, GError **err) {
	return normalise(name, OWN_HOST, err);
}

char *reference_normalise_docker(const char *name, GError **err) {
	return normalise(name, DEFAULT_HOST, err);
}

char **reference_candidates(const char *name, GError **err) {
	g_auto(Reference) parsed = {0};
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	if (!parse(name, &parsed, err))
		return NULL;
	if (parsed.host) {
		g_ptr_array_add(list, format(parsed.host, parsed.path, parsed.tag));
	} else {
		g_ptr_array_add(list, format(OWN_HOST, parsed.path, parsed.tag));
		g_ptr_array_add(list, format(DEFAULT_HOST, parsed.path, parsed.tag));
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

bool reference_is_suffix(const char *stored, const char *name) {
	const char *last = strrchr(name, '/');
	bool has_tag = strchr(last ? last : name, ':') != NULL;
	g_autofree char *wanted = g_strdup_printf("/%s%s", name, has_tag ? "" : ":latest");

	return g_str_has_suffix(stored, wanted);
}

const char *reference_digest_hex(const char *digest) {
	static const char prefix[] = "sha256:";

	if (!digest || strncmp(digest, prefix, sizeof prefix - 1) != 0)
		return NULL;
	const char *hex = digest + sizeof prefix - 1;
	return strlen(hex) == 64 && str_is_hex(hex) ? hex : NULL;
}

char *reference_escape(const char *stored) {
	GString *out = g_string_new(NULL);

	for (; *stored; stored++)
		if (*stored == '/' || *stored == ':' || *stored == '%')
			g_string_append_printf(out, "%%%02X", (unsigned char)*stored);
		else
			g_string_append_c(out, *stored);
	return g_string_free(out, FALSE);
}

char *reference_unescape(const char *file_name) {
	g_autoptr(GString) out = g_string_new(NULL);

	/* temporary names of a writer start with a dot, a stored name never does */
	if (*file_name == '.')
		return NULL;
	for (const char *p = file_name; *p; p++) {
		if (*p != '%') {
			g_string_append_c(out, *p);
			continue;
		}
		if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
			return NULL;
		g_string_append_c(
			out, (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2])));
		p += 2;
	}
	return g_strdup(out->str);
}
