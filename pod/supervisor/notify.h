/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Talking to systemd (sd_notify's datagrams, by hand) and passing on what the container says.
 * The container's messages are a stranger's: a few known keys go through, rewritten by us; never
 * MAINPID, descriptors or anything else
 * (https://www.freedesktop.org/software/systemd/man/sd_notify.html).
 */
#pragma once

#include "supervisor/supervisor.h"

/* The longest text that the filter makes of one message. */
#define NOTIFY_TEXT_MAX 700u

/* Says MAINPID (and READY=1, unless the container is to say that), then closes ready_fd. */
void notify_begin(Supervisor *s);

/* Reads one message of the container and passes on what is allowed. */
void notify_forward(Supervisor *s);

/* What may be passed on of the bytes at message, written to ret_text (room for NOTIFY_TEXT_MAX
 * bytes); returns its length, 0 when nothing is left. now: CLOCK_MONOTONIC for RELOADING=1. */
size_t notify_filter(const char *message, size_t length, uint64_t now, char *ret_text);
