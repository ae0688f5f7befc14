/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl run, create, pod add: an image (or a directory) becomes a container. */
#include "base/log.h"
#include "base/parse.h"
#include "cli/foreground.h"
#include "cli/spec_paths.h"

#include <limits.h>
#include <stddef.h>
#include <unistd.h>

typedef struct RunOptions {
	bool detach, sig_proxy, quiet;
	char *detach_keys;
} RunOptions;

static const RunOptions run_defaults = {.sig_proxy = true};

#define FIELD(member) offsetof(RunOptions, member)
#define ROW_QUIET                                                           \
	{                                                                   \
		"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL,              \
			"Do not tell about pulling (nothing is pulled yet)" \
	}

static const OptionRow run_options[] = {
	{"detach", 'd', OPTION_BOOL, FIELD(detach), NULL, "Print the id and return at once"},
	{"detach-keys", 0, OPTION_STRING, FIELD(detach_keys), "KEYS",
		"Keys that leave the container running (ctrl-p,ctrl-q)"},
	ROW_QUIET,
	{"sig-proxy", 0, OPTION_BOOL, FIELD(sig_proxy), NULL,
		"Pass signals on to the container (default)"},
	{NULL},
};

static const OptionRow create_options[] = {
	ROW_QUIET,
	{NULL},
};

/* The words after the options: [IMAGE, COMMAND...]. */
static void take_words(ContainerSpec *spec, char **words) {
	spec->image = g_strdup(words[0]);
	if (words[1])
		spec->command = g_strdupv(words + 1);
	spec_paths_container(spec);
}

static bool print_id(const char *id, GError **err) {
	g_autofree char *line = g_strconcat(id, "\n", NULL);

	return output_print(line, err);
}

static int run_create(Cli *cli, char **arguments, GError **err) {
	g_autofree char *id = NULL;

	take_words(cli->container_spec, arguments);
	if (cli->container_spec->preserve_fd || cli->container_spec->preserve_fds > 0) {
		fail(err, ERROR_INVALID,
			"\"--preserve-fds\" and \"--preserve-fd\" are for \"podctl run\": "
			"nothing is started here");
		return -1;
	}
	if (!foreground_refuse_attach(cli->container_spec, err))
		return -1;
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_container_create(engine, cli->container_spec, &id, err))
		return -1;
	return print_id(id, err) ? 0 : -1;
}

/* A container with --rm whose program never ran has no end at which it would be removed. One that
 * runs goes on: it is podctl that was interrupted. */
static void remove_unstarted(Engine *engine, const ContainerSpec *spec, const char *id) {
	g_autoptr(GError) error = NULL;

	if (spec->remove && !engine_container_remove(engine, id, false, true, SPEC_UNSET, &error) &&
		!error_is(error, ERROR_NOT_FOUND) && !error_is(error, ERROR_IN_USE))
		log_warning("%s, ignoring", error->message);
}

static int start_detached(Engine *engine, const char *id, GError **err) {
	if (!engine_container_start(engine, id, NULL, err))
		return -1;
	return print_id(id, err) ? 0 : -1;
}

/* --attach: which streams are the caller's, instead of all. Standard input is with --interactive,
 * as in podman, whether it is named or not. */
static bool take_attach(
	const ContainerSpec *spec, bool detach, ForegroundRequest *request, GError **err) {
	request->output = request->errors = !spec->attach;
	if (spec->attach && detach)
		return fail(err, ERROR_INVALID,
			"\"--attach\" and \"--detach\" cannot be used together");
	for (char **name = spec->attach; name && *name; name++) {
		if (g_ascii_strcasecmp(*name, "stdout") == 0)
			request->output = true;
		else if (g_ascii_strcasecmp(*name, "stderr") == 0)
			request->errors = true;
		else if (g_ascii_strcasecmp(*name, "stdin") != 0)
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--attach\": use stdin, stdout or "
				"stderr",
				*name);
		else if (!spec->interactive)
			return fail(
				err, ERROR_INVALID, "\"--attach=stdin\" needs \"--interactive\"");
	}
	return true;
}

/* What systemd's socket activation has opened for this process (sd_listen_fds(3)), and what the
 * user names. */
static bool pass_descriptors(Engine *engine, const ContainerSpec *spec, GError **err) {
	const char *pid = g_getenv("LISTEN_PID"), *count = g_getenv("LISTEN_FDS");
	EngineDescriptors descriptors = {
		.preserve_count = spec->preserve_fds, .preserve = spec->preserve_fd};
	int own = 0;

	if (pid && count && parse_int(pid, 1, INT_MAX, &own) && own == getpid()) {
		if (!parse_uint(count, INT_MAX, &descriptors.listen_count))
			return fail(err, ERROR_INVALID, "bad value \"%s\" of $LISTEN_FDS", count);
		descriptors.listen_names = g_getenv("LISTEN_FDNAMES");
	}
	return engine_pass_descriptors(engine, &descriptors, err);
}

static int create_and_start(Cli *cli, const RunOptions *options, GError **err) {
	ContainerSpec *spec = cli->container_spec;
	g_autofree char *id = NULL;
	ForegroundRequest request = {.interactive = spec->interactive,
		.tty = spec->tty,
		.sig_proxy = options->sig_proxy};

	if (!take_attach(spec, options->detach, &request, err) ||
		!detach_keys_parse(options->detach_keys, &request.keys, err))
		return -1;
	if (!options->detach)
		foreground_check_terminal(spec->interactive, spec->tty);
	Engine *engine = cli_engine(cli, err);
	if (!engine || !pass_descriptors(engine, spec, err) ||
		!engine_container_create(engine, spec, &id, err))
		return -1;
	request.container = id;
	int status = options->detach ? start_detached(engine, id, err)
				     : foreground_run(cli, &request, err);
	if (status < 0)
		remove_unstarted(engine, spec, id);
	return status;
}

static int run_run(Cli *cli, char **arguments, GError **err) {
	take_words(cli->container_spec, arguments);
	return create_and_start(cli, cli->options, err);
}

static int run_add(Cli *cli, char **arguments, GError **err) {
	const RunOptions options = {.detach = true};
	ContainerSpec *spec = cli->container_spec;

	if (spec->pod) {
		fail(err, ERROR_INVALID, "\"--pod\" is the first argument of \"podctl pod add\"");
		return -1;
	}
	spec->pod = g_strdup(arguments[0]);
	take_words(spec, arguments + 1);
	return create_and_start(cli, &options, err);
}

const Command command_run = {
	.usage = "[options] IMAGE [COMMAND [ARGUMENT...]]",
	.help = "Run a command in a new container",
	.flags = COMMAND_CONTAINER_SPEC | COMMAND_STOP_AT_ARGUMENT,
	.min_arguments = 1,
	.max_arguments = -1,
	.argument = ARGUMENT_IMAGE,
	.options = run_options,
	.options_size = sizeof(RunOptions),
	.defaults = &run_defaults,
	.run = run_run,
};

const Command command_create = {
	.usage = "[options] IMAGE [COMMAND [ARGUMENT...]]",
	.help = "Make a container without starting it",
	.flags = COMMAND_CONTAINER_SPEC | COMMAND_STOP_AT_ARGUMENT,
	.min_arguments = 1,
	.max_arguments = -1,
	.argument = ARGUMENT_IMAGE,
	.options = create_options,
	.options_size = sizeof(RunOptions),
	.run = run_create,
};

const Command command_pod_add = {
	.usage = "[options] POD IMAGE [COMMAND [ARGUMENT...]]",
	.help = "Run a new container in a pod, in the background",
	.flags = COMMAND_CONTAINER_SPEC | COMMAND_STOP_AT_ARGUMENT | COMMAND_OPTIONS_TWICE,
	.min_arguments = 2,
	.max_arguments = -1,
	.argument = ARGUMENT_POD,
	.options = create_options,
	.options_size = sizeof(RunOptions),
	.run = run_add,
};
