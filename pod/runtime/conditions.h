/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Under which conditions a process runs that are no privileges: resource limits, readiness for the
 * OOM killer, personality, and what it must not inherit from whoever called podctl.
 */
#pragma once

#include "runtime/config.h"

#include <sys/resource.h>

/* In the first process, with the caller's privileges still: sets all of them. proc_fd: the trusted
 * procfs; -1: conditions_raise() has set the OOM score. The OOM score is left as it is when only a
 * privileged caller might lower it. */
bool conditions_apply(const RuntimeConfig *config, int proc_fd, GError **err);

/* For a first process that will have no right of the host's to raise anything: hard limits and the
 * OOM score, in the process that gives birth to it. */
bool conditions_raise(const RuntimeConfig *config, GError **err);

/* Personality, CPU affinity and timer slack alone, which are the same for every process of a
 * container (security.md A09.5). */
bool conditions_apply_scheduling(unsigned long persona, GError **err);

/* All resource limits of a process of somebody else: by prlimit, and where that is not permitted
 * (another user's process, without CAP_SYS_RESOURCE) as its /proc/PID/limits says. */
bool conditions_read_limits(pid_t pid, struct rlimit limits[RLIM_NLIMITS], GError **err);

/* The OOM score of a process, from the caller's /proc; false without an error when it has ended. */
bool conditions_read_oom_score(pid_t pid, int *ret_score);

/* Writes the score of the caller through the procfs at proc_fd; a lower one that is not permitted
 * is left. */
bool conditions_set_oom_score(int proc_fd, int score, GError **err);
