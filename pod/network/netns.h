/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network namespace of another process, and short visits to it. podctl has one thread. */
#pragma once

#include "base/proc.h"

/* Opens the namespace of exactly this process; one that has ended is ERROR_STATE. -1 on error. */
int netns_open(ProcId target, GError **err);

/* The caller's own namespace. -1 on error. */
int netns_open_self(GError **err);

/* Moves the calling thread into the namespace. */
bool netns_enter(int netns_fd, GError **err);

/* Writes a file below /proc/sys/net of the namespace the caller is in, unless it says so already.
 */
bool netns_write_sysctl(const char *path, const char *value, GError **err);
