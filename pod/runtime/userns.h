/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User namespaces: made by a child that lives for the writing of its maps, entered by the first
 * process. podctl itself never enters one.
 */
#pragma once

#include "base/idrange.h"

#include <stdbool.h>
#include <sys/types.h>

/* A user namespace with these maps, written by the caller, who is its parent's root. The
 * descriptor is all that holds it. -1 on error. */
int userns_make(const IdMap *uids, const IdMap *gids, GError **err);

/* The maps of a user namespace that somebody else has made, with the ids of the caller's outside.
 * A map without id 0 inside is refused: nobody could be root in there. */
bool userns_read_maps(int user_fd, IdMap *ret_uids, IdMap *ret_gids, GError **err);

/* True if the process lives in another user namespace than the caller. */
bool userns_is_foreign(pid_t pid);

/* In a process that has just been born in a user namespace: becomes its root. */
bool userns_become_root(GError **err);

/* Makes the mount that fd stands for (detached, seen by nobody) show its files with the ids of the
 * user namespace: what root owns on the disk, root owns inside. -1 with errno. */
int userns_map_mount(int fd, int user_fd, bool recursive);
