/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definitions of networks as files, in the JSON that netavark reads. The only one so far is the
 * default network, which needs no file; SYSCONFDIR/podctl/networks/podctl.json changes it.
 */
#pragma once

#include "network/network.h"

/* Reads a definition; members that are missing keep the built-in default's value. ERROR_NOT_FOUND
 * without the file; a bad value is ERROR_INVALID and names the file. NULL on error. */
NetworkDef *network_file_read(int dir_fd, const char *path, GError **err);
