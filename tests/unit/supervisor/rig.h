/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stage for the built podctl-supervisor: a launcher that forks a "container" (a shell script),
 * makes a hand-off block and becomes the supervisor, as the engine does. The cleanup and relaunch
 * commands are scripts that write down how they were called.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "model/handoff.h"

typedef struct Rig {
	Handoff handoff; /* change before rig_start; texts by rig_text */
	GByteArray *block;
	char *dir;
	char *journal_path, *notify_path;
	int journal_fd, notify_fd; /* what journald and systemd would read */
	int container_notify_fd;   /* the container's end of notify_fd of the block */
	uint64_t file_limit_bytes; /* RLIMIT_FSIZE of the supervisor; 0: none */
	size_t cut_bytes;          /* of the block's end */
	uint32_t flip_at[4];       /* where bytes of the block are changed, and how; 0: not */
	uint8_t flip_with[4];
	pid_t supervisor;
} Rig;

/* A directory, a fake systemd and journald, a block with k8s-file log and no policy. */
Rig *rig_new(void);
void rig_free(Rig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rig, rig_free)

/* Puts a text into the block (a list when its words are separated and ended by NULs). */
void rig_text(Rig *rig, HandoffText *text, const char *bytes, size_t size);

/* Starts launcher and container; returns when the launcher is forked. */
void rig_start(Rig *rig, const char *script);

/* Waits for the supervisor's process; returns its exit code, 128+signal when killed. */
int rig_wait(Rig *rig);

/* Content of a file in the directory, "" when it is not there; free with g_free. */
char *rig_read(const Rig *rig, const char *name);
bool rig_exists(const Rig *rig, const char *name);
/* Waits (at most 5 s) until the file contains text. */
void rig_await(const Rig *rig, const char *name, const char *text);

/* The next datagram, waiting at most timeout_ms; NULL when there is none. */
char *rig_datagram(int fd, int timeout_ms, size_t *ret_length);

/* A bound datagram socket. */
int rig_bind(const char *path);

/* Moves a descriptor above the small numbers; close-on-exec. */
int rig_high(int fd);
