/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a container runs. A cgroup costs little as a plain directory, but a scope from systemd
 * takes as long as all the rest of a start: what runs in the foreground, in a pid namespace of its
 * own and without a limit, stays where its caller is.
 */
#include "engine/place.h"

#include <sched.h>
#include <string.h>

/* The option that a cgroup is needed for, in the user's words. */
static const char *needing_option(const RuntimeConfig *config) {
	for (size_t i = 0; i < config->n_limits; i++)
		if (!config->limits[i].optional)
			return config->limits[i].option;
	return config->n_device_rules ? "--device-cgroup-rule" : "--cap-add=MKNOD";
}

/* Something that the program could open besides the nodes in its own /dev. */
static bool shows_devices(const RuntimeConfig *config) {
	for (size_t i = 0; i < config->n_mounts; i++)
		if (!config->mounts[i]->nodev)
			return true;
	return config->n_device_rules > 0;
}

/* True if a container in the foreground has a reason for a cgroup. */
static bool has_use(const RuntimeConfig *config) {
	if (config->needs_cgroup || config->cgroup_writable ||
		(!config->privileged && shows_devices(config)))
		return true;
	for (size_t i = 0; i < config->n_limits; i++)
		if (config->limits[i].controller &&
			runtime_cgroup_has_controller(config->limits[i].controller))
			return true;
	return false;
}

static bool fail_without(const RuntimeConfig *config, const char *reason, GError **err) {
	return !config->needs_cgroup || fail(err, ERROR_UNSUPPORTED, "cannot apply \"%s\": %s",
						needing_option(config), reason);
}

bool place_container(Engine *engine, Container *container, const Pod *pod, bool foreground,
	RuntimeConfig *config, CgroupPlan *ret_plan, GError **err) {
	const ContainerSpec *spec = container->definition->spec;
	const char *mode = spec->cgroups ? spec->cgroups : "enabled";
	const CgroupRequest request = {
		.id = container->definition->id,
		.split = strcmp(mode, "split") == 0,
		.stay = strcmp(mode, "no-conmon") == 0 || engine->notify_socket || engine->unit,
		.pod_cgroup = pod ? pod->state->cgroup : NULL,
		.cgroup_parent = spec->cgroup_parent,
	};
	bool chosen = request.split || spec->cgroup_parent;

	*ret_plan = (CgroupPlan){.mode = CGROUP_NONE};
	g_clear_pointer(&container->state->cgroup, g_free);
	if (strcmp(mode, "disabled") == 0)
		return fail_without(config, "cgroups are disabled by \"--cgroups\"", err);
	if (foreground && !chosen && (config->new_namespaces & CLONE_NEWPID) && !has_use(config) &&
		!request.pod_cgroup)
		return true;
	if (!runtime_cgroup_plan(&request, ret_plan, err))
		return false;
	if (!ret_plan->payload)
		return fail_without(
			config, "there is no cgroup2 here that podctl may write to", err);
	config->cgroup = g_strdup(ret_plan->payload);
	container->state->cgroup = g_strdup(ret_plan->payload);
	return journal_cgroup(container->object, ret_plan->payload, err);
}

bool place_pod(Engine *engine, Pod *pod, const RuntimeConfig *limits, GError **err) {
	const PodSpec *spec = pod->definition->spec;
	bool in_unit = pod->definition->unit && engine->unit;
	const CgroupRequest request = {
		.id = pod->definition->id,
		.split = in_unit,
		.cgroup_parent = spec->cgroup_parent,
	};
	CgroupPlan plan = {0};

	g_clear_pointer(&pod->state->cgroup, g_free);
	/* A pod's first process stays in its unit's cgroup, where systemd looks for main processes:
	 * in a leaf of it if there are limits. */
	if (pod->definition->unit && !limits->needs_cgroup)
		return true;
	if (!runtime_cgroup_plan(&request, &plan, err))
		return false;
	pod->state->cgroup = g_strdup(plan.payload);
	runtime_cgroup_plan_clear(&plan);
	if (!pod->state->cgroup)
		return fail_without(
			limits, "there is no cgroup2 here that podctl may write to", err);
	return journal_cgroup(pod->object, pod->state->cgroup, err);
}
