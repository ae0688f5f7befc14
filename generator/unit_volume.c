/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.volume -> NAME-volume.service: a volume that is made when it is needed. */
#include "cmdline.h"
#include "common.h"
#include "graph.h"
#include "keys.h"

#include <stdlib.h>
#include <string.h>

/* User= and Group= are numbers as strtol reads them; Quadlet takes anything else for 0. */
static unsigned long read_number(const char *text) {
	char *end = NULL;

	if (!text || !*text || *text == '-' || g_ascii_isspace(*text))
		return 0;
	errno = 0;
	unsigned long value = strtoul(text, &end, 0);
	return errno || *end || value > G_MAXUINT32 ? 0 : value;
}

static void append_owner(Conversion *c, GString *parts, const char *key, const char *name) {
	const char *text = keys_text(c->unit, key);

	if (!text)
		return;
	unsigned long value = read_number(text);
	if (value == 0 && strcmp(text, "0") != 0)
		unit_warn(c->unit, section_last(c->unit->section, key),
			"%s=%s is not a number, 0 is used as in podman, continuing", key, text);
	g_string_append_printf(parts, "%s%s=%lu", parts->len ? "," : "", name, value);
}

static bool emit_image(Conversion *c, GError **err) {
	const UnitLine *line = section_last(c->unit->section, "Image");
	const char *image = keys_string(c->unit, "Image");

	if (!image)
		return unit_fail(c->unit, section_last(c->unit->section, "Driver"), err,
			ERROR_INVALID, "Driver=image needs Image=");
	image = common_resolve_image(c, line, image, err);
	if (!image)
		return false;
	common_emit(c, "--opt", unit_file_concat(c->unit->file, "image=", image, NULL), NULL);
	return true;
}

static bool emit_device(Conversion *c, GError **err) {
	UnitFile *file = c->unit->file;
	const char *device = keys_string(c->unit, "Device");
	const char *type = keys_string(c->unit, "Type");

	if (device)
		common_emit(c, "--opt", unit_file_concat(file, "device=", device, NULL), NULL);
	if (!type)
		return true;
	if (!device)
		return unit_fail(c->unit, section_last(c->unit->section, "Type"), err,
			ERROR_INVALID, "Type=%s needs Device=", type);
	common_emit(c, "--opt", unit_file_concat(file, "type=", type, NULL), NULL);
	if (strcmp(type, "bind") == 0)
		common_require_mounts(c, device);
	return true;
}

/* All options of the volume. With Driver=image the other keys are not looked at. */
static bool emit_options(Conversion *c, const KeyRow *row G_GNUC_UNUSED, GError **err) {
	const char *driver = keys_text(c->unit, "Driver");
	const char *options = keys_string(c->unit, "Options");
	int copy = keys_tristate(c->unit, "Copy");
	g_autoptr(GString) parts = g_string_new(NULL);

	if (driver && strcmp(driver, "image") == 0)
		return emit_image(c, err);
	if (copy >= 0)
		common_emit(c, "--opt", copy ? "copy" : "nocopy", NULL);
	if (!emit_device(c, err))
		return false;
	append_owner(c, parts, "User", "uid");
	append_owner(c, parts, "Group", "gid");
	if (options)
		g_string_append_printf(parts, "%s%s", parts->len ? "," : "", options);
	if (parts->len)
		common_emit(
			c, "--opt", unit_file_concat(c->unit->file, "o=", parts->str, NULL), NULL);
	return true;
}

static const KeyRow rows[] = {
	{NULL, KEY_FIXED, "volume"},
	{NULL, KEY_FIXED, "create"},
	{NULL, KEY_FIXED, "--ignore"},
	{"UID", KEY_TEXT, "--uid"},
	{"GID", KEY_TEXT, "--gid"},
	{"Driver", KEY_TEXT, "--driver"},
	{NULL, KEY_ALWAYS, .call = emit_options},
	{"Copy", KEY_READ},
	{"Device", KEY_READ},
	{"Type", KEY_READ},
	{"User", KEY_READ},
	{"Group", KEY_READ},
	{"Options", KEY_READ},
	{"Image", KEY_READ},
	{"Label", KEY_PAIRS, "--label"},
	{"PodmanArgs", KEY_ARGS},
	{"VolumeName", KEY_ALWAYS, .call = common_emit_own_name},
	{"ServiceName", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

static void prepare(Unit *unit) {
	const char *name = keys_string(unit, "VolumeName");

	unit->own_name = name ? name : unit_default_resource(unit);
	unit->resource = unit->own_name;
}

static bool convert(Conversion *c, GError **err) {
	const char *driver = keys_text(c->unit, "Driver");

	if (driver && strcmp(driver, "image") == 0)
		common_check_image(c->unit, "Image");
	cmdline_begin(c);
	if (!keys_emit(c, err))
		return false;
	cmdline_add_built(c, "ExecStart");
	common_oneshot_defaults(c, true);
	return true;
}

const UnitType unit_type_volume = {
	.extension = ".volume",
	.group = "Volume",
	.renamed = "X-Volume",
	.suffix = "-volume",
	.order = 2,
	.rows = rows,
	.n_rows = ARRAY_LENGTH(rows),
	.prepare = prepare,
	.convert = convert,
};
