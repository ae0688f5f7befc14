/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seccomp profile in the JSON dialect that podman and docker share, as plain data: which rules
 * hold for one container on one machine. No libseccomp: system calls are still names. The format
 * and its rules of selection: security.md A02.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define SECCOMP_ARGUMENTS 6

typedef enum SeccompOperator {
	SECCOMP_EQ,
	SECCOMP_NE,
	SECCOMP_LT,
	SECCOMP_LE,
	SECCOMP_GE,
	SECCOMP_GT,
	SECCOMP_MASKED_EQ, /* argument & value == value_two & value */
} SeccompOperator;

typedef struct SeccompCondition {
	unsigned index;
	SeccompOperator op;
	uint64_t value, value_two;
} SeccompCondition;

/* All conditions must hold. */
typedef struct SeccompRule {
	char *name;      /* of the system call */
	uint32_t action; /* SECCOMP_RET_* with its data */
	SeccompCondition conditions[SECCOMP_ARGUMENTS];
	unsigned n_conditions;
} SeccompRule;

typedef struct SeccompProfile {
	uint32_t default_action;
	uint32_t flags;  /* SECCOMP_FILTER_FLAG_* to load it with */
	GArray *rules;   /* SeccompRule, in the order of the file */
	GPtrArray *seen; /* every name in the file, of rules that do not hold as well */
	GString *notes;  /* keys that mean nothing to us, a blank between; empty: none */
} SeccompProfile;

/* What decides which groups of rules hold. */
typedef struct SeccompMachine {
	uint64_t capabilities;    /* the container's bounding set */
	const char *architecture; /* the native one in Go's words: "amd64" */
	unsigned kernel[2];       /* major, minor */
} SeccompMachine;

/* Parses text (at most 1 MiB, nested at most 8 deep); path names it in errors. NULL with
 * ERROR_INVALID or ERROR_CORRUPT when a key has a wrong type or value, is there twice, or asks
 * for what podctl cannot do (a listener). */
SeccompProfile *seccomp_profile_parse(const char *text, size_t size, const char *path,
	const SeccompMachine *machine, GError **err);
void seccomp_profile_free(SeccompProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SeccompProfile, seccomp_profile_free)
