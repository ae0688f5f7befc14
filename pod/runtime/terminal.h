/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pseudo terminals of a container and the standard descriptors of a process. */
#pragma once

#include "base/error.h"

#include <sys/types.h>

/* A new pair in the devpts that devpts_fd is the root of. Both ends are close-on-exec; the slave
 * is opened through its master, never by name (security.md B2-05). */
bool terminal_open(int devpts_fd, int *ret_master, int *ret_slave, GError **err);

/* Binds the slave over the empty file "console" in dev_fd. */
bool terminal_bind_console(int devpts_fd, int dev_fd, int master_fd, GError **err);

/* slave_fd becomes the controlling terminal and 0, 1, 2; it belongs to uid afterwards. The caller
 * leads its session. */
bool terminal_become_stdio(int slave_fd, uid_t uid, GError **err);

/* The three become 0, 1, 2 without close-on-exec, whatever their numbers are. */
bool terminal_place_stdio(int stdin_fd, int stdout_fd, int stderr_fd, GError **err);
