/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bridges, veth pairs, addresses and routes, by netlink (libnl-route-3). */
#pragma once

#include "network/subnet.h"

/* Makes the bridge with the gateway's address and turns forwarding on; what is there already is
 * left as it is, so that a half-made bridge is finished. A subnet that meets a route of the host is
 * ERROR_IN_USE and names the route. *ret_ifindex is the bridge's. */
bool link_make_bridge(
	const NetworkDef *def, const Subnet *subnet, unsigned *ret_ifindex, GError **err);

/* One end of a veth pair on the bridge, the other inside the target's namespace with address and
 * default route. Runs in the host's namespace and comes back to it. */
typedef struct LinkPair {
	const char *host_interface;
	unsigned bridge_ifindex;
	int netns_fd;
	const char *interface; /* inside */
	const char *mac;
	const char *address;
} LinkPair;

bool link_make_pair(const LinkPair *pair, const Subnet *subnet, GError **err);

/* Removes a link by name; one that is not there is fine. The kernel takes some ten milliseconds. */
bool link_remove(const char *name, GError **err);

/* Gets rid of the host's end of a veth pair whose other end's process has ended, without those ten
 * milliseconds: the kernel removes the pair together with the namespace. Where the namespace is not
 * seen going yet (the kernel lets go of sockets late), the link is taken off the bridge and down,
 * so that whatever still lives in there has no network any more. */
bool link_abandon(const char *name, GError **err);
