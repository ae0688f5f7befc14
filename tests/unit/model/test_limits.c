/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits: what is read, what is refused, and what each is in numbers. */
#include "base/cleanup.h"
#include "model/limits.h"

#include <string.h>

#define GIB (UINT64_C(1) << 30)

static char *text(const char *value) {
	return (char *)(uintptr_t)value;
}

static void assert_refused(LimitSpec spec, const char *option) {
	g_autoptr(GError) err = NULL;

	g_assert_false(limits_check(&spec, &err));
	g_assert_true(error_is(err, ERROR_INVALID));
	g_assert_nonnull(strstr(err->message, option));
}

static Limits parsed(LimitSpec *spec) {
	g_autoptr(GError) err = NULL;
	Limits limits;

	limits_parse(spec, &limits, &err);
	g_assert_no_error(err);
	return limits;
}

static void test_unset(void) {
	LimitSpec spec = {0};
	Limits limits = parsed(&spec);

	g_assert_cmpuint(limits.memory_bytes, ==, LIMIT_UNSET);
	g_assert_cmpuint(limits.swap_bytes, ==, LIMIT_UNSET);
	g_assert_cmpuint(limits.cpu_quota_usec, ==, LIMIT_UNSET);
	g_assert_cmpuint(limits.cpu_shares, ==, LIMIT_UNSET);
	g_assert_cmpuint(limits.pids, ==, LIMIT_UNSET);
	g_assert_cmpuint(limits.blkio_weight, ==, LIMIT_UNSET);
	g_assert_null(limits_first_option(&spec));
	limits_clear(&limits);
}

static void test_memory(void) {
	static const struct {
		const char *memory, *swap;
		uint64_t bytes, swap_bytes;
	} rows[] = {
		{"1g", NULL, GIB, GIB}, /* podman's default: as much again */
		{"1g", "0", GIB, GIB},
		{"1g", "-1", GIB, LIMIT_NONE},
		{"1g", "1g", GIB, 0},
		{"1g", "3g", GIB, 2 * GIB},
		{"0", NULL, LIMIT_NONE, LIMIT_NONE},
		{NULL, "-1", LIMIT_UNSET, LIMIT_NONE},
	};

	array_foreach (row, rows) {
		LimitSpec spec = {.memory = text(row->memory), .memory_swap = text(row->swap)};
		Limits limits = parsed(&spec);
		g_assert_cmpuint(limits.memory_bytes, ==, row->bytes);
		g_assert_cmpuint(limits.swap_bytes, ==, row->swap_bytes);
		limits_clear(&limits);
	}
	assert_refused((LimitSpec){.memory = text("1x")}, "--memory");
	assert_refused((LimitSpec){.memory = text("-1")}, "--memory");
	assert_refused((LimitSpec){.memory = text("")}, "--memory");
	assert_refused((LimitSpec){.memory_swap = text("1g")}, "--memory-swap");
	assert_refused(
		(LimitSpec){.memory = text("2g"), .memory_swap = text("1g")}, "--memory-swap");
	assert_refused((LimitSpec){.memory = text("1g"), .memory_reservation = text("2g")},
		"--memory-reservation");
}

static void test_cpu(void) {
	static const struct {
		const char *cpus;
		uint64_t quota;
	} rows[] = {{"1", 100000}, {"1.5", 150000}, {".5", 50000}, {"0.01", 1000}, {"2.", 200000},
		{"0.12345678", 12345}, {"0", LIMIT_NONE}};

	array_foreach (row, rows) {
		LimitSpec spec = {.cpus = text(row->cpus)};
		Limits limits = parsed(&spec);
		g_assert_cmpuint(limits.cpu_quota_usec, ==, row->quota);
		g_assert_cmpuint(limits.cpu_period_usec, ==, 100000);
		limits_clear(&limits);
	}
	static const char *const bad[] = {
		"", ".", "-1", "1e3", "1,5", "0.009", "1.5x", " 1", "1.2.3", "99999999"};
	array_foreach (value, bad)
		assert_refused((LimitSpec){.cpus = text(*value)}, "--cpus");
	assert_refused((LimitSpec){.cpus = text("1"), .cpu_period = text("5000")}, "--cpu-period");
	assert_refused((LimitSpec){.cpus = text("1"), .cpu_quota = text("5000")}, "--cpu-quota");
	assert_refused((LimitSpec){.cpu_period = text("999")}, "--cpu-period");
	assert_refused((LimitSpec){.cpu_period = text("1000001")}, "--cpu-period");
	assert_refused((LimitSpec){.cpu_quota = text("999")}, "--cpu-quota");
	assert_refused((LimitSpec){.cpu_quota = text("-2")}, "--cpu-quota");
	assert_refused((LimitSpec){.cpu_shares = text("many")}, "--cpu-shares");
}

static void test_sets(void) {
	static const char *const good[] = {"0", "0-3", "0,2", "0-1,7", "3-3"};
	static const char *const bad[] = {
		"a", "-1", "1-", "3-1", "1,,2", ",", "0-3:1/2", "0 1", "1\n", "65536", "1-2-3"};

	array_foreach (value, good) {
		LimitSpec spec = {.cpuset_cpus = text(*value), .cpuset_mems = text(*value)};
		g_assert_true(limits_check(&spec, NULL));
	}
	array_foreach (value, bad) {
		assert_refused((LimitSpec){.cpuset_cpus = text(*value)}, "--cpuset-cpus");
		assert_refused((LimitSpec){.cpuset_mems = text(*value)}, "--cpuset-mems");
	}
}

static void test_pids(void) {
	LimitSpec none = {.pids_limit = text("-1")}, zero = {.pids_limit = text("0")};
	Limits limits = parsed(&none);

	g_assert_cmpuint(limits.pids, ==, LIMIT_NONE);
	limits_clear(&limits);
	limits = parsed(&zero);
	g_assert_cmpuint(limits.pids, ==, LIMIT_NONE);
	limits_clear(&limits);
	assert_refused((LimitSpec){.pids_limit = text("-2")}, "--pids-limit");
	assert_refused((LimitSpec){.pids_limit = text("1k")}, "--pids-limit");
	assert_refused((LimitSpec){.pids_limit = text("")}, "--pids-limit");
}

static void test_devices(void) {
	char *rates[] = {text("/dev/sda:1mb"), text("/dev/disk/by-id/a:b:0"), NULL};
	LimitSpec spec = {.device_write_bps = rates, .blkio_weight = text("500")};
	Limits limits = parsed(&spec);
	const DeviceLimit *devices = (const DeviceLimit *)(void *)limits.device_write_bps->data;

	g_assert_cmpuint(limits.device_write_bps->len, ==, 2);
	g_assert_cmpstr(devices[0].path, ==, "/dev/sda");
	g_assert_cmpuint(devices[0].value, ==, 1 << 20);
	g_assert_cmpstr(devices[1].path, ==, "/dev/disk/by-id/a:b");
	g_assert_cmpuint(devices[1].value, ==, LIMIT_NONE);
	limits_clear(&limits);
	static const char *const bad[] = {
		"", "sda:1mb", "/dev/sda", "/dev/sda:", "/dev/sda:x", ":1mb"};
	array_foreach (value, bad) {
		char *list[] = {text(*value), NULL};
		assert_refused((LimitSpec){.device_read_bps = list}, "--device-read-bps");
		assert_refused((LimitSpec){.device_write_iops = list}, "--device-write-iops");
		assert_refused((LimitSpec){.blkio_weight_devices = list}, "--blkio-weight-device");
	}
	char *sized[] = {text("/dev/sda:1k"), NULL};
	assert_refused((LimitSpec){.device_read_iops = sized}, "--device-read-iops");
	assert_refused((LimitSpec){.blkio_weight = text("9")}, "--blkio-weight");
	assert_refused((LimitSpec){.blkio_weight = text("1001")}, "--blkio-weight");
}

static void test_conf(void) {
	static const char *const good[] = {
		"memory.oom.group=1", "memory.high=1g", "io.max=8:0 rbps=1", "cgroup.max.depth=3"};
	static const char *const bad[] = {"", "=", "memory.max", "memory.max=", "=1", "../x=1",
		"a/memory.max=1", "memory=1", ".memory=1", "memory.=1", "memory..max=1",
		"Memory.max=1", "memory.max=1\n2", "cgroup.procs=1", "cgroup.kill=1",
		"cgroup.freeze=1", "cgroup.subtree_control=+io", "cgroup.type=threaded",
		"memory max=1"};

	array_foreach (value, good) {
		g_autofree char *key = NULL, *rest = NULL;
		g_assert_true(limits_parse_conf(*value, &key, &rest, NULL));
		g_autofree char *joined = g_strconcat(key, "=", rest, NULL);
		g_assert_cmpstr(joined, ==, *value);
	}
	array_foreach (value, bad) {
		g_autofree char *key = NULL, *rest = NULL;
		g_autoptr(GError) err = NULL;
		g_assert_false(limits_parse_conf(*value, &key, &rest, &err));
		g_assert_nonnull(strstr(err->message, "--cgroup-conf"));
		g_assert_null(key);
	}
}

static void test_parent(void) {
	static const char *const good[] = {"web.slice", "/a", "/a/b.slice", "system-web.slice"};
	static const char *const bad[] = {"", "web", "a/b.slice", "../x.slice", "..", "/", "/..",
		"/a/../b", "/a/./b", "/a//b", "/a/", "x\n.slice", "/a b", "/a\tb", "/\x7f",
		"/\xc3\xa4", ".slice/..", "a.slice/"};

	array_foreach (value, good)
		g_assert_true(limits_check_parent(*value, NULL));
	array_foreach (value, bad) {
		g_autoptr(GError) err = NULL;
		g_assert_false(limits_check_parent(*value, &err));
		g_assert_nonnull(strstr(err->message, "--cgroup-parent"));
	}
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/limits/unset", test_unset);
	g_test_add_func("/model/limits/memory-and-swap", test_memory);
	g_test_add_func("/model/limits/cpu", test_cpu);
	g_test_add_func("/model/limits/sets", test_sets);
	g_test_add_func("/model/limits/pids", test_pids);
	g_test_add_func("/model/limits/devices", test_devices);
	g_test_add_func("/model/limits/cgroup-conf", test_conf);
	g_test_add_func("/model/limits/cgroup-parent", test_parent);
	return g_test_run();
}
