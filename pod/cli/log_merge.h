/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The logs of one or more containers as one stream, in order of time. */
#pragma once

#include "engine/engine.h"

typedef struct LogRequest {
	char *const *containers; /* names or ids */
	bool follow;
	bool timestamps;
	bool names;                      /* prefix lines with the name instead of the id */
	bool color;                      /* of the prefix */
	int tail;                        /* last lines of each container; -1: all */
	uint64_t since_usec, until_usec; /* 0: no bound */
} LogRequest;

/* Prints to stdout and stderr, as the containers did. With follow it returns when none of them
 * runs any more. */
bool log_merge_print(Engine *engine, const LogRequest *request, GError **err);
