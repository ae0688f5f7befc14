/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The root file system: a detached mount made by the launcher, later the root of the first
 * process; and the only way a path of the container is looked up. No path string of a container is
 * ever resolved against the host's root.
 */
#pragma once

#include "runtime/config.h"

#include <stdbool.h>

/* A user namespace and its maps. */
typedef struct RootfsIds {
	int user_fd;
	const IdMap *uids, *gids;
	bool attach; /* what kernels before 6.15 need is done at once, not only when they refuse */
} RootfsIds;

/* Launcher: a detached mount of the root file system. With ids (NULL: none) the layers show their
 * files with the ids of the user namespace and stay as they are; the upper layer holds the real
 * ids, and its root directory gets the one that belongs to the image's. -1 on error. */
int rootfs_prepare(const RuntimeRootfs *rootfs, const RootfsIds *ids, GError **err);

/* First process, in a mount namespace of its own: puts the mount over "/" so that it can carry
 * further mounts. */
bool rootfs_attach(int root_fd, GError **err);

/* Makes root_fd the root directory and drops everything else from the mount namespace. */
bool rootfs_pivot(int root_fd, GError **err);

/* Opens path in the root: symbolic links stay inside, magic links are refused. -1 with errno. */
int rootfs_open(int root_fd, const char *path, int flags);

typedef enum PointKind {
	POINT_DIRECTORY,
	POINT_FILE,
} PointKind;

/* As rootfs_open with O_PATH, but makes what is missing: directories 0755, an empty file 0644; a
 * dangling link is followed and its target made. *ret_made (may be NULL): the last component is
 * new. -1 on error. */
int rootfs_make(int root_fd, const char *path, PointKind kind, bool *ret_made, GError **err);

/* Opens a directory that must be there under exactly this name, no link in any component
 * (security.md A06.4); a missing one is made. -1 on error. */
int rootfs_real_dir(int root_fd, const char *path, GError **err);
