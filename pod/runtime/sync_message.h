/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What travels from a first process to its launcher (sync.h). libc only: podctl-exec speaks it. */
#pragma once

enum SyncKind {
	SYNC_KIND_READY,
	SYNC_KIND_ERROR,       /* code is an ErrorCode, text the sentence */
	SYNC_KIND_EXEC_FAILED, /* code is the errno of the last execve */
};

/* Longer error texts are cut. */
#define SYNC_TEXT_MAX 2048

typedef struct SyncMessage {
	int kind;
	int code;
	char text[SYNC_TEXT_MAX];
} SyncMessage;
