/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which ids a container or pod has on the host. Decided once, when it is made. Private to the room.
 */
#pragma once

#include "engine/handle.h"

/* The options of a container or pod; strings are borrowed. */
typedef struct UserMapsRequest {
	const char *user_ns;
	char *const *uid_maps, *const *gid_maps;
	const char *subuid_name, *subgid_name;
	char *const *layers; /* of the image, lowest first; NULL: none. For the size of "auto" */
} UserMapsRequest;

/* *ret_uid_map and *ret_gid_map are as in /proc/PID/uid_map, free with g_free; NULL when the user
 * namespace is the host's or somebody else's. "auto" claims its ids for the object. */
bool user_maps_decide(const UserMapsRequest *request, const StoreObject *object, char **ret_uid_map,
	char **ret_gid_map, GError **err);
