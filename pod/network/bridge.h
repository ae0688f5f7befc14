/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What owners share: the bridge of a network and the firewall table. Both come with the first
 * owner and go with the last. Locks: the file "lock" of the state directory, shared while a lease
 * is taken or rules are changed, exclusive while something shared is made, rebuilt or removed. So a
 * network with a lease never loses its bridge, and a rebuilt table never misses an owner.
 */
#pragma once

#include "network/nft.h"
#include "network/subnet.h"

/* Takes the lock (LOCK_SH or LOCK_EX); closing the descriptor gives it back. -1 on error. */
int bridge_lock(int state_fd, int operation, GError **err);

/* Makes sure that bridge and firewall of the network stand. The caller holds a lease in the network
 * and no lock. */
bool bridge_ensure(int state_fd, Nft *nft, const NetworkDef *def, const Subnet *subnet,
	unsigned *ret_ifindex, GError **err);

/* Removes the networks without leases; with the last one the table. The lock is held exclusively.
 */
bool bridge_sweep(int state_fd, Nft *nft, GError **err);

/* Makes the firewall what the records and claims say. The lock is held exclusively. */
bool bridge_rebuild_firewall(int state_fd, Nft *nft, GError **err);
