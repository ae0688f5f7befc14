/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of stats from the engine's numbers. */
#include "base/cleanup.h"
#include "cli/stats_view.h"

static const char *field(const json_t *row, const char *key) {
	return json_get_string(row, key, "(none)");
}

static void test_spans(void) {
	static const struct {
		uint64_t nsec;
		const char *text;
	} rows[] = {{0, "0s"}, {1, "1ns"}, {1500, "1.5\302\265s"}, {4203000, "4.203ms"},
		{1000000, "1ms"}, {1000000000, "1s"}, {1250000000, "1.25s"}, {61000000000, "1m1s"},
		{3600000000000, "1h0m0s"}, {3723500000000, "1h2m3.5s"}};

	array_foreach (row, rows) {
		g_autofree char *text = stats_view_span(row->nsec);
		g_assert_cmpstr(text, ==, row->text);
	}
}

static void test_full_row(void) {
	json_auto_t *before = json_pack(
		"{s:I,s:I}", "cpu_nsec", (json_int_t)1000000000, "_now_usec", (json_int_t)10000000);
	json_auto_t *now = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "Id",
		"0123456789abcdef", "Name", "web", "cpu_nsec", (json_int_t)1500000000,
		"started_usec", (json_int_t)1000000, "_now_usec", (json_int_t)11000000,
		"memory_bytes", (json_int_t)3092000, "memory_limit_bytes", (json_int_t)6184000,
		"pids", (json_int_t)7, "net_input_bytes", (json_int_t)0, "net_output_bytes",
		(json_int_t)1500, "block_input_bytes", (json_int_t)1234567890, "block_output_bytes",
		(json_int_t)999);
	json_auto_t *row = stats_view_container(now, before, false);

	g_assert_cmpstr(field(row, "ID"), ==, "0123456789ab");
	g_assert_cmpstr(field(row, "ContainerID"), ==, "0123456789abcdef");
	g_assert_cmpstr(field(row, "CPUPerc"), ==, "50.00%");
	g_assert_cmpstr(field(row, "AVGCPU"), ==, "15.00%");
	g_assert_cmpstr(field(row, "MemUsage"), ==, "3.092MB / 6.184MB");
	g_assert_cmpstr(field(row, "MemUsageBytes"), ==, "2.949MiB / 5.898MiB");
	g_assert_cmpstr(field(row, "MemPerc"), ==, "50.00%");
	g_assert_cmpstr(field(row, "NetIO"), ==, "0B / 1.5kB");
	g_assert_cmpstr(field(row, "BlockIO"), ==, "1.235GB / 999B");
	g_assert_cmpstr(field(row, "PIDS"), ==, "7");
	g_assert_cmpstr(field(row, "UpTime"), ==, "1.5s");
	json_auto_t *first = stats_view_container(now, NULL, true);
	g_assert_cmpstr(field(first, "CPUPerc"), ==, "15.00%");
	g_assert_cmpstr(field(first, "ID"), ==, "0123456789abcdef");
	/* started again since the last look: less was used than before */
	json_auto_t *restarted = stats_view_container(before, now, false);
	g_assert_cmpstr(field(restarted, "CPUPerc"), ==, "0.00%");
}

static void test_nothing_known(void) {
	json_auto_t *now = json_pack("{s:s,s:s}", "Id", "0123456789abcdef", "Name", "web");
	json_auto_t *row = stats_view_container(now, NULL, false);
	json_auto_t *rows = json_pack("[O]", row);
	json_auto_t *list = stats_view_json(rows);
	static const char *const unknown[] = {
		"cpu_percent", "avg_cpu", "mem_percent", "pids", "cpu_time"};
	static const char *const pairs[] = {"mem_usage", "net_io", "block_io"};

	array_foreach (key, unknown)
		g_assert_cmpstr(field(json_array_get(list, 0), *key), ==, "--");
	array_foreach (key, pairs)
		g_assert_cmpstr(field(json_array_get(list, 0), *key), ==, "-- / --");
	g_assert_cmpstr(field(json_array_get(list, 0), "name"), ==, "web");
}

static void test_pod_row(void) {
	json_auto_t *now = json_pack("{s:s,s:s,s:I,s:I,s:I}", "Pod", "fedcba9876543210", "Name",
		"p", "cpu_nsec", (json_int_t)1000000, "started_usec", (json_int_t)0, "_now_usec",
		(json_int_t)4000);
	json_auto_t *row = stats_view_pod(now, NULL, false);

	g_assert_cmpstr(field(row, "Pod"), ==, "fedcba987654");
	g_assert_cmpstr(field(row, "CID"), ==, "--");
	g_assert_cmpstr(field(row, "CPU"), ==, "25.00%");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cli/stats/spans", test_spans);
	g_test_add_func("/cli/stats/full-row", test_full_row);
	g_test_add_func("/cli/stats/nothing-known", test_nothing_known);
	g_test_add_func("/cli/stats/pod-row", test_pod_row);
	return g_test_run();
}
