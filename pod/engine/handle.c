/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handles: a store object with its definition and state, read together. See handle.h. */
#include "engine/handle.h"

#include "base/log.h"
#include "model/names.h"

void container_free(Container *container) {
	if (!container)
		return;
	store_object_free(container->object);
	container_definition_free(container->definition);
	container_state_free(container->state);
	g_free(container);
}

/* Records of one object; the state may be missing, the definition may not. */
static bool read_container(Container *container, GError **err) {
	g_autoptr(GError) ignored = NULL;
	json_auto_t *definition = store_read(container->object, "definition", err);
	json_auto_t *state = NULL;

	if (!definition) {
		if (err && !*err)
			fail(err, ERROR_NOT_FOUND,
				"no container with ID %s found: it is being removed",
				container->object->id);
		return false;
	}
	container_definition_free(container->definition);
	container->definition = container_definition_from_json(definition, err);
	if (!container->definition)
		return false;
	state = store_read(container->object, "state", &ignored);
	if (!state && !ignored && container->object->persistent)
		state = store_read(container->object, "exit", &ignored);
	if (ignored)
		log_warning("%s, ignoring", ignored->message);
	container_state_free(container->state);
	container->state = container_state_from_json(state);
	return true;
}

bool publish_named(StoreObject *object, json_t *definition, char **name, GError **err) {
	enum { NAME_TRIES = 16 };
	bool generated = !*name;

	for (unsigned try = 0;; try++) {
		g_autoptr(GError) error = NULL;
		if (generated) {
			g_free(*name);
			*name = name_generate();
		}
		json_put_string(definition, "name", *name);
		if (store_publish(object, *name, definition, &error))
			return true;
		if (!generated || try >= NAME_TRIES || !error_is(error, ERROR_EXISTS)) {
			g_propagate_error(err, g_steal_pointer(&error));
			return false;
		}
	}
}

Container *container_open_id(Engine *engine, const char *id, GError **err) {
	g_autoptr(Container) container = g_new0(Container, 1);

	container->object = store_get(engine->store, STORE_CONTAINER, id, err);
	if (!container->object || !read_container(container, err))
		return NULL;
	return g_steal_pointer(&container);
}

Container *container_open(Engine *engine, const char *name_or_id, GError **err) {
	g_autofree char *id = store_find(engine->store, STORE_CONTAINER, name_or_id, err);

	return id ? container_open_id(engine, id, err) : NULL;
}

bool container_lock(Container *container, GError **err) {
	if (!store_lock(container->object, LOCK_TIMEOUT_USEC, err))
		return false;
	if (read_container(container, err))
		return true;
	store_unlock(container->object);
	return false;
}

bool container_save_state(Container *container, GError **err) {
	json_auto_t *state = container_state_to_json(container->state);

	return store_write(container->object, "state", state, err);
}

bool container_save_lost_end(const Container *container, GError **err) {
	if (!container->object->persistent)
		return true;
	json_auto_t *record = container_state_to_json(container->state);
	g_autoptr(ContainerState) state = container_state_from_json(record);
	state->status = CONTAINER_EXITED;
	state->exit_code = EXIT_UNKNOWN;
	state->finished_usec = state->started_usec;
	/* Numbers of a boot that will be over. */
	state->init = state->supervisor = (ProcId){0};
	json_decref(state->network);
	state->network = NULL;
	json_auto_t *ended = container_state_to_json(state);

	return store_write(container->object, "exit", ended, err);
}

bool container_is_running(const Container *container) {
	return container->state->init.pid != 0 && proc_is_alive(container->state->init);
}

bool container_is_supervised(const Container *container) {
	return container->state->supervisor.pid != 0 && proc_is_alive(container->state->supervisor);
}

bool container_is_pending(const Container *container) {
	ContainerStatus status = container->state->status;

	return status == CONTAINER_RUNNING || status == CONTAINER_STOPPING ||
	       status == CONTAINER_PAUSED;
}

bool container_is_paused(const Container *container) {
	return container->state->status == CONTAINER_PAUSED && container_is_running(container);
}

bool container_require_running(const Container *container, const char *action, GError **err) {
	const char *name = container->definition->name;

	if (!container_is_running(container))
		return fail(err, ERROR_STATE, "cannot %s container \"%s\": it is not running",
			action, name);
	if (container_is_paused(container))
		return fail(
			err, ERROR_STATE, "cannot %s container \"%s\": it is paused", action, name);
	return true;
}

ContainerStatus container_status_now(const Container *container) {
	return container_status_given(container, container_is_running(container));
}

ContainerStatus container_status_given(const Container *container, bool running) {
	ContainerStatus status = container->state->status;

	if (container_is_pending(container) && !running)
		/* until its supervisor has cleaned up, the exit code is not on record */
		return container_is_supervised(container) ? CONTAINER_STOPPING : CONTAINER_EXITED;
	return status;
}

void pod_free(Pod *pod) {
	if (!pod)
		return;
	store_object_free(pod->object);
	pod_definition_free(pod->definition);
	pod_state_free(pod->state);
	g_free(pod);
}

static bool read_pod(Pod *pod, GError **err) {
	g_autoptr(GError) ignored = NULL;
	json_auto_t *definition = store_read(pod->object, "definition", err);
	json_auto_t *state = NULL;

	if (!definition) {
		if (err && !*err)
			fail(err, ERROR_NOT_FOUND, "no pod with ID %s found: it is being removed",
				pod->object->id);
		return false;
	}
	pod_definition_free(pod->definition);
	pod->definition = pod_definition_from_json(definition, err);
	if (!pod->definition)
		return false;
	state = store_read(pod->object, "state", &ignored);
	if (ignored)
		log_warning("%s, ignoring", ignored->message);
	pod_state_free(pod->state);
	pod->state = pod_state_from_json(state);
	return true;
}

Pod *pod_open_id(Engine *engine, const char *id, GError **err) {
	g_autoptr(Pod) pod = g_new0(Pod, 1);

	pod->object = store_get(engine->store, STORE_POD, id, err);
	if (!pod->object || !read_pod(pod, err))
		return NULL;
	return g_steal_pointer(&pod);
}

Pod *pod_open(Engine *engine, const char *name_or_id, GError **err) {
	g_autofree char *id = store_find(engine->store, STORE_POD, name_or_id, err);

	return id ? pod_open_id(engine, id, err) : NULL;
}

bool pod_lock(Pod *pod, GError **err) {
	if (!store_lock(pod->object, LOCK_TIMEOUT_USEC, err))
		return false;
	if (read_pod(pod, err))
		return true;
	store_unlock(pod->object);
	return false;
}

bool pod_save_state(Pod *pod, GError **err) {
	json_auto_t *state = pod_state_to_json(pod->state);

	return store_write(pod->object, "state", state, err);
}

bool pod_is_running(const Pod *pod) {
	return pod->state->infra.pid != 0 && proc_is_alive(pod->state->infra);
}

static int compare_created(gconstpointer a, gconstpointer b) {
	uint64_t x = (*(Container *const *)a)->definition->created_usec;
	uint64_t y = (*(Container *const *)b)->definition->created_usec;

	return x < y ? -1 : x > y;
}

GPtrArray *pod_members(Engine *engine, const char *pod_id, GError **err) {
	g_autoptr(GPtrArray) members =
		g_ptr_array_new_with_free_func((GDestroyNotify)container_free);
	g_auto(GStrv) ids = store_list(engine->store, STORE_CONTAINER, err);

	if (!ids)
		return NULL;
	for (char **id = ids; *id; id++) {
		g_autoptr(GError) gone = NULL;
		g_autoptr(Container) container = container_open_id(engine, *id, &gone);
		/* removed between the listing and the look: not a member any more */
		if (container && g_strcmp0(container->definition->pod_id, pod_id) == 0)
			g_ptr_array_add(members, g_steal_pointer(&container));
	}
	g_ptr_array_sort(members, compare_created);
	return g_steal_pointer(&members);
}
