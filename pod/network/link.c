/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Links, addresses and routes. See link.h. */
#include "network/link.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "network/netns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/ioctl.h>

typedef struct nl_sock NlSock;
typedef struct nl_addr NlAddr;
typedef struct nl_msg NlMsg;
typedef struct rtnl_link NlLink;
typedef struct rtnl_addr NlAddress;
typedef struct rtnl_route NlRoute;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlSock, nl_socket_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlAddr, nl_addr_put)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlMsg, nlmsg_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlLink, rtnl_link_put)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlAddress, rtnl_addr_put)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NlRoute, rtnl_route_put)

static G_GNUC_PRINTF(3, 4) bool fail_nl(GError **err, int code, const char *format, ...) {
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	return fail(err, ERROR_FAILED, "%s: %s", text, nl_geterror(code));
}

/* A socket belongs to the namespace it was opened in. */
static NlSock *open_socket(GError **err) {
	g_autoptr(NlSock) sock = nl_socket_alloc();

	if (!sock) {
		fail(err, ERROR_FAILED, "cannot open a netlink socket");
		return NULL;
	}
	int code = nl_connect(sock, NETLINK_ROUTE);
	if (code < 0) {
		fail_nl(err, code, "cannot open a netlink socket");
		return NULL;
	}
	return g_steal_pointer(&sock);
}

static NlAddr *make_addr(uint32_t address, unsigned prefix) {
	uint32_t bytes = htonl(address);
	NlAddr *addr = nl_addr_build(AF_INET, &bytes, sizeof bytes);

	nl_addr_set_prefixlen(addr, (int)prefix);
	return addr;
}

static bool add_address(
	NlSock *sock, unsigned ifindex, uint32_t address, const Subnet *subnet, GError **err) {
	g_autoptr(NlAddress) entry = rtnl_addr_alloc();
	g_autoptr(NlAddr) local = make_addr(address, subnet->prefix);
	g_autoptr(NlAddr) broadcast = make_addr(subnet->base | ~subnet->mask, 32);

	rtnl_addr_set_ifindex(entry, (int)ifindex);
	rtnl_addr_set_local(entry, local);
	rtnl_addr_set_broadcast(entry, broadcast);
	int code = rtnl_addr_add(sock, entry, 0);
	if (code < 0 && code != -NLE_EXIST) {
		g_autofree char *text = subnet_format_address(address);
		return fail_nl(err, code, "cannot set address %s", text);
	}
	return true;
}

static bool set_up(NlSock *sock, unsigned ifindex, GError **err) {
	g_autoptr(NlLink) link = rtnl_link_alloc();
	g_autoptr(NlLink) change = rtnl_link_alloc();

	rtnl_link_set_ifindex(link, (int)ifindex);
	rtnl_link_set_flags(change, IFF_UP);
	int code = rtnl_link_change(sock, link, change, 0);
	return code < 0 ? fail_nl(err, code, "cannot bring interface %u up", ifindex) : true;
}

static bool add_default_route(NlSock *sock, unsigned ifindex, uint32_t gateway, GError **err) {
	g_autoptr(NlRoute) route = rtnl_route_alloc();
	g_autoptr(NlAddr) destination = make_addr(0, 0);
	g_autoptr(NlAddr) via = make_addr(gateway, 32);
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();

	rtnl_route_set_family(route, AF_INET);
	rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_protocol(route, RTPROT_STATIC);
	rtnl_route_set_dst(route, destination);
	rtnl_route_nh_set_ifindex(hop, (int)ifindex);
	rtnl_route_nh_set_gateway(hop, via);
	rtnl_route_add_nexthop(route, hop);
	int code = rtnl_route_add(sock, route, NLM_F_CREATE | NLM_F_EXCL);
	if (code < 0 && code != -NLE_EXIST)
		return fail_nl(err, code, "cannot set the default route");
	return true;
}

static bool set_interface_sysctl(
	const char *family, const char *interface, const char *name, GError **err) {
	g_autofree char *path = g_strdup_printf("%s/conf/%s/%s", family, interface, name);

	return netns_write_sysctl(path, "1", err);
}

/* An address of IPv6 on a network that has none would be a way around its rules. Before the link is
 * up, so that none appears. A kernel without IPv6 has no such file. */
static void disable_ipv6(const char *interface) {
	g_autoptr(GError) error = NULL;

	if (!set_interface_sysctl("ipv6", interface, "disable_ipv6", &error) &&
		!error_is(error, ERROR_NOT_FOUND))
		log_warning("%s, continuing", error->message);
}

/* Two networks of the same addresses: packets of one would go to the other. */
static bool check_routes(const NetworkDef *def, const Subnet *subnet, GError **err) {
	g_autofree char *text = NULL;
	char device[IFNAMSIZ];
	unsigned destination, mask;

	if (!fd_read_file(AT_FDCWD, "/proc/net/route", 16U << 20, &text, NULL, err))
		return false;
	for (const char *line = strchr(text, '\n'); line && line[1];
		line = strchr(line + 1, '\n')) {
		if (sscanf(line + 1, "%15s %x %*x %*x %*d %*d %*d %x", device, &destination,
			    &mask) != 3 ||
			mask == 0 || strcmp(device, def->bridge) == 0)
			continue;
		uint32_t common = ntohl(mask) & subnet->mask;
		if ((ntohl(destination) & common) != (subnet->base & common))
			continue;
		g_autofree char *base = subnet_format_address(ntohl(destination));
		return fail(err, ERROR_IN_USE,
			"cannot make network \"%s\": subnet %s overlaps the route to %s/%d on %s",
			def->name, def->subnet, base, __builtin_popcount(mask), device);
	}
	return true;
}

/* From the gateway's address: a bridge without a fixed one changes it with its ports, and every
 * neighbour's cache goes stale. */
static NlAddr *bridge_mac(const Subnet *subnet) {
	uint32_t gateway = htonl(subnet->gateway);
	unsigned char bytes[6] = {0x02, 0x70};

	memcpy(bytes + 2, &gateway, sizeof gateway);
	return nl_addr_build(AF_LLC, bytes, sizeof bytes);
}

static bool add_bridge(NlSock *sock, const NetworkDef *def, const Subnet *subnet, GError **err) {
	g_autoptr(NlLink) link = rtnl_link_bridge_alloc();
	g_autoptr(NlAddr) mac = bridge_mac(subnet);

	rtnl_link_set_name(link, def->bridge);
	rtnl_link_set_addr(link, mac);
	int code = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	if (code < 0 && code != -NLE_EXIST)
		return fail_nl(err, code, "cannot make bridge \"%s\"", def->bridge);
	return true;
}

bool link_make_bridge(
	const NetworkDef *def, const Subnet *subnet, unsigned *ret_ifindex, GError **err) {
	g_autoptr(NlSock) sock = NULL;

	if (!check_routes(def, subnet, err) || !(sock = open_socket(err)) ||
		!add_bridge(sock, def, subnet, err))
		return false;
	unsigned ifindex = if_nametoindex(def->bridge);
	if (ifindex == 0)
		return fail_errno(err, errno, "cannot find bridge \"%s\"", def->bridge);
	disable_ipv6(def->bridge);
	/* route_localnet: answers to a connection from 127.0.0.1 come back through the bridge; the
	 * firewall drops everything else that claims a loopback address there */
	if (!netns_write_sysctl("ipv4/ip_forward", "1", err) ||
		!set_interface_sysctl("ipv4", def->bridge, "route_localnet", err) ||
		!add_address(sock, ifindex, subnet->gateway, subnet, err) ||
		!set_up(sock, ifindex, err))
		return false;
	*ret_ifindex = ifindex;
	return true;
}

static int add_pair(NlSock *sock, const LinkPair *pair, NlAddr *mac) {
	g_autoptr(NlLink) link = rtnl_link_veth_alloc();
	NlLink *peer = rtnl_link_veth_get_peer(link); /* a reference of our own */

	rtnl_link_set_name(link, pair->host_interface);
	rtnl_link_set_master(link, (int)pair->bridge_ifindex);
	rtnl_link_set_name(peer, pair->interface);
	rtnl_link_set_addr(peer, mac);
	/* the peer is born in its namespace: no name of it is ever seen on the host */
	rtnl_link_set_ns_fd(peer, pair->netns_fd);
	int code = rtnl_link_add(sock, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(peer);
	return code;
}

/* Up, and in hairpin mode: where bridged packets pass the firewall (br_netfilter), a pod that asks
 * for its own published port is answered through the port it asked on. */
static bool set_port_up(NlSock *sock, unsigned ifindex, GError **err) {
	struct ifinfomsg header = {
		.ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	g_autoptr(NlMsg) message = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK);

	nlmsg_append(message, &header, sizeof header, NLMSG_ALIGNTO);
	struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
	nla_put_string(message, IFLA_INFO_SLAVE_KIND, "bridge");
	struct nlattr *data = nla_nest_start(message, IFLA_INFO_SLAVE_DATA);
	nla_put_u8(message, IFLA_BRPORT_MODE, 1);
	nla_nest_end(message, data);
	nla_nest_end(message, info);
	int code = nl_send_auto(sock, message);
	if (code >= 0)
		code = nl_wait_for_ack(sock);
	return code < 0 ? fail_nl(err, code, "cannot bring interface %u up", ifindex) : true;
}

/* In the target's namespace. */
static bool configure_inside(const LinkPair *pair, const Subnet *subnet, GError **err) {
	g_autoptr(NlSock) sock = open_socket(err);
	unsigned ifindex = if_nametoindex(pair->interface);
	uint32_t address;

	if (!sock)
		return false;
	if (ifindex == 0 || !subnet_parse_address(pair->address, &address))
		return fail(err, ERROR_FAILED, "cannot find interface \"%s\"", pair->interface);
	disable_ipv6(pair->interface);
	return add_address(sock, ifindex, address, subnet, err) && set_up(sock, ifindex, err) &&
	       add_default_route(sock, ifindex, subnet->gateway, err);
}

static bool visit_inside(const LinkPair *pair, const Subnet *subnet, GError **err) {
	_cleanup_close_ int self_fd = netns_open_self(err);

	if (self_fd < 0 || !netns_enter(pair->netns_fd, err))
		return false;
	bool ok = configure_inside(pair, subnet, err);
	return netns_enter(self_fd, ok ? err : NULL) && ok;
}

/*
 * The kernel opens a port of the bridge, and the bridge itself at its first port, some time after
 * the carrier came: a pod that connects at once would lose its first packet, and with it a second
 * until the next try. Asking for the link state makes the kernel do it now (Linux 6.8; before,
 * waiting does).
 */
static bool wait_running(int fd, const char *interface) {
	enum { TRIES = 200, PAUSE_USEC = 500 };

	for (unsigned round = 0; round < TRIES; round++) {
		struct ethtool_value link_state = {.cmd = ETHTOOL_GLINK};
		struct ifreq request = {0};
		g_strlcpy(request.ifr_name, interface, sizeof request.ifr_name);
		request.ifr_data = (char *)&link_state;
		ioctl(fd, SIOCETHTOOL, &request);
		if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
			return false;
		if (request.ifr_flags & IFF_RUNNING)
			return true;
		g_usleep(PAUSE_USEC);
	}
	return false;
}

static void wait_port(const LinkPair *pair) {
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char bridge[IFNAMSIZ];

	if (fd < 0 || !if_indextoname(pair->bridge_ifindex, bridge) ||
		!wait_running(fd, pair->host_interface) || !wait_running(fd, bridge))
		log_debug("interface \"%s\" is slow to come up, continuing", pair->host_interface);
}

bool link_make_pair(const LinkPair *pair, const Subnet *subnet, GError **err) {
	g_autoptr(NlSock) sock = open_socket(err);
	g_autoptr(NlAddr) mac = NULL;

	if (!sock)
		return false;
	int code = nl_addr_parse(pair->mac, AF_LLC, &mac);
	if (code < 0)
		return fail(err, ERROR_INVALID, "bad MAC address \"%s\"", pair->mac);
	code = add_pair(sock, pair, mac);
	if (code == -NLE_EXIST) {
		/* the host's end of an earlier life of this owner, not yet collected */
		if (!link_remove(pair->host_interface, err))
			return false;
		code = add_pair(sock, pair, mac);
	}
	if (code < 0)
		return fail_nl(err, code, "cannot make interface \"%s\"", pair->interface);
	unsigned ifindex = if_nametoindex(pair->host_interface);
	if (ifindex == 0)
		return fail_errno(err, errno, "cannot find \"%s\"", pair->host_interface);
	disable_ipv6(pair->host_interface);
	if (!set_port_up(sock, ifindex, err) || !visit_inside(pair, subnet, err))
		return false;
	wait_port(pair);
	return true;
}

bool link_remove(const char *name, GError **err) {
	unsigned ifindex = if_nametoindex(name);
	g_autoptr(NlSock) sock = NULL;
	g_autoptr(NlLink) link = NULL;

	if (ifindex == 0)
		return true;
	sock = open_socket(err);
	if (!sock)
		return false;
	link = rtnl_link_alloc();
	rtnl_link_set_ifindex(link, (int)ifindex);
	int code = rtnl_link_delete(sock, link);
	if (code < 0 && code != -NLE_NODEV && code != -NLE_OBJ_NOTFOUND)
		return fail_nl(err, code, "cannot remove interface \"%s\"", name);
	return true;
}

/* True if the namespace with this number (as our own namespace counts) is held by nobody any more:
 * the kernel then finds no reference to take. */
static bool is_namespace_going(NlSock *sock, int32_t netnsid) {
	struct rtgenmsg header = {.rtgen_family = AF_UNSPEC};
	NlMsg *message = nlmsg_alloc_simple(RTM_GETNSID, NLM_F_REQUEST | NLM_F_ACK);

	nlmsg_append(message, &header, sizeof header, NLMSG_ALIGNTO);
	nla_put_s32(message, NETNSA_NSID, netnsid);
	return nl_send_sync(sock, message) == -NLE_OBJ_NOTFOUND; /* frees the message */
}

static bool is_going(const char *host_interface) {
	g_autoptr(NlSock) sock = open_socket(NULL);
	g_autoptr(NlLink) link = NULL;
	int32_t netnsid;

	if (!sock)
		return false;
	int code = rtnl_link_get_kernel(sock, 0, host_interface, &link);
	if (code < 0)
		return code == -NLE_NODEV || code == -NLE_OBJ_NOTFOUND;
	/* without a number: it was taken away already */
	return rtnl_link_get_link_netnsid(link, &netnsid) == 0 &&
	       (netnsid < 0 || is_namespace_going(sock, netnsid));
}

static bool unplug(const char *name, GError **err) {
	g_autoptr(NlSock) sock = open_socket(err);
	g_autoptr(NlLink) link = rtnl_link_alloc();
	g_autoptr(NlLink) change = rtnl_link_alloc();

	if (!sock)
		return false;
	rtnl_link_set_name(link, name);
	rtnl_link_set_master(change, 0);
	rtnl_link_unset_flags(change, IFF_UP);
	int code = rtnl_link_change(sock, link, change, 0);
	if (code < 0 && code != -NLE_NODEV && code != -NLE_OBJ_NOTFOUND)
		return fail_nl(err, code, "cannot unplug interface \"%s\"", name);
	return true;
}

bool link_abandon(const char *name, GError **err) {
	return if_nametoindex(name) == 0 || is_going(name) || unplug(name, err);
}
