/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a container in the foreground: `run` without -d, `start --attach`. */
#pragma once

#include "cli/cmd.h"
#include "cli/detach_keys.h"

typedef struct ForegroundRequest {
	const char *container;
	bool interactive;
	bool tty;
	bool sig_proxy;      /* signals that podctl gets go to the container */
	bool output, errors; /* what is shown */
	DetachKeys keys;
} ForegroundRequest;

/* --attach for a container that is only made: ERROR_INVALID. */
bool foreground_refuse_attach(const ContainerSpec *spec, GError **err);

/* Warns as podman does when a terminal is to be used and there is none. */
void foreground_check_terminal(bool interactive, bool tty);

/* Starts the container, relays until it ends: its exit status; or until the detach keys are typed:
 * 0. -1 with err set. */
int foreground_run(Cli *cli, const ForegroundRequest *request, GError **err);
