/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The result of an attach, and lists of ports, as JSON. See network.h, network_result.h. */
#include "network/network_result.h"

#include "base/cleanup.h"

#include <string.h>

static bool protocol_from_string(const char *text, PortProtocol *ret_protocol) {
	static const PortProtocol all[] = {PORT_TCP, PORT_UDP, PORT_SCTP};

	array_foreach (protocol, all) {
		if (strcmp(port_protocol_to_string(*protocol), text) == 0) {
			*ret_protocol = *protocol;
			return true;
		}
	}
	return false;
}

json_t *network_ports_to_json(const PortMapping *ports, size_t n_ports) {
	json_t *array = json_array();

	for (size_t i = 0; i < n_ports; i++) {
		json_t *entry = json_object();
		json_put_string(
			entry, "host_ip", ports[i].host_address ? ports[i].host_address : "");
		json_put_int(entry, "container_port", ports[i].container_port);
		json_put_int(entry, "host_port", ports[i].host_port);
		json_put_int(entry, "range", ports[i].count);
		json_put_string(entry, "protocol", port_protocol_to_string(ports[i].protocol));
		json_array_append_new(array, entry);
	}
	return array;
}

static bool port_from_json(const json_t *entry, PortMapping *ret_port) {
	int64_t host = json_get_int(entry, "host_port", 0);
	int64_t container = json_get_int(entry, "container_port", 0);
	int64_t count = json_get_int(entry, "range", 1);
	const char *address = json_get_string(entry, "host_ip", "");
	PortMapping port = {0};

	if (!protocol_from_string(json_get_string(entry, "protocol", "tcp"), &port.protocol) ||
		host < 0 || container < 1 || count < 1 || host + count > 65536 ||
		container + count > 65536)
		return false;
	port.host_port = (uint16_t)host;
	port.container_port = (uint16_t)container;
	port.count = (uint16_t)count;
	port.host_address = *address ? g_strdup(address) : NULL;
	*ret_port = port;
	return true;
}

PortMapping *network_ports_from_json(const json_t *array, size_t *ret_n_ports) {
	PortMapping *ports = g_new0(PortMapping, json_array_size(array) + 1);
	size_t n = 0, index;
	json_t *entry;

	json_array_foreach (array, index, entry)
		n += port_from_json(entry, &ports[n]);
	*ret_n_ports = n;
	return ports;
}

PortMapping *network_ports_copy(const PortMapping *ports, size_t n_ports) {
	PortMapping *copy = g_new0(PortMapping, n_ports + 1);

	for (size_t i = 0; i < n_ports; i++) {
		copy[i] = ports[i];
		copy[i].host_address = g_strdup(ports[i].host_address);
	}
	return copy;
}

void network_ports_free(PortMapping *ports, size_t n_ports) {
	for (size_t i = 0; i < n_ports; i++)
		g_free(ports[i].host_address);
	g_free(ports);
}

void network_result_clear(NetworkResult *result) {
	g_free(result->network);
	g_free(result->interface);
	g_free(result->address);
	g_free(result->gateway);
	g_free(result->mac);
	network_ports_free(result->ports, result->n_ports);
	*result = (NetworkResult){0};
}

/* podman's "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}, one entry a port. */
static json_t *inspect_ports(const PortMapping *ports, size_t n_ports) {
	json_t *object = json_object();

	for (size_t i = 0; i < n_ports; i++) {
		for (unsigned offset = 0; offset < ports[i].count; offset++) {
			g_autofree char *key =
				g_strdup_printf("%u/%s", ports[i].container_port + offset,
					port_protocol_to_string(ports[i].protocol));
			g_autofree char *host = g_strdup_printf("%u", ports[i].host_port + offset);
			json_t *list = json_object_get(object, key);
			if (!list) {
				list = json_array();
				json_object_set_new(object, key, list);
			}
			json_t *entry = json_object();
			json_put_string(entry, "HostIp",
				ports[i].host_address ? ports[i].host_address : "0.0.0.0");
			json_put_string(entry, "HostPort", host);
			json_array_append_new(list, entry);
		}
	}
	return object;
}

static void put_addresses(json_t *object, const NetworkResult *result) {
	json_put_string(object, "EndpointID", "");
	json_put_string(object, "Gateway", result->gateway);
	json_put_string(object, "IPAddress", result->address);
	json_put_int(object, "IPPrefixLen", result->prefix);
	json_put_string(object, "IPv6Gateway", "");
	json_put_string(object, "GlobalIPv6Address", "");
	json_put_int(object, "GlobalIPv6PrefixLen", 0);
	json_put_string(object, "MacAddress", result->mac);
}

json_t *network_result_to_json(const NetworkResult *result) {
	json_t *json = json_object();
	json_t *networks = json_object();
	json_t *network = json_object();

	put_addresses(json, result);
	put_addresses(network, result);
	json_put_string(network, "NetworkID", result->network);
	/* the two members podman does not have: what the words above leave out */
	json_put_string(network, "InterfaceName", result->interface);
	json_object_set_new(json, "Ports", inspect_ports(result->ports, result->n_ports));
	json_object_set_new(
		json, "PortMappings", network_ports_to_json(result->ports, result->n_ports));
	json_object_set_new(networks, result->network, network);
	json_object_set_new(json, "Networks", networks);
	return json;
}

bool network_result_from_json(const json_t *json, NetworkResult *ret_result) {
	void *first = json_object_iter(json_object_get(json, "Networks"));
	const json_t *network = first ? json_object_iter_value(first) : NULL;
	const char *address = json_get_string(network, "IPAddress", NULL);

	if (!address)
		return false;
	*ret_result = (NetworkResult){
		.network = g_strdup(json_object_iter_key(first)),
		.interface = g_strdup(json_get_string(network, "InterfaceName", "eth0")),
		.address = g_strdup(address),
		.prefix = (unsigned)json_get_int(network, "IPPrefixLen", 0),
		.gateway = g_strdup(json_get_string(network, "Gateway", "")),
		.mac = g_strdup(json_get_string(network, "MacAddress", "")),
	};
	ret_result->ports = network_ports_from_json(
		json_object_get(json, "PortMappings"), &ret_result->n_ports);
	return true;
}
