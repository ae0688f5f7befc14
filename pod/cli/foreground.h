/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a container in the foreground: `run` without -d, `start --attach`. */
#pragma once

#include "cli/cmd.h"

typedef struct ForegroundRequest {
	const char *container;
	bool interactive;
	bool tty;
	bool sig_proxy; /* signals that podctl gets go to the container */
} ForegroundRequest;

/* Starts the container, relays until it ends; its exit status, or -1 with err set. */
int foreground_run(Cli *cli, const ForegroundRequest *request, GError **err);
