/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A profile tried before it is needed. See runtime.h. */
#include "runtime/runtime.h"
#include "runtime/seccomp.h"

bool runtime_seccomp_check(
	const char *profile, const char *cache_dir, uint64_t capabilities, GError **err) {
	SeccompFilter filter = {0};
	bool good = seccomp_load(profile, cache_dir, capabilities, &filter, err);

	seccomp_filter_clear(&filter);
	return good;
}
