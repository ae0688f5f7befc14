/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parts that bring a big library along (libnftables, libseccomp, libsystemd) are shared modules in
 * podctl's library directory and are loaded when they are needed, so that `podctl ps` does not pay
 * for them (D18). A module exports one symbol: a struct of functions.
 */
#pragma once

#include "base/error.h"

/* Loads the module once and returns the address of its symbol; NULL on error. The module stays
 * loaded. PODCTL_LIBDIR in the environment replaces the directory (build tree, tests), but only
 * for a caller that is not set-user-ID. */
const void *module_symbol(const char *module, const char *symbol, GError **err);

/* Path of a helper program or file in podctl's library directory; free with g_free. */
char *module_path(const char *name);

/* Path of a data file: PODCTL_SYSCONFDIR/podctl/NAME when it is there (the administrator's), else
 * the packaged one in podctl's data directory (PODCTL_DATADIR in the environment replaces it).
 * Free with g_free. */
char *module_data_path(const char *name);
