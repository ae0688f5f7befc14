/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl start: containers that are not running. With --attach one of them in the foreground. */
#include "cli/foreground.h"
#include "cli/targets.h"

#include <stddef.h>

typedef struct StartOptions {
	bool all, attach, interactive, latest;
	bool sig_proxy;
	char **filters;
} StartOptions;

static const StartOptions start_defaults = {.sig_proxy = true};

#define FIELD(member) offsetof(StartOptions, member)

static const OptionRow start_options[] = {
	{"all", 0, OPTION_BOOL, FIELD(all), NULL, "Start all containers"},
	{"attach", 'a', OPTION_BOOL, FIELD(attach), NULL, "Show the output and wait for the end"},
	{"detach-keys", 0, OPTION_REFUSED, 0, NULL, "attaching again is not there yet"},
	{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE", "Start the containers that pass"},
	{"interactive", 'i', OPTION_BOOL, FIELD(interactive), NULL, "Pass standard input"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{"sig-proxy", 0, OPTION_BOOL, FIELD(sig_proxy), NULL,
		"With --attach: pass signals on (default)"},
	{NULL},
};

static bool start_one(
	Engine *engine, const char *container, G_GNUC_UNUSED const void *options, GError **err) {
	return engine_container_start(engine, container, NULL, err);
}

static int start_attached(Cli *cli, const char *container, GError **err) {
	const StartOptions *options = cli->options;
	Engine *engine = cli_engine(cli, err);
	json_auto_t *inspected = engine ? engine_inspect_container(engine, container, err) : NULL;

	if (!inspected)
		return -1;
	const ForegroundRequest request = {
		.container = container,
		.interactive = options->interactive,
		.tty = json_get_bool(json_object_get(inspected, "Config"), "Tty", false),
		.sig_proxy = options->sig_proxy,
	};
	return foreground_run(cli, &request, err);
}

static int run_start(Cli *cli, char **arguments, GError **err) {
	const StartOptions *options = cli->options;
	const Targets targets = {.all = options->all,
		.latest = options->latest,
		.filters = options->filters,
		.names = arguments};
	const EachRules rules = {.act = start_one};
	g_auto(GStrv) names = targets_find(cli, &targets, err);

	if (!names)
		return -1;
	if (!options->attach && !options->interactive)
		return targets_each(cli, names, &rules, err);
	if (g_strv_length(names) != 1) {
		fail(err, ERROR_INVALID, "--attach and --interactive take one container");
		return -1;
	}
	return start_attached(cli, names[0], err);
}

const Command command_start = {
	.usage = "[options] CONTAINER...",
	.help = "Start containers",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = start_options,
	.options_size = sizeof(StartOptions),
	.defaults = &start_defaults,
	.run = run_start,
};
