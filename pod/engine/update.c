/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other limits for a container that exists: at once where it runs, and in its definition for the
 * next start. */
#include "engine/handoff_build.h"
#include "engine/resolve.h"

#include "base/fd.h"
#include "model/handoff.h"
#include "model/spec_fields.h"

#include <stdio.h>
#include <string.h>

/* Limits that exclude each other: what is new takes the place of what was. */
static void drop_replaced(LimitSpec *now, const LimitSpec *changes) {
	if (changes->cpus) {
		g_clear_pointer(&now->cpu_period, g_free);
		g_clear_pointer(&now->cpu_quota, g_free);
	}
	if (changes->cpu_period || changes->cpu_quota)
		g_clear_pointer(&now->cpus, g_free);
}

/* What is written to the cgroup: the changes, in the light of what there is already. */
static bool resolve_changes(
	const LimitSpec *changes, const LimitSpec *merged, RuntimeConfig *config, GError **err) {
	LimitSpec wanted = *changes;

	if (changes->memory || changes->memory_swap) {
		wanted.memory = merged->memory;
		wanted.memory_swap = merged->memory_swap;
	}
	if (changes->cpu_period || changes->cpu_quota) {
		wanted.cpu_period = merged->cpu_period;
		wanted.cpu_quota = merged->cpu_quota;
	}
	return resolve_limit_spec(&wanted, true, config, err);
}

static bool apply_limits(const Container *container, const RuntimeConfig *config, GError **err) {
	if (config->n_limits == 0 || !container_is_running(container))
		return true;
	if (!container->state->cgroup)
		return fail(err, ERROR_UNSUPPORTED,
			"cannot apply \"%s\": container \"%s\" has no cgroup",
			config->limits[0].option, container->definition->name);
	return runtime_cgroup_limit(
		container->state->cgroup, config->limits, config->n_limits, err);
}

/* The supervisor has the policy of the container's start; the file is what it asks instead. */
static bool tell_supervisor(const Container *container, const char *restart, GError **err) {
	RestartPolicy policy;
	unsigned retries;
	char text[32];

	if (!restart)
		return true;
	if (!spec_parse_restart(restart, &policy, &retries, err))
		return false;
	int size = snprintf(text, sizeof(text), "%d %u\n", (int)handoff_restart(policy), retries);
	return fd_replace_file(container->object->run_fd, HANDOFF_RESTART_FILE, text, (size_t)size,
		0600, FD_REPLACE_PLAIN, err);
}

static bool update_locked(Container *container, const ContainerSpec *changes, GError **err) {
	ContainerSpec *spec = container->definition->spec;
	g_autoptr(RuntimeConfig) config = runtime_config_new();

	drop_replaced(&spec->limits, &changes->limits);
	fields_merge(container_spec_fields, spec, changes);
	if (!container_spec_validate(spec, err) ||
		!resolve_changes(&changes->limits, &spec->limits, config, err) ||
		!apply_limits(container, config, err) ||
		!tell_supervisor(container, changes->restart, err))
		return false;
	json_auto_t *definition = container_definition_to_json(container->definition);
	return store_write(container->object, "definition", definition, err);
}

bool engine_container_update(
	Engine *engine, const char *name, const ContainerSpec *changes, GError **err) {
	g_autoptr(Container) container = NULL;

	/* what is wrong by itself needs no container to be so */
	if (!engine_require_root(err))
		return false;
	container = container_open(engine, name, err);
	if (!container || !container_lock(container, err))
		return false;
	bool good = update_locked(container, changes, err);
	store_unlock(container->object);
	return good;
}
