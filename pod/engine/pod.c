/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pods: an infra process that owns the shared namespaces, and members that join it (D5). The pod's
 * lock is never held while a member's end is awaited: the member's cleanup may need it.
 */
#include "base/fd.h"
#include "base/module.h"
#include "base/options.h"
#include "base/parse.h"
#include "engine/place.h"
#include "engine/resolve.h"
#include "engine/stop.h"
#include "engine/user_maps.h"
#include "model/names.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

enum { INFRA_TERM_TIMEOUT_USEC = 1000000, INFRA_END_TIMEOUT_USEC = 5000000 };

/* --- making ---------------------------------------------------------------------------------- */

static bool replace_existing(Engine *engine, const char *name, GError **err) {
	g_autoptr(GError) error = NULL;

	if (engine_pod_remove(engine, name, true, SPEC_UNSET, &error) ||
		error_is(error, ERROR_NOT_FOUND))
		return true;
	g_propagate_error(err, g_steal_pointer(&error));
	return fail_prefix(err, "cannot replace pod \"%s\"", name);
}

static bool check_pod_request(Engine *engine, const PodSpec *spec, GError **err) {
	NetworkPlan plan = {0};

	if (!engine_require_root(err) || !engine_recover(engine, err) ||
		!pod_spec_validate(spec, err) ||
		!resolve_network(
			spec->networks, spec->publish, spec->ip, spec->mac_address, &plan, err))
		return false;
	NetworkMode mode = plan.request->mode;
	network_plan_clear(&plan);
	if (mode == NETWORK_CONTAINER)
		return fail(err, ERROR_UNSUPPORTED, "network \"%s\" is not supported for a pod yet",
			spec->networks[0]);
	if (mode == NETWORK_NAMESPACE)
		return fail(err, ERROR_UNSUPPORTED, "network \"%s\" is not supported for a pod",
			spec->networks[0]);
	/* what is shared may be the host's: a sysctl would change that */
	const PodDefinition draft = {.spec = (PodSpec *)(uintptr_t)spec};
	PodNamespaces namespaces;
	if (!resolve_pod_namespaces(&draft, &namespaces, err))
		return false;
	for (char **sysctl = spec->sysctls; sysctl && *sysctl; sysctl++)
		if (!runtime_sysctl_check(*sysctl, namespaces.made, err))
			return false;
	return resolve_early_pod(engine, spec, err);
}

static bool decide_maps(PodDefinition *definition, const StoreObject *object, GError **err) {
	const PodSpec *spec = definition->spec;
	const UserMapsRequest request = {.user_ns = spec->user_ns,
		.uid_maps = spec->uid_maps,
		.gid_maps = spec->gid_maps,
		.subuid_name = spec->subuid_name,
		.subgid_name = spec->subgid_name};

	return user_maps_decide(&request, object, &definition->uid_map, &definition->gid_map, err);
}

bool engine_pod_create(Engine *engine, PodSpec *spec, char **ret_id, GError **err) {
	g_autoptr(PodDefinition) definition = g_new0(PodDefinition, 1);
	g_autoptr(StoreObject) object = NULL;

	if (!check_pod_request(engine, spec, err) ||
		(spec->replace && spec->name && !replace_existing(engine, spec->name, err)))
		return false;
	if (!resolve_labels(&spec->labels, spec->label_files, err))
		return false;
	definition->id = id_generate();
	definition->infra_id = spec->infra ? id_generate() : NULL;
	definition->name = g_strdup(spec->name);
	definition->unit = g_strdup(engine->unit);
	definition->created_usec = proc_now_realtime();
	definition->create_command = g_strdupv(engine->create_command);
	definition->spec = spec; /* borrowed */
	object = store_create(engine->store, STORE_POD, definition->id, true, err);
	bool good = object && decide_maps(definition, object, err);
	json_auto_t *json = pod_definition_to_json(definition);
	good = good && publish_named(object, json, &definition->name, err) &&
	       (!spec->pod_id_file || fd_write_file(AT_FDCWD, spec->pod_id_file, definition->id,
					      strlen(definition->id), 0644, err));
	definition->spec = NULL;
	if (!good) {
		if (object)
			store_remove(object, NULL);
		return false;
	}
	store_unlock(object);
	*ret_id = g_steal_pointer(&definition->id);
	return true;
}

/* --- starting -------------------------------------------------------------------------------- */

static bool attach_pod_network(Engine *engine, Pod *pod, const NetworkPlan *plan, GError **err) {
	NetworkResult result = {0};

	if (!network_plan_connect(engine, pod->object, pod->definition->id, pod->state->infra, plan,
		    &result, err))
		return false;
	json_decref(pod->state->network);
	pod->state->network = network_result_to_json(&result);
	network_result_clear(&result);
	return true;
}

static bool create_infra(Pod *pod, int namespaces, const RuntimeConfig *limits,
	RuntimeChild *ret_child, GError **err) {
	const PodSpec *spec = pod->definition->spec;
	g_autofree char *pause = module_path("podctl-pause");
	g_auto(GStrv) sysctls = g_strdupv(spec->sysctls);
	g_autofree char *leaf =
		pod->state->cgroup ? g_build_filename(pod->state->cgroup, "infra", NULL) : NULL;
	RuntimeInfra infra = {
		.pause_path = pause,
		.namespaces = namespaces,
		.hostname = spec->hostname ? spec->hostname : pod->definition->name,
		.shm_size_bytes = DEFAULT_SHM_BYTES,
		.cgroup = leaf,
		.pod_cgroup = pod->state->cgroup,
		.limits = limits->limits,
		.n_limits = limits->n_limits,
		.title = pod->definition->name,
	};

	if (spec->shm_size && !parse_size(spec->shm_size, &infra.shm_size_bytes))
		return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--shm-size\"",
			spec->shm_size);
	if (namespaces & CLONE_NEWNET)
		options_append(&sysctls, DEFAULT_NET_SYSCTL);
	infra.sysctls = sysctls;
	bool good = resolve_maps(pod->definition->uid_map, pod->definition->gid_map, &infra.uid_map,
			    &infra.gid_map, err) &&
		    runtime_create_infra(&infra, ret_child, err);
	id_map_clear(&infra.uid_map);
	id_map_clear(&infra.gid_map);
	return good;
}

static bool write_infra_pidfile(const Pod *pod, GError **err) {
	const char *path = pod->definition->spec->infra_pidfile;
	g_autofree char *text = g_strdup_printf("%d\n", (int)pod->state->infra.pid);

	return !path || fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, err);
}

static bool make_infra(Engine *engine, Pod *pod, const NetworkPlan *plan, GError **err) {
	PodNamespaces namespaces;

	if (!resolve_pod_namespaces(pod->definition, &namespaces, err))
		return false;
	int shared = namespaces.made;
	RuntimeChild child = RUNTIME_CHILD_NONE;
	g_autoptr(RuntimeConfig) limits = runtime_config_new();
	if (!resolve_limit_spec(&pod->definition->spec->limits, false, limits, err) ||
		!place_pod(engine, pod, limits, err) ||
		!create_infra(pod, shared, limits, &child, err))
		return false;
	/* on record before it is let go: until then it dies with us, afterwards it can be found */
	pod->state->infra = child.process;
	pod->state->started_usec = proc_now_realtime();
	bool running = pod_save_state(pod, err) && runtime_start(&child, err);
	runtime_child_clear(&child);
	if (!running)
		return false;
	if (plan->request->mode == NETWORK_BRIDGE && (shared & CLONE_NEWNET) &&
		!attach_pod_network(engine, pod, plan, err))
		return false;
	return write_infra_pidfile(pod, err) && pod_save_state(pod, err);
}

static bool end_infra(Engine *engine, Pod *pod, GError **err) {
	if (pod_is_running(pod)) {
		/* asked first: for systemd, whose main process it is, that is a clean end */
		proc_signal(pod->state->infra, SIGTERM, NULL);
		if (!proc_wait_end(pod->state->infra, INFRA_TERM_TIMEOUT_USEC))
			proc_signal(pod->state->infra, SIGKILL, NULL);
		if (!proc_wait_end(pod->state->infra, INFRA_END_TIMEOUT_USEC))
			return fail(err, ERROR_TIMEOUT,
				"cannot stop pod \"%s\": process %d does not end",
				pod->definition->name, (int)pod->state->infra.pid);
	}
	if (!undo_journal(engine, pod->object, err))
		return false;
	pod->state->infra = (ProcId){0};
	json_decref(pod->state->network);
	pod->state->network = NULL;
	return pod_save_state(pod, err);
}

bool pod_start_infra(Engine *engine, Pod *pod, GError **err) {
	const PodSpec *spec = pod->definition->spec;
	NetworkPlan plan = {0};

	if (!undo_journal(engine, pod->object, err) ||
		!resolve_network(
			spec->networks, spec->publish, spec->ip, spec->mac_address, &plan, err))
		return false;
	bool good = make_infra(engine, pod, &plan, err);
	network_plan_clear(&plan);
	if (!good)
		end_infra(engine, pod, NULL);
	return good;
}

/* To its end, which has to be a good one. "once" is gone afterwards. */
static bool run_init_container(
	Engine *engine, const Pod *pod, const Container *member, GError **err) {
	const ContainerDefinition *definition = member->definition;
	int status = 0;

	if (!engine_container_start(engine, definition->id, NULL, err) ||
		!engine_container_wait(engine, definition->id, &status, err))
		return fail_prefix(err, "cannot run init container \"%s\" of pod \"%s\"",
			definition->name, pod->definition->name);
	if (status != 0)
		return fail(err, ERROR_FAILED,
			"init container \"%s\" of pod \"%s\" has ended with status %d",
			definition->name, pod->definition->name, status);
	return strcmp(definition->spec->init_ctr, "once") != 0 ||
	       engine_container_remove(engine, definition->id, false, true, SPEC_UNSET, err);
}

/* Only a pod that has no member at work yet: a start that finds them running adds nothing. */
static bool run_init_containers(
	Engine *engine, const Pod *pod, const GPtrArray *members, GError **err) {
	for (unsigned i = 0; i < members->len; i++)
		if (container_is_running(g_ptr_array_index(members, i)))
			return true;
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		if (member->definition->spec->init_ctr &&
			!run_init_container(engine, pod, member, err))
			return false;
	}
	return true;
}

bool engine_pod_start(Engine *engine, const char *name, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);

	if (!pod || !engine_require_root(err) || !pod_lock(pod, err))
		return false;
	bool good = !pod->definition->spec->infra || pod_is_running(pod) ||
		    pod_start_infra(engine, pod, err);
	store_unlock(pod->object);
	if (!good)
		return false;
	g_autoptr(GPtrArray) members = pod_members(engine, pod->definition->id, err);
	if (!members || !run_init_containers(engine, pod, members, err))
		return false;
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		if (member->definition->spec->init_ctr)
			continue;
		if (!engine_container_start(engine, member->definition->id, NULL, err))
			return fail_prefix(err, "cannot start member \"%s\" of pod \"%s\"",
				member->definition->name, pod->definition->name);
	}
	return true;
}

/* --- stopping -------------------------------------------------------------------------------- */

/* All are asked first, then all are awaited: the pod's stop takes as long as its slowest member. */
static bool stop_members(Engine *engine, const Pod *pod, int timeout_sec, GError **err) {
	g_autoptr(GPtrArray) members = pod_members(engine, pod->definition->id, err);
	g_autoptr(GError) first = NULL;

	if (!members)
		return false;
	g_autofree uint64_t *deadlines = g_new(uint64_t, members->len + 1);
	for (unsigned i = 0; i < members->len; i++) {
		Container *member = g_ptr_array_index(members, i);
		deadlines[i] = stop_deadline(member, timeout_sec);
		stop_begin(member, first ? NULL : &first);
	}
	for (unsigned i = 0; i < members->len; i++) {
		Container *member = g_ptr_array_index(members, i);
		if (container_is_running(member) || container_is_supervised(member))
			stop_finish(engine, member, deadlines[i], first ? NULL : &first);
	}
	/* removed at its end, or by somebody else: stopped all the same */
	if (!first || error_is(first, ERROR_NOT_FOUND))
		return true;
	g_propagate_error(err, g_steal_pointer(&first));
	return false;
}

static bool stop_infra(Engine *engine, Pod *pod, GError **err) {
	if (!pod_lock(pod, err))
		return false;
	bool good = end_infra(engine, pod, err);
	store_unlock(pod->object);
	return good;
}

bool engine_pod_stop(Engine *engine, const char *name, int timeout_sec, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);

	return pod && stop_members(engine, pod, timeout_sec, err) && stop_infra(engine, pod, err);
}

bool engine_pod_restart(Engine *engine, const char *name, GError **err) {
	return engine_pod_stop(engine, name, SPEC_UNSET, err) &&
	       engine_pod_start(engine, name, err);
}

bool engine_pod_kill(Engine *engine, const char *name, int signal_number, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);
	g_autoptr(GPtrArray) members = pod ? pod_members(engine, pod->definition->id, err) : NULL;

	if (!members)
		return false;
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		if (container_is_running(member) &&
			!engine_container_kill(engine, member->definition->id, signal_number, err))
			return false;
	}
	return true;
}

/* *ret_name: who it is; may be NULL, else the caller frees it. */
static bool has_running_member(Engine *engine, const char *pod_id, char **ret_name) {
	g_autoptr(GPtrArray) members = pod_members(engine, pod_id, NULL);

	for (unsigned i = 0; members && i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		if (container_is_running(member)) {
			if (ret_name)
				*ret_name = g_strdup(member->definition->name);
			return true;
		}
	}
	return false;
}

bool pod_apply_exit_policy(Engine *engine, const char *pod_id, GError **err) {
	g_autoptr(GError) gone = NULL;
	g_autoptr(Pod) pod = pod_open(engine, pod_id, &gone);

	/* a pod that is gone has no policy any more */
	if (!pod || g_strcmp0(pod->definition->spec->exit_policy, "stop") != 0 ||
		!pod_is_running(pod) || has_running_member(engine, pod_id, NULL))
		return true;
	return stop_infra(engine, pod, err);
}

/* --- removing -------------------------------------------------------------------------------- */

static bool remove_members(Engine *engine, const Pod *pod, int timeout_sec, GError **err) {
	g_autoptr(GPtrArray) members = pod_members(engine, pod->definition->id, err);

	if (!members)
		return false;
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		g_autoptr(GError) error = NULL;
		if (!engine_container_remove(
			    engine, member->definition->id, true, true, timeout_sec, &error) &&
			!error_is(error, ERROR_NOT_FOUND)) {
			g_propagate_error(err, g_steal_pointer(&error));
			return false;
		}
	}
	return true;
}

bool engine_pod_remove(
	Engine *engine, const char *name, bool force, int timeout_sec, GError **err) {
	g_autoptr(GError) error = NULL;
	g_autoptr(Pod) pod = pod_open(engine, name, &error);
	g_autofree char *running = NULL;

	if (force && error_is(error, ERROR_CORRUPT))
		return remove_damaged(engine, STORE_POD, name, err);
	if (!pod) {
		g_propagate_error(err, g_steal_pointer(&error));
		return false;
	}
	if (!force && has_running_member(engine, pod->definition->id, &running))
		return fail(err, ERROR_IN_USE,
			"cannot remove pod \"%s\": member \"%s\" is running; stop it first or use "
			"--force",
			pod->definition->name, running);
	if (!stop_members(engine, pod, timeout_sec, err) ||
		!remove_members(engine, pod, timeout_sec, err) || !pod_lock(pod, err))
		return false;
	bool good = end_infra(engine, pod, err) && store_remove(pod->object, err);
	store_unlock(pod->object);
	/* those that came meanwhile; later ones find no pod any more */
	return good && remove_members(engine, pod, timeout_sec, err);
}

char **engine_pod_ids(Engine *engine, GError **err) {
	return store_list(engine->store, STORE_POD, err);
}

char *engine_pod_find(Engine *engine, const char *name, GError **err) {
	return store_find(engine->store, STORE_POD, name, err);
}

char **engine_pod_members(Engine *engine, const char *name, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);
	g_autoptr(GPtrArray) members = pod ? pod_members(engine, pod->definition->id, err) : NULL;
	char **ids = NULL;

	if (!members)
		return NULL;
	ids = g_new0(char *, members->len + 1);
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		ids[i] = g_strdup(member->definition->id);
	}
	return ids;
}
