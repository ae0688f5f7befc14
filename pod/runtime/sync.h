/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket between the launcher and a container's first process. The child says READY (with the
 * terminal's master, if there is one) or ERROR; the parent says GO. The child's end is
 * close-on-exec, so its closing means that execve has succeeded.
 */
#pragma once

#include "base/error.h"
#include "runtime/sync_message.h"

#include <stddef.h>

/* Two close-on-exec ends that keep message boundaries. */
bool sync_pair(int *ret_parent, int *ret_child, GError **err);

/* Child: the parent re-creates the error from code and text. Uses write() alone, because a seccomp
 * filter may be in force. */
void sync_send_error(int fd, const GError *error);

/* Child: passed_fd travels along unless it is -1. */
bool sync_send_ready(int fd, int passed_fd, GError **err);

/* Child: waits for GO; false when the parent has gone (errno is left alone) or with errno. */
bool sync_wait_go(int fd);

/* Parent. */
bool sync_send_go(int fd, GError **err);

typedef enum SyncResult {
	SYNC_READY,
	SYNC_ERROR,  /* err is set */
	SYNC_CLOSED, /* execve has succeeded, or the child has died */
} SyncResult;

/* What size bytes of a message say; fewer than its head are the end of the channel. */
SyncResult sync_decode(const SyncMessage *message, size_t size, GError **err);

/* Parent: waits for the child's word. *ret_fd (may be NULL) is the passed descriptor or -1. */
SyncResult sync_receive(int fd, int *ret_fd, GError **err);
