/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl pod create, start, stop, restart, kill, rm, exists: the life of a pod. */
#include "base/parse.h"
#include "cli/spec_paths.h"
#include "cli/targets.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

static int run_create(Cli *cli, char **arguments, GError **err) {
	PodSpec *spec = cli->pod_spec;
	g_autofree char *id = NULL;

	if (arguments[0] && spec->name && strcmp(arguments[0], spec->name) != 0) {
		fail(err, ERROR_INVALID, "the pod has two names, \"%s\" and \"%s\"", spec->name,
			arguments[0]);
		return -1;
	}
	if (arguments[0] && !spec->name)
		spec->name = g_strdup(arguments[0]);
	spec_paths_pod(spec);
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_pod_create(engine, spec, &id, err))
		return -1;
	g_autofree char *line = g_strconcat(id, "\n", NULL);
	return output_print(line, err) ? 0 : -1;
}

const Command command_pod_create = {
	.usage = "[options] [NAME]",
	.help = "Make a pod",
	.flags = COMMAND_POD_SPEC | COMMAND_STOP_AT_ARGUMENT,
	.max_arguments = 1,
	.run = run_create,
};

typedef struct PodOptions {
	bool all, force, ignore, latest;
	int time_sec;
	char *signal;
	char **filters;
	char **id_files;
} PodOptions;

static const PodOptions pod_defaults = {.time_sec = SPEC_UNSET};

#define FIELD(member) offsetof(PodOptions, member)
#define ROW_ALL(help) \
	{ "all", 'a', OPTION_BOOL, FIELD(all), NULL, help }
#define ROW_IGNORE \
	{ "ignore", 'i', OPTION_BOOL, FIELD(ignore), NULL, "A pod that is not there is fine" }
#define ROW_LATEST \
	{ "latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The pod that was made last" }
#define ROW_ID_FILE \
	{ "pod-id-file", 0, OPTION_LIST, FIELD(id_files), "FILE", "Read the id from a file" }

static const OptionRow start_options[] = {
	ROW_ALL("Start all pods"),
	ROW_ID_FILE,
	ROW_LATEST,
	{NULL},
};

static const OptionRow stop_options[] = {
	ROW_ALL("Stop all pods"),
	{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE", "Stop the pods that pass"},
	ROW_ID_FILE,
	ROW_IGNORE,
	ROW_LATEST,
	{"time", 't', OPTION_INT, FIELD(time_sec), "SECONDS", "Time before SIGKILL"},
	{"timeout", 0, OPTION_INT, FIELD(time_sec), "SECONDS", "The same", .hidden = true},
	{NULL},
};

static const OptionRow restart_options[] = {
	ROW_ALL("Restart all pods"),
	ROW_LATEST,
	{NULL},
};

static const OptionRow kill_options[] = {
	ROW_ALL("Signal all pods"),
	ROW_LATEST,
	{"signal", 's', OPTION_STRING, FIELD(signal), "SIGNAL", "Signal to send (default KILL)"},
	{NULL},
};

static const OptionRow rm_options[] = {
	ROW_ALL("Remove all pods"),
	{"force", 'f', OPTION_BOOL, FIELD(force), NULL,
		"Stop members that run; a pod that is not there is fine"},
	ROW_ID_FILE,
	ROW_IGNORE,
	ROW_LATEST,
	{"time", 't', OPTION_INT, FIELD(time_sec), "SECONDS", "With --force: time before SIGKILL"},
	{NULL},
};

static int act_on_pods(Cli *cli, char **arguments, const EachRules *rules, GError **err) {
	const PodOptions *options = cli->options;
	const Targets targets = {.pods = true,
		.all = options->all,
		.latest = options->latest,
		.optional = rules->ignore_missing,
		.filters = options->filters,
		.id_files = options->id_files,
		.names = arguments};

	if (options->time_sec < SPEC_UNSET) {
		fail(err, ERROR_INVALID, "invalid value \"%d\" for \"--time\"", options->time_sec);
		return -1;
	}
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	return names ? targets_each(cli, names, rules, err) : -1;
}

static bool print_id(Engine *engine, const char *pod, GError **err) {
	g_autofree char *id = engine_pod_find(engine, pod, NULL);
	g_autofree char *line = g_strconcat(id ? id : pod, "\n", NULL);

	return output_print(line, err);
}

static bool start_one(
	Engine *engine, const char *pod, G_GNUC_UNUSED const void *data, GError **err) {
	return engine_pod_start(engine, pod, err);
}

static int run_start(Cli *cli, char **arguments, GError **err) {
	return act_on_pods(cli, arguments, &(EachRules){.act = start_one}, err);
}

static bool stop_one(Engine *engine, const char *pod, const void *data, GError **err) {
	const PodOptions *options = data;

	return engine_pod_stop(engine, pod, options->time_sec, err);
}

static int run_stop(Cli *cli, char **arguments, GError **err) {
	const PodOptions *options = cli->options;
	const EachRules rules = {
		.act = stop_one, .options = options, .ignore_missing = options->ignore};

	return act_on_pods(cli, arguments, &rules, err);
}

static bool restart_one(
	Engine *engine, const char *pod, G_GNUC_UNUSED const void *data, GError **err) {
	return engine_pod_restart(engine, pod, err) && print_id(engine, pod, err);
}

static int run_restart(Cli *cli, char **arguments, GError **err) {
	return act_on_pods(cli, arguments, &(EachRules){.act = restart_one, .silent = true}, err);
}

static bool kill_one(Engine *engine, const char *pod, const void *data, GError **err) {
	return engine_pod_kill(engine, pod, *(const int *)data, err) && print_id(engine, pod, err);
}

static int run_kill(Cli *cli, char **arguments, GError **err) {
	const PodOptions *options = cli->options;
	int signal_number = SIGKILL;
	const EachRules rules = {.act = kill_one, .options = &signal_number, .silent = true};

	if (options->signal && !parse_signal(options->signal, &signal_number)) {
		fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--signal\"", options->signal);
		return -1;
	}
	return act_on_pods(cli, arguments, &rules, err);
}

static bool remove_one(Engine *engine, const char *pod, const void *data, GError **err) {
	const PodOptions *options = data;
	g_autofree char *id = engine_pod_find(engine, pod, err);

	if (!id || !engine_pod_remove(engine, id, options->force, options->time_sec, err))
		return false;
	g_autofree char *line = g_strconcat(id, "\n", NULL);
	return output_print(line, err);
}

static int run_rm(Cli *cli, char **arguments, GError **err) {
	const PodOptions *options = cli->options;
	const EachRules rules = {.act = remove_one,
		.options = options,
		.silent = true,
		.ignore_missing = options->ignore || options->force,
		.missing_status = 1,
		.busy_status = 2};
	int status = act_on_pods(cli, arguments, &rules, err);
	Engine *engine = status >= 0 ? cli_engine(cli, err) : NULL;

	/* what a killed removal left has no name any more: it was not among them */
	return engine && engine_recover(engine, err) ? status : -1;
}

static int run_exists(Cli *cli, char **arguments, GError **err) {
	g_autoptr(GError) error = NULL;
	Engine *engine = cli_engine(cli, err);

	if (!engine)
		return -1;
	g_autofree char *id = engine_pod_find(engine, arguments[0], &error);
	if (!id && !error_is(error, ERROR_NOT_FOUND)) {
		g_propagate_error(err, g_steal_pointer(&error));
		return -1;
	}
	return id ? 0 : 1;
}

#define POD_COMMAND(variable, text, rows, function) \
	const Command variable = {                  \
		.usage = "[options] POD...",        \
		.help = text,                       \
		.max_arguments = -1,                \
		.argument = ARGUMENT_POD,           \
		.options = rows,                    \
		.options_size = sizeof(PodOptions), \
		.defaults = &pod_defaults,          \
		.run = function,                    \
	}

POD_COMMAND(command_pod_start, "Start pods with all their members", start_options, run_start);
POD_COMMAND(command_pod_stop, "Stop pods with all their members", stop_options, run_stop);
POD_COMMAND(command_pod_restart, "Stop and start pods", restart_options, run_restart);
POD_COMMAND(command_pod_kill, "Send a signal to all members of pods", kill_options, run_kill);
POD_COMMAND(command_pod_rm, "Remove pods with all their members", rm_options, run_rm);

const Command command_pod_exists = {
	.usage = "POD",
	.help = "Tell by the exit status whether a pod is there (0 or 1)",
	.min_arguments = 1,
	.max_arguments = 1,
	.argument = ARGUMENT_POD,
	.run = run_exists,
};
