/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases of addresses. See ipam.h. */
#include "network/ipam.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "network/owner.h"

#include <fcntl.h>
#include <sys/stat.h>

static int open_leases(int state_fd, const char *network, GError **err) {
	g_autofree char *path = g_strconcat("leases/", network, NULL);

	if (mkdirat(state_fd, path, 0700) < 0 && errno != EEXIST) {
		fail_errno(err, errno, "cannot make \"%s\"", path);
		return -1;
	}
	return fd_open_dir(state_fd, path, err);
}

/* 1: leased (or already ours), 0: another's, -1: error. */
static int take(int leases_fd, const char *address, const char *id, GError **err) {
	if (symlinkat(id, leases_fd, address) == 0)
		return 1;
	if (errno == EEXIST)
		return owner_holds(leases_fd, address, id);
	fail_errno(err, errno, "cannot lease address %s", address);
	return -1;
}

static bool take_wanted(int leases_fd, const Subnet *subnet, const char *id, const char *wanted,
	char **ret_address, GError **err) {
	char holder[65] = "";
	uint32_t number;

	if (!subnet_parse_address(wanted, &number))
		return fail(err, ERROR_INVALID, "bad IPv4 address \"%s\"", wanted);
	if (!subnet_has_host(subnet, number)) {
		g_autofree char *base = subnet_format_address(subnet->base);
		return fail(err, ERROR_INVALID, "address %s is not free for use in subnet %s/%u",
			wanted, base, subnet->prefix);
	}
	int taken = take(leases_fd, wanted, id, err);
	if (taken < 0)
		return false;
	if (!taken) {
		ssize_t length = readlinkat(leases_fd, wanted, holder, sizeof holder - 1);
		holder[MAX(length, 0)] = '\0';
		return fail(err, ERROR_IN_USE, "address %s is in use by %.12s", wanted, holder);
	}
	*ret_address = g_strdup(wanted);
	return true;
}

static int open_hint(int state_fd, const char *network) {
	g_autofree char *path = g_strconcat("hints/", network, NULL);

	return openat(state_fd, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool take_next(int state_fd, int leases_fd, const NetworkDef *def, const Subnet *subnet,
	const char *id, char **ret_address, GError **err) {
	_cleanup_close_ int hint_fd = open_hint(state_fd, def->name);
	uint32_t size = ~subnet->mask, offset = 0;

	/* lost or torn, the hint only changes where the search begins */
	if (hint_fd < 0 || pread(hint_fd, &offset, sizeof offset, 0) != sizeof offset)
		offset = 0;
	for (uint32_t tried = 0; tried <= size; tried++) {
		offset = (offset + 1) & size;
		uint32_t number = subnet->base + offset;
		if (!subnet_has_host(subnet, number))
			continue;
		g_autofree char *address = subnet_format_address(number);
		int taken = take(leases_fd, address, id, err);
		if (taken < 0)
			return false;
		if (!taken)
			continue;
		if (hint_fd >= 0 && pwrite(hint_fd, &offset, sizeof offset, 0) < 0)
			continue;
		*ret_address = g_steal_pointer(&address);
		return true;
	}
	return fail(err, ERROR_FAILED, "no free address in subnet %s", def->subnet);
}

bool ipam_lease(int state_fd, const NetworkDef *def, const Subnet *subnet, const char *id,
	const char *wanted, const char *kept, char **ret_address, GError **err) {
	_cleanup_close_ int leases_fd = open_leases(state_fd, def->name, err);
	uint32_t number;

	if (leases_fd < 0)
		return false;
	if (wanted)
		return take_wanted(leases_fd, subnet, id, wanted, ret_address, err);
	if (kept && subnet_parse_address(kept, &number) && subnet_has_host(subnet, number) &&
		take(leases_fd, kept, id, NULL) == 1) {
		*ret_address = g_strdup(kept);
		return true;
	}
	return take_next(state_fd, leases_fd, def, subnet, id, ret_address, err);
}

bool ipam_release(
	int state_fd, const char *network, const char *id, const char *address, GError **err) {
	_cleanup_close_ int leases_fd = open_leases(state_fd, network, err);
	g_auto(GStrv) all = NULL;

	if (leases_fd < 0)
		return false;
	if (!address && !(all = fd_list_dir(leases_fd, ".", err)))
		return false;
	const char *const one[] = {address, NULL};
	for (const char *const *name = all ? (const char *const *)all : one; *name; name++) {
		if (owner_holds(leases_fd, *name, id) && unlinkat(leases_fd, *name, 0) < 0)
			return fail_errno(err, errno, "cannot give back address %s", *name);
	}
	return true;
}

bool ipam_is_used(int state_fd, const char *network) {
	g_autofree char *path = g_strconcat("leases/", network, NULL);

	/* an empty directory goes with its last lease; rmdir is the cheapest question */
	return unlinkat(state_fd, path, AT_REMOVEDIR) < 0 && errno == ENOTEMPTY;
}
