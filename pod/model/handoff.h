/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the launcher leaves to the supervisor: one flat block in a memfd (descriptor 3), no
 * pointers, no allocation needed to read it. This header is plain C with libc types only, because
 * the supervisor is static and knows nothing else of podctl (D3, D4).
 *
 * Life: the launcher (podctl, forked) execs podctl-supervisor in its own process, so the
 * container's first process stays its child. When the container has ended the supervisor execs
 * the cleanup command (cleanup_argv + "--exit-status=N"), or, if the restart policy says so, the
 * relaunch command (relaunch_argv) in the same process again. Both get "--exit-status=N" appended,
 * and "--oom" when the kernel killed something in the cgroup for memory; both start with SIGTERM,
 * SIGHUP and SIGINT blocked, so that a stop in between waits for the next supervisor and cleaning
 * up is not cut short. run_dir/stop-requested (a file) means that a stop was asked for: no restart.
 * run_dir/restart-backoff is the supervisor's own memory of how often it restarted in a row.
 *
 * run_dir/attach is a SOCK_SEQPACKET socket, one message a packet, for `podctl attach`: see
 * AttachKind.
 */
#pragma once

#include <stdint.h>

#define HANDOFF_MAGIC   0x70637470u /* "pctp" */
#define HANDOFF_VERSION 2
#define HANDOFF_FD      3
#define HANDOFF_NO_FD   (-1)

/* Where journald listens: whether it is there decides on the log driver (D17). */
#define HANDOFF_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Name of the file in run_dir whose presence forbids a restart. */
#define HANDOFF_STOP_FILE "stop-requested"
/* The file in run_dir with a later restart policy than the block's: "POLICY LIMIT\n", numbers. */
#define HANDOFF_RESTART_FILE "restart-policy"
/* The whole block, the texts included. */
#define HANDOFF_MAX_BYTES (64u * 1024)

/* What the supervisor tells the front process of a foreground run through front_fd when the
 * container has ended: that one has everything loaded and cleans up faster than a new program. It
 * answers with one byte when it has. A front that is gone or slow is not waited for: the cleanup
 * command does it and sends an int32_t, the exit status, instead. */
typedef struct HandoffEnd {
	int32_t exit_status;
	uint32_t oom_killed;
} HandoffEnd;

/* The only other thing that front_fd carries to the front process: one byte with a descriptor, the
 * terminal of the next run after a restart. The front leaves a container running by shutting its
 * end down (SHUT_WR); the supervisor answers with the same, and from then on copies nothing to it.
 */
#define HANDOFF_NEW_CONSOLE 'c'

/* Name of the attach socket in run_dir, and what fits into one message from a client. */
#define ATTACH_SOCKET    "attach"
#define ATTACH_VERSION   1
#define ATTACH_INPUT_MAX 2048u
/* Output comes in messages of at most so many bytes, the kind included. */
#define ATTACH_OUTPUT_MAX (16u * 1024 + 1)

/* First byte of each message. */
enum AttachKind {
	/* to the supervisor */
	ATTACH_HELLO = 'H',     /* AttachHello; the first message, once */
	ATTACH_INPUT = 'I',     /* bytes for the container's standard input */
	ATTACH_INPUT_END = 'Z', /* alone: no more input, from anybody */
	ATTACH_RESIZE = 'R',    /* AttachResize */
	/* to the client */
	ATTACH_WELCOME = 'W', /* AttachHello; from here on output comes */
	ATTACH_OUTPUT = 'O',  /* bytes of standard output, or of the terminal */
	ATTACH_ERROR = 'E',   /* bytes of standard error */
	ATTACH_LOST = 'L',    /* AttachLost: the client was too slow for these */
	ATTACH_BUSY = 'B',    /* alone: too many clients */
	ATTACH_END = 'X',     /* AttachEnd: the container has ended */
};

enum {
	ATTACH_WANT_OUTPUT = 1 << 0,
	ATTACH_WANT_ERROR = 1 << 1,
	ATTACH_HAS_INPUT = 1 << 2, /* in the welcome: the container reads what is sent */
	ATTACH_HAS_CONSOLE = 1 << 3,
};

typedef struct AttachHello {
	uint8_t kind;
	uint8_t version;
	uint16_t flags;
} AttachHello;

/* Each at most 65535, as struct winsize has it. */
typedef struct AttachResize {
	uint8_t kind;
	uint8_t zero[3];
	uint32_t rows;
	uint32_t columns;
} AttachResize;

typedef struct AttachLost {
	uint8_t kind;
	uint8_t zero[7];
	uint64_t bytes;
} AttachLost;

typedef struct AttachEnd {
	uint8_t kind;
	uint8_t restarts;
	uint16_t zero;
	int32_t exit_status;
} AttachEnd;

enum HandoffLog {
	HANDOFF_LOG_NONE,
	HANDOFF_LOG_K8S_FILE,
	HANDOFF_LOG_JOURNALD,
};

enum HandoffNotify {
	HANDOFF_NOTIFY_IGNORE,    /* say nothing to systemd */
	HANDOFF_NOTIFY_CONMON,    /* MAINPID and READY=1 at once */
	HANDOFF_NOTIFY_CONTAINER, /* MAINPID; READY=1 and STATUS when the container says so */
};

enum HandoffRestart {
	HANDOFF_RESTART_NO,
	HANDOFF_RESTART_ON_FAILURE,
	HANDOFF_RESTART_ALWAYS,
};

/* A run of bytes in the block, NUL-terminated (size may count the NUL or not); lists are
 * NUL-separated and end with an empty string. offset 0: absent. */
typedef struct HandoffText {
	uint32_t offset;
	uint32_t size;
} HandoffText;

typedef struct Handoff {
	uint32_t magic;
	uint32_t version;
	uint32_t size;          /* of the whole block */
	uint32_t log;           /* enum HandoffLog */
	uint32_t notify;        /* enum HandoffNotify */
	uint32_t restart;       /* enum HandoffRestart */
	uint32_t restart_limit; /* 0: none */
	uint32_t restart_count; /* so far */
	int32_t init_pid;
	uint32_t stop_signal;
	uint64_t stop_timeout_usec;
	uint64_t run_timeout_usec; /* 0: none; the container is killed after it */
	uint64_t started_usec;     /* realtime */
	uint64_t log_max_bytes;    /* 0: no rotation */

	/* descriptors, open in the supervisor under these numbers; HANDOFF_NO_FD: none */
	int32_t init_pidfd;
	int32_t stdout_fd;       /* read end */
	int32_t stderr_fd;       /* read end */
	int32_t console_fd;      /* pty master, instead of the two above */
	int32_t front_stdout_fd; /* where a foreground run wants a copy */
	int32_t front_stderr_fd;
	int32_t front_fd;   /* kept open across exec for the cleanup command */
	int32_t notify_fd;  /* datagram socket bound for the container (NOTIFY_CONTAINER) */
	int32_t ready_fd;   /* closed once systemd has been told; the front process waits for it */
	int32_t log_dir_fd; /* directory of the log file */
	int32_t stdin_fd;   /* write end of the standard input, for attached clients */
	uint32_t subreaper; /* not 0: adopt orphans (no pid namespace of the container's own) */

	HandoffText notify_socket;  /* NOTIFY_SOCKET of systemd; absent: do not notify */
	HandoffText log_name;       /* file name in log_dir_fd */
	HandoffText journal_fields; /* ready journal datagram prefix: "KEY=value\n" lines */
	HandoffText run_dir;        /* absolute */
	HandoffText cleanup_argv;   /* list */
	HandoffText relaunch_argv;  /* list */
	HandoffText cgroup; /* absolute directory of the container's cgroup, for cgroup.kill */
	HandoffText journal_socket; /* absent: journald's own */
} Handoff;
