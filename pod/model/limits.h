/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The numbers of a LimitSpec: what --memory, --cpus and their like ask for, read and checked
 * against each other. How they are said to the kernel is engine/resolve_limits.c's. */
#pragma once

#include "base/error.h"
#include "model/spec.h"

#include <stddef.h>
#include <stdint.h>

#define LIMIT_UNSET (UINT64_MAX - 1)
#define LIMIT_NONE  UINT64_MAX /* asked for: no bound */

enum {
	LIMIT_CPU_PERIOD_USEC = 100000, /* of --cpus, and the kernel's default */
	LIMIT_PIDS_DEFAULT = 2048,
};

/* One value for one block device. */
typedef struct DeviceLimit {
	char *path; /* absolute */
	uint64_t value;
} DeviceLimit;

typedef struct Limits {
	uint64_t memory_bytes;
	uint64_t memory_reservation_bytes;
	uint64_t swap_bytes;  /* swap alone: --memory-swap less --memory */
	bool swap_is_default; /* nobody asked: as much swap as memory */
	uint64_t cpu_quota_usec, cpu_period_usec;
	uint64_t cpu_shares;                   /* 2 to 262144 */
	const char *cpuset_cpus, *cpuset_mems; /* the spec's; NULL: unset */
	uint64_t pids;
	uint64_t blkio_weight;        /* 10 to 1000 */
	GArray *blkio_weight_devices; /* of DeviceLimit, as the next four */
	GArray *device_read_bps, *device_write_bps, *device_read_iops, *device_write_iops;
} Limits;

/* Reads every value of spec and checks them against each other, as podman does; ERROR_INVALID
 * names the option and the value. *ret_limits: limits_clear; it borrows from spec. */
bool limits_parse(const LimitSpec *spec, Limits *ret_limits, GError **err);
void limits_clear(Limits *limits);

/* The same, for the check alone. */
bool limits_check(const LimitSpec *spec, GError **err);

/* The first option of spec that was given ("--memory"), or NULL. */
const char *limits_first_option(const LimitSpec *spec);

/* KEY=VALUE of --cgroup-conf: KEY is a file of a cgroup v2 controller ([a-z0-9_.]), or one of the
 * two bounds of its children. *ret_key and *ret_value: g_free. */
bool limits_parse_conf(const char *text, char **ret_key, char **ret_value, GError **err);

/* --cgroup-parent: a slice (NAME.slice), or an absolute path without "." and "..". */
bool limits_check_parent(const char *text, GError **err);
