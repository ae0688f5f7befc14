/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits for inspect. See inspect_limits.h. */
#include "engine/inspect_limits.h"

#include "base/cleanup.h"
#include "model/limits.h"

#define NANOS_PER_CPU 1000000000

/* podman shows 0 for "not set" and -1 where somebody asked for no bound. */
static int64_t shown(uint64_t value) {
	return value == LIMIT_UNSET ? 0 : value == LIMIT_NONE ? -1 : (int64_t)value;
}

static int64_t shown_swap(const Limits *limits) {
	if (limits->memory_bytes >= LIMIT_UNSET || limits->swap_bytes >= LIMIT_UNSET)
		return shown(limits->swap_bytes);
	return (int64_t)(limits->memory_bytes + limits->swap_bytes);
}

static json_t *device_list(const GArray *devices, const char *key) {
	json_t *list = json_array();

	for (unsigned i = 0; i < devices->len; i++) {
		const DeviceLimit *device = &g_array_index(devices, DeviceLimit, i);
		json_t *object = json_object();
		json_put_string(object, "Path", device->path);
		json_put_int(object, key, shown(device->value));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *conf_object(char *const *conf) {
	json_t *object = conf && *conf ? json_object() : json_null();

	for (; conf && *conf; conf++) {
		g_autofree char *key = NULL, *value = NULL;
		if (limits_parse_conf(*conf, &key, &value, NULL))
			json_put_string(object, key, value);
	}
	return object;
}

static int64_t shown_pids(const LimitSpec *spec, const Limits *limits) {
	if (!spec->pids_limit)
		return LIMIT_PIDS_DEFAULT;
	return limits->pids == LIMIT_NONE ? 0 : (int64_t)limits->pids;
}

static void put_text(json_t *object, const char *key, const char *text) {
	json_put_string(object, key, text ? text : "");
}

void inspect_container_limits(const ContainerSpec *spec, json_t *object) {
	const LimitSpec *given = &spec->limits;
	Limits limits;

	json_object_set_new(object, "CgroupConf", conf_object(spec->cgroup_conf));
	put_text(object, "CgroupParent", spec->cgroup_parent);
	json_put_bool(object, "OomKillDisable", false);
	if (!limits_parse(given, &limits, NULL))
		return;
	json_put_int(object, "Memory", shown(limits.memory_bytes));
	json_put_int(object, "MemoryReservation", shown(limits.memory_reservation_bytes));
	json_put_int(object, "MemorySwap", shown_swap(&limits));
	json_put_int(object, "MemorySwappiness", 0);
	json_put_int(object, "NanoCpus",
		given->cpus ? shown(limits.cpu_quota_usec) * (NANOS_PER_CPU / LIMIT_CPU_PERIOD_USEC)
			    : 0);
	json_put_int(object, "CpuPeriod", shown(limits.cpu_period_usec));
	json_put_int(object, "CpuQuota", shown(limits.cpu_quota_usec));
	json_put_int(object, "CpuShares", shown(limits.cpu_shares));
	json_put_int(object, "CpuRealtimePeriod", 0);
	json_put_int(object, "CpuRealtimeRuntime", 0);
	put_text(object, "CpusetCpus", limits.cpuset_cpus);
	put_text(object, "CpusetMems", limits.cpuset_mems);
	json_put_int(object, "PidsLimit", shown_pids(given, &limits));
	json_put_int(object, "BlkioWeight", shown(limits.blkio_weight));
	json_object_set_new(
		object, "BlkioWeightDevice", device_list(limits.blkio_weight_devices, "Weight"));
	json_object_set_new(
		object, "BlkioDeviceReadBps", device_list(limits.device_read_bps, "Rate"));
	json_object_set_new(
		object, "BlkioDeviceWriteBps", device_list(limits.device_write_bps, "Rate"));
	json_object_set_new(
		object, "BlkioDeviceReadIOps", device_list(limits.device_read_iops, "Rate"));
	json_object_set_new(
		object, "BlkioDeviceWriteIOps", device_list(limits.device_write_iops, "Rate"));
	limits_clear(&limits);
}

static void put_set(json_t *object, const char *key, uint64_t value) {
	if (value != LIMIT_UNSET)
		json_put_int(object, key, shown(value));
}

void inspect_pod_limits(const PodSpec *spec, json_t *object) {
	Limits limits;

	put_text(object, "CgroupParent", spec->cgroup_parent);
	if (!limits_parse(&spec->limits, &limits, NULL))
		return;
	put_set(object, "cpu_period", limits.cpu_period_usec);
	put_set(object, "cpu_quota", limits.cpu_quota_usec);
	put_set(object, "cpu_shares", limits.cpu_shares);
	json_put_string(object, "cpuset_cpus", limits.cpuset_cpus);
	json_put_string(object, "cpuset_mems", limits.cpuset_mems);
	put_set(object, "memory_limit", limits.memory_bytes);
	if (limits.memory_bytes < LIMIT_UNSET)
		json_put_int(object, "memory_swap", shown_swap(&limits));
	put_set(object, "pids_limit", limits.pids);
	put_set(object, "blkio_weight", limits.blkio_weight);
	if (limits.device_read_bps->len)
		json_object_set_new(
			object, "device_read_bps", device_list(limits.device_read_bps, "Rate"));
	if (limits.device_write_bps->len)
		json_object_set_new(
			object, "device_write_bps", device_list(limits.device_write_bps, "Rate"));
	limits_clear(&limits);
}
