/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns, ages and sizes as podman prints them; times of logs. */
#include "cli/output.h"

#include "base/parse.h"
#include "cli/log_time.h"

#include <stdlib.h>
#include <time.h>

static void expect_text(char *text, const char *wanted) {
	g_assert_cmpstr(text, ==, wanted);
	g_free(text);
}

static void test_align(void) {
	expect_text(output_align("A\tB\tC\nlonger than twelve\tb\tc\n"),
		"A                   B           C\nlonger than twelve  b           c\n");
	expect_text(output_align("é\tx\n"), "é           x\n");
	expect_text(output_align(""), "");
	expect_text(output_align("\t\n"), "            \n");
}

static void test_duration(void) {
	static const struct {
		uint64_t seconds;
		const char *text;
	} cases[] = {
		{0, "Less than a second"},
		{1, "1 second"},
		{59, "59 seconds"},
		{60, "About a minute"},
		{119, "About a minute"},
		{120, "2 minutes"},
		{3599, "59 minutes"},
		{3600, "About an hour"},
		{5399, "About an hour"},
		{5400, "2 hours"},
		{47 * 3600, "47 hours"},
		{48 * 3600, "2 days"},
		{14 * 86400, "2 weeks"},
		{60 * 86400, "2 months"},
		{730 * 86400, "2 years"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		expect_text(output_duration(cases[i].seconds * USEC_PER_SEC), cases[i].text);
}

static void test_size(void) {
	expect_text(output_size(0), "0 B");
	expect_text(output_size(999), "999 B");
	expect_text(output_size(1000), "1 kB");
	expect_text(output_size(7620000), "7.62 MB");
	expect_text(output_size(192400000), "192 MB");
	expect_text(output_size(999900000), "1000 MB");
	expect_text(output_size(UINT64_MAX), "18.4 EB");
}

static void test_stamps(void) {
	static const struct {
		const char *text;
		uint64_t usec;
	} good[] = {
		{"1970-01-01T00:00:01Z", 1000000},
		{"1970-01-02T00:00:00.5+01:00", UINT64_C(82800500000)},
		{"2026-01-02T15:04:05.000000007Z", UINT64_C(1767366245000000)},
		{"2026-01-02T15:04Z", UINT64_C(1767366240000000)},
		{"2026-01-02", UINT64_C(1767312000000000)},
		{"2026-01-02 00:00:00", UINT64_C(1767312000000000)},
	};
	static const char *const bad[] = {"", "2026", "2026-13-01", "2026-01-02T",
		"2026-01-02T1:00Z", "2026-01-02T15:04:05.1x", "2026-01-02T15:04:05+1",
		"2026-01-02T25:00Z", "x"};
	uint64_t usec = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		if (!log_time_parse_stamp(good[i].text, &usec))
			g_error("%s is no time", good[i].text);
		g_assert_cmpuint(usec, ==, good[i].usec);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		if (log_time_parse_stamp(bad[i], &usec))
			g_error("%s is a time", bad[i]);
	expect_text(
		log_time_format(UINT64_C(1767366245000007)), "2026-01-02T15:04:05.000007000+00:00");
}

static void test_relative(void) {
	uint64_t usec = 0;

	g_assert_true(log_time_parse("10m", 700 * USEC_PER_SEC, &usec));
	g_assert_cmpuint(usec, ==, 100 * USEC_PER_SEC);
	g_assert_true(log_time_parse("24h", 700 * USEC_PER_SEC, &usec));
	g_assert_cmpuint(usec, ==, 0);
	g_assert_true(log_time_parse("5.25", 0, &usec));
	g_assert_cmpuint(usec, ==, 5250000);
	g_assert_false(log_time_parse("5.2.5", 0, &usec));
	g_assert_false(log_time_parse("soon", 0, &usec));
}

int main(int argc, char **argv) {
	setenv("TZ", "UTC", 1);
	tzset();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cli/output/columns", test_align);
	g_test_add_func("/cli/output/durations", test_duration);
	g_test_add_func("/cli/output/sizes", test_size);
	g_test_add_func("/cli/log-time/stamps", test_stamps);
	g_test_add_func("/cli/log-time/relative", test_relative);
	return g_test_run();
}
