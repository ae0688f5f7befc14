/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attach: record, lease, bridge, claims, record again (now with what was chosen), veth pair, rules.
 * Detach: the reverse, from the record alone. Whatever is killed in between, the record is there
 * first and goes last.
 */
#include "network/connect.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "network/bridge.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/netns.h"
#include "network/network_result.h"
#include "network/nft.h"
#include "network/owner.h"
#include "network/ports.h"

#include <net/if.h>
#include <string.h>
#include <sys/file.h>

/* The host's end: 12 or 13 of the 15 characters a name may have. There are two, because the pair of
 * an owner that is attached again at once may still be going away. */
static char *host_interface_of(const char *id, bool second) {
	return g_strdup_printf("pv%.10s%s", id, second ? "b" : "");
}

static char *choose_host_interface(const char *id) {
	char *first = host_interface_of(id, false);

	if (if_nametoindex(first) == 0)
		return first;
	g_free(first);
	return host_interface_of(id, true);
}

static bool remove_pair(const char *name, const OwnerRecord *record, GError **err) {
	/* a living process keeps its namespace: there the interface must really go */
	if (record->target.pid == 0 || proc_is_alive(record->target))
		return link_remove(name, err);
	return link_abandon(name, err);
}

static bool remove_pairs(const char *id, const OwnerRecord *record, GError **err) {
	g_autofree char *first = host_interface_of(id, false);
	g_autofree char *second = host_interface_of(id, true);

	return remove_pair(first, record, err) && remove_pair(second, record, err);
}

static bool check_request(const NetworkAttach *attach, Subnet *ret_subnet, GError **err) {
	uint32_t ignored;

	if (!owner_id_is_valid(attach->owner_id))
		return fail(err, ERROR_INVALID, "bad owner \"%s\"", attach->owner_id);
	if (!subnet_check_def(attach->network, ret_subnet, err))
		return false;
	if (attach->interface && (!*attach->interface || strlen(attach->interface) >= IFNAMSIZ ||
					 strpbrk(attach->interface, "/: \t\n") ||
					 strcmp(attach->interface, ".") == 0 ||
					 strcmp(attach->interface, "..") == 0))
		return fail(err, ERROR_INVALID, "bad interface name \"%s\"", attach->interface);
	for (size_t i = 0; i < attach->n_ports; i++) {
		const PortMapping *port = &attach->ports[i];
		if (port->host_address && !subnet_parse_address(port->host_address, &ignored))
			return fail(err, ERROR_UNSUPPORTED,
				"cannot publish on %s: network \"%s\" has no IPv6 subnet",
				port->host_address, attach->network->name);
	}
	return true;
}

/* From the address, so that a neighbour's cache is right again when an address is reused. */
static char *mac_of(const char *address) {
	uint32_t number = 0;

	subnet_parse_address(address, &number);
	return g_strdup_printf("02:70:%02x:%02x:%02x:%02x", number >> 24, number >> 16 & 0xff,
		number >> 8 & 0xff, number & 0xff);
}

/* Takes the rules and the claims of the owner back. Rules that are not there any more (somebody
 * flushed them) are no error; if only some are gone, the table is made anew without ours. */
static bool unpublish(
	int state_fd, Nft *nft, const char *id, const OwnerRecord *record, GError **err) {
	g_autoptr(GError) failure = NULL;

	if (record->n_ports == 0)
		return true;
	_cleanup_close_ int lock_fd = bridge_lock(state_fd, LOCK_SH, err);
	if (lock_fd < 0)
		return false;
	bool removed = nft_remove_ports(nft, record, &failure);
	if (!ports_release(state_fd, id, record->ports, record->n_ports, err))
		return false;
	close_fd_ptr(&lock_fd);
	if (removed || !nft_table_exists(nft))
		return true;
	log_debug("%s, making the table anew", failure->message);
	lock_fd = bridge_lock(state_fd, LOCK_EX, err);
	return lock_fd >= 0 && bridge_rebuild_firewall(state_fd, nft, err);
}

static bool publish(int state_fd, Nft *nft, const OwnerRecord *record, GError **err) {
	g_autoptr(GError) failure = NULL;

	if (record->n_ports == 0)
		return true;
	_cleanup_close_ int lock_fd = bridge_lock(state_fd, LOCK_SH, err);
	if (lock_fd < 0)
		return false;
	if (nft_add_ports(nft, record, &failure))
		return true;
	/* the table was flushed, or has leftovers in our way */
	log_debug("%s, making the table anew", failure->message);
	close_fd_ptr(&lock_fd);
	lock_fd = bridge_lock(state_fd, LOCK_EX, err);
	return lock_fd >= 0 && bridge_rebuild_firewall(state_fd, nft, err);
}

static bool release_leases(int state_fd, const char *id, const OwnerRecord *record, GError **err) {
	if (record->network)
		return ipam_release(state_fd, record->network, id, record->address, err);
	/* a record that says nothing: look everywhere */
	g_auto(GStrv) networks = fd_list_dir(state_fd, "leases", err);
	for (char **name = networks; name && *name; name++)
		if (!ipam_release(state_fd, *name, id, NULL, err))
			return false;
	return networks != NULL;
}

/* All that is the owner's own; what owners share stays until it is swept. */
static bool release(
	int state_fd, Nft *nft, const char *id, const OwnerRecord *record, GError **err) {
	if (!unpublish(state_fd, nft, id, record, err) ||
		(!record->address && !ports_release_all(state_fd, id, err)) ||
		!remove_pairs(id, record, err))
		return false;
	_cleanup_close_ int lock_fd = bridge_lock(state_fd, LOCK_SH, err);
	return lock_fd >= 0 && release_leases(state_fd, id, record, err) &&
	       owner_remove(state_fd, id, err);
}

static bool sweep(int state_fd, Nft *nft, GError **err) {
	_cleanup_close_ int lock_fd = bridge_lock(state_fd, LOCK_EX, err);

	return lock_fd >= 0 && bridge_sweep(state_fd, nft, err);
}

/* The state directory, -1 when there is none: then there is nothing to undo and no error. */
static bool open_state(const char *state_dir, int *ret_fd, GError **err) {
	g_autoptr(GError) failure = NULL;

	*ret_fd = owner_open_state(state_dir, false, &failure);
	if (*ret_fd >= 0 || error_is(failure, ERROR_NOT_FOUND))
		return true;
	g_propagate_error(err, g_steal_pointer(&failure));
	return false;
}

static bool release_by_id(int state_fd, Nft *nft, const char *id, GError **err) {
	g_autoptr(GError) failure = NULL;

	if (!owner_id_is_valid(id))
		return fail(err, ERROR_INVALID, "bad owner \"%s\"", id);
	g_autoptr(OwnerRecord) record = owner_read(state_fd, id, &failure);
	if (record)
		return release(state_fd, nft, id, record, err);
	if (error_is(failure, ERROR_NOT_FOUND))
		return true;
	g_propagate_error(err, g_steal_pointer(&failure));
	return false;
}

bool connect_release(const char *state_dir, const char *owner_id, GError **err) {
	g_autoptr(Nft) nft = nft_open();
	_cleanup_close_ int state_fd = -1;

	return open_state(state_dir, &state_fd, err) &&
	       (state_fd < 0 || release_by_id(state_fd, nft, owner_id, err));
}

bool connect_sweep(const char *state_dir, GError **err) {
	g_autoptr(Nft) nft = nft_open();
	_cleanup_close_ int state_fd = -1;

	return open_state(state_dir, &state_fd, err) && (state_fd < 0 || sweep(state_fd, nft, err));
}

bool connect_detach(const char *state_dir, const char *owner_id, GError **err) {
	g_autoptr(Nft) nft = nft_open();
	_cleanup_close_ int state_fd = -1;

	return open_state(state_dir, &state_fd, err) &&
	       (state_fd < 0 ||
		       (release_by_id(state_fd, nft, owner_id, err) && sweep(state_fd, nft, err)));
}

/* What an earlier life of the owner left, all but the lease: *ret_kept is its address. */
static bool clear_leftovers(
	int state_fd, Nft *nft, const NetworkAttach *attach, char **ret_kept, GError **err) {
	const char *id = attach->owner_id;
	g_autoptr(OwnerRecord) record = owner_read(state_fd, id, NULL);

	if (!record)
		return true;
	if (!record->address || g_strcmp0(record->network, attach->network->name) != 0 ||
		(attach->ip && strcmp(attach->ip, record->address) != 0))
		return release(state_fd, nft, id, record, err);
	*ret_kept = g_strdup(record->address);
	return unpublish(state_fd, nft, id, record, err) && remove_pairs(id, record, err);
}

static bool lease(int state_fd, const NetworkAttach *attach, const Subnet *subnet, const char *kept,
	char **ret_address, GError **err) {
	_cleanup_close_ int lock_fd = bridge_lock(state_fd, LOCK_SH, err);

	return lock_fd >= 0 && ipam_lease(state_fd, attach->network, subnet, attach->owner_id,
				       attach->ip, kept, ret_address, err);
}

static bool make(int state_fd, Nft *nft, const NetworkAttach *attach, const Subnet *subnet,
	const char *kept, OwnerRecord *record, GError **err) {
	_cleanup_close_ int netns_fd = netns_open(attach->target, err);
	g_autofree char *address = NULL;
	unsigned ifindex;

	if (netns_fd < 0 || !owner_write(state_fd, attach->owner_id, record, err) ||
		!lease(state_fd, attach, subnet, kept, &address, err) ||
		!ports_claim(state_fd, attach->owner_id, record->ports, record->n_ports, err) ||
		!bridge_ensure(state_fd, nft, attach->network, subnet, &ifindex, err))
		return false;
	record->mac = attach->mac ? g_strdup(attach->mac) : mac_of(address);
	record->address = g_steal_pointer(&address);
	if (!owner_write(state_fd, attach->owner_id, record, err))
		return false;
	const LinkPair pair = {
		.host_interface = record->host_interface,
		.bridge_ifindex = ifindex,
		.netns_fd = netns_fd,
		.interface = record->interface,
		.mac = record->mac,
		.address = record->address,
	};
	return link_make_pair(&pair, subnet, err) && publish(state_fd, nft, record, err);
}

static OwnerRecord *record_of(const NetworkAttach *attach) {
	OwnerRecord *record = g_new0(OwnerRecord, 1);

	record->network = g_strdup(attach->network->name);
	record->bridge = g_strdup(attach->network->bridge);
	record->host_interface = choose_host_interface(attach->owner_id);
	record->interface = g_strdup(attach->interface ? attach->interface : "eth0");
	record->target = attach->target;
	record->ports = network_ports_copy(attach->ports, attach->n_ports);
	record->n_ports = attach->n_ports;
	return record;
}

bool connect_attach(const NetworkAttach *attach, NetworkResult *ret_result, GError **err) {
	g_autoptr(Nft) nft = nft_open();
	g_autofree char *kept = NULL;
	Subnet subnet;

	if (!check_request(attach, &subnet, err))
		return false;
	_cleanup_close_ int state_fd = owner_open_state(attach->state_dir, true, err);
	if (state_fd < 0 || !clear_leftovers(state_fd, nft, attach, &kept, err))
		return false;
	g_autoptr(OwnerRecord) record = record_of(attach);
	if (!make(state_fd, nft, attach, &subnet, kept, record, err)) {
		g_autoptr(GError) second = NULL;
		/* read back: what is on disk is what may have been made */
		if (!connect_detach(attach->state_dir, attach->owner_id, &second))
			log_warning("%s, continuing", second->message);
		return false;
	}
	*ret_result = (NetworkResult){
		.network = g_strdup(record->network),
		.interface = g_strdup(record->interface),
		.address = g_strdup(record->address),
		.prefix = subnet.prefix,
		.gateway = g_strdup(attach->network->gateway),
		.mac = g_strdup(record->mac),
		.ports = g_steal_pointer(&record->ports),
		.n_ports = record->n_ports,
	};
	record->n_ports = 0;
	return true;
}
