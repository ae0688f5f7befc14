/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A temporary directory with trees to copy. Skips without root: owners and nodes need it. */
#pragma once

#include "archive/archive.h"
#include "archive/entry.h"

typedef struct Trees {
	char *path;
	int from_fd, to_fd; /* "from" and "to" in it */
} Trees;

Trees *trees_new(void);
void trees_free(Trees *trees);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trees, trees_free)

/* Makes a file below dir_fd with this text. */
void trees_write(int dir_fd, const char *path, const char *text);

/* symlinkat() that must work. */
void trees_link(const char *target, int dir_fd, const char *path);

/* Its text; free with g_free. NULL when it is not there. */
char *trees_read(int dir_fd, const char *path);

/* False, and the test is skipped, unless this is root. */
bool trees_need_root(void);

/* An archive of the members, which are "d NAME", "f NAME TEXT", "l NAME TARGET", "h NAME TARGET",
 * "p NAME" (FIFO), "c NAME" (device 1:3): an open file at its start. */
int trees_make_tar(const char *const *members);
