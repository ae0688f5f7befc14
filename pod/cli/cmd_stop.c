/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl stop, restart, kill: what is done to containers that run. */
#include "base/parse.h"
#include "cli/targets.h"

#include <signal.h>
#include <stddef.h>

typedef struct StopOptions {
	bool all, ignore, latest, running;
	int time_sec;
	char *signal;
	char **cidfiles;
	char **filters;
} StopOptions;

static const StopOptions stop_defaults = {.time_sec = SPEC_UNSET};

#define FIELD(member) offsetof(StopOptions, member)
#define ROW_ALL(help) \
	{ "all", 'a', OPTION_BOOL, FIELD(all), NULL, help }
#define ROW_CIDFILE \
	{ "cidfile", 0, OPTION_LIST, FIELD(cidfiles), "FILE", "Read the id from a file" }
#define ROW_FILTER \
	{ "filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE", "The containers that pass" }
#define ROW_LATEST \
	{ "latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last" }
#define ROW_TIME \
	{ "time", 't', OPTION_INT, FIELD(time_sec), "SECONDS", "Time before SIGKILL" }
#define ROW_TIMEOUT \
	{ "timeout", 0, OPTION_INT, FIELD(time_sec), "SECONDS", "The same", .hidden = true }

static const OptionRow stop_options[] = {
	ROW_ALL("Stop all containers that run"),
	ROW_CIDFILE,
	ROW_FILTER,
	{"ignore", 'i', OPTION_BOOL, FIELD(ignore), NULL, "A container that is not there is fine"},
	ROW_LATEST,
	ROW_TIME,
	ROW_TIMEOUT,
	{NULL},
};

static const OptionRow restart_options[] = {
	ROW_ALL("Restart all containers"),
	ROW_CIDFILE,
	ROW_FILTER,
	ROW_LATEST,
	{"running", 0, OPTION_BOOL, FIELD(running), NULL, "Restart all containers that run"},
	ROW_TIME,
	ROW_TIMEOUT,
	{NULL},
};

static const OptionRow kill_options[] = {
	ROW_ALL("Signal all containers that run"),
	ROW_CIDFILE,
	ROW_LATEST,
	{"signal", 's', OPTION_STRING, FIELD(signal), "SIGNAL", "Signal to send (default KILL)"},
	{NULL},
};

static char **find_targets(Cli *cli, char **arguments, bool all_running, GError **err) {
	const StopOptions *options = cli->options;
	const Targets targets = {.all = options->all,
		.running = options->running || (options->all && all_running),
		.latest = options->latest,
		.optional = options->ignore,
		.filters = options->filters,
		.id_files = options->cidfiles,
		.names = arguments};

	return targets_find(cli, &targets, err);
}

static bool check_time(const StopOptions *options, GError **err) {
	if (options->time_sec >= SPEC_UNSET)
		return true;
	return fail(err, ERROR_INVALID, "invalid value \"%d\" for \"--time\"", options->time_sec);
}

static bool stop_one(Engine *engine, const char *container, const void *data, GError **err) {
	const StopOptions *options = data;

	return engine_container_stop(engine, container, options->time_sec, err);
}

static int run_stop(Cli *cli, char **arguments, GError **err) {
	const StopOptions *options = cli->options;
	const EachRules rules = {
		.act = stop_one, .options = options, .ignore_missing = options->ignore};

	if (!check_time(options, err))
		return -1;
	g_auto(GStrv) names = find_targets(cli, arguments, true, err);
	return names ? targets_each(cli, names, &rules, err) : -1;
}

static bool restart_one(Engine *engine, const char *container, const void *data, GError **err) {
	const StopOptions *options = data;

	return engine_container_restart(engine, container, options->time_sec, err);
}

static int run_restart(Cli *cli, char **arguments, GError **err) {
	const StopOptions *options = cli->options;
	const EachRules rules = {.act = restart_one, .options = options};

	if (!check_time(options, err))
		return -1;
	g_auto(GStrv) names = find_targets(cli, arguments, false, err);
	return names ? targets_each(cli, names, &rules, err) : -1;
}

static bool kill_one(Engine *engine, const char *container, const void *data, GError **err) {
	return engine_container_kill(engine, container, *(const int *)data, err);
}

static int run_kill(Cli *cli, char **arguments, GError **err) {
	const StopOptions *options = cli->options;
	int signal_number = SIGKILL;
	const EachRules rules = {.act = kill_one, .options = &signal_number};

	if (options->signal && !parse_signal(options->signal, &signal_number)) {
		fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--signal\"", options->signal);
		return -1;
	}
	g_auto(GStrv) names = find_targets(cli, arguments, true, err);
	return names ? targets_each(cli, names, &rules, err) : -1;
}

const Command command_stop = {
	.usage = "[options] CONTAINER...",
	.help = "Stop containers",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = stop_options,
	.options_size = sizeof(StopOptions),
	.defaults = &stop_defaults,
	.run = run_stop,
};

const Command command_restart = {
	.usage = "[options] CONTAINER...",
	.help = "Stop and start containers",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = restart_options,
	.options_size = sizeof(StopOptions),
	.defaults = &stop_defaults,
	.run = run_restart,
};

const Command command_kill = {
	.usage = "[options] CONTAINER...",
	.help = "Send a signal to containers",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = kill_options,
	.options_size = sizeof(StopOptions),
	.defaults = &stop_defaults,
	.run = run_kill,
};
