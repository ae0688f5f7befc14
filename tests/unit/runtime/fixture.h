/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small root file system (busybox) and a configuration like the engine's, for the tests that
 * really start containers. They need root and a static busybox, and are skipped elsewhere.
 */
#pragma once

#include "base/cleanup.h"
#include "runtime/runtime.h"

typedef struct Fixture {
	char *dir; /* holds lower, upper, work, cache */
	char *lower;
	char *mounts; /* the host's mount table at the start */
	RuntimeConfig *config;
} Fixture;

/* NULL after g_test_skip when this machine cannot do it. */
Fixture *fixture_new(void);

/* Checks that the host's mount table is what it was. */
void fixture_free(Fixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/* Replaces the command: `sh -c script`. */
void fixture_set_script(Fixture *fixture, const char *script);

/* Runs the container to its end; returns what it wrote to stdout (then stderr) and its status.
 * Any failure ends the test. */
char *fixture_run(Fixture *fixture, int *ret_status);

/* The same for a start that has to fail: the error. */
GError *fixture_run_failing(Fixture *fixture);

/* Starts it and leaves it running. */
void fixture_start(Fixture *fixture, RuntimeChild *child);

/* Kills and reaps. */
void fixture_stop(RuntimeChild *child);

/* Runs a command in the container; output and status. */
char *fixture_exec(const RuntimeExec *exec, int *ret_status);

/* Inode of a namespace: "net", "mnt" ... */
unsigned long fixture_namespace(pid_t pid, const char *name);
