/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which containers or pods a command is about, and doing one thing to each of them: --all,
 * --latest, --cidfile, --filter and plain names mean the same in every command. */
#pragma once

#include "cli/cmd.h"

typedef struct Targets {
	bool pods;     /* pods instead of containers */
	bool all;      /* every one */
	bool running;  /* with all or alone: only running ones */
	bool latest;   /* the one that was made last */
	bool optional; /* no target at all is fine (--ignore) */
	char **filters;
	char **id_files; /* files with an id each */
	char **names;    /* as the user wrote them */
} Targets;

/* The names to act on, in the user's words or full ids; free with g_strfreev. NULL on error, also
 * when nothing was named. */
char **targets_find(Cli *cli, const Targets *targets, GError **err);

typedef struct EachRules {
	bool (*act)(Engine *engine, const char *target, const void *options, GError **err);
	const void *options;
	bool ignore_missing; /* --ignore: a target that is not there is fine */
	bool silent;         /* do not print the target */
	int missing_status;  /* exit status when a target is not there; 0: 125 */
	int busy_status;     /* exit status when a target is running or in use; 0: 125 */
} EachRules;

/* Acts on each target, prints its name when done and an error line when not, goes on after an
 * error. Returns the exit status: 0, or the worst of the failures. */
int targets_each(Cli *cli, char *const *names, const EachRules *rules, GError **err);

/* For the act of a prune, whose rules have ignore_missing: passes error on, but what is in use by
 * now counts as missing, so it stays in silence. Takes error; false. */
bool targets_fail_unless_in_use(GError *error, GError **err);
