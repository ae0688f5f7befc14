/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bridges and the table, while somebody needs them. See bridge.h. */
#include "network/bridge.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/ports.h"

#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/file.h>

int bridge_lock(int state_fd, int operation, GError **err) {
	_cleanup_close_ int fd = openat(state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int result;

	do
		result = fd < 0 ? -1 : flock(fd, operation);
	while (result < 0 && fd >= 0 && errno == EINTR);
	if (result < 0) {
		fail_errno(err, errno, "cannot lock the network state");
		return -1;
	}
	return steal_fd(&fd);
}

static bool write_marker(int state_fd, const NetworkDef *def, unsigned ifindex, GError **err) {
	_cleanup_close_ int dir_fd = fd_open_dir(state_fd, "networks", err);
	json_auto_t *json = json_object();

	json_put_string(json, "bridge", def->bridge);
	json_put_string(json, "subnet", def->subnet);
	json_put_string(json, "gateway", def->gateway);
	json_put_int(json, "ifindex", ifindex);
	g_autofree char *text = json_to_text(json, false);
	return dir_fd >= 0 &&
	       fd_replace_file(dir_fd, def->name, text, strlen(text), 0600, FD_REPLACE_PLAIN, err);
}

/* The marker of a network, NULL without one; *ret_ifindex is 0 while it is being made. */
static NetworkDef *read_marker(int state_fd, const char *name, unsigned *ret_ifindex) {
	g_autofree char *path = g_strconcat("networks/", name, NULL);
	json_auto_t *json = json_read_file(state_fd, path, NULL);

	if (!json)
		return NULL;
	NetworkDef *def = g_new0(NetworkDef, 1);
	def->name = g_strdup(name);
	def->bridge = g_strdup(json_get_string(json, "bridge", ""));
	def->subnet = g_strdup(json_get_string(json, "subnet", ""));
	def->gateway = g_strdup(json_get_string(json, "gateway", ""));
	*ret_ifindex = (unsigned)json_get_int(json, "ifindex", 0);
	return def;
}

/* The ifindex tells a bridge of ours from one that somebody removed or made anew. */
static bool is_ready(int state_fd, const NetworkDef *def, unsigned *ret_ifindex) {
	unsigned marked = 0, ifindex = if_nametoindex(def->bridge);
	g_autoptr(NetworkDef) made = read_marker(state_fd, def->name, &marked);

	if (!made || ifindex == 0 || marked != ifindex || strcmp(made->bridge, def->bridge) != 0 ||
		strcmp(made->subnet, def->subnet) != 0)
		return false;
	*ret_ifindex = ifindex;
	return true;
}

/* Every network that stands. */
static GPtrArray *load_networks(int state_fd, GError **err) {
	g_auto(GStrv) names = owner_list(state_fd, "networks", err);

	if (!names)
		return NULL;
	GPtrArray *networks = g_ptr_array_new_with_free_func((GDestroyNotify)network_def_free);
	for (char **name = names; *name; name++) {
		unsigned ifindex;
		NetworkDef *def = read_marker(state_fd, *name, &ifindex);
		if (def && subnet_check_def(def, &(Subnet){0}, NULL))
			g_ptr_array_add(networks, def);
		else
			network_def_free(def);
	}
	return networks;
}

/* Mappings that are no longer claimed are on their way out. */
static void drop_unclaimed(int state_fd, const char *id, OwnerRecord *record) {
	size_t kept = 0;

	for (size_t i = 0; i < record->n_ports; i++) {
		if (record->address && ports_is_claimed(state_fd, id, &record->ports[i]))
			record->ports[kept++] = record->ports[i];
		else
			g_free(record->ports[i].host_address);
	}
	record->n_ports = kept;
}

static GPtrArray *load_records(int state_fd, GError **err) {
	g_auto(GStrv) ids = owner_list(state_fd, "owners", err);

	if (!ids)
		return NULL;
	GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)owner_record_free);
	for (char **id = ids; *id; id++) {
		OwnerRecord *record =
			owner_id_is_valid(*id) ? owner_read(state_fd, *id, NULL) : NULL;
		if (!record)
			continue;
		drop_unclaimed(state_fd, *id, record);
		g_ptr_array_add(records, record);
	}
	return records;
}

bool bridge_rebuild_firewall(int state_fd, Nft *nft, GError **err) {
	g_autoptr(GPtrArray) networks = load_networks(state_fd, err);
	g_autoptr(GPtrArray) records = networks ? load_records(state_fd, err) : NULL;

	return records && nft_rebuild(nft, networks, records, err);
}

bool bridge_ensure(int state_fd, Nft *nft, const NetworkDef *def, const Subnet *subnet,
	unsigned *ret_ifindex, GError **err) {
	unsigned ifindex;

	if (is_ready(state_fd, def, ret_ifindex))
		return true;
	_cleanup_close_ int lock_fd = bridge_lock(state_fd, LOCK_EX, err);
	if (lock_fd < 0)
		return false;
	if (is_ready(state_fd, def, ret_ifindex))
		return true;
	/* marked before it is made, so that whoever sweeps finds it half-made */
	if (!write_marker(state_fd, def, 0, err) || !link_make_bridge(def, subnet, &ifindex, err) ||
		!bridge_rebuild_firewall(state_fd, nft, err) ||
		!write_marker(state_fd, def, ifindex, err))
		return false;
	*ret_ifindex = ifindex;
	return true;
}

static bool remove_network(
	int state_fd, Nft *nft, const NetworkDef *def, bool is_last, GError **err) {
	g_autofree char *path = g_strconcat("networks/", def->name, NULL);
	g_autoptr(GError) flushed = NULL;

	if (is_last) {
		if (!nft_remove_table(nft, err))
			return false;
	} else if (!nft_remove_network(nft, def->bridge, def->subnet, &flushed)) {
		log_debug("%s, ignoring", flushed->message);
	}
	if (!link_remove(def->bridge, err))
		return false;
	if (unlinkat(state_fd, path, 0) < 0 && errno != ENOENT)
		return fail_errno(err, errno, "cannot remove \"%s\"", path);
	return true;
}

bool bridge_sweep(int state_fd, Nft *nft, GError **err) {
	g_auto(GStrv) names = owner_list(state_fd, "networks", err);
	g_auto(GStrv) leased = names ? fd_list_dir(state_fd, "leases", err) : NULL;
	g_auto(GStrv) owners = leased ? owner_list(state_fd, "owners", err) : NULL;

	if (!owners)
		return false;
	/* also where an attach failed before there was a bridge */
	for (char **name = leased; *name; name++)
		ipam_is_used(state_fd, *name);
	guint left = g_strv_length(names);
	for (char **name = names; *name; name++) {
		unsigned ifindex;
		if (ipam_is_used(state_fd, *name))
			continue;
		g_autoptr(NetworkDef) def = read_marker(state_fd, *name, &ifindex);
		if (def && !remove_network(state_fd, nft, def, left == 1, err))
			return false;
		left--;
	}
	return true;
}
