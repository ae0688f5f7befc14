/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network of a pod, or of a container outside a pod: from the options to the connection. Both
 * kinds of owner go the same way. See resolve.h. */
#include "engine/resolve.h"
#include "network/network.h"

#include <string.h>

void network_plan_clear(NetworkPlan *plan) {
	network_request_free(plan->request);
	for (size_t i = 0; i < plan->n_ports; i++)
		port_mapping_clear(&plan->ports[i]);
	g_free(plan->ports);
	*plan = (NetworkPlan){0};
}

static bool parse_ports(char *const *publish, NetworkPlan *plan, GError **err) {
	size_t count = publish ? g_strv_length((char **)(uintptr_t)publish) : 0;

	plan->ports = g_new0(PortMapping, count + 1);
	for (size_t i = 0; i < count; i++) {
		if (!spec_parse_port(publish[i], &plan->ports[i], err))
			return false;
		plan->n_ports++;
	}
	return true;
}

/* What can be parsed but not done yet is refused when the object is made, not when it starts. */
static bool check_request(const NetworkRequest *request, bool addressed, GError **err) {
	if (request->mode != NETWORK_BRIDGE)
		return !addressed ||
		       fail(err, ERROR_INVALID, "--ip and --mac-address need a bridge network");
	if (request->aliases)
		return fail(err, ERROR_UNSUPPORTED, "network alias \"%s\" is not supported yet",
			request->aliases[0]);
	if (!request->name)
		return true;
	g_autoptr(NetworkDef) network = network_default(err);
	if (!network)
		return false;
	if (strcmp(request->name, network->name) != 0)
		return fail(err, ERROR_NOT_FOUND,
			"unable to find network \"%s\": only the default network \"%s\" is "
			"supported yet",
			request->name, network->name);
	return true;
}

bool resolve_network(char *const *networks, char *const *publish, const char *ip, const char *mac,
	NetworkPlan *ret_plan, GError **err) {
	NetworkPlan plan = {0};
	const char *wanted = networks && networks[0] ? networks[0] : "bridge";

	if (networks && networks[0] && networks[1])
		return fail(err, ERROR_UNSUPPORTED,
			"cannot use network \"%s\" too: more than one network is not supported yet",
			networks[1]);
	plan.request = spec_parse_network(wanted, err);
	if (!plan.request || !parse_ports(publish, &plan, err)) {
		network_plan_clear(&plan);
		return false;
	}
	if (!check_request(plan.request, ip || mac, err)) {
		network_plan_clear(&plan);
		return false;
	}
	if (ip) {
		g_free(plan.request->ip);
		plan.request->ip = g_strdup(ip);
	}
	if (mac) {
		g_free(plan.request->mac);
		plan.request->mac = g_strdup(mac);
	}
	*ret_plan = plan;
	return true;
}

bool network_plan_connect(Engine *engine, StoreObject *owner, const char *owner_id, ProcId target,
	const NetworkPlan *plan, NetworkResult *ret_result, GError **err) {
	g_autoptr(NetworkDef) network = network_default(err);
	g_autofree char *dir = engine_run_dir(engine, "network");

	if (!network)
		return false;
	const NetworkAttach attach = {
		.state_dir = dir,
		.owner_id = owner_id,
		.network = network,
		.target = target,
		.interface = plan->request->interface_name,
		.ip = plan->request->ip,
		.mac = plan->request->mac,
		.ports = plan->ports,
		.n_ports = plan->n_ports,
	};
	return journal_network(owner, owner_id, err) && network_attach(&attach, ret_result, err);
}
