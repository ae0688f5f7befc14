/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits in the kernel's terms: resource limits of the process, and files of the container's
 * cgroup. Numbers that cgroup v1 had other scales for are converted as every runtime does it.
 */
#include "engine/resolve.h"

#include "base/cleanup.h"
#include "base/options.h"
#include "base/parse.h"
#include "model/limits.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#define SHARES_MIN   2
#define SHARES_RANGE 262142 /* 2 to 262144 */
#define WEIGHT_MIN   1
#define WEIGHT_RANGE 9999 /* cgroup v2: 1 to 10000 */
#define BLKIO_MIN    10
#define BLKIO_RANGE  990 /* 10 to 1000 */

typedef struct Target {
	RuntimeConfig *config;
	bool update; /* "no bound" is written out, because there may be one */
} Target;

static RuntimeLimit *add_text(
	Target *target, const char *option, const char *file, const char *value) {
	g_autofree char *controller = g_strndup(file, strcspn(file, "."));

	target->config->needs_cgroup = true;
	return runtime_config_add_limit(target->config, option, controller, file, value);
}

static char *number_or_max(uint64_t value) {
	return value == LIMIT_NONE ? g_strdup("max") : g_strdup_printf("%" PRIu64, value);
}

/* NULL when there is nothing to write. */
static RuntimeLimit *add_number(
	Target *target, const char *option, const char *file, uint64_t value) {
	if (value == LIMIT_UNSET || (value == LIMIT_NONE && !target->update))
		return NULL;
	g_autofree char *text = number_or_max(value);
	return add_text(target, option, file, text);
}

static void add_memory(Target *target, const Limits *limits) {
	const char *swap_option = limits->swap_is_default ? "--memory" : "--memory-swap";
	uint64_t reservation = limits->memory_reservation_bytes;

	add_number(target, "--memory", "memory.max", limits->memory_bytes);
	RuntimeLimit *swap = add_number(target, swap_option, "memory.swap.max", limits->swap_bytes);
	/* a kernel that does not count swap has no such file */
	if (swap && limits->swap_is_default)
		swap->optional = true;
	add_number(target, "--memory-reservation", "memory.low",
		reservation == LIMIT_NONE ? 0 : reservation);
}

static void add_cpu(Target *target, const LimitSpec *spec, const Limits *limits) {
	const char *option = spec->cpus        ? "--cpus"
			     : spec->cpu_quota ? "--cpu-quota"
					       : "--cpu-period";
	uint64_t quota = limits->cpu_quota_usec, period = limits->cpu_period_usec;

	if (quota != LIMIT_UNSET || period != LIMIT_UNSET) {
		g_autofree char *first = number_or_max(quota == LIMIT_UNSET ? LIMIT_NONE : quota);
		g_autofree char *text = g_strdup_printf("%s %" PRIu64, first,
			period == LIMIT_UNSET ? LIMIT_CPU_PERIOD_USEC : period);
		if (quota != LIMIT_NONE || target->update)
			add_text(target, option, "cpu.max", text);
	}
	if (limits->cpu_shares != LIMIT_UNSET)
		add_number(target, "--cpu-shares", "cpu.weight",
			WEIGHT_MIN +
				(limits->cpu_shares - SHARES_MIN) * WEIGHT_RANGE / SHARES_RANGE);
	if (limits->cpuset_cpus)
		add_text(target, "--cpuset-cpus", "cpuset.cpus", limits->cpuset_cpus);
	if (limits->cpuset_mems)
		add_text(target, "--cpuset-mems", "cpuset.mems", limits->cpuset_mems);
}

/* BFQ's own file keeps the old scale; the other one is the cost model's. numbers: of a device, or
 * "default". */
static void add_weight(Target *target, const char *option, const char *numbers, uint64_t weight) {
	g_autofree char *bfq = g_strdup_printf("%s %" PRIu64, numbers, weight);
	g_autofree char *cost = g_strdup_printf("%s %" PRIu64, numbers,
		WEIGHT_MIN + (weight - BLKIO_MIN) * WEIGHT_RANGE / BLKIO_RANGE);

	add_text(target, option, "io.bfq.weight", bfq)->or_next = true;
	add_text(target, option, "io.weight", cost);
}

static bool add_rates(
	Target *target, const char *option, const char *key, const GArray *devices, GError **err) {
	for (unsigned i = 0; i < devices->len; i++) {
		const DeviceLimit *device = &g_array_index(devices, DeviceLimit, i);
		g_autofree char *numbers = NULL;
		if (!runtime_block_device(device->path, &numbers, err))
			return fail_prefix(err, "%s", option);
		g_autofree char *rate = number_or_max(device->value);
		g_autofree char *text = g_strdup_printf("%s %s=%s", numbers, key, rate);
		add_text(target, option, "io.max", text);
	}
	return true;
}

static bool add_io(Target *target, const Limits *limits, GError **err) {
	const GArray *weights = limits->blkio_weight_devices;

	if (limits->blkio_weight != LIMIT_UNSET)
		add_weight(target, "--blkio-weight", "default", limits->blkio_weight);
	for (unsigned i = 0; i < weights->len; i++) {
		const DeviceLimit *device = &g_array_index(weights, DeviceLimit, i);
		g_autofree char *numbers = NULL;
		if (!runtime_block_device(device->path, &numbers, err))
			return fail_prefix(err, "--blkio-weight-device");
		add_weight(target, "--blkio-weight-device", numbers, device->value);
	}
	return add_rates(target, "--device-read-bps", "rbps", limits->device_read_bps, err) &&
	       add_rates(target, "--device-write-bps", "wbps", limits->device_write_bps, err) &&
	       add_rates(target, "--device-read-iops", "riops", limits->device_read_iops, err) &&
	       add_rates(target, "--device-write-iops", "wiops", limits->device_write_iops, err);
}

bool resolve_limit_spec(const LimitSpec *spec, bool update, RuntimeConfig *config, GError **err) {
	Target target = {.config = config, .update = update};
	Limits limits;

	if (!limits_parse(spec, &limits, err))
		return false;
	add_memory(&target, &limits);
	add_cpu(&target, spec, &limits);
	add_number(&target, "--pids-limit", "pids.max", limits.pids);
	bool good = add_io(&target, &limits, err);
	limits_clear(&limits);
	return good;
}

/* Memory is counted without a bound too: for stats, for telling a death by a bound further up, and
 * because what is written back to a disk is held against the io limits of the cgroup that the
 * memory is counted in. */
static void add_memory_count(const ContainerSpec *spec, RuntimeConfig *config) {
	if (!spec->limits.memory)
		runtime_config_add_limit(config, "--memory", "memory", "memory.max", "max")
			->optional = true;
}

/* podman's default against fork bombs, and the word that there is to be none: both want a cgroup
 * only where there is a controller. */
static void add_optional_pids(const ContainerSpec *spec, RuntimeConfig *config) {
	const char *asked = spec->limits.pids_limit;
	g_autofree char *usual = g_strdup_printf("%d", LIMIT_PIDS_DEFAULT);

	if (!asked || strcmp(asked, "0") == 0 || strcmp(asked, "-1") == 0)
		runtime_config_add_limit(
			config, "--pids-limit", "pids", "pids.max", asked ? "max" : usual)
			->optional = true;
}

static bool resolve_cgroup_conf(const ContainerSpec *spec, RuntimeConfig *config, GError **err) {
	for (char **conf = spec->cgroup_conf; conf && *conf; conf++) {
		g_autofree char *key = NULL, *value = NULL;
		if (!limits_parse_conf(*conf, &key, &value, err))
			return false;
		g_autofree char *controller = g_strndup(key, strcspn(key, "."));
		bool own = strcmp(controller, "cgroup") == 0;
		runtime_config_add_limit(
			config, "--cgroup-conf", own ? NULL : controller, key, value);
		config->needs_cgroup = true;
	}
	return true;
}

/* A file limit of this size is the default where it is permitted (security.md A09.1). */
enum { DEFAULT_OPEN_FILES = 1048576 };

static bool resolve_rlimits(const ContainerSpec *spec, RuntimeConfig *config, GError **err) {
	size_t count = spec->ulimits ? g_strv_length(spec->ulimits) : 0;
	bool open_files = false;

	config->rlimits = g_new0(RuntimeRlimit, count + 1);
	for (size_t i = 0; i < count; i++) {
		RuntimeRlimit *limit = &config->rlimits[config->n_rlimits];
		if (!spec_parse_ulimit(
			    spec->ulimits[i], &limit->resource, &limit->soft, &limit->hard, err))
			return false;
		/* "host": the caller's limits */
		open_files = open_files || limit->resource < 0 || limit->resource == RLIMIT_NOFILE;
		if (limit->resource >= 0)
			config->n_rlimits++;
	}
	if (!open_files)
		config->rlimits[config->n_rlimits++] = (RuntimeRlimit){.resource = RLIMIT_NOFILE,
			.soft = DEFAULT_OPEN_FILES,
			.hard = DEFAULT_OPEN_FILES,
			.as_far = true};
	return true;
}

static bool resolve_oom_score(const ContainerSpec *spec, RuntimeConfig *config, GError **err) {
	if (spec->oom_score_adj &&
		!parse_int(spec->oom_score_adj, -1000, 1000, &config->oom_score_adj))
		return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--oom-score-adj\"",
			spec->oom_score_adj);
	return true;
}

static bool resolve_sysctls(const ContainerSpec *spec, RuntimeConfig *config, GError **err) {
	for (char **sysctl = spec->sysctls; sysctl && *sysctl; sysctl++)
		if (!runtime_sysctl_check(
			    *sysctl, config->new_namespaces | config->join_namespaces, err))
			return false;
	config->sysctls = g_strdupv(spec->sysctls);
	if (config->new_namespaces & CLONE_NEWNET)
		options_append(&config->sysctls, DEFAULT_NET_SYSCTL);
	return true;
}

bool resolve_limits(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	int mknod_capability = runtime_capability_from_string("MKNOD");

	if (!resolve_rlimits(spec, config, err) || !resolve_oom_score(spec, config, err) ||
		!resolve_sysctls(spec, config, err) ||
		!resolve_limit_spec(&spec->limits, false, config, err))
		return false;
	add_memory_count(spec, config);
	add_optional_pids(spec, config);
	/* who may make nodes is to have some use of them; which ones, the device program says */
	config->rootfs.devices = config->capabilities & UINT64_C(1) << mknod_capability;
	config->needs_cgroup |= config->rootfs.devices && !config->privileged;
	return resolve_cgroup_conf(spec, config, err);
}
