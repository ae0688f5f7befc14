/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entering and furnishing namespaces, in the first process. */
#pragma once

#include "runtime/init.h"

/* CLONE_NEW* bits with which the first process is to be born. */
int namespaces_at_birth(const RuntimeConfig *config);

/* Joins the pod's namespaces, leaves the host's mount and cgroup namespaces, and takes the pod's
 * /dev/shm along. No mount of the new namespace is shared with anybody afterwards. */
bool namespaces_enter(InitContext *context, GError **err);

/* Host name and loopback interface of new namespaces. hostname may be NULL. */
bool namespaces_furnish(int new_namespaces, const char *hostname, GError **err);

/* All mounts of the present mount namespace become private. */
bool namespaces_make_private(GError **err);
