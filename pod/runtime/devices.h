/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contents of /dev: nodes and links that every container has (security.md A05.1). */
#pragma once

#include <stdbool.h>

/* A detached tmpfs with all of them and the directories pts, shm and mqueue; with console, an
 * empty file for the terminal. -1 with errno. */
int devices_make_tmpfs(bool console);
