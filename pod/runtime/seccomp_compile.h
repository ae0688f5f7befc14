/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What podctl-seccomp.so offers: the one symbol podctl_seccomp. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SECCOMP_MODULE "podctl-seccomp"
#define SECCOMP_SYMBOL "podctl_seccomp"

/* Clear with seccomp_compiled_clear(). The module does not log by itself: it has its own copy of
 * the log. */
typedef struct SeccompCompiled {
	GArray *program;      /* struct sock_filter; never empty */
	uint32_t flags;       /* SECCOMP_FILTER_FLAG_* */
	unsigned unknown;     /* names that libseccomp does not know */
	char *unknown_keys;   /* of the JSON; NULL: none */
	char *contradictions; /* calls that are allowed and denied without conditions; NULL: none */
} SeccompCompiled;

static inline void seccomp_compiled_clear(SeccompCompiled *compiled) {
	g_clear_pointer(&compiled->program, g_array_unref);
	g_clear_pointer(&compiled->unknown_keys, g_free);
	g_clear_pointer(&compiled->contradictions, g_free);
}

typedef struct SeccompCompiler {
	/* Compiles a JSON profile (text of size bytes; path names it in errors) for the native
	 * architecture and a bounding set into classic BPF. */
	bool (*compile)(const char *text, size_t size, const char *path, uint64_t capabilities,
		SeccompCompiled *ret_compiled, GError **err);
} SeccompCompiler;
