/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The firewall. See nft.h. */
#include "network/nft.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "network/late_close.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>

#define TABLE "inet podctl"

/*
 * ports_same: the port stays, so a range is one element. ports_moved: another port inside; the
 * kernel cannot add an offset, so a range is one element a port.
 * raw: route_localnet lets packets to 127/8 in from our bridges; only answers whose address is put
 * back later may use that (CVE-2020-8558).
 * published: only what is for this host (fib), never what passes through it (CVE-2025-67499).
 * postrouting: from the host's loopback; from a pod through the host back to a pod of the bridge
 * (the answer must come back through the host); from a pod to the world.
 * forward: from elsewhere into a bridge goes only what was published.
 */
static const char skeleton[] =
	"table " TABLE " {\n"
	"map ports_same {\n"
	"type inet_proto . ipv4_addr . inet_service : ipv4_addr; flags interval; }\n"
	"map ports_moved {\n"
	"type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service;\n"
	"flags interval; }\n"
	"set subnets { type ipv4_addr; flags interval; }\n"
	"set bridges { type ifname; }\n"
	"set inside { type ifname . ifname; }\n"
	"chain raw {\n"
	"type filter hook prerouting priority -300; policy accept;\n"
	"iifname @bridges ip daddr 127.0.0.0/8 drop\n"
	"iifname @bridges ip saddr 127.0.0.0/8 drop\n"
	"}\n"
	"chain published {\n"
	"meta l4proto { tcp, udp, sctp }"
	" dnat ip to meta l4proto . ip daddr . th dport map @ports_same\n"
	"meta l4proto { tcp, udp, sctp }"
	" dnat ip to meta l4proto . ip daddr . th dport map @ports_moved\n"
	"}\n"
	"chain prerouting {\n"
	"type nat hook prerouting priority -100; policy accept;\n"
	"fib daddr type local jump published\n"
	"}\n"
	"chain output {\n"
	"type nat hook output priority -100; policy accept;\n"
	"fib daddr type local jump published\n"
	"}\n"
	"chain postrouting {\n"
	"type nat hook postrouting priority 100; policy accept;\n"
	"ip saddr 127.0.0.0/8 oifname @bridges masquerade\n"
	"ip saddr @subnets oifname @bridges ct status dnat masquerade\n"
	"ip saddr @subnets oifname != @bridges ip daddr != 224.0.0.0/4 masquerade\n"
	"}\n"
	"chain forward {\n"
	"type filter hook forward priority 0; policy accept;\n"
	"oifname @bridges iifname . oifname != @inside ct state new ct status & dnat == 0 drop\n"
	"}\n"
	"}\n";

struct Nft {
	struct nft_ctx *context;
	int socket_fd; /* the context's own; -1: not found */
};

static bool is_netfilter_socket(int fd) {
	int domain = -1, protocol = -1;
	socklen_t size = sizeof domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
	       protocol == NETLINK_NETFILTER;
}

/* The library does not tell its socket; it opens it here, so it gets the lowest free number. */
static bool new_context(Nft *nft) {
	int lowest = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	if (lowest >= 0)
		close(lowest);
	nft->context = nft_ctx_new(NFT_CTX_DEFAULT);
	nft->socket_fd = nft->context && lowest >= 0 && is_netfilter_socket(lowest) ? lowest : -1;
	if (nft->socket_fd >= 0)
		fcntl(nft->socket_fd, F_SETFD, FD_CLOEXEC);
	return nft->context != NULL;
}

Nft *nft_open(void) {
	return g_new0(Nft, 1);
}

void nft_close(Nft *nft) {
	_cleanup_close_ int late_fd = -1; /* closed after the context */

	if (nft && nft->context) {
		if (nft->socket_fd >= 0 && is_netfilter_socket(nft->socket_fd))
			late_fd = late_close_hold(nft->socket_fd);
		nft_ctx_free(nft->context);
	}
	g_free(nft);
}

static bool open_context(Nft *nft, GError **err) {
	if (nft->context)
		return true;
	if (!new_context(nft))
		return fail(err, ERROR_FAILED, "cannot open the firewall");
	/* buffered: the library would print otherwise */
	if (nft_ctx_buffer_error(nft->context) != 0 || nft_ctx_buffer_output(nft->context) != 0)
		return fail(err, ERROR_FAILED, "cannot open the firewall");
	return true;
}

/* One transaction: all of text or nothing. */
static bool run(Nft *nft, const char *text, const char *action, GError **err) {
	if (!open_context(nft, err))
		return false;
	log_debug("firewall: %s", text);
	int code = nft_run_cmd_from_buffer(nft->context, text);
	g_autofree char *message = g_strdup(nft_ctx_get_error_buffer(nft->context));
	nft_ctx_get_output_buffer(nft->context);
	if (code == 0)
		return true;
	/* the first line says what; the others repeat the command */
	const char *line = g_str_has_prefix(message, "Error: ") ? message + 7 : message;
	return fail(err, ERROR_FAILED, "cannot %s: %.*s", action, (int)strcspn(line, "\n"), line);
}

bool nft_table_exists(Nft *nft) {
	return run(nft, "list chain " TABLE " published\n", "list the firewall", NULL);
}

static void append_key(GString *out, const PortMapping *port, unsigned first, unsigned last) {
	const char *address = port->host_address && strcmp(port->host_address, "0.0.0.0") != 0
				      ? port->host_address
				      : "0.0.0.0-255.255.255.255";

	g_string_append_printf(
		out, "%s . %s . %u", port_protocol_to_string(port->protocol), address, first);
	if (last != first)
		g_string_append_printf(out, "-%u", last);
}

/* address NULL: keys alone, as removing wants them. */
static void append_port(
	GString *same, GString *moved, const PortMapping *port, const char *address) {
	unsigned first = port->host_port, last = first + port->count - 1U;

	if (port->host_port == port->container_port) {
		append_key(same, port, first, last);
		if (address)
			g_string_append_printf(same, " : %s", address);
		g_string_append(same, ", ");
		return;
	}
	for (unsigned offset = 0; offset < port->count; offset++) {
		append_key(moved, port, first + offset, first + offset);
		if (address)
			g_string_append_printf(
				moved, " : %s . %u", address, port->container_port + offset);
		g_string_append(moved, ", ");
	}
}

static void append_ports(GString *out, const char *verb, const OwnerRecord *record, bool keys) {
	g_autoptr(GString) same = g_string_new(NULL);
	g_autoptr(GString) moved = g_string_new(NULL);

	for (size_t i = 0; i < record->n_ports; i++)
		append_port(same, moved, &record->ports[i], keys ? NULL : record->address);
	if (same->len > 0)
		g_string_append_printf(
			out, "%s element " TABLE " ports_same { %s }\n", verb, same->str);
	if (moved->len > 0)
		g_string_append_printf(
			out, "%s element " TABLE " ports_moved { %s }\n", verb, moved->str);
}

static void append_network(GString *out, const char *verb, const char *bridge, const char *subnet) {
	g_string_append_printf(out, "%s element " TABLE " bridges { \"%s\" }\n", verb, bridge);
	g_string_append_printf(
		out, "%s element " TABLE " inside { \"%s\" . \"%s\" }\n", verb, bridge, bridge);
	g_string_append_printf(out, "%s element " TABLE " subnets { %s }\n", verb, subnet);
}

bool nft_add_ports(Nft *nft, const OwnerRecord *record, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	append_ports(text, "add", record, false);
	return run(nft, text->str, "publish ports", err);
}

bool nft_remove_ports(Nft *nft, const OwnerRecord *record, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	append_ports(text, "delete", record, true);
	return run(nft, text->str, "unpublish ports", err);
}

bool nft_add_network(Nft *nft, const NetworkDef *def, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	append_network(text, "add", def->bridge, def->subnet);
	return run(nft, text->str, "add the network to the firewall", err);
}

bool nft_remove_network(Nft *nft, const char *bridge, const char *subnet, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	append_network(text, "delete", bridge, subnet);
	return run(nft, text->str, "remove the network from the firewall", err);
}

bool nft_rebuild(Nft *nft, const GPtrArray *networks, const GPtrArray *records, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	/* only when needed: the kernel is slow to close a socket after a removal */
	if (nft_table_exists(nft))
		g_string_append(text, "delete table " TABLE "\n");

	g_string_append(text, skeleton);
	for (guint i = 0; i < networks->len; i++) {
		const NetworkDef *def = networks->pdata[i];
		append_network(text, "add", def->bridge, def->subnet);
	}
	for (guint i = 0; i < records->len; i++)
		append_ports(text, "add", records->pdata[i], false);
	return run(nft, text->str, "set the firewall up", err);
}

bool nft_remove_table(Nft *nft, GError **err) {
	/* adding first makes removing work whether it is there or not */
	return run(
		nft, "table " TABLE "\ndelete table " TABLE "\n", "remove the firewall table", err);
}
