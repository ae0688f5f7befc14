/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths of /proc and /sys that a container may not see, or only read (security.md A04). */
#pragma once

#include "runtime/init.h"

/* First process, after the pivot: covers config->masked_paths, makes config->read_only_paths
 * read-only. A path that the kernel does not have is skipped; any other failure is an error. */
bool masks_apply(InitContext *context, GError **err);
