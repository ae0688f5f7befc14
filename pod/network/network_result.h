/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of published ports as JSON, for the result and for the owner's record. */
#pragma once

#include "network/network.h"

/* [{host_ip, container_port, host_port, range, protocol}], as podman's ps has them. */
json_t *network_ports_to_json(const PortMapping *ports, size_t n_ports);

/* Entries that make no sense are dropped. Free with network_ports_free. */
PortMapping *network_ports_from_json(const json_t *array, size_t *ret_n_ports);

PortMapping *network_ports_copy(const PortMapping *ports, size_t n_ports);
void network_ports_free(PortMapping *ports, size_t n_ports);
