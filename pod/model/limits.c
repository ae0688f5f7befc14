/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading limits. See limits.h. */
#include "model/limits.h"

#include "base/cleanup.h"
#include "base/parse.h"

#include <string.h>

enum {
	CPU_USEC_MIN = 1000,
	CPU_PERIOD_MAX = 1000000,
	CPUS_MAX = 1 << 20,
	SHARES_MAX = 262144,
	WEIGHT_MIN = 10,
	WEIGHT_MAX = 1000,
	SET_MEMBER_MAX = 65535,
	PARENT_MAX = 3072,
};

static bool fail_value(GError **err, const char *option, const char *value, const char *reason) {
	return fail(err, ERROR_INVALID, "--%s: bad value \"%s\": %s", option, value, reason);
}

/* 0 is "no bound", as in podman. */
static bool read_size(const char *option, const char *text, uint64_t *ret_bytes, GError **err) {
	*ret_bytes = LIMIT_UNSET;
	if (!text)
		return true;
	if (!parse_size(text, ret_bytes) || *ret_bytes > INT64_MAX)
		return fail_value(err, option, text, "it is a size such as 64m");
	if (*ret_bytes == 0)
		*ret_bytes = LIMIT_NONE;
	return true;
}

static bool read_swap(const LimitSpec *spec, Limits *limits, GError **err) {
	const char *text = spec->memory_swap;
	uint64_t total;

	limits->swap_bytes = LIMIT_UNSET;
	if (text && strcmp(text, "-1") == 0) {
		limits->swap_bytes = LIMIT_NONE;
		return true;
	}
	if (!text || strcmp(text, "0") == 0) {
		limits->swap_is_default = true;
		limits->swap_bytes = limits->memory_bytes;
		return true;
	}
	if (!read_size("memory-swap", text, &total, err))
		return false;
	if (limits->memory_bytes >= LIMIT_UNSET)
		return fail(err, ERROR_INVALID,
			"--memory-swap needs --memory: it is memory and swap together");
	if (total < limits->memory_bytes)
		return fail_value(err, "memory-swap", text, "it is less than --memory");
	limits->swap_bytes = total - limits->memory_bytes;
	return true;
}

static bool read_memory(const LimitSpec *spec, Limits *limits, GError **err) {
	if (!read_size("memory", spec->memory, &limits->memory_bytes, err) ||
		!read_size("memory-reservation", spec->memory_reservation,
			&limits->memory_reservation_bytes, err) ||
		!read_swap(spec, limits, err))
		return false;
	if (limits->memory_bytes < LIMIT_UNSET && limits->memory_reservation_bytes < LIMIT_UNSET &&
		limits->memory_bytes < limits->memory_reservation_bytes)
		return fail_value(err, "memory-reservation", spec->memory_reservation,
			"it is more than --memory");
	return true;
}

/* A decimal number of processors as microseconds of each period. */
static bool read_cpus(const char *text, uint64_t *ret_quota_usec) {
	uint64_t whole, part = 0, unit = LIMIT_CPU_PERIOD_USEC;
	const char *point = strchr(text, '.');
	g_autofree char *digits = point ? g_strndup(text, (size_t)(point - text)) : g_strdup(text);

	if (!parse_uint64(*digits ? digits : "0", CPUS_MAX, &whole) || strcmp(text, ".") == 0)
		return false;
	for (const char *p = point ? point + 1 : ""; *p; p++) {
		if (!g_ascii_isdigit(*p))
			return false;
		unit /= 10;
		part += unit * (uint64_t)(*p - '0');
	}
	*ret_quota_usec = whole * LIMIT_CPU_PERIOD_USEC + part;
	return *text != '\0';
}

static bool read_usec(const char *option, const char *text, uint64_t max, uint64_t *ret_usec,
	const char *reason, GError **err) {
	*ret_usec = LIMIT_UNSET;
	if (!text)
		return true;
	if (strcmp(text, "0") == 0)
		return true;
	if (!parse_uint64(text, max, ret_usec) || *ret_usec < CPU_USEC_MIN)
		return fail_value(err, option, text, reason);
	return true;
}

static bool read_cpu(const LimitSpec *spec, Limits *limits, GError **err) {
	if (spec->cpus && spec->cpu_period)
		return fail(err, ERROR_INVALID, "--cpus conflicts with --cpu-period");
	if (spec->cpus && spec->cpu_quota)
		return fail(err, ERROR_INVALID, "--cpus conflicts with --cpu-quota");
	if (!read_usec("cpu-period", spec->cpu_period, CPU_PERIOD_MAX, &limits->cpu_period_usec,
		    "it is microseconds within 1000 to 1000000", err))
		return false;
	if (spec->cpu_quota && strcmp(spec->cpu_quota, "-1") == 0)
		limits->cpu_quota_usec = LIMIT_NONE;
	else if (!read_usec("cpu-quota", spec->cpu_quota, INT64_MAX, &limits->cpu_quota_usec,
			 "it is at least 1000 microseconds, or -1", err))
		return false;
	if (spec->cpus) {
		if (!read_cpus(spec->cpus, &limits->cpu_quota_usec) ||
			(limits->cpu_quota_usec && limits->cpu_quota_usec < CPU_USEC_MIN))
			return fail_value(err, "cpus", spec->cpus,
				"it is a number of processors such as 1.5, at least 0.01");
		limits->cpu_period_usec = LIMIT_CPU_PERIOD_USEC;
		if (limits->cpu_quota_usec == 0)
			limits->cpu_quota_usec = LIMIT_NONE;
	}
	limits->cpu_shares = LIMIT_UNSET;
	if (!spec->cpu_shares || strcmp(spec->cpu_shares, "0") == 0)
		return true;
	if (!parse_uint64(spec->cpu_shares, INT64_MAX, &limits->cpu_shares))
		return fail_value(err, "cpu-shares", spec->cpu_shares, "it is a number");
	/* the kernel's bounds for shares; podman's runtimes cut to them too */
	limits->cpu_shares = CLAMP(limits->cpu_shares, 2, SHARES_MAX);
	return true;
}

/* "0-3,7": the kernel's own list format, without its strides. */
static bool set_is_valid(const char *text) {
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);

	for (char **part = parts; *part; part++) {
		char *dash = strchr(*part, '-');
		unsigned first, last;
		if (dash)
			*dash = '\0';
		if (!parse_uint(*part, SET_MEMBER_MAX, &first))
			return false;
		if (dash && (!parse_uint(dash + 1, SET_MEMBER_MAX, &last) || last < first))
			return false;
	}
	return parts[0] != NULL;
}

static bool read_set(const char *option, const char *text, const char **ret_set, GError **err) {
	*ret_set = text && *text ? text : NULL;
	if (!*ret_set || set_is_valid(text))
		return true;
	return fail_value(err, option, text, "it is a list such as 0-3,7");
}

static bool read_pids(const char *text, uint64_t *ret_pids, GError **err) {
	*ret_pids = LIMIT_UNSET;
	if (!text)
		return true;
	if (strcmp(text, "-1") == 0 || strcmp(text, "0") == 0) {
		*ret_pids = LIMIT_NONE;
		return true;
	}
	if (!parse_uint64(text, INT32_MAX, ret_pids))
		return fail_value(err, "pids-limit", text, "it is a number, or -1 for no limit");
	return true;
}

static bool read_weight(const char *option, const char *whole, const char *text,
	uint64_t *ret_weight, GError **err) {
	if (!parse_uint64(text, WEIGHT_MAX, ret_weight) || *ret_weight < WEIGHT_MIN)
		return fail_value(err, option, whole, "a weight is a number within 10 to 1000");
	return true;
}

static void clear_device(void *device) {
	g_free(((DeviceLimit *)device)->path);
}

typedef enum DeviceValue { VALUE_WEIGHT, VALUE_BYTES, VALUE_COUNT } DeviceValue;

/* PATH:VALUE, the path of a device; whether there is one is seen when it is looked up. */
static bool read_devices(const char *option, char *const *texts, DeviceValue kind,
	GArray **ret_devices, GError **err) {
	*ret_devices = g_array_new(FALSE, FALSE, sizeof(DeviceLimit));
	g_array_set_clear_func(*ret_devices, clear_device);
	for (; texts && *texts; texts++) {
		const char *colon = strrchr(*texts, ':');
		DeviceLimit device = {0};
		if (!colon || **texts != '/' || colon == *texts)
			return fail_value(err, option, *texts,
				kind == VALUE_WEIGHT ? "it is DEVICE:WEIGHT" : "it is DEVICE:RATE");
		bool good = kind == VALUE_WEIGHT
				    ? read_weight(option, *texts, colon + 1, &device.value, err)
			    : kind == VALUE_BYTES
				    ? parse_size(colon + 1, &device.value)
				    : parse_uint64(colon + 1, INT64_MAX, &device.value);
		if (!good)
			return kind == VALUE_WEIGHT
				       ? false
				       : fail_value(err, option, *texts, "the rate is no number");
		if (device.value == 0)
			device.value = LIMIT_NONE;
		device.path = g_strndup(*texts, (size_t)(colon - *texts));
		g_array_append_val(*ret_devices, device);
	}
	return true;
}

static bool read_blkio(const LimitSpec *spec, Limits *limits, GError **err) {
	limits->blkio_weight = LIMIT_UNSET;
	if (spec->blkio_weight && strcmp(spec->blkio_weight, "0") != 0 &&
		!read_weight("blkio-weight", spec->blkio_weight, spec->blkio_weight,
			&limits->blkio_weight, err))
		return false;
	return read_devices("blkio-weight-device", spec->blkio_weight_devices, VALUE_WEIGHT,
		       &limits->blkio_weight_devices, err) &&
	       read_devices("device-read-bps", spec->device_read_bps, VALUE_BYTES,
		       &limits->device_read_bps, err) &&
	       read_devices("device-write-bps", spec->device_write_bps, VALUE_BYTES,
		       &limits->device_write_bps, err) &&
	       read_devices("device-read-iops", spec->device_read_iops, VALUE_COUNT,
		       &limits->device_read_iops, err) &&
	       read_devices("device-write-iops", spec->device_write_iops, VALUE_COUNT,
		       &limits->device_write_iops, err);
}

bool limits_parse(const LimitSpec *spec, Limits *ret_limits, GError **err) {
	*ret_limits = (Limits){0};
	bool good = read_memory(spec, ret_limits, err) && read_cpu(spec, ret_limits, err) &&
		    read_set("cpuset-cpus", spec->cpuset_cpus, &ret_limits->cpuset_cpus, err) &&
		    read_set("cpuset-mems", spec->cpuset_mems, &ret_limits->cpuset_mems, err) &&
		    read_pids(spec->pids_limit, &ret_limits->pids, err) &&
		    read_blkio(spec, ret_limits, err);

	if (!good)
		limits_clear(ret_limits);
	return good;
}

void limits_clear(Limits *limits) {
	GArray **const arrays[] = {&limits->blkio_weight_devices, &limits->device_read_bps,
		&limits->device_write_bps, &limits->device_read_iops, &limits->device_write_iops};

	for (size_t i = 0; i < ARRAY_LENGTH(arrays); i++)
		g_clear_pointer(arrays[i], g_array_unref);
}

bool limits_check(const LimitSpec *spec, GError **err) {
	Limits limits;

	if (!limits_parse(spec, &limits, err))
		return false;
	limits_clear(&limits);
	return true;
}

const char *limits_first_option(const LimitSpec *spec) {
	const struct {
		const char *option;
		const void *value;
	} rows[] = {
		{"--memory", spec->memory},
		{"--memory-reservation", spec->memory_reservation},
		{"--memory-swap", spec->memory_swap},
		{"--cpus", spec->cpus},
		{"--cpu-quota", spec->cpu_quota},
		{"--cpu-period", spec->cpu_period},
		{"--cpu-shares", spec->cpu_shares},
		{"--cpuset-cpus", spec->cpuset_cpus},
		{"--cpuset-mems", spec->cpuset_mems},
		{"--pids-limit", spec->pids_limit},
		{"--blkio-weight", spec->blkio_weight},
		{"--blkio-weight-device", spec->blkio_weight_devices},
		{"--device-read-bps", spec->device_read_bps},
		{"--device-write-bps", spec->device_write_bps},
		{"--device-read-iops", spec->device_read_iops},
		{"--device-write-iops", spec->device_write_iops},
	};

	array_foreach (row, rows)
		if (row->value)
			return row->option;
	return NULL;
}

bool limits_parse_conf(const char *text, char **ret_key, char **ret_value, GError **err) {
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
	size_t length = strcspn(text, "=");
	g_autofree char *key = g_strndup(text, length);
	const char *value = text[length] ? text + length + 1 : "";

	if (!*key || !*value)
		return fail_value(err, "cgroup-conf", text, "it is KEY=VALUE");
	if (strspn(key, allowed) != length || *key == '.' || !strchr(key, '.') ||
		strstr(key, "..") || key[length - 1] == '.')
		return fail_value(err, "cgroup-conf", text, "the key is no file of a cgroup");
	/* Processes, freezing and the tree's shape are podctl's own. */
	if (g_str_has_prefix(key, "cgroup.") && !g_str_has_prefix(key, "cgroup.max."))
		return fail_value(
			err, "cgroup-conf", text, "files of the cgroup itself are podctl's");
	if (strpbrk(value, "\n\r"))
		return fail_value(err, "cgroup-conf", text, "the value has more than one line");
	*ret_key = g_steal_pointer(&key);
	*ret_value = g_strdup(value);
	return true;
}

bool limits_check_parent(const char *text, GError **err) {
	g_auto(GStrv) parts = g_strsplit(text[0] == '/' ? text + 1 : text, "/", -1);

	if (!parts[0] || strlen(text) > PARENT_MAX || (*text != '/' && parts[1]))
		return fail_value(err, "cgroup-parent", text,
			"it is a slice such as web.slice, or an absolute path");
	if (*text != '/' && !g_str_has_suffix(text, ".slice"))
		return fail_value(err, "cgroup-parent", text,
			"it is a slice such as web.slice, or an absolute path");
	for (char **part = parts; *part; part++) {
		if (!**part || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
			return fail_value(err, "cgroup-parent", text,
				"it has a component that leads elsewhere");
		for (const unsigned char *p = (const unsigned char *)*part; *p; p++)
			if (*p <= 0x20 || *p >= 0x7f)
				return fail_value(err, "cgroup-parent", text,
					"it holds a blank or control character");
	}
	return true;
}
