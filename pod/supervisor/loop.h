/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life beside a container: waits for its output, its end, signals, timers and its messages to
 * systemd, with one poll. When nothing happens nothing runs.
 */
#pragma once

#include "supervisor/supervisor.h"

/* Runs until the container has ended and its output is taken care of. Afterwards s->wait_status is
 * set and s->stop_asked says whether SIGTERM came. */
void loop_run(Supervisor *s);

/* Waits before a restart. False: a stop was asked for meanwhile. */
bool loop_wait_restart(Supervisor *s, uint64_t delay_usec);

/* True if run_dir has the stop file. */
bool loop_stop_requested(const Supervisor *s);

/* Opens a file of the container's cgroup or run directory; -1 with errno. */
int loop_open_in(const char *directory, const char *name, int flags);
