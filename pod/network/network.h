/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The door of the network room: links, addresses, firewall rules. It knows owners (an id, a pid
 * whose namespace is to be connected), not containers. Everything it makes on the host is named
 * after the owner's id, so network_detach() finds it again with nothing but that id, whatever was
 * killed in between. The libraries behind it are loaded on the first call (D18).
 */
#pragma once

#include "base/json.h"
#include "base/proc.h"
#include "model/spec_parse.h"

#include <stdint.h>

/* A bridge network. */
typedef struct NetworkDef {
	char *name;   /* "podctl" */
	char *bridge; /* interface name: "podctl0" */
	char *subnet; /* "10.87.0.0/16" */
	char *gateway;
} NetworkDef;

/* The default network from conf, or built in. Free with network_def_free. */
NetworkDef *network_default(GError **err);
void network_def_free(NetworkDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkDef, network_def_free)

typedef struct NetworkAttach {
	const char *state_dir; /* run-time directory of this room, made when missing */
	const char *owner_id;  /* 64 hex digits */
	const NetworkDef *network;
	ProcId target;         /* whose network namespace is connected */
	const char *interface; /* inside; NULL: eth0 */
	const char *ip;        /* NULL: leased */
	const char *mac;       /* NULL: derived from the address */
	const PortMapping *ports;
	size_t n_ports;
} NetworkAttach;

typedef struct NetworkResult {
	char *network;
	char *interface;
	char *address; /* "10.87.0.5" */
	unsigned prefix;
	char *gateway;
	char *mac;
	PortMapping *ports; /* with host ports chosen */
	size_t n_ports;
} NetworkResult;
void network_result_clear(NetworkResult *result);

/* As podman's inspect shows it, and back. */
json_t *network_result_to_json(const NetworkResult *result);
bool network_result_from_json(const json_t *json, NetworkResult *ret_result);

/* Leases an address, makes the bridge when missing, the veth pair, addresses, routes, and one nft
 * transaction with NAT and published ports. A host port that is taken is ERROR_IN_USE and names
 * the port; on failure everything of this owner is undone. The address is kept for the owner until
 * network_detach: attaching again gives the same one. */
bool network_attach(const NetworkAttach *attach, NetworkResult *ret_result, GError **err);

/* Undoes all of it; idempotent, an owner never seen is fine. The bridge stays while others use it
 * and goes with the last. */
bool network_detach(const char *state_dir, const char *owner_id, GError **err);

/* The two halves of network_detach, for a caller that has something better to do in between. The
 * first undoes what is the owner's own and is quick; the second removes every bridge without users,
 * with the last one the firewall table, and waits some 50 ms for the kernel when there is one. An
 * owner that is attached in between finds the bridge standing. */
bool network_release(const char *state_dir, const char *owner_id, GError **err);
bool network_has_idle(const char *state_dir); /* there is something to sweep; costs one look */
bool network_sweep(const char *state_dir, GError **err);
