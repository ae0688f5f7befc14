/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of a container or pod while it exists: the definition (written once) and the
 * run-time state (replaced on each change, gone at reboot). Both are JSON records in the store;
 * these structs are their only readers and writers.
 */
#pragma once

#include "base/json.h"
#include "base/proc.h"
#include "model/spec.h"

typedef enum ContainerStatus {
	CONTAINER_CREATED, /* never started since it was made */
	CONTAINER_RUNNING,
	CONTAINER_STOPPING, /* a stop was asked for */
	CONTAINER_EXITED,
	CONTAINER_PAUSED, /* frozen */
} ContainerStatus;

/* podman's words: created running stopping exited paused. */
const char *container_status_to_string(ContainerStatus status);
bool container_status_from_string(const char *text, ContainerStatus *ret_status);

typedef struct ContainerDefinition {
	char *id;
	char *name;
	char *image_id;   /* NULL with --rootfs */
	char *image_name; /* as stored, or the rootfs path */
	char *pod_id;     /* NULL outside a pod */
	char *unit;       /* PODMAN_SYSTEMD_UNIT of the caller, or NULL */
	char *uid_map;    /* of its own user namespace, as in /proc/PID/uid_map; NULL: none */
	char *gid_map;
	uint64_t created_usec;
	char **create_command;    /* argv of the call that made it */
	char **anonymous_volumes; /* NAME:DESTINATION; the name has ID_LENGTH digits */
	ContainerSpec *spec;
} ContainerDefinition;

typedef struct ContainerState {
	ContainerStatus status;
	ProcId init;       /* first process of the container */
	ProcId supervisor; /* its parent */
	uint64_t started_usec;
	uint64_t finished_usec;
	int exit_code;
	bool oom_killed;
	int restart_count;
	int stop_signal;     /* the image's or the user's, resolved at launch; 0: SIGTERM */
	bool stop_requested; /* a stop was asked for: no restart, success whatever the signal */
	char *cgroup;        /* absolute directory, or NULL */
	char *log_driver;
	char *log_path;  /* k8s-file */
	char *error;     /* why the last start failed */
	json_t *network; /* what network_attach returned, for inspect; NULL in a pod */
} ContainerState;

typedef struct PodDefinition {
	char *id;
	char *name;
	char *infra_id;
	char *unit;
	char *uid_map; /* as of a container */
	char *gid_map;
	uint64_t created_usec;
	char **create_command;
	PodSpec *spec;
} PodDefinition;

typedef struct PodState {
	ProcId infra; /* the pause process; pid 0: never started or stopped */
	uint64_t started_usec;
	char *cgroup;
	json_t *network;
} PodState;

void container_definition_free(ContainerDefinition *definition);
void container_state_free(ContainerState *state);
void pod_definition_free(PodDefinition *definition);
void pod_state_free(PodState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContainerDefinition, container_definition_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContainerState, container_state_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PodDefinition, pod_definition_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PodState, pod_state_free)

json_t *container_definition_to_json(const ContainerDefinition *definition);
json_t *container_state_to_json(const ContainerState *state);
json_t *pod_definition_to_json(const PodDefinition *definition);
json_t *pod_state_to_json(const PodState *state);

/* NULL with ERROR_CORRUPT when the id or the spec is missing, with ERROR_UNSUPPORTED when a newer
 * version wrote it. */
ContainerDefinition *container_definition_from_json(const json_t *json, GError **err);
PodDefinition *pod_definition_from_json(const json_t *json, GError **err);

/* Never fail: a missing record (json NULL) is a container that was never started. */
ContainerState *container_state_from_json(const json_t *json);
PodState *pod_state_from_json(const json_t *json);
