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
