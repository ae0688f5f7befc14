/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl rename, container clone, pod clone: other names for containers, and copies of them. */
#include "base/options.h"
#include "cli/cmd.h"
#include "cli/foreground.h"
#include "cli/spec_paths.h"

#include <stddef.h>

static int run_rename(Cli *cli, char **arguments, GError **err) {
	Engine *engine = cli_engine(cli, err);

	return engine && engine_container_rename(engine, arguments[0], arguments[1], err) ? 0 : -1;
}

const Command command_rename = {
	.usage = "CONTAINER NAME",
	.help = "Give a container another name",
	.min_arguments = 2,
	.max_arguments = 2,
	.argument = ARGUMENT_CONTAINER,
	.run = run_rename,
};

typedef struct CloneOptions {
	bool destroy, force, start;
} CloneOptions;

#define FIELD(member) offsetof(CloneOptions, member)

static const OptionRow container_options[] = {
	{"destroy", 0, OPTION_BOOL, FIELD(destroy), NULL, "Remove the original afterwards"},
	{"force", 'f', OPTION_BOOL, FIELD(force), NULL,
		"With --destroy: also an original that runs"},
	{"run", 0, OPTION_BOOL, FIELD(start), NULL, "Start the copy"},
	{NULL},
};

static const OptionRow pod_options[] = {
	{"destroy", 0, OPTION_BOOL, FIELD(destroy), NULL, "Remove the original afterwards"},
	{"start", 0, OPTION_BOOL, FIELD(start), NULL, "Start the copy"},
	{NULL},
};

/* The name is an option or the word after the original. */
static bool take_name(char **field, const char *word, GError **err) {
	if (!word)
		return true;
	if (*field)
		return fail(err, ERROR_INVALID, "the copy has two names, \"%s\" and \"%s\"", *field,
			word);
	*field = g_strdup(word);
	return true;
}

static int print_id(const char *id, GError **err) {
	g_autofree char *line = g_strconcat(id, "\n", NULL);

	return output_print(line, err) ? 0 : -1;
}

static int run_container_clone(Cli *cli, char **arguments, GError **err) {
	const CloneOptions *options = cli->options;
	ContainerSpec *changes = cli->container_spec;
	g_autofree char *id = NULL;

	if (options->force && !options->destroy) {
		fail(err, ERROR_INVALID, "--force goes with --destroy");
		return -1;
	}
	if (!take_name(&changes->name, arguments[1], err) ||
		!foreground_refuse_attach(changes, err))
		return -1;
	if (arguments[1] && arguments[2])
		changes->image = g_strdup(arguments[2]);
	spec_paths_container(changes);
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_container_clone(engine, arguments[0], changes, &id, err))
		return -1;
	if (options->destroy && !engine_container_remove(engine, arguments[0], options->force,
					false, SPEC_UNSET, err))
		return -1;
	if (options->start && !engine_container_start(engine, id, NULL, err))
		return -1;
	return print_id(id, err);
}

const Command command_container_clone = {
	.usage = "[options] CONTAINER [NAME [IMAGE]]",
	.help = "Make a container as another one was asked for",
	.flags = COMMAND_CONTAINER_SPEC,
	.min_arguments = 1,
	.max_arguments = 3,
	.argument = ARGUMENT_CONTAINER,
	.options = container_options,
	.options_size = sizeof(CloneOptions),
	.run = run_container_clone,
};

static int run_pod_clone(Cli *cli, char **arguments, GError **err) {
	const CloneOptions *options = cli->options;
	PodSpec *changes = cli->pod_spec;
	g_autofree char *id = NULL;

	if (!take_name(&changes->name, arguments[1], err))
		return -1;
	spec_paths_pod(changes);
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_pod_clone(engine, arguments[0], changes, &id, err))
		return -1;
	if (options->destroy && !engine_pod_remove(engine, arguments[0], true, SPEC_UNSET, err))
		return -1;
	if (options->start && !engine_pod_start(engine, id, err))
		return -1;
	return print_id(id, err);
}

const Command command_pod_clone = {
	.usage = "[options] POD [NAME]",
	.help = "Make a pod as another one was asked for, with copies of its members",
	.flags = COMMAND_POD_SPEC,
	.min_arguments = 1,
	.max_arguments = 2,
	.argument = ARGUMENT_POD,
	.options = pod_options,
	.options_size = sizeof(CloneOptions),
	.run = run_pod_clone,
};
