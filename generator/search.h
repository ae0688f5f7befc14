/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where source files are looked for, and where systemd has its own units. The order is the order of
 * precedence: the first file of a name counts.
 */
#pragma once

#include "generator.h"

typedef enum SearchFilter {
	SEARCH_ALL,          /* read every subdirectory */
	SEARCH_SKIP_USERS,   /* not ROOT/users: those are units of users */
	SEARCH_SKIP_NUMERIC, /* not ROOT/UID: a root of its own follows for our own uid */
} SearchFilter;

typedef struct SearchRoot {
	char *path;
	SearchFilter filter;
} SearchRoot;

/* The roots (SearchRoot), also those that do not exist. Says so in one message if podman's
 * generator is active and the directories of podman are left to it. An error in
 * QUADLET_UNIT_DIRS is reported and ends the list. */
GPtrArray *search_roots(Generator *generator);

/* systemd's own unit directories for this mode (char *). */
GPtrArray *search_systemd_dirs(const Generator *generator);
