/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers: making, starting, removing. Ending them is stop.c's. */
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "engine/handoff_build.h"
#include "engine/launch.h"
#include "engine/stop.h"
#include "engine/user_maps.h"
#include "engine/volume.h"
#include "model/handoff.h"
#include "model/names.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { REMOVE_TRIES = 10 };

/* Image id and name for the definition; nothing to look up with --rootfs. What the image and the
 * options together cannot be is found here, before anything is made. */
static bool look_up_image(
	Engine *engine, ContainerDefinition *definition, ImageConfig **ret_image, GError **err) {
	const Container container = {.definition = definition};
	ResolveInput input = {.engine = engine, .container = &container};
	const ContainerSpec *spec = definition->spec;

	if (!spec->image || !*spec->image)
		return fail(err, ERROR_INVALID, "no image given");
	if (spec->rootfs) {
		definition->image_name = g_strdup(spec->image);
		return resolve_check(&input, err);
	}
	ImageStore *images = engine_images(engine, err);
	g_autoptr(ImageConfig) image = images ? image_lookup(images, spec->image, err) : NULL;
	if (!image)
		return false;
	definition->image_id = g_strdup(image->id);
	inherit_labels(&definition->spec->labels, image->labels);
	definition->image_name = g_strdup(image->name ? image->name : spec->image);
	input.image = image;
	for (char **entry = image->env; entry && *entry; entry++)
		if (!env_image_entry_ok(*entry))
			log_warning("image \"%s\" sets no variable with \"%s\", ignoring",
				spec->image, *entry);
	if (!resolve_check(&input, err))
		return false;
	*ret_image = g_steal_pointer(&image);
	return true;
}

/* --pod new:NAME makes the pod; ports and network are then the pod's. */
static bool make_new_pod(Engine *engine, ContainerSpec *spec, GError **err) {
	g_autoptr(PodSpec) pod = pod_spec_new();
	g_autofree char *id = NULL;

	pod->name = g_strdup(spec->pod + strlen("new:"));
	pod->publish = g_steal_pointer(&spec->publish);
	pod->networks = g_steal_pointer(&spec->networks);
	pod->add_hosts = g_steal_pointer(&spec->add_hosts);
	pod->hostname = g_steal_pointer(&spec->hostname);
	pod->dns = g_steal_pointer(&spec->dns);
	pod->dns_options = g_steal_pointer(&spec->dns_options);
	pod->dns_searches = g_steal_pointer(&spec->dns_searches);
	pod->no_hosts = spec->no_hosts;
	pod->hosts_file = g_steal_pointer(&spec->hosts_file);
	pod->no_hostname = spec->no_hostname;
	pod->ip = g_steal_pointer(&spec->ip);
	pod->mac_address = g_steal_pointer(&spec->mac_address);
	if (!engine_pod_create(engine, pod, &id, err))
		return false;
	g_free(spec->pod);
	spec->pod = g_steal_pointer(&id);
	return true;
}

static bool look_up_pod(
	Engine *engine, ContainerSpec *spec, ContainerDefinition *definition, GError **err) {
	if (!spec->pod)
		return true;
	if (g_str_has_prefix(spec->pod, "new:") && !make_new_pod(engine, spec, err))
		return false;
	definition->pod_id = store_find(engine->store, STORE_POD, spec->pod, err);
	return definition->pod_id != NULL;
}

/* --replace: who has the name goes first. */
static bool replace_existing(Engine *engine, const char *name, GError **err) {
	g_autoptr(GError) error = NULL;

	if (engine_container_remove(engine, name, true, false, SPEC_UNSET, &error) ||
		error_is(error, ERROR_NOT_FOUND))
		return true;
	g_propagate_error(err, g_steal_pointer(&error));
	return fail_prefix(err, "cannot replace container \"%s\"", name);
}

/* --requires: ids instead of names, of containers that are there. */
static bool look_up_requires(Engine *engine, ContainerSpec *spec, GError **err) {
	for (char **name = spec->requires; name && *name; name++) {
		char *id = store_find(engine->store, STORE_CONTAINER, *name, err);
		if (!id)
			return fail_prefix(err, "--requires");
		g_free(*name);
		*name = id;
	}
	return true;
}

/* podman's rule: it would run too late. */
static bool check_init_container(Engine *engine, const ContainerSpec *spec, GError **err) {
	if (!spec->init_ctr || g_str_has_prefix(spec->pod, "new:"))
		return true;
	g_autoptr(Pod) pod = pod_open(engine, spec->pod, err);
	if (!pod)
		return false;
	return !pod_is_running(pod) || fail(err, ERROR_STATE,
					       "cannot add an init container to pod \"%s\": it is "
					       "running",
					       pod->definition->name);
}

static bool check_request(Engine *engine, ContainerSpec *spec, GError **err) {
	if (!engine_require_root(err) || !engine_recover(engine, err))
		return false;
	if (spec->pull && strcmp(spec->pull, "missing") != 0 && strcmp(spec->pull, "never") != 0)
		return fail(err, ERROR_UNSUPPORTED,
			"\"--pull=%s\" is not supported yet: load images with \"podctl image "
			"load\"",
			spec->pull);
	if (!container_spec_validate(spec, err) || !check_init_container(engine, spec, err) ||
		!look_up_requires(engine, spec, err))
		return false;
	spec->remove = spec->remove || spec->remove_image;
	if (spec->cidfile && access(spec->cidfile, F_OK) == 0)
		return fail(err, ERROR_EXISTS, "the container ID file \"%s\" exists already",
			spec->cidfile);
	g_autofree char *driver = handoff_log_driver(spec, err);
	resolve_host_env(spec);
	return driver && handoff_check_log_path(spec, driver, err) &&
	       resolve_environment(&spec->env, spec->env_files, err) &&
	       resolve_labels(&spec->labels, spec->label_files, err);
}

static bool prepare_volumes(Engine *engine, ContainerDefinition *definition,
	const ImageConfig *image, const StoreObject *object, GError **err) {
	g_autoptr(Pod) pod =
		definition->pod_id ? pod_open_id(engine, definition->pod_id, err) : NULL;

	return (!definition->pod_id || pod) &&
	       volumes_prepare(engine, definition, pod ? pod->definition->spec : NULL, image,
		       object->persistent, err);
}

static bool decide_maps(ContainerDefinition *definition, const ImageConfig *image,
	const StoreObject *object, GError **err) {
	const ContainerSpec *spec = definition->spec;
	const UserMapsRequest request = {.user_ns = spec->user_ns,
		.uid_maps = spec->uid_maps,
		.gid_maps = spec->gid_maps,
		.subuid_name = spec->subuid_name,
		.subgid_name = spec->subgid_name,
		.layers = image ? image->layers : NULL};

	return user_maps_decide(&request, object, &definition->uid_map, &definition->gid_map, err);
}

/* Who removes a pod looks for members once more afterwards: one of the two sees the other. */
static bool pod_still_there(Engine *engine, const char *pod_id, GError **err) {
	g_autofree char *id = pod_id ? store_find(engine->store, STORE_POD, pod_id, err) : NULL;

	return !pod_id || id;
}

bool engine_container_create(Engine *engine, ContainerSpec *spec, char **ret_id, GError **err) {
	g_autoptr(ContainerDefinition) definition = g_new0(ContainerDefinition, 1);
	g_autoptr(StoreObject) object = NULL;
	g_autoptr(ImageConfig) image = NULL;

	if (!check_request(engine, spec, err))
		return false;
	bool new_pod = spec->pod && g_str_has_prefix(spec->pod, "new:");
	definition->spec = spec; /* borrowed until the end of this function */
	definition->id = id_generate();
	definition->name = g_strdup(spec->name);
	bool good = look_up_image(engine, definition, &image, err) &&
		    look_up_pod(engine, spec, definition, err) &&
		    resolve_freeze_namespaces(engine, spec, err) &&
		    (!spec->replace || !spec->name || replace_existing(engine, spec->name, err));
	if (good) {
		definition->unit = g_strdup(engine->unit);
		definition->created_usec = proc_now_realtime();
		definition->create_command = g_strdupv(engine->create_command);
		object = store_create(
			engine->store, STORE_CONTAINER, definition->id, !spec->remove, err);
		good = object && decide_maps(definition, image, object, err) &&
		       prepare_volumes(engine, definition, image, object, err);
		json_auto_t *json = container_definition_to_json(definition);
		good = good && fd_write_file(object->run_fd, EXIT_STATUS_FILE, "", 0, 0600, err) &&
		       publish_named(object, json, &definition->name, err) &&
		       pod_still_there(engine, definition->pod_id, err) &&
		       id_file_write(spec->cidfile, definition->id, err);
	}
	definition->spec = NULL;
	if (!good) {
		volumes_remove_anonymous(engine, definition);
		if (object)
			store_remove(object, NULL);
		if (new_pod && definition->pod_id)
			engine_pod_remove(engine, definition->pod_id, true, SPEC_UNSET, NULL);
		return false;
	}
	store_unlock(object);
	if (!engine->passing.container)
		engine->passing.container = g_strdup(definition->id);
	*ret_id = g_steal_pointer(&definition->id);
	return true;
}

/* The end of the previous run may still be worked on by its supervisor; a record that says running
 * without one is what a killed supervisor left. */
static bool settle_previous_run(Engine *engine, Container *container, GError **err) {
	if (container_is_running(container) || !container_is_supervised(container))
		return true;
	if (!stop_restarts(container, err))
		return false;
	return container_is_running(container) ||
	       stop_finish(engine, container, USEC_INFINITY, err);
}

static bool start_locked(
	Engine *engine, Container *container, EngineForeground *foreground, GError **err) {
	StoreObject *object = container->object;

	if (container_is_paused(container))
		return fail(err, ERROR_STATE, "cannot start container \"%s\": it is paused",
			container->definition->name);
	if (container_is_running(container)) {
		if (!foreground)
			return true;
		return fail(err, ERROR_STATE, "cannot start container \"%s\": it is running",
			container->definition->name);
	}
	return undo_journal(engine, object, err) &&
	       store_mark(object, HANDOFF_STOP_FILE, false, err) &&
	       store_mark(object, KILLED_MARK, false, err) &&
	       fd_write_file(object->run_fd, EXIT_STATUS_FILE, "", 0, 0600, err) &&
	       launch_container(engine, container, foreground, err);
}

/* They were there before this one was made, so there is no circle. */
static bool start_required(Engine *engine, const Container *container, GError **err) {
	char *const *id = container->definition->spec->requires;

	for (; id && *id; id++)
		if (!engine_container_start(engine, *id, NULL, err))
			return fail_prefix(err, "cannot start what container \"%s\" requires",
				container->definition->name);
	return true;
}

bool engine_container_start(
	Engine *engine, const char *name, EngineForeground *foreground, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container || !engine_require_root(err) || !start_required(engine, container, err))
		return false;
	if (!settle_previous_run(engine, container, err) || !container_lock(container, err))
		return false;
	container->state->restart_count = 0;
	bool good = start_locked(engine, container, foreground, err);
	store_unlock(container->object);
	return good;
}

bool engine_container_relaunch(Engine *engine, const char *name, int exit_status, bool oom_killed,
	const EngineFront *front, GError **err) {
	g_autoptr(GError) error = NULL;
	g_autoptr(Container) container = container_open(engine, name, err);
	int status;

	if (!container || !container_lock(container, err))
		return false;
	/* a stop that came while the supervisor became this process */
	bool stopping = store_is_marked(container->object, HANDOFF_STOP_FILE);
	if (!stopping && undo_journal(engine, container->object, &error)) {
		container->state->restart_count++;
		container->state->exit_code = exit_status;
		launch_in_place(engine, container, front, &error);
	}
	store_unlock(container->object);
	if (error)
		log_warning("cannot restart container \"%s\": %s", container->definition->name,
			error->message);
	return engine_container_cleanup(engine, container->definition->id, exit_status, oom_killed,
		front->fd, &status, err);
}

bool engine_container_restart(Engine *engine, const char *name, int timeout_sec, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container)
		return false;
	if (container_is_paused(container))
		return fail(err, ERROR_STATE, "cannot restart container \"%s\": it is paused",
			container->definition->name);
	return engine_container_stop(engine, name, timeout_sec, err) &&
	       engine_container_start(engine, name, NULL, err);
}

static bool remove_locked(Engine *engine, Container *container, bool volumes, GError **err) {
	if (container_is_running(container))
		return fail(err, ERROR_IN_USE,
			"cannot remove container \"%s\": it is %s; stop it first or use --force",
			container->definition->name,
			container_is_paused(container) ? "paused" : "running");
	if (!undo_journal(engine, container->object, err))
		return false;
	if (volumes || container->definition->spec->remove)
		volumes_remove_anonymous(engine, container->definition);
	if (!store_remove(container->object, err))
		return false;
	id_file_remove(container->definition);
	return true;
}

bool remove_damaged(Engine *engine, StoreKind kind, const char *name, GError **err) {
	g_autofree char *id = store_find(engine->store, kind, name, err);
	g_autoptr(StoreObject) object = id ? store_get(engine->store, kind, id, err) : NULL;

	if (!object || !store_lock(object, LOCK_TIMEOUT_USEC, err))
		return false;
	log_warning("the record of %s cannot be read, removing what is left of it", id);
	/* the journal knows the cgroup, and with it every process */
	bool good = undo_journal(engine, object, err) && store_remove(object, err);
	store_unlock(object);
	return good;
}

static bool remove_once(Engine *engine, Container *container, bool force, bool volumes,
	int timeout_sec, GError **err) {
	g_autoptr(GError) error = NULL;

	if (force && (!stop_begin(container, err) ||
			     !stop_finish(engine, container, stop_deadline(container, timeout_sec),
				     err)))
		return false;
	/* with --rm the end was the removal */
	if (container_lock(container, &error)) {
		bool good = remove_locked(engine, container, volumes, err);
		store_unlock(container->object);
		return good;
	}
	if (error_is(error, ERROR_NOT_FOUND))
		return true;
	g_propagate_error(err, g_steal_pointer(&error));
	return false;
}

bool engine_container_remove(
	Engine *engine, const char *name, bool force, bool volumes, int timeout_sec, GError **err) {
	g_autoptr(GError) error = NULL;
	g_autoptr(Container) container = container_open(engine, name, &error);

	if (force && error_is(error, ERROR_CORRUPT))
		return remove_damaged(engine, STORE_CONTAINER, name, err);
	if (!container) {
		g_propagate_error(err, g_steal_pointer(&error));
		return false;
	}
	/* somebody may start it again between its end and its removal */
	for (unsigned i = 0; i < REMOVE_TRIES; i++) {
		g_clear_error(&error);
		if (remove_once(engine, container, force, volumes, timeout_sec, &error))
			return true;
		if (!force || !error_is(error, ERROR_IN_USE))
			break;
	}
	g_propagate_error(err, g_steal_pointer(&error));
	return false;
}

char **engine_container_ids(Engine *engine, GError **err) {
	return store_list(engine->store, STORE_CONTAINER, err);
}

char *engine_container_find(Engine *engine, const char *name, GError **err) {
	return store_find(engine->store, STORE_CONTAINER, name, err);
}
