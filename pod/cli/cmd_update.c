/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl update: other limits and another restart policy for a container that exists. */
#include "cli/cmd.h"
#include "cli/spec_options.h"

#include "model/spec_parse.h"

#include <stddef.h>

typedef struct UpdateOptions {
	LimitSpec limits;
	char *restart;
} UpdateOptions;

#define LIMIT(member) offsetof(UpdateOptions, limits.member)
#define NO_ENV        "the environment of a container stays as it was made"

static const OptionRow update_options[] = {
	LIMIT_OPTION_ROWS(LIMIT),
	{"restart", 0, OPTION_STRING, offsetof(UpdateOptions, restart), "POLICY",
		"no, on-failure[:N], always, unless-stopped"},
	REFUSED_LIMIT_ROWS,
	{"env", 'e', OPTION_REFUSED, 0, NULL, NO_ENV},
	{"unsetenv", 0, OPTION_REFUSED, 0, NULL, NO_ENV},
	REFUSED_HEALTH_ROWS,
	{NULL},
};

static bool check_restart(const char *restart, GError **err) {
	RestartPolicy policy;
	unsigned retries;

	return !restart || spec_parse_restart(restart, &policy, &retries, err);
}

static int run_update(Cli *cli, char **arguments, GError **err) {
	UpdateOptions *options = cli->options;
	g_autoptr(ContainerSpec) changes = container_spec_new();

	changes->limits = options->limits;
	options->limits = (LimitSpec){0};
	changes->restart = g_steal_pointer(&options->restart);
	/* whether the values go with the container's others is the engine's to say */
	if (!check_restart(changes->restart, err))
		return -1;
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_container_update(engine, arguments[0], changes, err))
		return -1;
	g_autofree char *id = engine_container_find(engine, arguments[0], err);
	g_autofree char *line = id ? g_strconcat(id, "\n", NULL) : NULL;
	return id && output_print(line, err) ? 0 : -1;
}

const Command command_update = {
	.usage = "[options] CONTAINER",
	.help = "Change the limits of a container",
	.min_arguments = 1,
	.max_arguments = 1,
	.argument = ARGUMENT_CONTAINER,
	.options = update_options,
	.options_size = sizeof(UpdateOptions),
	.run = run_update,
};
