/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ending containers: asking, waiting, cleaning up after. Private to the room. */
#pragma once

#include "engine/handle.h"

/* Marker in the run directory beside HANDOFF_STOP_FILE: the end came from `kill`, so that it counts
 * as a failure for systemd although it forbids a restart. */
#define KILLED_MARK "killed"

/* In-place file in the run directory with the last exit status; `wait` keeps it open, so it learns
 * the status of a container that is removed at its end. */
#define EXIT_STATUS_FILE "exit-status"

/* Marks the container as being stopped and sends its stop signal; one that does not run is fine. */
bool stop_begin(Container *container, GError **err);

/* Ends the supervisor of a container that is between two runs: it neither waits out its delay nor
 * restarts it. One that runs, and one without a supervisor, stay as they are. */
bool stop_restarts(Container *container, GError **err);

/* Waits for the end: SIGKILL at deadline_usec (monotonic; USEC_INFINITY: never), then until its
 * supervisor has cleaned up. When the supervisor is gone, cleans up itself. */
bool stop_finish(Engine *engine, Container *container, uint64_t deadline_usec, GError **err);

/* When a container that is asked to stop now is killed: after the timeout given, or its own, or
 * 10 s; monotonic. */
uint64_t stop_deadline(const Container *container, int timeout_sec);

/* Undoes and records the end of a container that does not run (locked). exit_status SPEC_UNSET:
 * unknown. With --rm the container is removed; *ret_removed says so. */
bool finish_container(Engine *engine, Container *container, int exit_status, bool oom_killed,
	bool *ret_removed, GError **err);
