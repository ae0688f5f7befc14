/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contents of /dev: nodes and links that every container has (security.md A05.1), and the
 * devices that were asked for. */
#pragma once

#include "runtime/config.h"

/* A detached tmpfs with all of them and the directories pts, shm and mqueue; with a terminal, an
 * empty file for it. uid and gid: of the container's root, as the caller's user namespace sees
 * them. Only the host's root can make nodes: for a user namespace the launcher calls it. -1 with
 * errno. */
int devices_make(const RuntimeConfig *config, uid_t uid, gid_t gid);
