/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits: enabling controllers on the way down to a cgroup, and writing its files. */
#pragma once

#include "runtime/config.h"

/* Writes the limits into the cgroup that cgroup_fd is open on and cgroup is the path of, below
 * mount_point. ERROR_UNSUPPORTED names the option and the controller that is missing. Optional
 * limits are left out where they cannot be had. */
bool cgroup_apply_limits(const char *mount_point, int cgroup_fd, const char *cgroup,
	const RuntimeLimit *limits, size_t n, GError **err);
