/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The birth of a first process. Without a user namespace it is one clone3. With one there is an
 * intermediate process: as root of the host it joins other namespaces, then it enters the user
 * namespace and gives birth to a child of the caller's, so that every new namespace is owned by the
 * user namespace (security.md A10.6).
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Birth {
	uint64_t flags; /* CLONE_NEW* bits, without NEWUSER */
	int cgroup_fd;  /* -1: the caller's */
	int pid_fd;     /* PID namespace to be born in; -1: the caller's, or a new one */
	int user_fd;    /* user namespace; -1: the caller's */
	/* With user_fd: what the intermediate does while it is root of the host; may be NULL. */
	bool (*prepare)(void *data, GError **err);
	void *data;
	int channel; /* sync.h: for the intermediate's error, which the caller reads */
} Birth;

/* As fork(): 0 in the child, the pid and *ret_pidfd in the caller. -1 on error; *ret_sent: the
 * words are in the channel, err is not set. */
pid_t birth_give(const Birth *birth, int *ret_pidfd, bool *ret_sent, GError **err);

/* Waits until the newborn process has something to say on barrier_fd, and no longer than half a
 * minute: whoever is root in its PID namespace can stop it (it is made to go on), or freeze the
 * cgroup it is in (cgroup_fd, -1: none), which is told as ERROR_STATE. */
bool birth_wait(int barrier_fd, int pidfd, int cgroup_fd, GError **err);
