/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel parameters of namespaces (security.md A08). The check is part of the door. */
#pragma once

#include "base/error.h"

/* Writes K=V assignments through a procfs of our own. In the process whose namespaces are meant. */
bool sysctl_apply(int proc_fd, char *const *assignments, GError **err);
