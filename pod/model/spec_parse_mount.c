/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --volume, --tmpfs and --mount: the three syntaxes around the words of mount_words.c. See
 * mount_request.h. */
#include "base/cleanup.h"
#include "base/str.h"
#include "model/mount_request.h"

#include <string.h>

enum { TMPFS_DEFAULT_MODE = 01777, DEVPTS_DEFAULT_MODE = 0620 };

static const char *const type_names[] = {
	[MOUNT_TYPE_BIND] = "bind",
	[MOUNT_TYPE_VOLUME] = "volume",
	[MOUNT_TYPE_TMPFS] = "tmpfs",
	[MOUNT_TYPE_RAMFS] = "ramfs",
	[MOUNT_TYPE_IMAGE] = "image",
	[MOUNT_TYPE_DEVPTS] = "devpts",
	[MOUNT_TYPE_GLOB] = "glob",
};

const char *mount_type_to_string(MountType type) {
	return type_names[type];
}

static MountRequest *request_new(MountType type) {
	MountRequest *request = g_new0(MountRequest, 1);

	request->type = type;
	request->nosuid = request->nodev = true;
	request->recursive = true;
	request->mode = type == MOUNT_TYPE_DEVPTS ? DEVPTS_DEFAULT_MODE : TMPFS_DEFAULT_MODE;
	request->uid = request->gid = -1;
	return request;
}

void mount_request_free(MountRequest *request) {
	if (!request)
		return;
	g_free(request->source);
	g_free(request->destination);
	g_free(request->propagation);
	g_free(request->upper_dir);
	g_free(request->work_dir);
	g_free(request->subpath);
	id_map_clear(&request->idmap_uids);
	id_map_clear(&request->idmap_gids);
	g_free(request);
}

/* KEY or KEY=VALUE. */
static bool read_field(MountRequest *request, unsigned place, const char *field, GError **err) {
	const char *equals = strchr(field, '=');
	g_autofree char *key = g_strndup(field, equals ? (size_t)(equals - field) : strlen(field));

	return mount_request_read_word(request, place, key, equals ? equals + 1 : NULL, err);
}

/* What no word alone can be wrong about. */
static bool check_together(const MountRequest *request, GError **err) {
	if (request->read_only && request->read_write)
		return fail(err, ERROR_INVALID, "\"ro\" and \"rw\" exclude each other");
	if ((request->upper_dir != NULL) != (request->work_dir != NULL))
		return fail(err, ERROR_INVALID, "\"upperdir\" and \"workdir\" go together");
	if (request->upper_dir && !request->overlay)
		return fail(err, ERROR_INVALID, "\"upperdir\" and \"workdir\" go with \"O\"");
	if (request->overlay && request->idmap)
		return fail(err, ERROR_INVALID, "\"O\" and \"idmap\" exclude each other");
	if (request->overlay && !request->source)
		return fail(err, ERROR_INVALID, "\"O\" needs a source");
	return true;
}

/* Splits at colons; "\:" is a colon in a path, as in podman. */
static char **split_volume(const char *text) {
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_autoptr(GString) part = g_string_new(NULL);

	for (const char *p = text;; p++) {
		if (*p == '\\' && p[1] == ':') {
			g_string_append_c(part, *++p);
		} else if (*p == ':' || !*p) {
			g_ptr_array_add(parts, g_strdup(part->str));
			g_string_truncate(part, 0);
			if (!*p)
				break;
		} else {
			g_string_append_c(part, *p);
		}
	}
	g_ptr_array_add(parts, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&parts), FALSE);
}

static bool read_words(MountRequest *request, unsigned place, const char *text, GError **err) {
	g_auto(GStrv) words = g_strsplit(text ? text : "", ",", -1);

	for (char **word = words; *word; word++)
		if (!read_field(request, place, *word, err))
			return false;
	return check_together(request, err);
}

static bool read_volume(MountRequest *request, char *const *parts, GError **err) {
	size_t n = g_strv_length((char **)(uintptr_t)parts);
	const char *source = n > 1 ? parts[0] : NULL;

	if (n > 3)
		return fail(err, ERROR_INVALID, "it is [SOURCE:]DESTINATION[:OPTIONS]");
	if (source && *source != '/' && (*source == '.' || strchr(source, '/')))
		return fail(err, ERROR_INVALID, "host path \"%s\" is not absolute", source);
	request->type = source && *source == '/' ? MOUNT_TYPE_BIND : MOUNT_TYPE_VOLUME;
	const unsigned mount = PLACE_MOUNT << request->type;
	if (source && !*source)
		return fail(err, ERROR_INVALID, "the source is empty");
	return (!source || mount_request_read_word(request, mount, "src", source, err)) &&
	       mount_request_read_word(request, mount, "dst", parts[n > 1 ? 1 : 0], err) &&
	       read_words(request, PLACE_VOLUME, n == 3 ? parts[2] : NULL, err);
}

MountRequest *spec_parse_volume(const char *text, GError **err) {
	g_autoptr(MountRequest) request = request_new(MOUNT_TYPE_BIND);
	g_auto(GStrv) parts = split_volume(text);

	if (!read_volume(request, parts, err)) {
		fail_prefix(err, "invalid volume \"%s\"", text);
		return NULL;
	}
	return g_steal_pointer(&request);
}

static bool read_tmpfs(MountRequest *request, char *const *parts, GError **err) {
	if (parts[1] && parts[2])
		return fail(err, ERROR_INVALID, "it is DESTINATION[:OPTIONS]");
	return mount_request_read_word(
		       request, PLACE_MOUNT << MOUNT_TYPE_TMPFS, "dst", parts[0], err) &&
	       read_words(request, PLACE_TMPFS, parts[1], err);
}

MountRequest *spec_parse_tmpfs(const char *text, GError **err) {
	g_autoptr(MountRequest) request = request_new(MOUNT_TYPE_TMPFS);
	g_auto(GStrv) parts = split_volume(text);

	if (!read_tmpfs(request, parts, err)) {
		fail_prefix(err, "invalid tmpfs \"%s\"", text);
		return NULL;
	}
	return g_steal_pointer(&request);
}

static const char *mount_type(char *const *fields) {
	for (; *fields; fields++)
		if (g_str_has_prefix(*fields, "type="))
			return *fields + strlen("type=");
	return "volume";
}

static bool read_mount(MountRequest *request, char *const *fields, GError **err) {
	static const bool needs_source[] = {
		[MOUNT_TYPE_BIND] = true, [MOUNT_TYPE_IMAGE] = true, [MOUNT_TYPE_GLOB] = true};
	const char *type = type_names[request->type];

	for (; *fields; fields++)
		if (!g_str_has_prefix(*fields, "type=") &&
			!read_field(request, PLACE_MOUNT << request->type, *fields, err))
			return false;
	if (!request->source && (size_t)request->type < ARRAY_LENGTH(needs_source) &&
		needs_source[request->type])
		return fail(err, ERROR_INVALID, "a mount of type \"%s\" needs a source", type);
	if (!request->destination && request->type != MOUNT_TYPE_GLOB)
		return fail(err, ERROR_INVALID, "a mount of type \"%s\" needs a destination", type);
	return check_together(request, err);
}

MountRequest *spec_parse_mount(const char *text, GError **err) {
	g_auto(GStrv) fields = str_split_csv(text);
	size_t type = 0;

	if (!fields) {
		fail(err, ERROR_INVALID, "invalid mount \"%s\": a quote is open or stray", text);
		return NULL;
	}
	while (type < ARRAY_LENGTH(type_names) && strcmp(mount_type(fields), type_names[type]) != 0)
		type++;
	if (type == ARRAY_LENGTH(type_names)) {
		g_autofree char *unknown = g_strdup(mount_type(fields));
		fail(err, ERROR_UNSUPPORTED, "invalid mount \"%s\": type \"%s\" is not supported",
			text, unknown);
		return NULL;
	}
	g_autoptr(MountRequest) request = request_new((MountType)type);
	if (!read_mount(request, fields, err)) {
		fail_prefix(err, "invalid mount \"%s\"", text);
		return NULL;
	}
	return g_steal_pointer(&request);
}

char *spec_absolute_volume(const char *text, const char *directory) {
	size_t length = strcspn(text, ":");

	/* without a colon it is a destination; only "." marks a path, as in podman */
	if (*text != '.' || !text[length])
		return g_strdup(text);
	g_autofree char *source = g_strndup(text, length);
	g_autofree char *path = g_build_filename(directory, source, NULL);
	g_autofree char *clean = str_clean_path(path);
	return g_strconcat(clean, text + length, NULL);
}

static void append_csv_field(GString *out, const char *field) {
	if (out->len)
		g_string_append_c(out, ',');
	if (!strpbrk(field, ",\"")) {
		g_string_append(out, field);
		return;
	}
	g_string_append_c(out, '"');
	for (const char *p = field; *p; p++) {
		if (*p == '"')
			g_string_append_c(out, '"');
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
}

char *spec_absolute_mount(const char *text, const char *directory) {
	g_auto(GStrv) fields = str_split_csv(text);
	g_autoptr(GString) out = g_string_new(NULL);

	if (!fields || (strcmp(mount_type(fields), "bind") != 0 &&
			       strcmp(mount_type(fields), "glob") != 0))
		return g_strdup(text);
	for (char **field = fields; *field; field++) {
		bool source =
			g_str_has_prefix(*field, "src=") || g_str_has_prefix(*field, "source=");
		char *value = strchr(*field, '=');
		if (source && value[1] && value[1] != '/') {
			g_autofree char *path = g_build_filename(directory, value + 1, NULL);
			g_autofree char *clean = str_clean_path(path);
			value[0] = '\0';
			g_autofree char *whole = g_strconcat(*field, "=", clean, NULL);
			append_csv_field(out, whole);
		} else {
			append_csv_field(out, *field);
		}
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}
