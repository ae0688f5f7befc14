/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl logs and pod logs. */
#include "base/proc.h"
#include "cli/cmd.h"
#include "cli/log_merge.h"
#include "cli/log_time.h"
#include "cli/targets.h"

#include <stddef.h>
#include <string.h>

typedef struct LogsOptions {
	bool color, follow, latest, names, timestamps;
	int tail;
	char *since, *until;
	char **containers;
} LogsOptions;

static const LogsOptions logs_defaults = {.tail = -1};

#define FIELD(member) offsetof(LogsOptions, member)
#define ROWS_COMMON                                                                       \
	{"color", 0, OPTION_BOOL, FIELD(color), NULL, "Colour the prefixes"},             \
		{"follow", 'f', OPTION_BOOL, FIELD(follow), NULL, "Go on until the end"}, \
		{"names", 0, OPTION_BOOL, FIELD(names), NULL, "Prefix lines with names"}, \
		{"since", 0, OPTION_STRING, FIELD(since), "TIME",                         \
			"From this time on: a date, or a duration before now"},           \
		{"timestamps", 't', OPTION_BOOL, FIELD(timestamps), NULL,                 \
			"Show the time of each line"},                                    \
	{                                                                                 \
		"until", 0, OPTION_STRING, FIELD(until), "TIME", "Up to this time"        \
	}

/* clang-format off */
static const OptionRow logs_options[] = {
	ROWS_COMMON,
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{"tail", 'n', OPTION_INT, FIELD(tail), "N", "Only the last N lines of each; -1 is all"},
	{NULL},
};

static const OptionRow pod_logs_options[] = {
	ROWS_COMMON,
	{"container", 'c', OPTION_LIST, FIELD(containers), "NAME", "Only this member"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The pod that was made last"},
	{"tail", 0, OPTION_INT, FIELD(tail), "N", "Only the last N lines of each; -1 is all"},
	{NULL},
};
/* clang-format on */

static bool parse_time(const char *option, const char *text, uint64_t *ret_usec, GError **err) {
	if (!text || log_time_parse(text, proc_now_realtime(), ret_usec))
		return true;
	return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--%s\"", text, option);
}

static int print_logs(Cli *cli, char *const *containers, GError **err) {
	const LogsOptions *options = cli->options;
	LogRequest request = {
		.containers = containers,
		.follow = options->follow,
		.timestamps = options->timestamps,
		.names = options->names,
		.color = options->color,
		.tail = options->tail,
	};

	if (!parse_time("since", options->since, &request.since_usec, err) ||
		!parse_time("until", options->until, &request.until_usec, err))
		return -1;
	Engine *engine = cli_engine(cli, err);
	return engine && log_merge_print(engine, &request, err) ? 0 : -1;
}

static int run_logs(Cli *cli, char **arguments, GError **err) {
	const LogsOptions *options = cli->options;
	const Targets targets = {.latest = options->latest, .names = arguments};
	g_auto(GStrv) names = targets_find(cli, &targets, err);

	return names ? print_logs(cli, names, err) : -1;
}

/* The members of a pod that were asked for, as full ids. */
static char **chosen_members(Engine *engine, const char *pod, char **wanted, GError **err) {
	g_autoptr(GPtrArray) chosen = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) members = engine_pod_members(engine, pod, err);

	if (!members)
		return NULL;
	if (!wanted || !wanted[0])
		return g_steal_pointer(&members);
	for (; *wanted; wanted++) {
		g_autofree char *id = engine_container_find(engine, *wanted, err);
		if (!id)
			return NULL;
		if (!g_strv_contains((const char *const *)members, id)) {
			fail(err, ERROR_NOT_FOUND, "container \"%s\" is not in pod \"%s\"", *wanted,
				pod);
			return NULL;
		}
		g_ptr_array_add(chosen, g_steal_pointer(&id));
	}
	g_ptr_array_add(chosen, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&chosen), FALSE);
}

static int run_pod_logs(Cli *cli, char **arguments, GError **err) {
	const LogsOptions *options = cli->options;
	const Targets targets = {.pods = true, .latest = options->latest, .names = arguments};
	g_auto(GStrv) pods = targets_find(cli, &targets, err);
	Engine *engine = pods ? cli_engine(cli, err) : NULL;

	if (!engine)
		return -1;
	g_auto(GStrv) members = chosen_members(engine, pods[0], options->containers, err);
	return members ? print_logs(cli, members, err) : -1;
}

const Command command_logs = {
	.usage = "[options] CONTAINER...",
	.help = "Show what containers wrote",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = logs_options,
	.options_size = sizeof(LogsOptions),
	.defaults = &logs_defaults,
	.run = run_logs,
};

const Command command_pod_logs = {
	.usage = "[options] POD",
	.help = "Show what the members of a pod wrote, in order of time",
	.max_arguments = 1,
	.argument = ARGUMENT_POD,
	.options = pod_logs_options,
	.options_size = sizeof(LogsOptions),
	.defaults = &logs_defaults,
	.run = run_pod_logs,
};
