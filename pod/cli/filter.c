/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters. See filter.h. */
#include "cli/filter.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "cli/log_time.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

typedef struct FilterRow {
	const char *key;
	/* NULL: the key does not exist for these objects; objects is the list before filtering */
	bool (*container)(const json_t *object, const char *value, const json_t *objects);
	bool (*pod)(const json_t *object, const char *value, const json_t *objects);
	bool all_values; /* every value must match, not one of them */
} FilterRow;

static const char *first_name(const json_t *object) {
	const char *name = json_string_value(json_array_get(json_object_get(object, "Names"), 0));

	return name ? name : json_get_string(object, "Name", "");
}

/* podman's name and id filters are regular expressions, found anywhere in the text. */
static bool text_matches(const char *text, const char *pattern) {
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return strstr(text, pattern) != NULL;
	bool found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static bool match_name(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	return text_matches(first_name(object), value);
}

static bool match_id(const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	const char *id = json_get_string(object, "Id", "");

	return g_str_has_prefix(id, value) || text_matches(id, value);
}

static bool match_state(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	const char *state = json_get_string(object, "State", "");

	return g_ascii_strcasecmp(state, strcmp(value, "stopped") == 0 ? "exited" : value) == 0;
}

static bool match_pod_status(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	return g_ascii_strcasecmp(json_get_string(object, "Status", ""), value) == 0;
}

static bool match_label(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	const char *equals = strchr(value, '=');
	g_autofree char *key =
		equals ? g_strndup(value, (size_t)(equals - value)) : g_strdup(value);
	const char *found =
		json_string_value(json_object_get(json_object_get(object, "Labels"), key));

	return found && (!equals || strcmp(found, equals + 1) == 0);
}

static bool match_no_label(const json_t *object, const char *value, const json_t *objects) {
	return !match_label(object, value, objects);
}

static bool match_until(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	uint64_t until;

	return log_time_parse(value, proc_now_realtime(), &until) &&
	       (uint64_t)json_get_int(object, "_created_usec", 0) < until;
}

static bool match_pod(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	const char *id = json_get_string(object, "Pod", "");

	return (*id && *value && g_str_has_prefix(id, value)) ||
	       strcmp(json_get_string(object, "PodName", ""), value) == 0;
}

static bool match_ancestor(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	const char *image = json_get_string(object, "Image", "");
	const char *id = json_get_string(object, "ImageID", "");
	const char *base = strrchr(image, '/');
	size_t length = strlen(value);

	if (strcmp(image, value) == 0 || (*id && length > 0 && strncmp(id, value, length) == 0))
		return true;
	base = base ? base + 1 : image;
	return (strncmp(image, value, length) == 0 && image[length] == ':') ||
	       (strncmp(base, value, length) == 0 && (base[length] == ':' || !base[length]));
}

static bool match_exited(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	return json_is_true(json_object_get(object, "Exited")) &&
	       json_get_int(object, "ExitCode", -1) == atoi(value);
}

static int64_t created_of(const json_t *objects, const char *name) {
	const json_t *object;
	size_t index;

	json_array_foreach (objects, index, object) {
		if (strcmp(first_name(object), name) == 0 ||
			g_str_has_prefix(json_get_string(object, "Id", ""), name))
			return json_get_int(object, "_created_usec", 0);
	}
	return -1;
}

static bool match_before(const json_t *object, const char *value, const json_t *objects) {
	return json_get_int(object, "_created_usec", 0) < created_of(objects, value);
}

static bool match_since(const json_t *object, const char *value, const json_t *objects) {
	int64_t created = created_of(objects, value);

	return created >= 0 && json_get_int(object, "_created_usec", 0) > created;
}

static bool match_network(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	const json_t *network;
	size_t index;

	json_array_foreach (json_object_get(object, "Networks"), index, network) {
		const char *name = json_string_value(network);
		if (name && strcmp(name, value) == 0)
			return true;
	}
	return false;
}

static bool match_member(const json_t *object, const char *value, const char *key) {
	const json_t *member;
	size_t index;

	json_array_foreach (json_object_get(object, "Containers"), index, member) {
		if (text_matches(json_get_string(member, key, ""), value))
			return true;
	}
	return false;
}

static bool match_member_name(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	return match_member(object, value, "Names");
}

static bool match_member_id(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	return match_member(object, value, "Id");
}

static bool match_member_status(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	return match_member(object, value, "Status");
}

static bool match_member_number(
	const json_t *object, const char *value, G_GNUC_UNUSED const json_t *objects) {
	return json_array_size(json_object_get(object, "Containers")) ==
	       (size_t)strtoul(value, NULL, 10);
}

static const FilterRow filter_rows[] = {
	{"name", match_name, match_name},
	{"id", match_id, match_id},
	{"status", match_state, match_pod_status},
	{"label", match_label, match_label, true},
	{"label!", match_no_label, match_no_label, true},
	{"until", match_until, match_until, true},
	{"pod", match_pod, NULL},
	{"ancestor", match_ancestor, NULL},
	{"exited", match_exited, NULL},
	{"before", match_before, NULL},
	{"since", match_since, NULL},
	{"network", match_network, match_network},
	{"ctr-names", NULL, match_member_name},
	{"ctr-ids", NULL, match_member_id},
	{"ctr-status", NULL, match_member_status},
	{"ctr-number", NULL, match_member_number},
};

static const FilterRow *find_row(const char *filter, bool pods) {
	const char *equals = strchr(filter, '=');

	array_foreach (row, filter_rows)
		if (equals && strlen(row->key) == (size_t)(equals - filter) &&
			g_str_has_prefix(filter, row->key) && (pods ? row->pod : row->container))
			return row;
	return NULL;
}

/* podman's words for the states of containers and pods. */
static bool is_state(const char *word, bool pods) {
	static const char *const containers[] = {"created", "running", "paused", "exited",
		"stopped", "stopping", "configured", "initialized", "removing", "unknown", NULL};
	static const char *const of_pods[] = {
		"created", "running", "paused", "exited", "stopped", "degraded", "dead", NULL};
	g_autofree char *lower = g_ascii_strdown(word, -1);

	return str_in_list(lower, pods ? of_pods : containers);
}

static bool check_filters(char *const *filters, bool pods, GError **err) {
	for (; filters && *filters; filters++) {
		const FilterRow *row = find_row(*filters, pods);
		uint64_t until;
		int number;

		if (!strchr(*filters, '='))
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--filter\": use KEY=VALUE", *filters);
		if (!row)
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--filter\": there is no such filter",
				*filters);
		if (row->container == match_state && !is_state(strchr(*filters, '=') + 1, pods))
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--filter\": there is no such state",
				*filters);
		if (row->container == match_exited &&
			!parse_int(strchr(*filters, '=') + 1, 0, 255, &number))
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--filter\": exited is a number",
				*filters);
		if (row->container == match_until &&
			!log_time_parse(strchr(*filters, '=') + 1, proc_now_realtime(), &until))
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--filter\": until is a time or a "
				"duration",
				*filters);
	}
	return true;
}

/* True if the object passes all filters with this row's key. */
static bool passes_row(const json_t *object, char *const *filters, const FilterRow *row, bool pods,
	const json_t *objects) {
	bool any = false, none = true;

	for (char *const *filter = filters; *filter; filter++) {
		if (find_row(*filter, pods) != row)
			continue;
		bool match = (pods ? row->pod : row->container)(
			object, strchr(*filter, '=') + 1, objects);
		if (row->all_values && !match)
			return false;
		any = any || match;
		none = false;
	}
	return any || none;
}

bool filter_objects(json_t *objects, char *const *filters, bool pods, GError **err) {
	if (!filters || !*filters)
		return true;
	if (!check_filters(filters, pods, err))
		return false;
	json_auto_t *before = json_copy(objects);
	for (size_t i = json_array_size(objects); i-- > 0;) {
		const json_t *object = json_array_get(objects, i);
		bool passes = true;

		array_foreach (row, filter_rows)
			passes = passes && passes_row(object, filters, row, pods, before);
		if (!passes)
			json_array_remove(objects, i);
	}
	return true;
}
