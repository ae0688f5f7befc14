/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few ways in which this room opens things. Private to the room. */
#pragma once

#include "base/cleanup.h"

/* Below dir_fd, through no link at all; "" is dir_fd itself. -1 with errno (ELOOP: a link). */
int lookup_below(int dir_fd, const char *path, int flags);

/* In root_fd as if it were "/", links followed inside it, magic links refused; root_fd -1: as any
 * program would. -1 with errno. */
int lookup_in_root(int root_fd, const char *path, int flags);

/* Opens again what an O_PATH descriptor stands for: no name is looked up. -1 with errno. */
int lookup_again(int fd, int flags);
