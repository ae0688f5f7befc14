/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the user's terminal and a container's: bytes, window size, signals. */
#pragma once

#include "cli/detach_keys.h"

#include <signal.h>
#include <termios.h>

/* What to go back to when the relay is over. */
typedef struct TtySession {
	int raw_fd; /* -1: no terminal is in raw mode */
	struct termios saved;
	sigset_t saved_mask;
} TtySession;

/* To be called before a container starts: holds back the signals that people send until the relay
 * can pass them on (a started program gets an empty mask from whoever starts it), and puts the
 * terminal behind fd into raw mode, so that the first bytes are not changed twice. Anything else
 * than a terminal (a pipe, -1) is left alone. */
TtySession tty_session_begin(int fd);
void tty_session_end(TtySession *session);

/* The raw mode alone, for a session that was begun with -1. */
void tty_session_make_raw(TtySession *session, int fd);

#define _cleanup_tty_session_ __attribute__((cleanup(tty_session_end)))

/* Holds back the signals that people send, and gives them out by a descriptor; to be used within a
 * session. -1 on error. */
int tty_signals_open(GError **err);

/* Size of the terminal behind fd; zeros when it is none. */
void tty_window_size(int fd, unsigned *ret_rows, unsigned *ret_columns);

typedef struct Relay {
	int in_fd;       /* copied to the console; -1: nothing is */
	int console_fd;  /* pty master; -1: no terminal, only signals and the end */
	int out_fd;      /* where the console's output goes; -1: somebody else copies it */
	int end_fd;      /* readable when it is over; -1: it is over already */
	DetachKeys keys; /* looked for in what comes from a terminal */
	/* Called when end_fd is readable, if set: the master of a new console, which the relay goes
	 * on with and closes, or -1: it is over. */
	int (*next_console)(int end_fd);
	/* Called for a signal that podctl gets; NULL: such a signal ends the relay. */
	void (*on_signal)(void *data, int signal_number);
	void *data;
} Relay;

/* Copies until end_fd is readable; what the console still holds is copied then. *ret_left (may be
 * NULL): the detach keys were typed instead. Runs within a session. */
bool tty_relay_run(const Relay *relay, bool *ret_left, GError **err);
