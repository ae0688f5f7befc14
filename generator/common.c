/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules that several unit types share. See common.h. */
#include "common.h"

#include "graph.h"
#include "keys.h"

#include "base/str.h"

#include <stdarg.h>
#include <string.h>

/* The one key of [Quadlet]. */
static bool read_default_dependencies(Conversion *c, bool *ret_wanted, GError **err) {
	static const char *const known[] = {"DefaultDependencies", NULL};
	const UnitGroup *group = unit_file_group(c->unit->file, "Quadlet");

	*ret_wanted = true;
	for (guint i = 0; group && i < group->lines->len; i++) {
		const UnitLine *line = &g_array_index(group->lines, UnitLine, i);
		if (!line->key)
			continue;
		if (strcmp(line->key, known[0]) != 0) {
			const char *nearest = str_nearest(line->key, known);
			return unit_fail(c->unit, line, err, ERROR_INVALID,
				"unknown key \"%s\" in [Quadlet]%s%s%s", line->key,
				nearest ? ", did you mean \"" : "", nearest ? nearest : "",
				nearest ? "\"?" : "");
		}
		*ret_wanted = unit_value_is_true(unit_file_string(c->unit->file, line->value));
	}
	return true;
}

/* systemd refuses or misunderstands these beside a container engine; Quadlet only warns too. */
static void warn_service_keys(const Unit *unit) {
	static const char *const keys[] = {"User", "Group", "DynamicUser"};
	const UnitGroup *group = unit_file_group(unit->file, "Service");

	array_foreach (key, keys) {
		const UnitLine *line = unit_group_last(group, *key);
		if (line)
			unit_warn(unit, line,
				"%s= in [Service] does not suit a container, use the keys of [%s], "
				"continuing",
				*key, unit->type->group);
	}
}

bool common_begin(Conversion *c, GError **err) {
	UnitFile *file = c->unit->file;
	bool default_dependencies;

	if (!read_default_dependencies(c, &default_dependencies, err) ||
		!graph_translate_dependencies(c, err))
		return false;
	warn_service_keys(c->unit);
	if (default_dependencies) {
		const char *network =
			c->generator->user ? GENERATOR_USER_NETWORK : "network-online.target";
		/* In front, so that an empty After= of the author takes them back. */
		unit_file_prepend(file, "Unit", "After", network);
		unit_file_prepend(file, "Unit", "Wants", network);
	}
	unit_file_add(file, "Unit", "SourcePath", c->unit->path);
	unit_file_add(file, "Unit", "RequiresMountsFor", "%t/containers");
	unit_file_rename_group(file, c->unit->type->group, c->unit->type->renamed);
	unit_file_rename_group(file, "Quadlet", "X-Quadlet");
	return true;
}

void common_service_default(Conversion *c, const char *key, const char *value) {
	if (!unit_file_last(c->unit->file, "Service", key))
		unit_file_add(c->unit->file, "Service", key, value);
}

void common_oneshot_defaults(Conversion *c, bool remain) {
	common_service_default(c, "SyslogIdentifier", "%N");
	common_service_default(c, "Type", "oneshot");
	if (remain)
		common_service_default(c, "RemainAfterExit", "yes");
}

bool common_kill_mode(Conversion *c, GError **err) {
	const char *mode = unit_file_value(c->unit->file, "Service", "KillMode");

	if (!mode) {
		unit_file_add(c->unit->file, "Service", "KillMode", "mixed");
		return true;
	}
	if (strcmp(mode, "mixed") == 0 || strcmp(mode, "control-group") == 0)
		return true;
	return unit_fail(c->unit, unit_file_last(c->unit->file, "Service", "KillMode"), err,
		ERROR_INVALID, "KillMode=%s must be mixed or control-group", mode);
}

bool common_service_type(Conversion *c, GError **err) {
	UnitFile *file = c->unit->file;
	const char *type = unit_file_value(file, "Service", "Type");

	c->oneshot = type && strcmp(type, "oneshot") == 0;
	if (c->oneshot)
		return true;
	if (type && strcmp(type, "notify") != 0)
		return unit_fail(c->unit, unit_file_last(file, "Service", "Type"), err,
			ERROR_INVALID, "Type=%s must be notify or oneshot", type);
	unit_file_set(file, "Service", "Type", "notify");
	unit_file_set(file, "Service", "NotifyAccess", "all");
	return true;
}

const char *common_absolute(const Unit *unit, const char *path) {
	if (*path == '/' || (path[0] == '%' && path[1] != '%'))
		return path;
	g_autofree char *joined = g_strconcat(unit->directory, "/", path, NULL);
	g_autofree char *clean = str_clean_path(joined);
	return unit_file_intern(unit->file, clean);
}

void common_require_mounts(Conversion *c, const char *path) {
	g_autoptr(GString) quoted = g_string_new(NULL);

	words_append_quoted(quoted, path);
	unit_file_add(c->unit->file, "Unit", "RequiresMountsFor",
		unit_file_intern(c->unit->file, quoted->str));
}

bool common_has_suffix(const char *text, const char *suffix) {
	size_t length = strlen(text), end = strlen(suffix);

	return length > end && memcmp(text + length - end, suffix, end) == 0;
}

const char *common_resolve_source(
	Conversion *c, const UnitLine *line, const char *source, bool allow_image, GError **err) {
	if (*source == '.')
		source = common_absolute(c->unit, source);
	if (*source == '/') {
		common_require_mounts(c, source);
		return source;
	}
	if (!common_has_suffix(source, ".volume") && !common_has_suffix(source, ".artifact") &&
		!(allow_image && common_has_suffix(source, ".image")))
		return source;
	const Unit *other = graph_find(c, line, source, true, err);
	if (!other)
		return NULL;
	graph_require(c, other);
	return other->resource;
}

const char *common_resolve_image(
	Conversion *c, const UnitLine *line, const char *image, GError **err) {
	if (!common_has_suffix(image, ".build") && !common_has_suffix(image, ".image"))
		return image;
	const Unit *other = graph_find(c, line, image, true, err);
	if (!other)
		return NULL;
	graph_require(c, other);
	return other->resource;
}

/* Whether the name says by itself which registry it comes from. */
static bool is_fully_qualified(const char *image) {
	const char *slash = strchr(image, '/');
	size_t length = strlen(image);

	if (g_str_has_prefix(image, "sha256:"))
		return true;
	if (length == 64 && strspn(image, "0123456789abcdefABCDEF") == 64)
		return true;
	if (!slash)
		return false;
	size_t host = (size_t)(slash - image);
	return memchr(image, '.', host) || memchr(image, ':', host) ||
	       (host == strlen("localhost") && memcmp(image, "localhost", host) == 0);
}

void common_check_image(const Unit *unit, const char *key) {
	const char *image = keys_string(unit, key);

	if (!image || common_has_suffix(image, ".build") || common_has_suffix(image, ".image") ||
		is_fully_qualified(image))
		return;
	unit_warn(unit, section_last(unit->section, key),
		"image name \"%s\" is not fully qualified, which image it means depends on the "
		"machine, continuing",
		image);
}

void common_emit(Conversion *c, const char *first, ...) {
	va_list args;

	va_start(args, first);
	for (const char *word = first; word; word = va_arg(args, const char *))
		g_ptr_array_add(c->words, (void *)word);
	va_end(args);
}

bool common_emit_own_name(Conversion *c, const KeyRow *row, GError **err G_GNUC_UNUSED) {
	if (row->option)
		g_ptr_array_add(c->words, (void *)row->option);
	g_ptr_array_add(c->words, (void *)c->unit->own_name);
	return true;
}

/* "x.network[:options]" and "x.container"; everything else passes as it is. */
static bool emit_network(Conversion *c, const UnitLine *line, GError **err) {
	UnitFile *file = c->unit->file;
	const char *value = line->value;
	const char *colon = strchr(value, ':');
	g_autofree char *name = colon ? g_strndup(value, (gsize)(colon - value)) : g_strdup(value);
	bool joins = common_has_suffix(name, ".container");

	if (!joins && !common_has_suffix(name, ".network")) {
		common_emit(c, "--network", value, NULL);
		return true;
	}
	const Unit *other = graph_find(c, line, name, true, err);
	if (!other)
		return false;
	graph_require(c, other);
	if (joins && colon)
		return unit_fail(c->unit, line, err, ERROR_INVALID,
			"Network=%s: a container's network takes no options", value);
	value = joins ? unit_file_concat(file, "container:", other->resource, NULL)
		      : unit_file_concat(file, other->resource, colon ? colon : "", NULL);
	common_emit(c, "--network", value, NULL);
	return true;
}

bool common_emit_network(Conversion *c, const KeyRow *row, GError **err) {
	g_autoptr(GPtrArray) lines = section_lines(c->unit->section, row->key);

	for (guint i = 0; i < lines->len; i++)
		if (!emit_network(c, g_ptr_array_index(lines, i), err))
			return false;
	return true;
}

/* DESTINATION, or SOURCE:DESTINATION[:OPTIONS]. */
static bool emit_volume(Conversion *c, const UnitLine *line, GError **err) {
	UnitFile *file = c->unit->file;
	g_auto(GStrv) parts = g_strsplit(line->value, ":", 3);
	guint n = g_strv_length(parts);
	const char *destination = unit_file_intern(file, parts[n > 1 ? 1 : 0]);

	if (n == 1 || !*parts[0]) {
		common_emit(c, "-v", destination, NULL);
		return true;
	}
	const char *source =
		common_resolve_source(c, line, unit_file_intern(file, parts[0]), false, err);
	if (!source)
		return false;
	common_emit(c, "-v",
		unit_file_concat(file, source, ":", destination, n > 2 ? ":" : "",
			n > 2 ? parts[2] : "", NULL),
		NULL);
	return true;
}

bool common_emit_volume(Conversion *c, const KeyRow *row, GError **err) {
	g_autoptr(GPtrArray) lines = section_lines(c->unit->section, row->key);

	for (guint i = 0; i < lines->len; i++)
		if (!emit_volume(c, g_ptr_array_index(lines, i), err))
			return false;
	return true;
}
