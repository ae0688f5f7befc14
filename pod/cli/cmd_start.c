/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl start: containers that are not running. With --attach one of them in the foreground. */
#include "cli/attach_client.h"
#include "cli/foreground.h"
#include "cli/targets.h"

#include <stddef.h>

typedef struct StartOptions {
	bool all, attach, interactive, latest;
	int sig_proxy; /* tristate */
	char *detach_keys;
	char **filters;
} StartOptions;

static const StartOptions start_defaults = {.sig_proxy = SPEC_UNSET};

#define FIELD(member) offsetof(StartOptions, member)

static const OptionRow start_options[] = {
	{"all", 0, OPTION_BOOL, FIELD(all), NULL, "Start all containers"},
	{"attach", 'a', OPTION_BOOL, FIELD(attach), NULL, "Show the output and wait for the end"},
	{"detach-keys", 0, OPTION_STRING, FIELD(detach_keys), "KEYS",
		"Keys that leave the container running (ctrl-p,ctrl-q)"},
	{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE", "Start the containers that pass"},
	{"interactive", 'i', OPTION_BOOL, FIELD(interactive), NULL, "Pass standard input"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{"sig-proxy", 0, OPTION_TRISTATE, FIELD(sig_proxy), NULL,
		"With --attach: pass signals on (default)"},
	{NULL},
};

static bool start_one(
	Engine *engine, const char *container, G_GNUC_UNUSED const void *options, GError **err) {
	return engine_container_start(engine, container, NULL, err);
}

static int start_attached(Cli *cli, const char *container, const DetachKeys *keys, GError **err) {
	const StartOptions *options = cli->options;
	Engine *engine = cli_engine(cli, err);
	json_auto_t *inspected = engine ? engine_inspect_container(engine, container, err) : NULL;

	if (!inspected)
		return -1;
	bool sig_proxy = options->sig_proxy != 0;
	const AttachRequest attach = {.container = container,
		.in_fd = options->interactive ? STDIN_FILENO : -1,
		.sig_proxy = sig_proxy,
		.keys = *keys};
	/* as with podman, one that runs already is only attached to */
	if (json_get_bool(json_object_get(inspected, "State"), "Running", false))
		return attach_run(cli, &attach, err);
	const ForegroundRequest request = {
		.container = container,
		.interactive = options->interactive,
		.tty = json_get_bool(json_object_get(inspected, "Config"), "Tty", false),
		.sig_proxy = sig_proxy,
		.output = true,
		.errors = true,
		.keys = *keys,
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
	bool attach = options->attach || options->interactive;
	DetachKeys keys;

	if (!detach_keys_parse(options->detach_keys, &keys, err))
		return -1;
	if (options->sig_proxy == 1 && !attach) {
		fail(err, ERROR_INVALID, "you cannot use sig-proxy without --attach");
		return -1;
	}
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	if (!names)
		return -1;
	if (!attach)
		return targets_each(cli, names, &rules, err);
	if (g_strv_length(names) != 1) {
		fail(err, ERROR_INVALID, "--attach and --interactive take one container");
		return -1;
	}
	return start_attached(cli, names[0], &keys, err);
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
