/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Definitions and states as JSON and back. See state.h. */
#include "model/state.h"

#include "base/cleanup.h"
#include "model/spec_fields.h"

#include <string.h>

/* Of the definitions. A reader of an earlier one would lose what it does not know. */
enum { RECORD_VERSION = 1 };

static const char *const status_names[] = {
	[CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",
	[CONTAINER_STOPPING] = "stopping",
	[CONTAINER_EXITED] = "exited",
	[CONTAINER_PAUSED] = "paused",
};

#define DEFINITION(member, kind) \
	{ #member, kind, offsetof(ContainerDefinition, member) }
#define STATE(member, kind) \
	{ #member, kind, offsetof(ContainerState, member) }
#define POD_DEF(member, kind) \
	{ #member, kind, offsetof(PodDefinition, member) }
#define POD_STATE(member, kind) \
	{ #member, kind, offsetof(PodState, member) }

/* The specs, the processes and network are written by hand below. */
/* clang-format off */
static const FieldRow definition_fields[] = {
	DEFINITION(id, FIELD_STRING),
	DEFINITION(name, FIELD_STRING),
	DEFINITION(image_id, FIELD_STRING),
	DEFINITION(image_name, FIELD_STRING),
	DEFINITION(pod_id, FIELD_STRING),
	DEFINITION(unit, FIELD_STRING),
	DEFINITION(uid_map, FIELD_STRING),
	DEFINITION(gid_map, FIELD_STRING),
	DEFINITION(created_usec, FIELD_UINT64),
	DEFINITION(create_command, FIELD_LIST),
	DEFINITION(anonymous_volumes, FIELD_LIST),
	{NULL},
};

static const FieldRow state_fields[] = {
	STATE(started_usec, FIELD_UINT64),
	STATE(finished_usec, FIELD_UINT64),
	STATE(exit_code, FIELD_INT),
	STATE(oom_killed, FIELD_BOOL),
	STATE(stop_signal, FIELD_INT),
	STATE(restart_count, FIELD_INT),
	STATE(stop_requested, FIELD_BOOL),
	STATE(cgroup, FIELD_STRING),
	STATE(log_driver, FIELD_STRING),
	STATE(log_path, FIELD_STRING),
	STATE(error, FIELD_STRING),
	{NULL},
};

static const FieldRow pod_definition_fields[] = {
	POD_DEF(id, FIELD_STRING),
	POD_DEF(name, FIELD_STRING),
	POD_DEF(infra_id, FIELD_STRING),
	POD_DEF(unit, FIELD_STRING),
	POD_DEF(uid_map, FIELD_STRING),
	POD_DEF(gid_map, FIELD_STRING),
	POD_DEF(created_usec, FIELD_UINT64),
	POD_DEF(create_command, FIELD_LIST),
	{NULL},
};

static const FieldRow pod_state_fields[] = {
	POD_STATE(started_usec, FIELD_UINT64),
	POD_STATE(cgroup, FIELD_STRING),
	{NULL},
};
/* clang-format on */

const char *container_status_to_string(ContainerStatus status) {
	return status_names[status];
}

bool container_status_from_string(const char *text, ContainerStatus *ret_status) {
	for (size_t i = 0; i < ARRAY_LENGTH(status_names); i++) {
		if (strcmp(status_names[i], text) == 0) {
			*ret_status = (ContainerStatus)i;
			return true;
		}
	}
	return false;
}

static json_t *process_to_json(ProcId process) {
	json_t *json = json_object();

	json_put_int(json, "pid", process.pid);
	json_put_int(json, "start_time", (int64_t)process.start_time);
	return json;
}

static ProcId process_from_json(const json_t *json) {
	return (ProcId){
		.pid = (pid_t)json_get_int(json, "pid", 0),
		.start_time = (uint64_t)json_get_int(json, "start_time", 0),
	};
}

void container_definition_free(ContainerDefinition *definition) {
	if (!definition)
		return;
	fields_clear(definition_fields, definition);
	container_spec_free(definition->spec);
	g_free(definition);
}

void container_state_free(ContainerState *state) {
	if (!state)
		return;
	fields_clear(state_fields, state);
	json_decref(state->network);
	g_free(state);
}

void pod_definition_free(PodDefinition *definition) {
	if (!definition)
		return;
	fields_clear(pod_definition_fields, definition);
	pod_spec_free(definition->spec);
	g_free(definition);
}

void pod_state_free(PodState *state) {
	if (!state)
		return;
	fields_clear(pod_state_fields, state);
	json_decref(state->network);
	g_free(state);
}

json_t *container_definition_to_json(const ContainerDefinition *definition) {
	json_t *json = fields_to_json(definition_fields, definition);

	json_put_int(json, "version", RECORD_VERSION);
	json_object_set_new(json, "spec", fields_to_json(container_spec_fields, definition->spec));
	return json;
}

json_t *container_state_to_json(const ContainerState *state) {
	json_t *json = fields_to_json(state_fields, state);

	json_put_string(json, "status", container_status_to_string(state->status));
	json_object_set_new(json, "init", process_to_json(state->init));
	json_object_set_new(json, "supervisor", process_to_json(state->supervisor));
	if (state->network)
		json_object_set(json, "network", state->network);
	return json;
}

json_t *pod_definition_to_json(const PodDefinition *definition) {
	json_t *json = fields_to_json(pod_definition_fields, definition);

	json_put_int(json, "version", RECORD_VERSION);
	json_object_set_new(json, "spec", fields_to_json(pod_spec_fields, definition->spec));
	return json;
}

json_t *pod_state_to_json(const PodState *state) {
	json_t *json = fields_to_json(pod_state_fields, state);

	json_object_set_new(json, "infra", process_to_json(state->infra));
	if (state->network)
		json_object_set(json, "network", state->network);
	return json;
}

static const json_t *spec_of(const json_t *json, const char *what, GError **err) {
	const json_t *spec = json_object_get(json, "spec");

	if (!json_get_string(json, "id", NULL) || !json_is_object(spec)) {
		fail(err, ERROR_CORRUPT, "the definition of a %s has no id or no spec", what);
		return NULL;
	}
	if (json_get_int(json, "version", RECORD_VERSION) > RECORD_VERSION) {
		fail(err, ERROR_UNSUPPORTED,
			"the definition of %s %.12s was written by a newer version of podctl", what,
			json_get_string(json, "id", ""));
		return NULL;
	}
	return spec;
}

ContainerDefinition *container_definition_from_json(const json_t *json, GError **err) {
	const json_t *spec = spec_of(json, "container", err);

	if (!spec)
		return NULL;
	ContainerDefinition *definition = g_new0(ContainerDefinition, 1);
	fields_from_json(definition_fields, definition, json);
	definition->spec = container_spec_new();
	fields_from_json(container_spec_fields, definition->spec, spec);
	return definition;
}

PodDefinition *pod_definition_from_json(const json_t *json, GError **err) {
	const json_t *spec = spec_of(json, "pod", err);

	if (!spec)
		return NULL;
	PodDefinition *definition = g_new0(PodDefinition, 1);
	fields_from_json(pod_definition_fields, definition, json);
	definition->spec = pod_spec_new();
	fields_from_json(pod_spec_fields, definition->spec, spec);
	return definition;
}

static json_t *network_from_json(const json_t *json) {
	json_t *network = json_object_get(json, "network");

	return network && !json_is_null(network) ? json_incref(network) : NULL;
}

ContainerState *container_state_from_json(const json_t *json) {
	ContainerState *state = g_new0(ContainerState, 1);
	const char *status = json_get_string(json, "status", "");

	fields_from_json(state_fields, state, json);
	if (!container_status_from_string(status, &state->status))
		state->status = CONTAINER_CREATED;
	state->init = process_from_json(json_object_get(json, "init"));
	state->supervisor = process_from_json(json_object_get(json, "supervisor"));
	state->network = network_from_json(json);
	return state;
}

PodState *pod_state_from_json(const json_t *json) {
	PodState *state = g_new0(PodState, 1);

	fields_from_json(pod_state_fields, state, json);
	state->infra = process_from_json(json_object_get(json, "infra"));
	state->network = network_from_json(json);
	return state;
}
