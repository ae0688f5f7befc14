/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At the output and input of a container that runs already: `attach`, `start --attach`. */
#pragma once

#include "cli/cmd.h"
#include "cli/detach_keys.h"

typedef struct AttachRequest {
	const char *container;
	int in_fd; /* -1: no input */
	bool sig_proxy;
	DetachKeys keys;
} AttachRequest;

/* Relays until the container ends: its exit status; or until the detach keys are typed: 0. -1 with
 * err set. */
int attach_run(Cli *cli, const AttachRequest *request, GError **err);
