/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that podctl makes for a container: hosts, resolv.conf, hostname, .containerenv. They lie in
 * the object's run directory and are bind mounted; their content is built from checked tokens only
 * (security.md A15). Private to the room. */
#pragma once

#include "engine/resolve.h"

/* Writes the files for a container that is about to start; address: of its own network, or NULL
 * while it is not known. In place, so that it can be called again once it is. *ret_dir: where they
 * are (free with g_free). */
bool resource_write_files(const ResolveInput *input, const char *address, const char *gateway,
	char **ret_dir, GError **err);

/* Adds the mounts of the files that resource_write_files has written in dir: into the root, and
 * into every directory of --chrootdirs. A user's mount on the same place wins. */
void resource_add_mounts(const ResolveInput *input, const char *dir, RuntimeConfig *config);

/* The lines of --hosts-file, without those that name nothing; "" without the option. NULL on error:
 * the file cannot be read, or is no file. Free with g_free. */
char *resource_base_hosts(const ResolveInput *input, GError **err);

/* The zone file of --tz: the host's, else the image's. *ret_data is NULL without the option.
 * ERROR_INVALID names an unknown zone. Free with g_free. */
bool resource_read_timezone(
	const ResolveInput *input, char **ret_data, size_t *ret_size, GError **err);
