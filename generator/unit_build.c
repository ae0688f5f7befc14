/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.build -> NAME-build.service: an image is built before those who need it start. */
#include "cmdline.h"
#include "common.h"
#include "graph.h"
#include "keys.h"

#include <string.h>

static bool is_url(const char *text) {
	static const char *const prefixes[] = {"http://", "https://", "git://", "github.com/"};

	array_foreach (prefix, prefixes)
		if (g_str_has_prefix(text, *prefix))
			return true;
	return false;
}

static bool emit_context(
	Conversion *c, const KeyRow *row G_GNUC_UNUSED, GError **err G_GNUC_UNUSED) {
	if (c->operand)
		common_emit(c, c->operand, NULL);
	return true;
}

static const KeyRow rows[] = {
	{NULL, KEY_FIXED, "build"},
	{"Pull", KEY_STRING, NULL, "--pull="},
	{"Arch", KEY_STRING, "--arch"},
	{"AuthFile", KEY_STRING, "--authfile"},
	{"IgnoreFile", KEY_STRING, "--ignorefile"},
	{"Target", KEY_STRING, "--target"},
	{"Variant", KEY_STRING, "--variant"},
	{"Retry", KEY_STRING, "--retry"},
	{"RetryDelay", KEY_STRING, "--retry-delay"},
	{"TLSVerify", KEY_BOOL, "--tls-verify"},
	{"ForceRM", KEY_BOOL, "--force-rm"},
	{"DNS", KEY_LINES, "--dns"},
	{"DNSOption", KEY_LINES, "--dns-option"},
	{"DNSSearch", KEY_LINES, "--dns-search"},
	{"GroupAdd", KEY_LINES, "--group-add"},
	{"ImageTag", KEY_LINES, "--tag"},
	{"BuildArg", KEY_PAIRS, "--build-arg"},
	{"Environment", KEY_PAIRS, "--env"},
	{"Label", KEY_PAIRS, "--label"},
	{"Annotation", KEY_PAIRS, "--annotation"},
	{"Network", KEY_CALL, "--network", .call = common_emit_network},
	{"Secret", KEY_ARGS, "--secret"},
	{"Volume", KEY_CALL, "-v", .call = common_emit_volume},
	{"File", KEY_STRING, "--file"},
	{"PodmanArgs", KEY_ARGS},
	{"SetWorkingDirectory", KEY_ALWAYS, .call = emit_context},
	{"ServiceName", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

static void prepare(Unit *unit) {
	g_autoptr(GPtrArray) tags = section_lines(unit->section, "ImageTag");

	if (tags->len)
		unit->resource = ((const UnitLine *)g_ptr_array_index(tags, 0))->value;
}

/* What SetWorkingDirectory= means: a context word, a working directory, or both. */
static bool read_directory(Conversion *c, const char **ret_directory, GError **err) {
	const Unit *unit = c->unit;
	const UnitLine *line = section_last(unit->section, "SetWorkingDirectory");
	const char *value = keys_string(unit, "SetWorkingDirectory");
	const char *file = keys_string(unit, "File");

	*ret_directory = NULL;
	if (!value)
		return true;
	if (g_ascii_strcasecmp(value, "yaml") == 0)
		return unit_fail(unit, line, err, ERROR_INVALID,
			"SetWorkingDirectory=yaml is only for .kube files");
	if (g_ascii_strcasecmp(value, "file") == 0) {
		if (!file)
			return unit_fail(unit, line, err, ERROR_INVALID,
				"SetWorkingDirectory=file needs File=");
		g_autofree char *directory = g_path_get_dirname(common_absolute(unit, file));
		*ret_directory = unit_file_intern(unit->file, directory);
		return true;
	}
	if (g_ascii_strcasecmp(value, "unit") == 0) {
		*ret_directory = unit->directory;
		return true;
	}
	c->operand = value;
	if (!is_url(value) && *value != '/')
		*ret_directory = unit->directory;
	return true;
}

/* A WorkingDirectory= of the author wins, and the context with it. */
static bool set_context(Conversion *c, GError **err) {
	UnitFile *unit_file = c->unit->file;
	const char *own = unit_file_value(unit_file, "Service", "WorkingDirectory");
	const char *file = keys_string(c->unit, "File");
	const char *directory;

	if (!read_directory(c, &directory, err))
		return false;
	if (directory && own && *own)
		c->operand = NULL;
	else if (directory)
		unit_file_add(unit_file, "Service", "WorkingDirectory", directory);
	if (c->operand)
		return true;
	directory = own && *own ? own : directory;
	if (!directory && !file)
		return unit_fail(c->unit, NULL, err, ERROR_INVALID,
			"needs SetWorkingDirectory= or File= in [Build]");
	if (file && (is_url(file) || *file == '/' || (file[0] == '%' && file[1] != '%')))
		return true;
	if (!directory)
		return unit_fail(c->unit, section_last(c->unit->section, "File"), err,
			ERROR_INVALID, "relative File=%s needs SetWorkingDirectory=", file);
	c->operand = directory;
	return true;
}

static bool convert(Conversion *c, GError **err) {
	if (!c->unit->resource)
		return unit_fail(c->unit, section_last(c->unit->section, "ImageTag"), err,
			ERROR_INVALID, "needs ImageTag= in [Build]");
	if (!set_context(c, err))
		return false;
	cmdline_begin(c);
	if (!keys_emit(c, err))
		return false;
	cmdline_add_built(c, "ExecStart");
	common_oneshot_defaults(c, false);
	return true;
}

const UnitType unit_type_build = {
	.extension = ".build",
	.group = "Build",
	.renamed = "X-Build",
	.suffix = "-build",
	.order = 3,
	.needs_key = true,
	.rows = rows,
	.n_rows = ARRAY_LENGTH(rows),
	.prepare = prepare,
	.convert = convert,
};
