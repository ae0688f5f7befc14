/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, references and the order of conversion. See graph.h. */
#include "graph.h"

#include "cmdline.h"
#include "common.h"
#include "keys.h"

#include "base/log.h"
#include "base/str.h"

#include <stdarg.h>
#include <string.h>

static const UnitType *const types[] = {
	&unit_type_container,
	&unit_type_pod,
	&unit_type_volume,
	&unit_type_network,
	&unit_type_image,
	&unit_type_build,
	&unit_type_kube,
	&unit_type_artifact,
};

/* Keys of [Unit] that may name source files, in the order in which they are rewritten. */
static const char *const dependency_keys[] = {
	"After",
	"Before",
	"BindsTo",
	"Conflicts",
	"OnFailure",
	"OnSuccess",
	"PartOf",
	"PropagatesReloadTo",
	"PropagatesStopTo",
	"ReloadPropagatedFrom",
	"Requires",
	"Requisite",
	"StopPropagatedFrom",
	"Upholds",
	"Wants",
};

const UnitType *graph_type_of(const char *name) {
	const char *dot = strrchr(name, '.');

	if (dot)
		array_foreach (type, types)
			if (strcmp((*type)->extension, dot) == 0)
				return *type;
	return NULL;
}

Unit *unit_new(const UnitType *type, const char *directory, const char *name, UnitFile *file) {
	Unit *unit = g_new0(Unit, 1);

	unit->type = type;
	unit->directory = g_strdup(directory);
	unit->path = g_strconcat(directory, "/", name, NULL);
	unit->name = unit->path + strlen(directory) + 1;
	/* A file that is called just ".container" has that as its name. */
	size_t length = strlen(name) - strlen(type->extension);
	unit->base = length ? g_strndup(name, length) : g_strdup(name);
	unit->file = file;
	return unit;
}

void unit_free(void *data) {
	Unit *unit = data;

	if (!unit)
		return;
	g_free(unit->path);
	g_free(unit->directory);
	g_free(unit->base);
	section_free(unit->section);
	unit_file_free(unit->file);
	g_clear_error(&unit->error);
	if (unit->members)
		g_ptr_array_unref(unit->members);
	if (unit->references)
		g_ptr_array_unref(unit->references);
	g_free(unit);
}

static G_GNUC_PRINTF(3, 0) char *format_at(
	const Unit *unit, const UnitLine *line, const char *format, va_list args) {
	g_autofree char *text = g_strdup_vprintf(format, args);

	if (line && line->path)
		return g_strdup_printf("%s:%u: %s", line->path, line->number, text);
	return g_strdup_printf("%s: %s", unit->path, text);
}

bool unit_fail(const Unit *unit, const UnitLine *line, GError **err, ErrorCode code,
	const char *format, ...) {
	va_list args;

	va_start(args, format);
	g_autofree char *text = format_at(unit, line, format, args);
	va_end(args);
	return fail(err, code, "%s", text);
}

void unit_warn(const Unit *unit, const UnitLine *line, const char *format, ...) {
	va_list args;

	va_start(args, format);
	g_autofree char *text = format_at(unit, line, format, args);
	va_end(args);
	log_warning("%s", text);
}

void generator_report(Generator *generator, const GError *error) {
	log_message(LOG_LEVEL_ERROR, "%s", error->message);
	generator->failed = true;
}

bool unit_is_template(const Unit *unit) {
	const char *at = strchr(unit->base, '@');

	return at && at[1] == '\0';
}

const char *unit_default_resource(Unit *unit) {
	const char *at = strchr(unit->base, '@');
	g_autofree char *prefix = NULL;

	if (!at)
		return unit_file_concat(unit->file, "systemd-", unit->base, NULL);
	prefix = g_strndup(unit->base, (gsize)(at - unit->base));
	return unit_file_concat(unit->file, "systemd-", prefix, "-", at[1] ? at + 1 : "%i", NULL);
}

/* What systemd takes as the name of a unit; it shows or follows nothing else (B14-05). */
static bool is_unit_name(const char *name) {
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:-_.\\@";

	return name[strspn(name, ".")] && *name != '@' && strlen(name) <= 240 &&
	       !name[strspn(name, allowed)];
}

/* The '@' of a template moves behind the suffix: data@.volume is data-volume@.service. */
static bool name_service(Unit *unit, GError **err) {
	const char *name = keys_string(unit, "ServiceName");
	const UnitLine *line = name ? section_last(unit->section, "ServiceName") : NULL;

	if (!is_unit_name(name ? name : unit->base)) {
		unit->service = unit->base;
		return unit_fail(unit, line, err, ERROR_INVALID, "bad service name \"%.260s\"",
			name ? name : unit->base);
	}
	if (name) {
		unit->service = name;
	} else if (unit_is_template(unit)) {
		g_autofree char *prefix = g_strndup(unit->base, strlen(unit->base) - 1);
		unit->service = unit_file_concat(unit->file, prefix, unit->type->suffix, "@", NULL);
	} else {
		unit->service = unit_file_concat(unit->file, unit->base, unit->type->suffix, NULL);
	}
	return true;
}

/* Sorts the lines and sets all names; an error waits in the unit for its turn. */
static void prepare_unit(Generator *generator, Unit *unit) {
	GError **err = &unit->error;

	if (unit->file->groups->len == 0 && unit->type->needs_key) {
		unit->state = UNIT_MASKED;
		log_debug("%s: is empty, masked", unit->path);
	}
	unit->section = section_new(unit, err);
	name_service(unit, unit->error ? NULL : err);
	if (unit->type->prepare)
		unit->type->prepare(unit);
	if (unit->state == UNIT_MASKED)
		return;
	g_autofree char *service = g_strconcat(unit->service, ".service", NULL);
	const Unit *other = g_hash_table_lookup(generator->services, service);
	if (other && !unit->error)
		unit_fail(unit, NULL, err, ERROR_EXISTS, "\"%s\" is already generated from \"%s\"",
			service, other->path);
	if (!other)
		g_hash_table_insert(generator->services, g_steal_pointer(&service), unit);
}

/* Units that failed but whose names are known do not stop those that refer to them. */
static bool is_soft(const Unit *unit) {
	return unit->type == &unit_type_container || unit->type == &unit_type_build ||
	       unit->type == &unit_type_pod || unit->type == &unit_type_kube;
}

static bool fail_missing(Conversion *c, const UnitLine *line, const char *name, GError **err) {
	const GPtrArray *units = c->generator->units;
	g_autofree const char **candidates = g_new0(const char *, units->len + 1);
	const UnitType *type = graph_type_of(name);
	size_t n = 0;

	for (guint i = 0; i < units->len; i++) {
		const Unit *unit = g_ptr_array_index(units, i);
		if (unit->type == type)
			candidates[n++] = unit->name;
	}
	const char *nearest = str_nearest(name, candidates);
	return unit_fail(c->unit, line, err, ERROR_NOT_FOUND,
		"%s= refers to \"%s\", but there is no such file%s%s%s", line->key, name,
		nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

Unit *graph_find(
	Conversion *c, const UnitLine *line, const char *name, bool needs_name, GError **err) {
	Unit *unit = g_hash_table_lookup(c->generator->by_name, name);

	if (!unit) {
		fail_missing(c, line, name, err);
		return NULL;
	}
	if (unit->state == UNIT_MASKED) {
		unit_fail(c->unit, line, err, ERROR_NOT_FOUND,
			"%s= refers to \"%s\", which is masked by \"%s\"", line->key, name,
			unit->path);
		return NULL;
	}
	if (unit->state == UNIT_FAILED && !is_soft(unit)) {
		unit_fail(c->unit, line, err, ERROR_STATE,
			"%s= refers to \"%s\", which could not be generated", line->key, name);
		return NULL;
	}
	if (needs_name && (!unit->resource || !*unit->resource)) {
		unit_fail(c->unit, line, err, ERROR_INVALID,
			"%s= refers to \"%s\", whose name is not known in advance", line->key,
			name);
		return NULL;
	}
	if (is_soft(unit)) {
		if (!c->unit->references)
			c->unit->references = g_ptr_array_new();
		g_ptr_array_add(c->unit->references, unit);
	}
	return unit;
}

void graph_require(Conversion *c, const Unit *other) {
	UnitFile *file = c->unit->file;
	const char *service = unit_file_concat(file, other->service, ".service", NULL);

	unit_file_add(file, "Unit", "Requires", service);
	unit_file_add(file, "Unit", "After", service);
}

static bool mentions_source(const char *value) {
	for (const char *dot = strchr(value, '.'); dot; dot = strchr(dot + 1, '.'))
		array_foreach (type, types)
			if (strncmp(dot, (*type)->extension, strlen((*type)->extension)) == 0)
				return true;
	return false;
}

/* All words of the lines of a key, source names replaced; *ret_replaced if there was one. */
static bool translate_lines(Conversion *c, const UnitGroup *group, const char *key,
	GPtrArray *words, bool *ret_replaced, GError **err) {
	UnitFile *file = c->unit->file;

	for (guint i = 0; i < group->lines->len; i++) {
		const UnitLine *line = &g_array_index(group->lines, UnitLine, i);
		if (!line->key || strcmp(line->key, key) != 0)
			continue;
		guint before = words->len;
		if (!*line->value) {
			g_ptr_array_set_size(words, 0);
			*ret_replaced = false;
			continue;
		}
		keys_split(c->unit, line, WORDS_PLAIN, words);
		for (guint j = before; j < words->len; j++) {
			const char *word = g_ptr_array_index(words, j);
			if (!graph_type_of(word))
				continue;
			const Unit *other = graph_find(c, line, word, false, err);
			if (!other)
				return false;
			words->pdata[j] =
				(void *)unit_file_concat(file, other->service, ".service", NULL);
			*ret_replaced = true;
		}
	}
	return true;
}

static bool translate_key(Conversion *c, const UnitGroup *group, const char *key, GError **err) {
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	bool replaced = false;

	if (!translate_lines(c, group, key, words, &replaced, err))
		return false;
	if (!replaced)
		return true;
	g_ptr_array_add(words, NULL);
	g_autofree char *joined = g_strjoinv(" ", (char **)words->pdata);
	unit_file_unset(c->unit->file, "Unit", key);
	unit_file_add(c->unit->file, "Unit", key, unit_file_intern(c->unit->file, joined));
	return true;
}

bool graph_translate_dependencies(Conversion *c, GError **err) {
	const UnitGroup *group = unit_file_group(c->unit->file, "Unit");
	bool mentioned = false;

	for (guint i = 0; group && i < group->lines->len && !mentioned; i++) {
		const UnitLine *line = &g_array_index(group->lines, UnitLine, i);
		mentioned = line->key && mentions_source(line->value);
	}
	if (!mentioned)
		return true;
	array_foreach (key, dependency_keys)
		if (!translate_key(c, group, *key, err))
			return false;
	return true;
}

static bool convert_unit(Conversion *c, GError **err) {
	Unit *unit = c->unit;

	if (unit->error) {
		g_propagate_error(err, g_steal_pointer(&unit->error));
		return false;
	}
	if (!common_begin(c, err))
		return false;
	cmdline_prepare(c);
	return unit->type->convert(c, err);
}

static void convert_one(Generator *generator, Unit *unit) {
	g_autoptr(GPtrArray) base = g_ptr_array_sized_new(8);
	g_autoptr(GPtrArray) words = g_ptr_array_sized_new(64);
	g_autoptr(GError) error = NULL;
	Conversion conversion = {
		.generator = generator, .unit = unit, .base = base, .words = words};

	if (convert_unit(&conversion, &error)) {
		unit->state = UNIT_CONVERTED;
		return;
	}
	unit->state = UNIT_FAILED;
	generator_report(generator, error);
}

/* What was referred to by a name known in advance may have failed since. */
static void warn_failed_references(const Unit *unit) {
	if (unit->state != UNIT_CONVERTED || !unit->references)
		return;
	for (guint i = 0; i < unit->references->len; i++) {
		const Unit *other = g_ptr_array_index(unit->references, i);
		if (other->state == UNIT_FAILED)
			unit_warn(unit, NULL,
				"needs \"%s\", which could not be generated, continuing",
				other->name);
	}
}

/* The order of conversion; within it the order in which the files were found. */
static void sort_units(Generator *generator) {
	g_autoptr(GPtrArray) found = generator->units;
	const unsigned last_order = unit_type_pod.order;

	generator->units = g_ptr_array_new_with_free_func(unit_free);
	g_ptr_array_set_free_func(found, NULL);
	for (unsigned order = 1; order <= last_order; order++) {
		for (guint i = 0; i < found->len; i++) {
			Unit *unit = g_ptr_array_index(found, i);
			if (unit->type->order == order)
				g_ptr_array_add(generator->units, unit);
		}
	}
}

void graph_convert_all(Generator *generator) {
	sort_units(generator);
	for (guint i = 0; i < generator->units->len; i++)
		prepare_unit(generator, g_ptr_array_index(generator->units, i));
	for (guint i = 0; i < generator->units->len; i++) {
		Unit *unit = g_ptr_array_index(generator->units, i);
		if (unit->state != UNIT_MASKED)
			convert_one(generator, unit);
	}
	for (guint i = 0; i < generator->units->len; i++)
		warn_failed_references(g_ptr_array_index(generator->units, i));
}
