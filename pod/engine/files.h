/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's file system for somebody outside: cp, export, diff and commit. Nothing is mounted
 * on the host. Private to the room.
 */
#pragma once

#include "archive/archive.h"
#include "engine/resolve.h"

typedef struct Files {
	Engine *engine;
	Container *container;
	ImageConfig *image;    /* NULL with --rootfs */
	Pod *pod;              /* NULL outside a pod */
	RuntimeConfig *config; /* root file system, user, destinations of mounts; nothing else */
	IdMap uids, gids;      /* of the container; no rows: ids are the same on both sides */
	bool plain_ids;        /* the place of files_find_place() shows the container's own ids */
	bool frozen;           /* by files_freeze() */
} Files;

void files_clear(Files *files);

/* Opens a container and finds out what its file system is made of. It is locked only while this
 * runs, or, with keep_lock, until files_clear(). */
bool files_open(
	Engine *engine, const char *name_or_id, bool keep_lock, Files *ret_files, GError **err);

/* The whole file system without what is mounted on it, to be read; it may be running. -1 on
 * error. */
int files_open_rootfs(const Files *files, GError **err);

/* Stops the processes of a running container until files_clear(): --pause. One that is paused
 * already, or does not run, stays as it is. */
bool files_freeze(Files *files, GError **err);

/* The place where a path of the container is looked up: of a running one its root, of a stopped one
 * its root file system or the host directory that is mounted on the path. write: the copy goes
 * there. *ret_root_fd is the caller's, *ret_path is freed with g_free. */
bool files_find_place(Files *files, const char *path, bool write, int *ret_root_fd, char **ret_path,
	GError **err);
