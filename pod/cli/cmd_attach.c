/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl attach: at the output and input of a running container. */
#include "cli/attach_client.h"
#include "cli/targets.h"

#include <stddef.h>

typedef struct AttachOptions {
	char *detach_keys;
	bool latest, no_stdin, sig_proxy;
} AttachOptions;

static const AttachOptions attach_defaults = {.sig_proxy = true};

#define FIELD(member) offsetof(AttachOptions, member)

static const OptionRow attach_options[] = {
	{"detach-keys", 0, OPTION_STRING, FIELD(detach_keys), "KEYS",
		"Keys that leave the container running (ctrl-p,ctrl-q)"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{"no-stdin", 0, OPTION_BOOL, FIELD(no_stdin), NULL, "Do not pass standard input"},
	{"sig-proxy", 0, OPTION_BOOL, FIELD(sig_proxy), NULL,
		"Pass signals on to the container (default)"},
	{NULL},
};

static int run_attach(Cli *cli, char **arguments, GError **err) {
	const AttachOptions *options = cli->options;
	const Targets targets = {.latest = options->latest, .names = arguments};
	AttachRequest request = {
		.in_fd = options->no_stdin ? -1 : STDIN_FILENO, .sig_proxy = options->sig_proxy};

	if (!detach_keys_parse(options->detach_keys, &request.keys, err))
		return -1;
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	if (!names)
		return -1;
	request.container = names[0];
	return attach_run(cli, &request, err);
}

const Command command_attach = {
	.usage = "[options] CONTAINER",
	.help = "Show the output of a running container and pass input to it",
	.max_arguments = 1,
	.argument = ARGUMENT_CONTAINER,
	.options = attach_options,
	.options_size = sizeof(AttachOptions),
	.defaults = &attach_defaults,
	.run = run_attach,
};
