/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What podctl-seccomp.so offers: the one symbol podctl_seccomp. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SECCOMP_MODULE "podctl-seccomp"
#define SECCOMP_SYMBOL "podctl_seccomp"

typedef struct SeccompCompiler {
	/* Compiles a JSON profile (text of size bytes; path names it in errors) for the native
	 * architecture and a bounding set into classic BPF; free *ret_program with g_free. */
	bool (*compile)(const char *text, size_t size, const char *path, uint64_t capabilities,
		void **ret_program, size_t *ret_size, GError **err);
} SeccompCompiler;
