/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cgroup a container or a pod gets, if any. Private to the room. */
#pragma once

#include "engine/resolve.h"

/* Chooses the container's cgroup, journals it, and writes it into config and state; none where none
 * is needed. The caller may be moved (runtime_cgroup_plan). pod: NULL outside of one. A limit that
 * nothing here can hold is an error that names its option. */
bool place_container(Engine *engine, Container *container, const Pod *pod, bool foreground,
	RuntimeConfig *config, CgroupPlan *ret_plan, GError **err);

/* The same for a pod; state->cgroup is NULL when it has none. limits: what it is to hold. */
bool place_pod(Engine *engine, Pod *pod, const RuntimeConfig *limits, GError **err);
