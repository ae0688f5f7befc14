/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespace modes and id maps. See namespace_mode.h. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "model/names.h"
#include "model/namespace_mode.h"

#include <string.h>

static const struct {
	const char *word;
	NamespaceKind kind;
} plain_modes[] = {{"", NAMESPACE_DEFAULT}, {"private", NAMESPACE_PRIVATE},
	{"shareable", NAMESPACE_SHAREABLE}, {"none", NAMESPACE_NONE}, {"host", NAMESPACE_HOST},
	{"pod", NAMESPACE_POD}};

static bool check_container(const char *text, const char *name, GError **err) {
	return name_check(name, "container name", err) ||
	       fail_prefix(err, "bad value \"%s\"", text);
}

static bool check_path(const char *text, const char *path, GError **err) {
	return *path == '/' ||
	       fail(err, ERROR_INVALID, "bad value \"%s\": the path is not absolute", text);
}

bool spec_parse_namespace(const char *text, NamespaceMode *ret_mode, GError **err) {
	const char *value = text ? strchr(text, ':') : NULL;

	*ret_mode = (NamespaceMode){0};
	if (!text)
		return true;
	array_foreach (row, plain_modes) {
		if (strcmp(row->word, text) == 0) {
			ret_mode->kind = row->kind;
			return true;
		}
	}
	if (value && g_str_has_prefix(text, "container:")) {
		*ret_mode = (NamespaceMode){NAMESPACE_CONTAINER, value + 1};
		return check_container(text, value + 1, err);
	}
	if (value && g_str_has_prefix(text, "ns:")) {
		*ret_mode = (NamespaceMode){NAMESPACE_PATH, value + 1};
		return check_path(text, value + 1, err);
	}
	return fail(err, ERROR_INVALID, "bad value \"%s\"", text);
}

/* ---- id maps ---- */

/* What remains of a row when the ids from first on, on one side, are taken out of it. */
static void add_rest(IdMap *map, IdRange row, bool inside, uint32_t first, uint32_t count) {
	uint64_t start = inside ? row.inside : row.outside, end = start + row.count;
	uint64_t cut = MIN(MAX((uint64_t)first, start), end);
	uint64_t cut_end = MAX(MIN((uint64_t)first + count, end), cut);

	if (cut > start)
		id_map_append(map, row.inside, row.outside, (uint32_t)(cut - start));
	if (cut_end < end)
		id_map_append(map, (uint32_t)(row.inside + (cut_end - start)),
			(uint32_t)(row.outside + (cut_end - start)), (uint32_t)(end - cut_end));
}

void id_map_override(IdMap *map, uint32_t inside, uint32_t outside, uint32_t count) {
	for (int side = 0; side < 2; side++) {
		IdMap rest = {0};

		for (size_t i = 0; i < map->n; i++)
			add_rest(&rest, map->rows[i], side == 0, side == 0 ? inside : outside,
				count);
		id_map_clear(map);
		*map = rest;
	}
	id_map_append(map, inside, outside, count);
}

typedef struct MapRow {
	bool extends, users, groups;
	IdRange range;
} MapRow;

static bool parse_row(const char *text, MapRow *row) {
	const char *rest = text;

	*row = (MapRow){0};
	for (;; rest++) {
		if (*rest == '+')
			row->extends = true;
		else if (*rest == 'u')
			row->users = true;
		else if (*rest == 'g')
			row->groups = true;
		else
			break;
	}
	g_auto(GStrv) parts = g_strsplit(rest, ":", 4);
	size_t n = g_strv_length(parts);
	if (n < 2 || n > 3)
		return false;
	uint64_t count = 1;
	return id_parse(parts[0], &row->range.inside) &&
	       id_parse(parts[1] + (*parts[1] == '@'), &row->range.outside) &&
	       (n < 3 || (parse_uint64(parts[2], UINT32_MAX, &count) && count > 0)) &&
	       count - 1 <= ID_MAX - row->range.inside &&
	       count - 1 <= ID_MAX - row->range.outside && (row->range.count = (uint32_t)count) > 0;
}

bool spec_parse_id_map(char *const *rows, bool group, IdMap *map, GError **err) {
	for (; rows && *rows; rows++) {
		MapRow row;

		if (!parse_row(*rows, &row))
			return fail(err, ERROR_INVALID,
				"bad value \"%s\": it is INSIDE:OUTSIDE[:COUNT] with ids up to "
				"%" G_GUINT32_FORMAT,
				*rows, ID_MAX);
		if ((row.users && !row.groups && group) || (row.groups && !row.users && !group))
			continue;
		if (row.extends && map->n == 0)
			return fail(err, ERROR_INVALID,
				"bad value \"%s\": there is no map yet that \"+\" could extend",
				*rows);
		if (row.extends)
			id_map_override(map, row.range.inside, row.range.outside, row.range.count);
		else
			id_map_append(map, row.range.inside, row.range.outside, row.range.count);
	}
	return true;
}

/* ---- --userns ---- */

void userns_request_clear(UserNsRequest *request) {
	g_free(request->value);
	id_map_clear(&request->uid_map);
	id_map_clear(&request->gid_map);
	*request = (UserNsRequest){0};
}

/* CSV as podman has it: a row of a map has colons, no commas. */
static bool read_auto_option(UserNsRequest *request, const char *option, GError **err) {
	const char *equals = strchr(option, '=');
	char *const row[] = {(char *)(equals ? equals + 1 : ""), NULL};

	if (g_str_has_prefix(option, "size="))
		return (id_parse(row[0], &request->size) && request->size > 0) ||
		       fail(err, ERROR_INVALID, "\"%s\" is no number of ids", option);
	if (g_str_has_prefix(option, "uidmapping="))
		return spec_parse_id_map(row, false, &request->uid_map, err);
	if (g_str_has_prefix(option, "gidmapping="))
		return spec_parse_id_map(row, true, &request->gid_map, err);
	return fail(err, ERROR_INVALID, "unknown option \"%s\"", option);
}

static bool read_keep_option(UserNsRequest *request, const char *option, GError **err) {
	if (g_str_has_prefix(option, "uid="))
		request->uid_given = id_parse(option + strlen("uid="), &request->uid);
	else if (g_str_has_prefix(option, "gid="))
		request->gid_given = id_parse(option + strlen("gid="), &request->gid);
	else if (g_str_has_prefix(option, "size="))
		return fail(err, ERROR_UNSUPPORTED, "\"%s\" needs a user who is not root", option);
	else
		return fail(err, ERROR_INVALID, "unknown option \"%s\"", option);
	return (option[0] == 'u' ? request->uid_given : request->gid_given) ||
	       fail(err, ERROR_INVALID, "\"%s\" is no id", option);
}

static bool read_userns(UserNsRequest *request, const char *text, GError **err) {
	static const struct {
		const char *word;
		UserNsKind kind;
	} plain[] = {{"", USERNS_HOST}, {"host", USERNS_HOST}, {"private", USERNS_PRIVATE},
		{"nomap", USERNS_NOMAP}, {"keep-id", USERNS_KEEP_ID}, {"auto", USERNS_AUTO}};
	const char *colon = strchr(text, ':');
	g_autofree char *word = colon ? g_strndup(text, (size_t)(colon - text)) : g_strdup(text);

	if (colon && (strcmp(word, "container") == 0 || strcmp(word, "ns") == 0)) {
		request->kind = *word == 'c' ? USERNS_CONTAINER : USERNS_PATH;
		request->value = g_strdup(colon + 1);
		return *word == 'c' ? check_container(text, colon + 1, err)
				    : check_path(text, colon + 1, err);
	}
	bool known = false;
	array_foreach (row, plain) {
		if (strcmp(row->word, word) == 0) {
			request->kind = row->kind;
			known = true;
		}
	}
	if (!known || (colon && request->kind != USERNS_AUTO && request->kind != USERNS_KEEP_ID))
		return fail(err, ERROR_INVALID, "bad value \"%s\"", text);
	g_auto(GStrv) options = g_strsplit(colon ? colon + 1 : "", ",", -1);
	for (char **option = options; *option; option++)
		if (!(request->kind == USERNS_AUTO ? read_auto_option(request, *option, err)
						   : read_keep_option(request, *option, err)))
			return fail_prefix(err, "bad value \"%s\"", text);
	return true;
}

bool spec_parse_userns(const char *text, UserNsRequest *ret_request, GError **err) {
	UserNsRequest request = {0};

	if (text && !read_userns(&request, text, err)) {
		userns_request_clear(&request);
		return false;
	}
	*ret_request = request;
	return true;
}
