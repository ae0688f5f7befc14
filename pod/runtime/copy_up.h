/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling a fresh file system with what the image has at the same place. */
#pragma once

#include "base/error.h"

/* Copies the contents of the directory from_fd (O_PATH is fine) into the directory to_fd: files,
 * directories, links, fifos with owner, mode and times, and the directory's own owner and mode.
 * Follows no link, crosses no mount. The caller's umask is 0. */
bool copy_up(int from_fd, int to_fd, GError **err);
