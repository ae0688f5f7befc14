/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What podctl-exec and podctl-init share: the arguments "CHANNEL PATH ARGV0 [ARGUMENT...]" and the
 * last execve. Libc only. */
#pragma once

enum { LAST_STEP_NOT_STARTED = 127 };

/* The number in argv[1], close-on-exec from now on; -1 when it was not podctl that called. */
int last_step_channel(int argc, char **argv);

/* Executes argv[2] with argv + 3. Returns only on failure, whose errno has gone through the
 * channel. */
void last_step_execute(int channel, char **argv);
