/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl port: published ports of containers, one a line; a member of a pod has its pod's. */
#include "base/parse.h"
#include "cli/cmd.h"
#include "model/names.h"

#include <stddef.h>
#include <string.h>

typedef struct PortOptions {
	bool all, latest;
} PortOptions;

#define FIELD(member) offsetof(PortOptions, member)

static const OptionRow port_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "Show the ports of all containers"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{NULL},
};

/* PORT[/PROTOCOL]; number 0: every port. */
typedef struct PortWanted {
	int number;
	const char *protocol;
} PortWanted;

static bool parse_wanted(const char *text, PortWanted *ret_wanted, GError **err) {
	static const char *const protocols[] = {"tcp", "udp", "sctp"};
	const char *slash = strchr(text, '/');
	g_autofree char *number = slash ? g_strndup(text, (size_t)(slash - text)) : g_strdup(text);

	*ret_wanted = (PortWanted){.protocol = "tcp"};
	if (slash)
		ret_wanted->protocol = NULL;
	for (size_t i = 0; slash && i < G_N_ELEMENTS(protocols); i++)
		if (strcmp(slash + 1, protocols[i]) == 0)
			ret_wanted->protocol = protocols[i];
	if (!ret_wanted->protocol || !parse_int(number, 1, 65535, &ret_wanted->number))
		return fail(
			err, ERROR_INVALID, "invalid port \"%s\": use PORT or PORT/PROTOCOL", text);
	return true;
}

/* Lines of one mapping; *found counts them. */
static void format_mapping(GString *out, const json_t *mapping, const char *prefix,
	const PortWanted *wanted, unsigned *found) {
	const char *address = json_get_string(mapping, "host_ip", "");
	const char *protocol = json_get_string(mapping, "protocol", "tcp");
	int64_t inside = json_get_int(mapping, "container_port", 0);
	int64_t outside = json_get_int(mapping, "host_port", 0);

	for (int64_t i = 0; i < json_get_int(mapping, "range", 1); i++) {
		if (wanted->number &&
			(inside + i != wanted->number || strcmp(protocol, wanted->protocol) != 0))
			continue;
		(*found)++;
		g_string_append(out, prefix);
		if (!wanted->number)
			g_string_append_printf(
				out, "%" G_GINT64_FORMAT "/%s -> ", inside + i, protocol);
		g_string_append_printf(out,
			strchr(address, ':') ? "[%s]:%" G_GINT64_FORMAT "\n"
					     : "%s:%" G_GINT64_FORMAT "\n",
			*address ? address : "0.0.0.0", outside + i);
	}
}

static unsigned format_container(
	GString *out, const json_t *row, const char *prefix, const PortWanted *wanted) {
	const json_t *mapping;
	unsigned found = 0;
	size_t index;

	json_array_foreach (json_object_get(row, "Ports"), index, mapping)
		format_mapping(out, mapping, prefix, wanted, &found);
	return found;
}

/* The row of the container with this id, or the newest for NULL; borrowed. */
static const json_t *find_row(const json_t *rows, const char *id) {
	const json_t *row;
	size_t index;

	if (!id)
		return json_array_get(rows, json_array_size(rows) - 1);
	json_array_foreach (rows, index, row)
		if (strcmp(json_get_string(row, "Id", ""), id) == 0)
			return row;
	return NULL;
}

static bool check_arguments(const PortOptions *options, char **arguments, GError **err) {
	unsigned names = g_strv_length(arguments);

	if (options->all && options->latest)
		return fail(err, ERROR_INVALID, "--all and --latest exclude each other");
	if (options->all && names > 0)
		return fail(err, ERROR_INVALID, "--all goes with neither a name nor a port");
	if (options->latest && names > 1)
		return fail(err, ERROR_INVALID, "--latest goes without a name");
	if (!options->all && !options->latest && names == 0)
		return fail(err, ERROR_INVALID, "requires at least one name or id of a container");
	return true;
}

static void format_all(GString *out, const json_t *rows) {
	const PortWanted everything = {0};
	const json_t *row;
	size_t index;

	json_array_foreach (rows, index, row) {
		g_autofree char *prefix =
			g_strdup_printf("%.*s\t", ID_SHORT_LENGTH, json_get_string(row, "Id", ""));
		format_container(out, row, prefix, &everything);
	}
}

static bool format_one(
	GString *out, const json_t *rows, const char *id, const char *port, GError **err) {
	const json_t *row = find_row(rows, id);
	PortWanted wanted = {0};

	if (!row)
		return fail(err, ERROR_NOT_FOUND, "no such container");
	if (port && !parse_wanted(port, &wanted, err))
		return false;
	if (format_container(out, row, "", &wanted) == 0 && port)
		return fail(err, ERROR_NOT_FOUND, "failed to find published port \"%s\"", port);
	return true;
}

static int run_port(Cli *cli, char **arguments, GError **err) {
	const PortOptions *options = cli->options;
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *id = NULL;

	if (!check_arguments(options, arguments, err))
		return -1;
	Engine *engine = cli_engine(cli, err);
	if (!engine)
		return -1;
	bool named = !options->all && !options->latest;
	if (named && !(id = engine_container_find(engine, arguments[0], err)))
		return -1;
	json_auto_t *rows = engine_query_containers(engine, true, false, err);
	if (!rows)
		return -1;
	if (options->all)
		format_all(out, rows);
	else if (!format_one(out, rows, id, arguments[named ? 1 : 0], err))
		return -1;
	return output_print(out->str, err) ? 0 : -1;
}

const Command command_port = {
	.usage = "[options] CONTAINER [PORT[/PROTOCOL]]",
	.help = "Show the published ports of a container",
	.max_arguments = 2,
	.argument = ARGUMENT_CONTAINER,
	.options = port_options,
	.options_size = sizeof(PortOptions),
	.run = run_port,
};
