/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiled seccomp filters from the cache, or from podctl-seccomp.so when the cache has none: a
 * compile costs more than all the rest of a start (D11), and libseccomp is not linked (D18).
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

typedef struct SeccompFilter {
	struct sock_filter *instructions; /* NULL: no filter */
	size_t n;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* that the profile asks for */
} SeccompFilter;

void seccomp_filter_clear(SeccompFilter *filter);

/* profile: absolute path of a JSON profile. cache_dir: made 0700 when missing; NULL: no cache. A
 * damaged or foreign cache entry is compiled again, never an error. */
bool seccomp_load(const char *profile, const char *cache_dir, uint64_t capabilities,
	SeccompFilter *ret_filter, GError **err);
