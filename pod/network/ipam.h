/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses without a database: a lease is a symlink named after the address whose target is the
 * owner. Making it is the atomic step, so nobody needs a lock.
 */
#pragma once

#include "network/subnet.h"

/* Leases an address of the network for the owner. wanted (NULL: any) is one that must be given: if
 * another owner has it, ERROR_IN_USE. Addresses are handed out in turn, so that one is not given
 * again at once. The owner's earlier address, when kept is not NULL, is given again if it fits.
 * ERROR_FAILED when the subnet is full. The caller frees *ret_address. */
bool ipam_lease(int state_fd, const NetworkDef *def, const Subnet *subnet, const char *id,
	const char *wanted, const char *kept, char **ret_address, GError **err);

/* Gives back the owner's address; with address NULL every lease of the network is looked at. A
 * lease that is another's by now stays. */
bool ipam_release(
	int state_fd, const char *network, const char *id, const char *address, GError **err);

/* True if some owner has a lease in the network; the folder of one without leases is removed. The
 * lock of bridge.h is held exclusively. */
bool ipam_is_used(int state_fd, const char *network);
