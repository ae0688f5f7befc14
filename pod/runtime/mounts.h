/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything mounted into a container's root: the runtime's own table (/proc, /sys, /dev ...) and
 * what the user asked for. Sources are opened by the launcher (mount_sources.h), destinations are
 * resolved in the root, and both ends of every mount are descriptors.
 */
#pragma once

#include "runtime/init.h"

/* One option of a new file system; value NULL: a flag. */
typedef struct MountOption {
	const char *key, *value;
} MountOption;

/* A new detached file system. attributes: MOUNT_ATTR_*. -1 with errno. */
int mounts_new(const char *type, const MountOption *options, size_t n, unsigned attributes);

/* A detached tmpfs; size_bytes 0: the kernel's default. -1 with errno. */
int mounts_new_tmpfs(uint64_t size_bytes, unsigned mode, unsigned attributes);

/* A detached copy of the mount (or part of one) at dir_fd/path; "" is dir_fd itself. -1 with
 * errno. attributes are set and propagation is made private before anybody can see it. */
int mounts_clone(int dir_fd, const char *path, bool recursive, unsigned attributes);

/* First process, steps in this order. */
bool mounts_apply_system(InitContext *context, GError **err);
bool mounts_apply_user(InitContext *context, GError **err);
/* Last of all, with config->read_only_dev: nothing can be made in /dev and /dev/shm any more. */
bool mounts_seal_dev(InitContext *context, GError **err);
