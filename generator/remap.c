/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RemapUsers= and its companions: the deprecated way to say UserNS=, UIDMap= and GIDMap=. They are
 * still accepted, but not together with the keys that replaced them.
 */
#include "common.h"
#include "keys.h"

#include <stdlib.h>
#include <string.h>

static guint count_words(const Unit *unit, const char *key) {
	g_autoptr(GPtrArray) words = keys_words(unit, key, WORDS_PLAIN);

	return words->len;
}

/* Kube units have no rows for the map keys. */
static bool has_explicit(const Unit *unit) {
	return keys_string(unit, "UserNS") || count_words(unit, "UIDMap") ||
	       count_words(unit, "GIDMap") || keys_string(unit, "SubUIDMap") ||
	       keys_string(unit, "SubGIDMap");
}

/* "--userns MODE[:parts]", parts joined by commas. */
static void emit_userns(Conversion *c, const char *mode, const GString *parts) {
	common_emit(c, "--userns",
		unit_file_concat(c->unit->file, mode, parts->len ? ":" : "", parts->str, NULL),
		NULL);
}

static void append_parts(GString *parts, const char *name, const GPtrArray *values) {
	for (guint i = 0; i < values->len; i++)
		g_string_append_printf(parts, "%s%s=%s", parts->len ? "," : "", name,
			(const char *)g_ptr_array_index(values, i));
}

static unsigned long read_size(const Unit *unit) {
	const char *text = keys_string(unit, "RemapUidSize");
	char *end = NULL;

	if (!text || *text == '-')
		return 0;
	errno = 0;
	unsigned long value = strtoul(text, &end, 0);
	return errno || *end || value > G_MAXUINT32 ? 0 : value;
}

static void emit_manual(Conversion *c, const GPtrArray *uids, const GPtrArray *gids) {
	for (guint i = 0; i < uids->len; i++)
		common_emit(c, "--uidmap", (const char *)g_ptr_array_index(uids, i), NULL);
	for (guint i = 0; i < gids->len; i++)
		common_emit(c, "--gidmap", (const char *)g_ptr_array_index(gids, i), NULL);
}

static bool emit_mode(Conversion *c, const KeyRow *row, const UnitLine *line, GError **err) {
	const Unit *unit = c->unit;
	g_autoptr(GPtrArray) uids = keys_words(unit, "RemapUid", WORDS_PLAIN);
	g_autoptr(GPtrArray) gids = keys_words(unit, "RemapGid", WORDS_PLAIN);
	g_autoptr(GString) parts = g_string_new(NULL);
	const char *mode = line ? line->value : "";

	if (!*mode) {
		if (uids->len || gids->len)
			return unit_fail(unit,
				section_last(unit->section, uids->len ? "RemapUid" : "RemapGid"),
				err, ERROR_INVALID,
				"%s= needs RemapUsers=", uids->len ? "RemapUid" : "RemapGid");
		return true;
	}
	if (strcmp(mode, "manual") == 0 && row->flags) {
		emit_manual(c, uids, gids);
		return true;
	}
	if (strcmp(mode, "auto") == 0) {
		unsigned long size = read_size(unit);
		append_parts(parts, "uidmapping", uids);
		append_parts(parts, "gidmapping", gids);
		if (size)
			g_string_append_printf(parts, "%ssize=%lu", parts->len ? "," : "", size);
		emit_userns(c, mode, parts);
		return true;
	}
	if (strcmp(mode, "keep-id") == 0) {
		if (uids->len > 1 || gids->len > 1)
			return unit_fail(unit, line, err, ERROR_INVALID,
				"RemapUsers=keep-id takes at most one RemapUid= and one RemapGid=");
		append_parts(parts, "uid", uids);
		append_parts(parts, "gid", gids);
		emit_userns(c, mode, parts);
		return true;
	}
	return unit_fail(unit, line, err, ERROR_INVALID, "bad value RemapUsers=%s", mode);
}

bool common_emit_remap(Conversion *c, const KeyRow *row, GError **err) {
	static const char *const keys[] = {"RemapUsers", "RemapUid", "RemapGid"};
	const UnitLine *used = NULL;

	array_foreach (key, keys)
		if (!used)
			used = section_last(c->unit->section, *key);
	if (!used)
		return true;
	if (has_explicit(c->unit))
		return unit_fail(c->unit, used, err, ERROR_INVALID,
			"%s= cannot be used with UserNS=, UIDMap=, GIDMap=, SubUIDMap= or "
			"SubGIDMap=",
			used->key);
	return emit_mode(c, row, section_last(c->unit->section, "RemapUsers"), err);
}
