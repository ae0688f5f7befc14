/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The firewall: one table of our own, "inet podctl". Its chains never change; networks and
 * published ports are elements of its sets and maps, so an owner costs one small transaction and a
 * range of ports is one element. Nothing of anybody else's tables is read or written.
 */
#pragma once

#include "network/owner.h"
#include "network/subnet.h"

/* A connection to the kernel's firewall, opened on first use. */
typedef struct Nft Nft;

Nft *nft_open(void);
void nft_close(Nft *nft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Nft, nft_close)

/* True if our table is there: it may have been flushed away by somebody. */
bool nft_table_exists(Nft *nft);

/* Adds or removes the elements of one owner's published ports. Both need the table; removing needs
 * the elements, too. */
bool nft_add_ports(Nft *nft, const OwnerRecord *record, GError **err);
bool nft_remove_ports(Nft *nft, const OwnerRecord *record, GError **err);

bool nft_add_network(Nft *nft, const NetworkDef *def, GError **err);
bool nft_remove_network(Nft *nft, const char *bridge, const char *subnet, GError **err);

/* Replaces the table, in one transaction, by one with exactly these networks and owners. */
bool nft_rebuild(Nft *nft, const GPtrArray *networks, const GPtrArray *records, GError **err);

/* Removes the table; one that is not there is fine. */
bool nft_remove_table(Nft *nft, GError **err);
