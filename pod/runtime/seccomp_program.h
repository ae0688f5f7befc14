/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Turns rules about system call numbers into a classic BPF program. Our own generator, because a
 * filter must mean what its profile says in every case: of several rules that match one call the
 * strictest action wins, and 64-bit comparisons are never merged (the published flaws of
 * libseccomp are in exactly that).
 */
#pragma once

#include "runtime/seccomp_profile.h"

struct sock_filter;

/* A rule for a number; its conditions belong to the caller. */
typedef struct ProgramRule {
	uint32_t number;
	uint32_t action;
	const SeccompCondition *conditions;
	unsigned n_conditions;
} ProgramRule;

typedef struct ProgramInput {
	uint32_t audit_arch;     /* AUDIT_ARCH_* of the calls that the rules are about */
	uint32_t default_action; /* for a number without a rule that matches */
	uint32_t foreign_action; /* for calls of every other architecture, x32 included */
	uint32_t beyond;         /* numbers from here on have beyond_action; UINT32_MAX: none */
	uint32_t beyond_action;
} ProgramInput;

/* rules: ProgramRule, sorted in place. Returns struct sock_filter, never empty; it may be longer
 * than the kernel takes (BPF_MAXINSNS). Free with g_array_unref. */
GArray *seccomp_program_make(const ProgramInput *input, GArray *rules);

/* How strict an action is, the strictest first: the kernel's own order of actions. */
int seccomp_program_rank(uint32_t action);
