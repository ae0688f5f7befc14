/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's outputs: read, cut into lines, logged, copied to a front process. A front that
 * reads slowly slows the container down (nothing is lost in a foreground run); one that is gone
 * does not matter. Built by stdio.c.
 */
#pragma once

#include <poll.h>

#include "supervisor/supervisor.h"

/* Sets up s->streams and the log. */
void streams_open(Supervisor *s);

/* Fills polls (room for one a stream) with what to wait for; fd -1 for none. hold: nothing is to be
 * read now. */
void streams_poll(const Supervisor *s, struct pollfd *polls, bool hold);

/* Does what poll reported. True if bytes were moved. */
bool streams_handle(Supervisor *s, const struct pollfd *polls);

/* Logs the beginnings of lines that have waited for their end since before_usec. */
void streams_log_partial(Supervisor *s, uint64_t before_usec);

/* The front process is gone or has left: nothing is copied to it any more, and what it had open for
 * that (a terminal) is let go. */
void streams_drop_front(Supervisor *s);

/* True when nothing is kept in the buffers. */
bool streams_empty(const Supervisor *s);

/* The container has ended: from now on only what it has left in the pipes is read. */
void streams_container_ended(Supervisor *s);

/* Nothing more is waited for: the streams are closed, the rest is logged. */
void streams_close(Supervisor *s);

/* True when every stream is at its end and copied. */
bool streams_done(const Supervisor *s);

/* A line of our own in the container's log. */
void streams_log_note(Supervisor *s, const char *text);
