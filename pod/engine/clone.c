/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `container clone` and `pod clone`: new objects from the definitions of others. The copy takes
 * what was asked for, not what has become of it: its file system is the image's again. */
#include "engine/handle.h"
#include "model/spec_fields.h"

#include <string.h>

enum { NAME_TRIES = 1000 };

/* NAME-clone, or NAME-cloneN, the first that nobody has; podman's way. NULL with an error. */
static char *clone_name(Engine *engine, StoreKind kind, const char *name, GError **err) {
	for (unsigned i = 0; i < NAME_TRIES; i++) {
		g_autofree char *candidate = i == 0 ? g_strconcat(name, "-clone", NULL)
						    : g_strdup_printf("%s-clone%u", name, i);
		g_autofree char *id = store_find(engine->store, kind, candidate, NULL);

		if (!id)
			return g_steal_pointer(&candidate);
	}
	fail(err, ERROR_EXISTS, "cannot find a free name for a copy of \"%s\"", name);
	return NULL;
}

static ContainerSpec *copy_container_spec(const ContainerSpec *spec) {
	ContainerSpec *copy = container_spec_new();
	json_auto_t *json = fields_to_json(container_spec_fields, spec);

	fields_from_json(container_spec_fields, copy, json);
	/* files and names belong to one container */
	g_clear_pointer(&copy->name, g_free);
	g_clear_pointer(&copy->cidfile, g_free);
	g_clear_pointer(&copy->pidfile, g_free);
	g_clear_pointer(&copy->conmon_pidfile, g_free);
	copy->replace = false;
	return copy;
}

static PodSpec *copy_pod_spec(const PodSpec *spec) {
	PodSpec *copy = pod_spec_new();
	json_auto_t *json = fields_to_json(pod_spec_fields, spec);

	fields_from_json(pod_spec_fields, copy, json);
	g_clear_pointer(&copy->name, g_free);
	g_clear_pointer(&copy->infra_name, g_free);
	g_clear_pointer(&copy->infra_pidfile, g_free);
	g_clear_pointer(&copy->pod_id_file, g_free);
	copy->replace = false;
	return copy;
}

bool engine_container_clone(Engine *engine, const char *name, const ContainerSpec *changes,
	char **ret_id, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container)
		return false;
	const ContainerDefinition *definition = container->definition;
	g_autoptr(ContainerSpec) spec = copy_container_spec(definition->spec);
	/* the name of the image may be another image's by now */
	if (definition->image_id) {
		g_free(spec->image);
		spec->image = g_strdup(definition->image_id);
	}
	g_free(spec->pod);
	spec->pod = g_strdup(definition->pod_id);
	fields_merge(container_spec_fields, spec, changes);
	if (!spec->name)
		spec->name = clone_name(engine, STORE_CONTAINER, definition->name, err);
	return spec->name && engine_container_create(engine, spec, ret_id, err);
}

static bool clone_members(Engine *engine, const Pod *pod, const char *new_id, GError **err) {
	g_autoptr(GPtrArray) members = pod_members(engine, pod->definition->id, err);

	for (unsigned i = 0; members && i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		g_autoptr(ContainerSpec) changes = container_spec_new();
		g_autofree char *id = NULL;

		changes->pod = g_strdup(new_id);
		if (!engine_container_clone(engine, member->definition->id, changes, &id, err))
			return fail_prefix(
				err, "cannot copy member \"%s\"", member->definition->name);
	}
	return members != NULL;
}

bool engine_pod_clone(
	Engine *engine, const char *name, const PodSpec *changes, char **ret_id, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);
	g_autofree char *id = NULL;

	if (!pod)
		return false;
	g_autoptr(PodSpec) spec = copy_pod_spec(pod->definition->spec);
	fields_merge(pod_spec_fields, spec, changes);
	if (!spec->name)
		spec->name = clone_name(engine, STORE_POD, pod->definition->name, err);
	if (!spec->name || !engine_pod_create(engine, spec, &id, err))
		return false;
	if (!clone_members(engine, pod, id, err)) {
		engine_pod_remove(engine, id, true, SPEC_UNSET, NULL);
		return false;
	}
	*ret_id = g_steal_pointer(&id);
	return true;
}
