/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling a fresh file system with what the image has at the same place. */
#pragma once

#include "base/error.h"
#include "base/idrange.h"

/* What is written gets the ids inside these maps for those outside, which are the ones seen. */
typedef struct CopyUpIds {
	const IdMap *uids, *gids;
} CopyUpIds;

/* Copies the contents of the directory from_fd (O_PATH is fine) into the directory to_fd: files,
 * directories, links, fifos with owner, mode and times, and the directory's own owner and mode.
 * Follows no link, crosses no mount. ids may be NULL. The caller's umask is 0 or does not matter.
 */
bool copy_up(int from_fd, int to_fd, const CopyUpIds *ids, GError **err);
