/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree that a layer is laid out in. Every access goes through descriptors below the root:
 * parents are resolved in the root (a link in the layer that points outside points back inside),
 * the last component is never followed. Paths are those of layer_path_clean.
 */
#pragma once

#include "unpack/layer_path.h"

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

/* A directory whose time is set when all members are written. */
typedef struct LateTime {
	char *path;
	ino_t inode;
	struct timespec mtime;
} LateTime;

typedef struct Tree {
	int root_fd;                      /* borrowed */
	int parent_fd;                    /* the directory last used; -1: none */
	char parent_path[LIMIT_PATH + 1]; /* its path */
	bool parent_is_stale;
	char **opaque; /* directories that hide what is below them */
	size_t n_opaque;
	LateTime *late_times;
	size_t n_late_times;
} Tree;

void tree_init(Tree *tree, int root_fd);
void tree_clear(Tree *tree);

/* A descriptor of the directory, made with its parents when missing (0755, root). Borrowed, good
 * until the next call on the tree; -1 on failure. */
int tree_open_directory(Tree *tree, const char *path, Failure *failure);

/* The directory a path is in, as above, and the path's last component. */
int tree_open_parent(Tree *tree, const char *path, const char **ret_name, Failure *failure);

/* The directory, reached without any link and not made; the caller closes it. -1, no failure set,
 * when there is none. */
int tree_find_directory(const Tree *tree, const char *path);

/* Removes whatever has this name, a directory with all below it; fine when there is nothing.
 * *ret_was_whiteout (may be NULL): it was a whiteout of this layer. */
bool tree_make_room(
	Tree *tree, int parent_fd, const char *name, bool *ret_was_whiteout, Failure *failure);

/* Hides the path of the layers below, unless this layer has something of that name: then that
 * stays, and a directory becomes opaque, whatever the order in the archive. */
bool tree_add_whiteout(Tree *tree, const char *path, Failure *failure);

/* Notes the directory, which must be there, as opaque. */
bool tree_add_opaque(Tree *tree, const char *path, Failure *failure);

/* Notes a time for tree_apply_times. Beyond the bound it is not kept: only a time is lost. */
bool tree_note_time(Tree *tree, const char *path, ino_t inode, struct timespec mtime);

/* Sets the noted times, last noted first, on the directories that are still the same. */
void tree_apply_times(Tree *tree);
