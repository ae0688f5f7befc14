/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups as the room itself uses them. Planning, killing and removing are part of the door. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

/* Makes the directory (an existing one is fine) and opens it for CLONE_INTO_CGROUP. NULL gives -1
 * without an error: use is `cgroup && fd < 0`. */
int cgroup_make(const char *cgroup, bool *ret_made, GError **err);

/* The host's cgroup2 mount point and which part of the hierarchy it shows ("/" for all of it).
 * False without an error when there is none. */
bool cgroup_find_mount(char **ret_mount_point, char **ret_root);
