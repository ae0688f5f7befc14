/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes. A process is named by pid and start time (D8) and acted on only by pidfd, because a
 * pid alone may be somebody else by the time it is used.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

/* PATH where nobody gave one: for podctl's own programs, and for containers as with podman. */
#define PROC_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct ProcId {
	pid_t pid;           /* 0: none */
	uint64_t start_time; /* field 22 of /proc/PID/stat, clock ticks since boot */
} ProcId;

/* Start time of a live process; false without an error when there is none (a zombie counts as
 * none: it runs no code any more). */
bool proc_start_time(pid_t pid, uint64_t *ret_start_time);

/* A pidfd for exactly this process, or -1 (no error set) when it has ended. */
int proc_open(ProcId id);

/* True while the process runs; a zombie does not. */
bool proc_is_alive(ProcId id);

/* Sends a signal through a pidfd; a process that has ended is ERROR_STATE. */
bool proc_signal(ProcId id, int signal_number, GError **err);

/* Waits until the process ends. False without waiting longer than timeout_usec (USEC_INFINITY:
 * for ever). id.pid == 0 counts as ended. */
bool proc_wait_end(ProcId id, uint64_t timeout_usec);

/* A child to start. argv[0] is looked up in PATH unless it has a slash. Descriptors: only 0, 1, 2
 * and those in keep reach the child. */
typedef struct ProcSpawn {
	const char *const *argv; /* NULL-terminated */
	const char *const *env;  /* NULL-terminated; NULL: a fixed small environment */
	int stdin_fd;            /* -1: /dev/null */
	int stdout_fd;           /* -1: /dev/null */
	int stderr_fd;           /* -1: inherited */
	const int *keep;         /* descriptors that stay open under their numbers; NULL: none */
	size_t n_keep;
} ProcSpawn;

/* Starts the child; *ret_pid is to be reaped with proc_reap. A program that is not there is
 * ERROR_COMMAND_NOT_FOUND. */
bool proc_spawn(const ProcSpawn *spawn, pid_t *ret_pid, GError **err);

/* Reaps a child: *ret_status is its exit status, 128+N for a signal. */
bool proc_reap(pid_t pid, int *ret_status, GError **err);

/* Boot id of this kernel, 36 characters; free with g_free. NULL on error. */
char *proc_boot_id(GError **err);

/* Clock readings in microseconds: monotonic for intervals, realtime for records. */
uint64_t proc_now_monotonic(void);
uint64_t proc_now_realtime(void);

/* Forks a child of this same program in a session of its own, with default signal dispositions
 * for SIGPIPE and SIGCHLD. Returns 0 in the child, the pid in the parent, -1 on error. The child
 * must leave by proc_exec or _exit. orphan: the child is nobody's in this program (its parent is
 * the machine's or the user's manager); the pid returned is then 1 and not to be reaped. */
pid_t proc_fork_session(bool orphan, GError **err);

/* Replaces this process by the program at path. Of all descriptors above 2 only those in keep stay
 * open, under their numbers. env NULL: the fixed small environment. Returns only on failure. */
bool proc_exec(const char *path, const char *const *argv, const char *const *env, const int *keep,
	size_t n_keep, GError **err);

/* This process, for the records of others. */
ProcId proc_self(void);

/* Path of the program this process runs, as the kernel knows it; fallback when the file has been
 * replaced since (an upgrade). Free with g_free. */
char *proc_self_path(const char *fallback);
