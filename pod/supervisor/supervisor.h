/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one struct of the supervisor, passed to every function of the room. No allocation: what is
 * small lives here, what is big in Buffers, whose pages are given back to the kernel when nothing
 * has been written for a second. A quiet supervisor holds a handful of pages (D4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "model/handoff.h"

#define STREAM_BYTES (64u * 1024)
#define LOG_BYTES    (64u * 1024)
/* journald's own limit of a line from a service is the same; longer ones are cut into parts. */
#define LINE_BYTES (48u * 1024)
#define NOTIFY_MAX 4096u /* systemd takes no longer message either */
#define ARGV_MAX   60u
/* This struct, libc's own variables and such a block share one page of memory. */
#define SMALL_BLOCK_BYTES 2048u
#define TIME_NEVER        UINT64_MAX
#define SECOND_USEC       UINT64_C(1000000)

typedef struct Buffers {
	char stream[2][STREAM_BYTES];
	char log[LOG_BYTES];
	char notify[NOTIFY_MAX + 1];
} Buffers;

/* One of the container's outputs. In buffer, [start, end) is not logged yet (the beginning of a
 * line), [front, end) is not copied to the front process yet. */
typedef struct Stream {
	int fd; /* -1: at its end */
	int front_fd;
	bool front_is_socket;
	bool front_blocks; /* could not be made non-blocking: only small writes after poll */
	bool is_console;
	bool is_error;
	bool continued;      /* the last entry was a part of a line */
	uint64_t begun_usec; /* when the line that waits for its end was begun */
	char *buffer;
	size_t start, end, front;
	size_t scanned;    /* no newline in [start, scanned) */
	size_t drain_left; /* bytes to read after the container's end; SIZE_MAX: not known */
} Stream;

typedef struct LogFile {
	int fd;
	uint64_t size; /* of the file; what is in the buffer not counted */
	size_t used;   /* of Buffers.log */
	uint64_t lines_buffered, lines_lost;
	time_t stamp_second;
	char stamp[20]; /* "2026-11-21T20:03:40", of stamp_second */
	struct timespec now;
} LogFile;

typedef struct LogJournal {
	int fd;
	bool stalled; /* the last entry could not be sent: do not wait for the next ones */
	uint64_t lines_lost;
} LogJournal;

/* What a client's messages lead to; its pages are there only while somebody is attached. */
typedef struct AttachState AttachState;

typedef struct Supervisor {
	const Handoff *handoff; /* in block */
	int signal_fd;
	int attach_fd;       /* listening; -1 */
	int stdin_fd;        /* for the input of attached clients; -1: none, or ended */
	AttachState *attach; /* NULL: nobody is attached */
	bool front_gone;     /* the front process has left or gone, nothing is copied to it */
	int oom_score;       /* as it was before: for the next program */
	uint64_t core_limit; /* the same */
	int console_peer_fd; /* slave side, held so that the master never hangs up */
	bool ended;
	bool stop_asked;
	bool active; /* bytes were moved since the last tick */
	int wait_status;
	uint64_t begun_usec; /* times are CLOCK_MONOTONIC */
	uint64_t kill_usec, run_end_usec, tick_usec, drain_idle_usec, drain_end_usec;
	uint64_t notify_window_usec;
	unsigned notify_in_window;
	bool notify_stalled; /* systemd did not take the last message: do not wait again */
	Stream streams[2];
	LogFile log_file;
	LogJournal log_journal;
	Buffers *buffers;
	char *block; /* the hand-off block, zeros behind it; small_block when it fits there */
	size_t block_size;
	_Alignas(8) char small_block[SMALL_BLOCK_BYTES];
} Supervisor;

static inline uint64_t now_usec(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_USEC + (uint64_t)now.tv_nsec / 1000;
}

/* base + delay without wrapping round; a huge delay is never. */
static inline uint64_t usec_after(uint64_t base, uint64_t delay) {
	return delay > TIME_NEVER - base ? TIME_NEVER : base + delay;
}
