/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.kube -> NAME.service: pods from Kubernetes YAML. */
#include "cmdline.h"
#include "common.h"
#include "keys.h"

#include <string.h>

/* One annotation a word; CONTAINER/VALUE is for that container alone. */
static bool emit_auto_update(Conversion *c, const KeyRow *row, GError **err G_GNUC_UNUSED) {
	g_autoptr(GPtrArray) words = keys_words(c->unit, row->key, WORDS_PLAIN);
	UnitFile *file = c->unit->file;

	for (guint i = 0; i < words->len; i++) {
		const char *word = g_ptr_array_index(words, i);
		const char *slash = strchr(word, '/');
		g_autofree char *name = slash ? g_strndup(word, (gsize)(slash - word)) : NULL;
		if (slash)
			word = unit_file_concat(file, row->prefix, "/", name, "=", slash + 1, NULL);
		else
			word = unit_file_concat(file, row->prefix, "=", word, NULL);
		common_emit(c, word, NULL);
	}
	return true;
}

static const KeyRow rows[] = {
	{NULL, KEY_FIXED, "kube"},
	{NULL, KEY_FIXED, "play"},
	{NULL, KEY_FIXED, "--replace"},
	{NULL, KEY_FIXED, "--service-container=true"},
	{"ExitCodePropagation", KEY_STRING, NULL, "--service-exit-code-propagation="},
	{"LogDriver", KEY_TEXT, "--log-driver"},
	{"LogOpt", KEY_WORDS, "--log-opt"},
	{"UserNS", KEY_STRING, "--userns"},
	{"RemapUsers", KEY_ALWAYS, .call = common_emit_remap},
	{"RemapUid", KEY_READ},
	{"RemapGid", KEY_READ},
	{"RemapUidSize", KEY_READ},
	{"Network", KEY_CALL, "--network", .call = common_emit_network},
	{"AutoUpdate", KEY_CALL, NULL, "--annotation=io.containers.autoupdate",
		.call = emit_auto_update},
	{"ConfigMap", KEY_WORDS, "--configmap", .flags = KEY_PATH},
	{"PublishPort", KEY_LINES, "--publish"},
	{"PodmanArgs", KEY_ARGS},
	{"Yaml", KEY_WORDS, .flags = KEY_PATH},
	{"SetWorkingDirectory", KEY_READ},
	{"KubeDownForce", KEY_READ},
	{"ServiceName", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

/* Absolute paths of the YAML files. */
static GPtrArray *read_files(const Unit *unit) {
	GPtrArray *files = keys_words(unit, "Yaml", WORDS_PLAIN);

	for (guint i = 0; i < files->len; i++)
		files->pdata[i] = (void *)common_absolute(unit, files->pdata[i]);
	return files;
}

static void add_down(Conversion *c, const GPtrArray *files) {
	int force = keys_tristate(c->unit, "KubeDownForce");

	if (force < 0)
		cmdline_add(c, "ExecStopPost", "", files, "kube", "down", NULL);
	else
		cmdline_add(c, "ExecStopPost", "", files, "kube", "down",
			force ? "--force" : "--force=false", NULL);
}

static bool set_directory(Conversion *c, const GPtrArray *files, GError **err) {
	const Unit *unit = c->unit;
	const UnitLine *line = section_last(unit->section, "SetWorkingDirectory");
	const char *value = keys_string(unit, "SetWorkingDirectory");
	const char *own = unit_file_value(unit->file, "Service", "WorkingDirectory");
	const char *directory = unit->directory;

	if (!value)
		return true;
	if (g_ascii_strcasecmp(value, "yaml") == 0) {
		if (files->len > 1)
			return unit_fail(unit, line, err, ERROR_INVALID,
				"SetWorkingDirectory=yaml needs exactly one file in Yaml=");
		g_autofree char *parent = g_path_get_dirname(g_ptr_array_index(files, 0));
		directory = unit_file_intern(unit->file, parent);
	} else if (g_ascii_strcasecmp(value, "unit") != 0) {
		return unit_fail(unit, line, err, ERROR_INVALID,
			"SetWorkingDirectory=%s must be yaml or unit", value);
	}
	if (!own || !*own)
		unit_file_add(unit->file, "Service", "WorkingDirectory", directory);
	return true;
}

static bool convert(Conversion *c, GError **err) {
	UnitFile *file = c->unit->file;
	g_autoptr(GPtrArray) files = read_files(c->unit);

	if (files->len == 0)
		return unit_fail(c->unit, section_last(c->unit->section, "Yaml"), err,
			ERROR_INVALID, "needs Yaml= in [Kube]");
	if (!common_kill_mode(c, err))
		return false;
	unit_file_add(file, "Service", "Environment", GENERATOR_UNIT_ENV);
	if (!common_service_type(c, err))
		return false;
	common_service_default(c, "SyslogIdentifier", "%N");
	cmdline_begin(c);
	if (!keys_emit(c, err))
		return false;
	cmdline_add_built(c, "ExecStart");
	add_down(c, files);
	return set_directory(c, files, err);
}

const UnitType unit_type_kube = {
	.extension = ".kube",
	.group = "Kube",
	.renamed = "X-Kube",
	.suffix = "",
	.order = 4,
	.needs_key = true,
	.rows = rows,
	.n_rows = ARRAY_LENGTH(rows),
	.convert = convert,
};
