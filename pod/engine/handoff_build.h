/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the flat block for the supervisor (model/handoff.h). Private to the room. */
#pragma once

#include "engine/handle.h"
#include "model/handoff.h"
#include "model/spec_parse.h"

/* What only the launcher knows. Descriptors are -1 when absent. */
typedef struct HandoffFacts {
	Engine *engine;
	const Container *container;
	const Pod *pod; /* NULL outside a pod */
	const char *cgroup;
	int init_pidfd, stdout_fd, stderr_fd, console_fd;
	int front_fd, front_stdout_fd, front_stderr_fd;
	int notify_fd, ready_fd, log_dir_fd, stdin_fd;
	bool restarted; /* systemd has been told already */
	bool host_pids; /* no pid namespace of its own: the supervisor adopts orphans */
} HandoffFacts;

/* Which log driver a container gets: the one asked for, or journald where its socket is, else
 * k8s-file (D17). ERROR_UNSUPPORTED for others. Free with g_free. */
char *handoff_log_driver(const ContainerSpec *spec, GError **err);

/* The policy in the supervisor's words (enum HandoffRestart). */
uint32_t handoff_restart(RestartPolicy policy);

/* What "--log-opt path=" names must be a file of ours, if it is there already: no link, FIFO or
 * device, which would take the log elsewhere or lose it. */
bool handoff_check_log_path(const ContainerSpec *spec, const char *driver, GError **err);

/* Value of one --log-opt, or NULL; all keys are checked by handoff_log_driver. */
const char *handoff_log_option(const ContainerSpec *spec, const char *key);

/* The block; free with g_byte_array_unref. NULL on error. */
GByteArray *handoff_build(const HandoffFacts *facts, GError **err);
