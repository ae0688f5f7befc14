/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The only translator between the two floors of description: ContainerSpec, image and pod become a
 * RuntimeConfig. This file has the order; its siblings the namespaces, the process, the sandbox and
 * the mounts.
 */
#include "engine/resolve.h"

#include "model/names.h"

#include <sched.h>
#include <string.h>

char *resolve_hostname(const Container *container, const Pod *pod) {
	const ContainerDefinition *definition = container->definition;
	const ContainerSpec *spec = definition->spec;
	const PodSpec *pod_spec = pod ? pod->definition->spec : NULL;
	int shared = 0;

	if (g_strcmp0(spec->uts_mode, "host") == 0)
		return g_strdup(g_get_host_name());
	if (pod_spec && pod_spec->infra &&
		(!spec->uts_mode || !*spec->uts_mode || strcmp(spec->uts_mode, "pod") == 0) &&
		spec_parse_share(pod_spec->share, &shared, NULL) && (shared & CLONE_NEWUTS)) {
		if (g_strcmp0(pod_spec->uts_mode, "host") == 0)
			return g_strdup(g_get_host_name());
		return g_strdup(pod_spec->hostname ? pod_spec->hostname : pod->definition->name);
	}
	return spec->hostname ? g_strdup(spec->hostname)
			      : g_strndup(definition->id, ID_SHORT_LENGTH);
}

const char *resolve_restart(const ContainerSpec *spec, const Pod *pod) {
	/* an init container runs once, to its end */
	const char *of_pod =
		pod && !spec->remove && !spec->init_ctr ? pod->definition->spec->restart : NULL;

	return spec->restart ? spec->restart : of_pod ? of_pod : "no";
}

int resolve_stop_timeout(const ContainerSpec *spec) {
	enum { DEFAULT_STOP_TIMEOUT_SEC = 10 };

	return spec->stop_timeout == SPEC_UNSET ? DEFAULT_STOP_TIMEOUT_SEC : spec->stop_timeout;
}

bool resolve_check(const ResolveInput *input, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	g_autoptr(RuntimeConfig) config = runtime_config_new();
	NetworkPlan plan = {0};
	bool good = resolve_network(
		spec->networks, spec->publish, spec->ip, spec->mac_address, &plan, err);

	NetworkMode network = good ? plan.request->mode : NETWORK_NONE;
	network_plan_clear(&plan);
	return good && resolve_early(input, network, err) && resolve_process(input, config, err) &&
	       resolve_sandbox(input, config, err) && resolve_user_mounts(input, config, err) &&
	       resolve_devices(input, config, err) && resolve_check_sysctls(spec, err);
}

RuntimeConfig *resolve_config(const ResolveInput *input, GError **err) {
	g_autoptr(RuntimeConfig) config = runtime_config_new();

	config->id = g_strdup(input->container->definition->id);
	if (!resolve_namespaces(input, config, err) || !resolve_process(input, config, err) ||
		!resolve_sandbox(input, config, err) || !resolve_mounts(input, config, err) ||
		!resolve_devices(input, config, err) || !resolve_accounts(input, config, err) ||
		!resolve_limits(input, config, err))
		return NULL;
	return g_steal_pointer(&config);
}
