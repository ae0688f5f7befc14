/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What podctl-scope.so offers: the one symbol podctl_scope. */
#pragma once

#include "base/error.h"

#include <sys/types.h>

#define SCOPE_MODULE "podctl-scope"
#define SCOPE_SYMBOL "podctl_scope"

typedef struct ScopeMaker {
	/* Asks systemd for a transient scope of this name in the slice, delegated, with pid in it,
	 * and waits until it is there, at most ten seconds. */
	bool (*make)(const char *name, const char *description, const char *slice, pid_t pid,
		GError **err);
} ScopeMaker;
