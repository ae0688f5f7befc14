/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device program of a container's cgroup (security.md A05.5): which device nodes its processes
 * may make and open, whatever nodes they come by. */
#pragma once

#include "runtime/config.h"

struct bpf_insn;

/* The program for the defaults and then rules, of which the last that matches decides. Free with
 * g_free. */
struct bpf_insn *device_filter_build(const RuntimeDeviceRule *rules, size_t n_rules, size_t *ret_n);

/* Loads it and attaches it to the cgroup, beside those of its parents: all of them must allow. */
bool device_filter_attach(
	int cgroup_fd, const RuntimeDeviceRule *rules, size_t n_rules, GError **err);
