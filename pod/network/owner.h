/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this room remembers, all below its state directory:
 *   lock                    flock: see connect.c
 *   owners/ID               JSON, written before anything is made for this owner
 *   leases/NETWORK/ADDRESS  symlink to ID: the address is taken
 *   ports/CLAIM             symlink to ID: the host ports are taken; the name says which
 *   networks/NETWORK        JSON: the bridge stands, with this ifindex
 *   hints/NETWORK           the last address leased; losing it costs nothing
 */
#pragma once

#include "network/network.h"

typedef struct OwnerRecord {
	char *network;
	char *bridge;
	char *host_interface; /* host's end of the veth pair */
	char *interface;
	char *address; /* NULL: the lease and the claims may be half-made */
	char *mac;
	ProcId target; /* whose namespace was connected */
	PortMapping *ports;
	size_t n_ports;
} OwnerRecord;

void owner_record_free(OwnerRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OwnerRecord, owner_record_free)

/* True for an id that may be a file name: hex digits, at least 12, at most 64. */
bool owner_id_is_valid(const char *id);

/* Opens the state directory, making it with its folders when make is set. Without make a missing
 * directory is ERROR_NOT_FOUND. -1 on error. */
int owner_open_state(const char *path, bool make, GError **err);

bool owner_write(int state_fd, const char *id, const OwnerRecord *record, GError **err);

/* NULL with ERROR_NOT_FOUND when there is none. A record that does not parse is read as an empty
 * one: everything is then looked for. */
OwnerRecord *owner_read(int state_fd, const char *id, GError **err);

bool owner_remove(int state_fd, const char *id, GError **err);

/* True if the symlink dir/name exists and its target is id. */
bool owner_holds(int dir_fd, const char *name, const char *id);

/* Sorted names in a folder of the state directory without those that are being written. Files that
 * a killed process was writing are removed on the way. NULL on error; free with g_strfreev. */
char **owner_list(int state_fd, const char *folder, GError **err);
