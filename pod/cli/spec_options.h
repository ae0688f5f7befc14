/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that describe a container or a pod, as rows over ContainerSpec and PodSpec. Every
 * option that podman has is here: offered, or refused by name with the reason. */
#pragma once

#include "base/options.h"

/* The rows of a LimitSpec, which containers, pods and update share; field gives the offset of a
 * member of it. */
/* clang-format off */
#define LIMIT_OPTION_ROWS(field) \
	{"blkio-weight", 0, OPTION_STRING, field(blkio_weight), "WEIGHT", "Share of the disks' time (10 to 1000)"}, \
	{"blkio-weight-device", 0, OPTION_CSV, field(blkio_weight_devices), "DEVICE:WEIGHT", "The same for one disk"}, \
	{"cpu-period", 0, OPTION_STRING, field(cpu_period), "USEC", "Period of --cpu-quota (default 100000)"}, \
	{"cpu-quota", 0, OPTION_STRING, field(cpu_quota), "USEC", "Processor time in each period"}, \
	{"cpu-shares", 'c', OPTION_STRING, field(cpu_shares), "SHARES", "Share of the processors' time (usual 1024)"}, \
	{"cpus", 0, OPTION_STRING, field(cpus), "NUMBER", "Number of processors, such as 1.5"}, \
	{"cpuset-cpus", 0, OPTION_STRING, field(cpuset_cpus), "LIST", "Processors to run on, such as 0-3,7"}, \
	{"cpuset-mems", 0, OPTION_STRING, field(cpuset_mems), "LIST", "Memory nodes to use"}, \
	{"device-read-bps", 0, OPTION_CSV, field(device_read_bps), "DEVICE:RATE", "Bytes read from a disk in a second"}, \
	{"device-read-iops", 0, OPTION_CSV, field(device_read_iops), "DEVICE:RATE", "Reads from a disk in a second"}, \
	{"device-write-bps", 0, OPTION_CSV, field(device_write_bps), "DEVICE:RATE", "Bytes written to a disk in a second"}, \
	{"device-write-iops", 0, OPTION_CSV, field(device_write_iops), "DEVICE:RATE", "Writes to a disk in a second"}, \
	{"memory", 'm', OPTION_STRING, field(memory), "SIZE", "Memory limit"}, \
	{"memory-reservation", 0, OPTION_STRING, field(memory_reservation), "SIZE", "Memory that is taken away last"}, \
	{"memory-swap", 0, OPTION_STRING, field(memory_swap), "SIZE", "Limit of memory and swap together; -1: no limit"}, \
	{"pids-limit", 0, OPTION_STRING, field(pids_limit), "NUMBER", "Most processes and threads; -1: no limit"}

#define REFUSED_LIMIT_ROWS \
	{"cpu-rt-period", 0, OPTION_REFUSED, 0, NULL, "cgroup v2 has no such limit"}, \
	{"cpu-rt-runtime", 0, OPTION_REFUSED, 0, NULL, "cgroup v2 has no such limit"}, \
	{"memory-swappiness", 0, OPTION_REFUSED, 0, NULL, "cgroup v2 has no such limit"}

/* Health checks, which run and update refuse alike. */
#define NO_HEALTH "health checks are not there yet"
#define REFUSED_HEALTH_ROWS \
	{"health-cmd", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-interval", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-log-destination", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-max-log-count", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-max-log-size", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-on-failure", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-retries", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-start-period", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-startup-cmd", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-startup-interval", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-startup-retries", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-startup-success", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-startup-timeout", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"health-timeout", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH}, \
	{"no-healthcheck", 0, OPTION_REFUSED_BOOL, 0, NULL, NO_HEALTH}
/* clang-format on */

/* run, create and pod add; the target is a ContainerSpec. */
extern const OptionRow container_spec_options[];

/* pod create; the target is a PodSpec. */
extern const OptionRow pod_spec_options[];
