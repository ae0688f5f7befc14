/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors of the caller that a container's process is given under numbers of their own:
 * --preserve-fds and socket activation. Everything else above 2 is closed (security.md A11).
 */
#pragma once

#include "runtime/config.h"

/* Copies of what the rows name, close-on-exec and above every number that is to be had; free with
 * descriptors_close. NULL without rows; false on error. */
bool descriptors_take(const RuntimeDescriptor *rows, size_t n, int **ret_fds, GError **err);
void descriptors_close(int **fds, size_t n);

/* Puts the copies under their numbers, open across execve, and lifts the two other descriptors out
 * of the way. */
bool descriptors_place(const RuntimeDescriptor *rows, size_t n, int *fds, int *channel,
	int *program_fd, GError **err);

/* Adds LISTEN_FDS, LISTEN_FDNAMES and the caller's own LISTEN_PID to an environment. */
void descriptors_add_env(char ***env, char *const *listen_env);
