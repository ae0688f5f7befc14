/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two independent readings of a seccomp profile, to be compared: a machine that runs the compiled
 * program, and an evaluator that answers from the JSON itself, knowing nothing of our parser.
 */
#pragma once

#include <jansson.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#	define NATIVE_ARCH AUDIT_ARCH_X86_64
#	define NATIVE_GO   "amd64"
#elif defined(__aarch64__)
#	define NATIVE_ARCH AUDIT_ARCH_AARCH64
#	define NATIVE_GO   "arm64"
#endif

/* Runs classic BPF as far as seccomp has it. Aborts on what the kernel would refuse. */
uint32_t filter_run(const struct sock_filter *program, size_t n, const struct seccomp_data *data);

/* What the profile says about a call of the native architecture: of all groups that hold for the
 * capabilities and match the call the strictest action, the earliest among equals. */
uint32_t filter_evaluate(json_t *profile, uint64_t capabilities, const struct seccomp_data *data);

/* libseccomp's tables; the name is freed with g_free, NULL and a negative number: none. */
char *filter_call_name(int number);
int filter_call_number(const char *name);
