/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freezing containers. The record is written before the cgroup is frozen and after it is thawed, so
 * that a container that stands still is always one that `unpause` accepts.
 */
#include "engine/resolve.h"

enum { FREEZE_TIMEOUT_USEC = 5000000 };

static bool require_cgroup(const Container *container, GError **err) {
	return container->state->cgroup ||
	       fail(err, ERROR_UNSUPPORTED,
		       "cannot pause container \"%s\": it has no cgroup to freeze",
		       container->definition->name);
}

static bool save_status(Container *container, ContainerStatus status, GError **err) {
	container->state->status = status;
	return container_save_state(container, err);
}

static bool pause_locked(Container *container, GError **err) {
	const ContainerState *state = container->state;

	if (container_is_paused(container))
		return fail(err, ERROR_STATE, "container \"%s\" is already paused",
			container->definition->name);
	if (state->status == CONTAINER_STOPPING)
		return fail(err, ERROR_STATE, "cannot pause container \"%s\": it is stopping",
			container->definition->name);
	if (!container_require_running(container, "pause", err) ||
		!require_cgroup(container, err) || !save_status(container, CONTAINER_PAUSED, err))
		return false;
	if (runtime_cgroup_freeze(state->cgroup, true, FREEZE_TIMEOUT_USEC, err))
		return true;
	/* half frozen is worse than running */
	runtime_cgroup_freeze(state->cgroup, false, FREEZE_TIMEOUT_USEC, NULL);
	save_status(container, CONTAINER_RUNNING, NULL);
	return fail_prefix(err, "cannot pause container \"%s\"", container->definition->name);
}

static bool unpause_locked(Container *container, GError **err) {
	if (!container_is_paused(container))
		return fail(err, ERROR_STATE, "cannot unpause container \"%s\": it is not paused",
			container->definition->name);
	if (!runtime_cgroup_freeze(container->state->cgroup, false, FREEZE_TIMEOUT_USEC, err))
		return fail_prefix(
			err, "cannot unpause container \"%s\"", container->definition->name);
	return save_status(container, CONTAINER_RUNNING, err);
}

bool engine_container_pause(Engine *engine, const char *name, bool paused, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container || !engine_require_root(err) || !container_lock(container, err))
		return false;
	bool good = paused ? pause_locked(container, err) : unpause_locked(container, err);
	store_unlock(container->object);
	return good;
}

bool engine_pod_pause(Engine *engine, const char *name, bool paused, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);
	g_autoptr(GPtrArray) members = pod ? pod_members(engine, pod->definition->id, err) : NULL;
	g_autoptr(GError) first = NULL;

	if (!members)
		return false;
	/* all that can be are, whatever becomes of one of them */
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		if (!container_is_running(member) || container_is_paused(member) == paused)
			continue;
		engine_container_pause(
			engine, member->definition->id, paused, first ? NULL : &first);
	}
	if (!first)
		return true;
	g_propagate_error(err, g_steal_pointer(&first));
	return false;
}
