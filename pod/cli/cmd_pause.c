/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl pause, unpause, pod pause, pod unpause: freezing and thawing. */
#include "cli/targets.h"

#include <stddef.h>

typedef struct PauseOptions {
	bool all, latest;
	char **cidfiles;
	char **filters;
} PauseOptions;

#define FIELD(member) offsetof(PauseOptions, member)

#define CONTAINER_ROWS(help)                                                      \
	{                                                                         \
		{"all", 'a', OPTION_BOOL, FIELD(all), NULL, help},                \
			{"cidfile", 0, OPTION_LIST, FIELD(cidfiles), "FILE",      \
				"Read the id from a file"},                       \
			{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE", \
				"The containers that pass"},                      \
			{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL,         \
				"The container that was made last"},              \
		{                                                                 \
			NULL                                                      \
		}                                                                 \
	}

static const OptionRow pause_options[] = CONTAINER_ROWS("Pause all containers that run");
static const OptionRow unpause_options[] = CONTAINER_ROWS("Unpause all containers that are paused");

static const OptionRow pod_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "All pods"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The pod that was made last"},
	{NULL},
};

static bool pause_one(Engine *engine, const char *name, const void *data, GError **err) {
	return engine_container_pause(engine, name, *(const bool *)data, err);
}

static int act_on_containers(Cli *cli, char **arguments, bool paused, GError **err) {
	const PauseOptions *options = cli->options;
	static char *running[] = {(char *)(uintptr_t) "status=running", NULL};
	static char *frozen[] = {(char *)(uintptr_t) "status=paused", NULL};
	const EachRules rules = {.act = pause_one, .options = &paused};
	Targets targets = {.all = options->all,
		.latest = options->latest,
		.filters = options->filters,
		.id_files = options->cidfiles,
		.names = arguments};

	/* of all containers only those with which something can be done */
	if (options->all && !options->filters)
		targets.filters = paused ? running : frozen;
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	return names ? targets_each(cli, names, &rules, err) : -1;
}

static int run_pause(Cli *cli, char **arguments, GError **err) {
	return act_on_containers(cli, arguments, true, err);
}

static int run_unpause(Cli *cli, char **arguments, GError **err) {
	return act_on_containers(cli, arguments, false, err);
}

static bool pause_pod(Engine *engine, const char *name, const void *data, GError **err) {
	g_autofree char *id = engine_pod_find(engine, name, err);

	if (!id || !engine_pod_pause(engine, id, *(const bool *)data, err))
		return false;
	g_autofree char *line = g_strconcat(id, "\n", NULL);
	return output_print(line, err);
}

static int act_on_pods(Cli *cli, char **arguments, bool paused, GError **err) {
	const PauseOptions *options = cli->options;
	const EachRules rules = {.act = pause_pod, .options = &paused, .silent = true};
	const Targets targets = {
		.pods = true, .all = options->all, .latest = options->latest, .names = arguments};

	g_auto(GStrv) names = targets_find(cli, &targets, err);
	return names ? targets_each(cli, names, &rules, err) : -1;
}

static int run_pod_pause(Cli *cli, char **arguments, GError **err) {
	return act_on_pods(cli, arguments, true, err);
}

static int run_pod_unpause(Cli *cli, char **arguments, GError **err) {
	return act_on_pods(cli, arguments, false, err);
}

#define PAUSE_COMMAND(variable, what, text, kind, rows, function) \
	const Command variable = {                                \
		.usage = "[options] " what "...",                 \
		.help = text,                                     \
		.max_arguments = -1,                              \
		.argument = kind,                                 \
		.options = rows,                                  \
		.options_size = sizeof(PauseOptions),             \
		.run = function,                                  \
	}

PAUSE_COMMAND(command_pause, "CONTAINER", "Freeze all processes of containers", ARGUMENT_CONTAINER,
	pause_options, run_pause);
PAUSE_COMMAND(command_unpause, "CONTAINER", "Let frozen containers go on", ARGUMENT_CONTAINER,
	unpause_options, run_unpause);
PAUSE_COMMAND(command_pod_pause, "POD", "Freeze all members of pods", ARGUMENT_POD, pod_options,
	run_pod_pause);
PAUSE_COMMAND(command_pod_unpause, "POD", "Let the members of frozen pods go on", ARGUMENT_POD,
	pod_options, run_pod_unpause);
