/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening, entering and furnishing namespaces. Without a user namespace the first process enters
 * what it joins by itself. With one it is born inside: birth.h's intermediate joins for it, as root
 * of the host, because inside the right to join anything else is gone.
 */
#pragma once

#include "runtime/init.h"

/* CLONE_NEW* bits with which the first process is to be born. */
int namespaces_at_birth(const InitContext *context);

/* Launcher: opens what is joined, and makes or opens the user namespace. A process that has ended
 * and a file that is no namespace of the right kind are refused, and so are sysctls for namespaces
 * that turn out to be the host's. */
bool namespaces_open(InitContext *context, GError **err);

/* The descriptor of the joined PID namespace, or -1. */
int namespaces_pid_fd(const InitContext *context);

/* Joins all but the PID and user namespaces, and takes the /dev/shm of a joined IPC namespace
 * along. */
bool namespaces_join(InitContext *context, GError **err);

/* First process: joins where nobody has done it before, leaves the host's mount and cgroup
 * namespaces. No mount of the new namespace is shared with anybody afterwards. */
bool namespaces_enter(InitContext *context, GError **err);

/* Host name and loopback interface of new namespaces. hostname may be NULL. */
bool namespaces_furnish(int new_namespaces, const char *hostname, GError **err);

/* All mounts of the present mount namespace become private. */
bool namespaces_make_private(GError **err);
