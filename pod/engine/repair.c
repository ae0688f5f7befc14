/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a killed podctl left: every object with a pending mark and a free lock is finished or
 * undone before the next change is made (D7). */
#include "base/log.h"
#include "engine/stop.h"
#include "engine/volume.h"

static bool recover_container(Engine *engine, StoreObject *object, GError **err) {
	g_autoptr(Container) container = container_open(engine, object->id, err);
	bool removed;

	if (!container)
		return false;
	/* it runs, or its supervisor is at work on its end: nothing is half-done */
	if (container_is_running(container) || container_is_supervised(container))
		return true;
	if (!container_is_pending(container))
		return undo_journal(engine, object, err);
	/* the handle in hand has the lock */
	StoreObject *own = container->object;
	container->object = object;
	bool good = finish_container(engine, container, SPEC_UNSET, false, &removed, err);
	container->object = own;
	return good;
}

static bool recover_pod(Engine *engine, StoreObject *object, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, object->id, err);

	return pod && (pod_is_running(pod) || undo_journal(engine, object, err));
}

static bool recover_object(StoreObject *object, bool half_made, void *data, GError **err) {
	Engine *engine = data;

	log_debug("recovering %s %s",
		object->kind == STORE_POD      ? "pod"
		: object->kind == STORE_VOLUME ? "volume"
					       : "container",
		object->id);
	if (half_made) {
		if (object->kind == STORE_CONTAINER)
			volumes_remove_of(engine, object->id);
		return undo_journal(engine, object, err) && store_remove(object, err);
	}
	if (object->kind == STORE_VOLUME)
		return true;
	return object->kind == STORE_POD ? recover_pod(engine, object, err)
					 : recover_container(engine, object, err);
}

bool engine_recover(Engine *engine, GError **err) {
	engine->recovers = true;
	return store_recover(engine->store, recover_object, engine, err);
}
