/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Host ports: who has which. A claim is a symlink ports/PROTO-FIRST-LAST-ADDRESS whose target is
 * the owner: one a mapping, however wide its range. Claims are made under a lock on the directory.
 */
#pragma once

#include "network/network.h"

/* Claims every mapping for the owner and fills in the host ports that are 0. A port that another
 * owner has, or that a process of the host listens on, is ERROR_IN_USE and named. On failure
 * nothing stays claimed. */
bool ports_claim(int state_fd, const char *id, PortMapping *ports, size_t n_ports, GError **err);

/* Gives back the owner's claims, whatever they are. */
bool ports_release(
	int state_fd, const char *id, const PortMapping *ports, size_t n_ports, GError **err);

/* Gives back every claim of the owner by looking at all claims; for records that are incomplete. */
bool ports_release_all(int state_fd, const char *id, GError **err);

/* True if the owner still has the claim of this mapping. */
bool ports_is_claimed(int state_fd, const char *id, const PortMapping *port);
