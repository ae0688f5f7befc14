/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the user's terminal and a container's: bytes, window size, signals. */
#pragma once

#include "base/error.h"

#include <termios.h>

/* A terminal in raw mode; saved holds what to go back to. */
typedef struct TtyRaw {
	int fd; /* -1: not in raw mode */
	struct termios saved;
} TtyRaw;

/* Puts the terminal behind fd into raw mode; anything else (a pipe, -1) is left alone. It is done
 * before a container starts, so that its first bytes are not changed twice. */
TtyRaw tty_raw_enter(int fd);
void tty_raw_leave(TtyRaw *raw);

typedef struct Relay {
	int in_fd;      /* copied to the console; -1: nothing is */
	int console_fd; /* pty master; -1: no terminal, only signals and the end */
	int out_fd;     /* where the console's output goes; -1: somebody else copies it */
	int end_fd;     /* readable when it is over; -1: it is over already */
	/* Called for a signal that podctl gets; NULL: such a signal ends the relay. */
	void (*on_signal)(void *data, int signal_number);
	void *data;
} Relay;

/* Copies until end_fd is readable; what the console still holds is copied then. Signals that people
 * send are blocked and handled here. */
bool tty_relay_run(const Relay *relay, GError **err);
