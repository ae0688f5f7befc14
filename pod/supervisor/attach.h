/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attach socket: who wants to see a container's output or to write its input comes here
 * (messages: model/handoff.h). The container and its log come first: a client that does not read
 * holds the container up for a moment once, then misses output, and is told how much. Each client
 * costs a descriptor and what the kernel keeps in a socket's buffer; the program itself holds one
 * page while somebody is attached, none otherwise.
 */
#pragma once

#include <poll.h>

#include "supervisor/supervisor.h"

#define ATTACH_CLIENTS_MAX 64u
/* The socket, the container's input, the clients. */
#define ATTACH_POLLS (2u + ATTACH_CLIENTS_MAX)

/* Binds the socket in the run directory. A failure is survived: nobody can attach then. */
void attach_open(Supervisor *s);

/* Fills polls (room for ATTACH_POLLS) with what to wait for; returns how many. */
size_t attach_poll(const Supervisor *s, struct pollfd *polls);

/* Does what poll reported. */
void attach_handle(Supervisor *s, const struct pollfd *polls, size_t count);

/* Copies output to the clients, without waiting for any of them. */
void attach_output(Supervisor *s, bool is_error, const char *bytes, size_t length);

/* Until when no output should be read, because a client has no room and still has a grace;
 * 0: go on. To be asked right before each wait. */
uint64_t attach_hold_until(Supervisor *s);

/* Tells the clients how it ended; restarts: there will be another run. Closes everything. */
void attach_end(Supervisor *s, int exit_status, bool restarts);
