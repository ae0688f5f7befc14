/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Definitions of networks as files. See network_file.h. */
#include "network/network_file.h"

#include "base/json.h"
#include "network/subnet.h"

#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#define DEFAULT_NAME    "podctl"
#define DEFAULT_BRIDGE  "podctl0"
#define DEFAULT_SUBNET  "10.87.0.0/16"
#define DEFAULT_GATEWAY "10.87.0.1"

void network_def_free(NetworkDef *def) {
	if (!def)
		return;
	g_free(def->name);
	g_free(def->bridge);
	g_free(def->subnet);
	g_free(def->gateway);
	g_free(def);
}

static NetworkDef *def_new(
	const char *name, const char *bridge, const char *subnet, const char *gateway) {
	NetworkDef *def = g_new0(NetworkDef, 1);

	def->name = g_strdup(name);
	def->bridge = g_strdup(bridge);
	def->subnet = g_strdup(subnet);
	def->gateway = g_strdup(gateway);
	return def;
}

static NetworkDef *def_from_json(const json_t *json, GError **err) {
	const json_t *subnets = json_object_get(json, "subnets");
	const json_t *first = json_array_get(subnets, 0);
	const char *subnet = json_get_string(first, "subnet", DEFAULT_SUBNET);
	g_autofree char *gateway = g_strdup(json_get_string(first, "gateway", NULL));
	const char *driver = json_get_string(json, "driver", "bridge");

	if (strcmp(driver, "bridge") != 0) {
		fail(err, ERROR_UNSUPPORTED, "network driver \"%s\" is not offered", driver);
		return NULL;
	}
	if (json_array_size(subnets) > 1) {
		fail(err, ERROR_UNSUPPORTED, "more than one subnet is not offered");
		return NULL;
	}
	if (!gateway)
		gateway = subnet_first_address(subnet, err);
	if (!gateway)
		return NULL;
	g_autoptr(NetworkDef) def = def_new(json_get_string(json, "name", DEFAULT_NAME),
		json_get_string(json, "network_interface", DEFAULT_BRIDGE), subnet, gateway);
	return subnet_check_def(def, &(Subnet){0}, err) ? g_steal_pointer(&def) : NULL;
}

NetworkDef *network_file_read(int dir_fd, const char *path, GError **err) {
	json_auto_t *json = json_read_file(dir_fd, path, err);

	if (!json)
		return NULL;
	NetworkDef *def = def_from_json(json, err);
	if (!def)
		fail_prefix(err, "cannot use network \"%s\"", path);
	return def;
}

NetworkDef *network_default(GError **err) {
	g_autoptr(GError) missing = NULL;
	NetworkDef *def = network_file_read(
		AT_FDCWD, PODCTL_SYSCONFDIR "/podctl/networks/" DEFAULT_NAME ".json", &missing);

	if (def)
		return def;
	if (error_is(missing, ERROR_NOT_FOUND))
		return def_new(DEFAULT_NAME, DEFAULT_BRIDGE, DEFAULT_SUBNET, DEFAULT_GATEWAY);
	g_propagate_error(err, g_steal_pointer(&missing));
	return NULL;
}
