/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving a directory of the host to a container's user: the option U of a mount. */
#pragma once

#include "base/error.h"

#include <sys/types.h>

/* Refuses the directories of the system whose loss would cost the host: "/", /usr, /etc, /home,
 * /root, and all with less than two components (security.md A10.5). path: absolute and clean. */
bool chown_tree_check(const char *path, GError **err);

/* Gives the file or directory fd (O_PATH is fine) and everything below it to uid and gid. Follows
 * no link, enters no other mount, leaves alone what is theirs already and set-id files with several
 * links, whose other name may be anybody's. */
bool chown_tree(int fd, uid_t uid, gid_t gid, GError **err);
