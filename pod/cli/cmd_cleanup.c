/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl cleanup and relaunch: what a supervisor's process becomes when its container has ended
 * (D3). They exit with the container's status, because systemd takes it for the unit's.
 */
#include "base/cleanup.h"
#include "cli/cmd.h"

#include <fcntl.h>
#include <stddef.h>

typedef struct CleanupOptions {
	int exit_status;
	int front_fd, front_out, front_err;
	bool oom;
} CleanupOptions;

static const CleanupOptions cleanup_defaults = {
	.exit_status = SPEC_UNSET, .front_fd = -1, .front_out = -1, .front_err = -1};

#define FIELD(member) offsetof(CleanupOptions, member)

static const OptionRow cleanup_options[] = {
	{"exit-status", 0, OPTION_INT, FIELD(exit_status), "N", "Exit status of the container"},
	{"front-fd", 0, OPTION_INT, FIELD(front_fd), "FD", "Whom to tell"},
	{"front-out", 0, OPTION_INT, FIELD(front_out), "FD", "Where its output goes too"},
	{"front-err", 0, OPTION_INT, FIELD(front_err), "FD", "Where its errors go too"},
	{"oom", 0, OPTION_BOOL, FIELD(oom), NULL, "The kernel killed it for memory"},
	{NULL},
};

/* They came through exec, so they are the only descriptors without close-on-exec. */
static EngineFront take_front(const CleanupOptions *options) {
	const EngineFront front = {options->front_fd, options->front_out, options->front_err};
	const int fds[] = {front.fd, front.out_fd, front.err_fd};

	for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
		if (fds[i] >= 0)
			(void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	return front;
}

static int run_cleanup(Cli *cli, char **arguments, GError **err) {
	const CleanupOptions *options = cli->options;
	const EngineFront front = take_front(options);
	int status = 0;
	cli->settle_now = true;
	Engine *engine = cli_engine(cli, err);

	if (!engine || !engine_container_cleanup(engine, arguments[0], options->exit_status,
			       options->oom, front.fd, &status, err))
		return -1;
	return status & 0xff;
}

static int run_relaunch(Cli *cli, char **arguments, GError **err) {
	const CleanupOptions *options = cli->options;
	const EngineFront front = take_front(options);
	cli->settle_now = true;
	Engine *engine = cli_engine(cli, err);

	if (!engine || !engine_container_relaunch(engine, arguments[0], options->exit_status,
			       options->oom, &front, err))
		return -1;
	return options->exit_status == SPEC_UNSET ? 0 : options->exit_status & 0xff;
}

const Command command_cleanup = {
	.usage = "[options] CONTAINER",
	.help = "Clean up behind a container that has ended",
	.flags = COMMAND_HIDDEN,
	.min_arguments = 1,
	.max_arguments = 1,
	.options = cleanup_options,
	.options_size = sizeof(CleanupOptions),
	.defaults = &cleanup_defaults,
	.run = run_cleanup,
};

const Command command_relaunch = {
	.usage = "[options] CONTAINER",
	.help = "Start a container again in the supervisor's process",
	.flags = COMMAND_HIDDEN,
	.min_arguments = 1,
	.max_arguments = 1,
	.options = cleanup_options,
	.options_size = sizeof(CleanupOptions),
	.defaults = &cleanup_defaults,
	.run = run_relaunch,
};
