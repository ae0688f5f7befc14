/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl rm, exists, wait. Exit statuses of rm are podman's: 1 when a container was not there and
 * nothing else went wrong, 2 when one is running.
 */
#include "cli/targets.h"

#include <stddef.h>
#include <string.h>

typedef struct RmOptions {
	bool all, force, ignore, latest, volumes;
	int time_sec;
	char **cidfiles;
	char **filters;
} RmOptions;

static const RmOptions rm_defaults = {.time_sec = SPEC_UNSET};

#define FIELD(member) offsetof(RmOptions, member)

static const OptionRow rm_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "Remove all containers"},
	{"cidfile", 0, OPTION_LIST, FIELD(cidfiles), "FILE", "Read the id from a file"},
	{"depend", 0, OPTION_REFUSED_BOOL, 0, NULL, "containers do not depend on each other"},
	{"filter", 0, OPTION_LIST, FIELD(filters), "KEY=VALUE", "Remove the containers that pass"},
	{"force", 'f', OPTION_BOOL, FIELD(force), NULL,
		"Stop a container that runs; one that is not there is fine"},
	{"ignore", 'i', OPTION_BOOL, FIELD(ignore), NULL, "A container that is not there is fine"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{"time", 't', OPTION_INT, FIELD(time_sec), "SECONDS", "With --force: time before SIGKILL"},
	{"volumes", 'v', OPTION_BOOL, FIELD(volumes), NULL, "Remove its anonymous volumes too"},
	{NULL},
};

static bool remove_one(Engine *engine, const char *container, const void *data, GError **err) {
	const RmOptions *options = data;

	return engine_container_remove(
		engine, container, options->force, options->volumes, options->time_sec, err);
}

static int run_rm(Cli *cli, char **arguments, GError **err) {
	const RmOptions *options = cli->options;
	const Targets targets = {.all = options->all,
		.latest = options->latest,
		.optional = options->ignore || options->force,
		.filters = options->filters,
		.id_files = options->cidfiles,
		.names = arguments};
	const EachRules rules = {.act = remove_one,
		.options = options,
		.ignore_missing = options->ignore || options->force,
		.missing_status = 1,
		.busy_status = 2};

	if (options->time_sec != SPEC_UNSET && !options->force) {
		fail(err, ERROR_INVALID, "--time goes with --force");
		return -1;
	}
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	Engine *engine = names ? cli_engine(cli, err) : NULL;
	/* what a killed removal left has no name any more: it is not among them */
	if (!engine || !engine_recover(engine, err))
		return -1;
	return targets_each(cli, names, &rules, err);
}

const Command command_rm = {
	.usage = "[options] CONTAINER...",
	.help = "Remove containers",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = rm_options,
	.options_size = sizeof(RmOptions),
	.defaults = &rm_defaults,
	.run = run_rm,
};

static const OptionRow exists_options[] = {
	{"external", 0, OPTION_REFUSED_BOOL, 0, NULL, "only podctl's own containers are looked at"},
	{NULL},
};

static int run_exists(Cli *cli, char **arguments, GError **err) {
	g_autoptr(GError) error = NULL;
	Engine *engine = cli_engine(cli, err);

	if (!engine)
		return -1;
	g_autofree char *id = engine_container_find(engine, arguments[0], &error);
	if (!id && !error_is(error, ERROR_NOT_FOUND)) {
		g_propagate_error(err, g_steal_pointer(&error));
		return -1;
	}
	return id ? 0 : 1;
}

const Command command_exists = {
	.usage = "CONTAINER",
	.help = "Tell by the exit status whether a container is there (0 or 1)",
	.min_arguments = 1,
	.max_arguments = 1,
	.argument = ARGUMENT_CONTAINER,
	.options = exists_options,
	.run = run_exists,
};

typedef struct WaitOptions {
	bool ignore, latest;
	char *interval;
	char **conditions;
} WaitOptions;

#undef FIELD
#define FIELD(member) offsetof(WaitOptions, member)

static const OptionRow wait_options[] = {
	{"condition", 0, OPTION_LIST, FIELD(conditions), "STATE",
		"State to wait for: stopped or exited (default: stopped)"},
	{"exit-first-match", 0, OPTION_REFUSED_BOOL, 0, NULL, "wait for one container at a time"},
	{"ignore", 0, OPTION_BOOL, FIELD(ignore), NULL,
		"A container that is not there counts as -1"},
	{"interval", 'i', OPTION_STRING, FIELD(interval), "TIME",
		"Taken for podman's sake: podctl does not poll"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{NULL},
};

static bool wait_one(Engine *engine, const char *container, const void *data, GError **err) {
	const WaitOptions *options = data;
	g_autoptr(GError) error = NULL;
	int status = -1;

	if (!engine_container_wait(engine, container, &status, &error) &&
		!(options->ignore && error_is(error, ERROR_NOT_FOUND))) {
		g_propagate_error(err, g_steal_pointer(&error));
		return false;
	}
	g_autofree char *line = g_strdup_printf("%d\n", status);
	return output_print(line, err);
}

static int run_wait(Cli *cli, char **arguments, GError **err) {
	const WaitOptions *options = cli->options;
	const Targets targets = {.latest = options->latest, .names = arguments};
	const EachRules rules = {.act = wait_one, .options = options, .silent = true};

	for (char **state = options->conditions; state && *state; state++) {
		if (strcmp(*state, "stopped") != 0 && strcmp(*state, "exited") != 0) {
			fail(err, ERROR_UNSUPPORTED,
				"option \"--condition=%s\" is not supported: use stopped or exited",
				*state);
			return -1;
		}
	}
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	return names ? targets_each(cli, names, &rules, err) : -1;
}

const Command command_wait = {
	.usage = "[options] CONTAINER...",
	.help = "Wait for containers to end and print their exit codes",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = wait_options,
	.options_size = sizeof(WaitOptions),
	.run = run_wait,
};
