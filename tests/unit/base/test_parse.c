/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small values, good and bad, as tables. */
#include "base/cleanup.h"
#include "base/parse.h"

#include <signal.h>

/* security: B16-01 */
static void test_numbers(void) {
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1x", "0x1",
		"18446744073709551616", "99999999999999999999"};
	uint64_t value;
	unsigned small;
	int number;

	g_assert_true(parse_uint64("18446744073709551615", UINT64_MAX, &value));
	g_assert_cmpuint(value, ==, UINT64_MAX);
	g_assert_true(parse_uint64("007", 7, &value));
	g_assert_false(parse_uint64("8", 7, &value));
	array_foreach (text, bad)
		g_assert_false(parse_uint64(*text, UINT64_MAX, &value));
	g_assert_true(parse_uint("65535", 65535, &small));
	g_assert_false(parse_uint("65536", 65535, &small));
	g_assert_true(parse_int("-2147483647", INT32_MIN, INT32_MAX, &number));
	g_assert_cmpint(number, ==, -2147483647);
	g_assert_false(parse_int("--1", -5, 5, &number));
	g_assert_false(parse_int("-", -5, 5, &number));
	g_assert_false(parse_int("-6", -5, 5, &number));
	g_assert_false(parse_int("2147483648", INT32_MIN, INT32_MAX, &number));
}

static void test_bool(void) {
	bool value;

	g_assert_true(parse_bool("TRUE", &value) && value);
	g_assert_true(parse_bool("t", &value) && value);
	g_assert_true(parse_bool("0", &value) && !value);
	g_assert_true(parse_bool("False", &value) && !value);
	g_assert_false(parse_bool("yes", &value));
	g_assert_false(parse_bool("", &value));
}

static void test_size(void) {
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"10", 10},
		{"10b", 10},
		{"1k", 1 << 10},
		{"1kb", 1 << 10},
		{"1KiB", 1 << 10},
		{"64m", 64 << 20},
		{"2G", UINT64_C(2) << 30},
		{"1t", UINT64_C(1) << 40},
		{"16383p", UINT64_C(16383) << 50},
	};
	static const char *const bad[] = {
		"", "k", "1x", "1kk", "1bb", "-1", "1.5k", "16384p", "1 k", "18446744073709551616"};
	uint64_t bytes;

	array_foreach (row, good) {
		g_assert_true(parse_size(row->text, &bytes));
		g_assert_cmpuint(bytes, ==, row->bytes);
	}
	array_foreach (text, bad)
		g_assert_false(parse_size(*text, &bytes));
}

static void test_duration(void) {
	static const struct {
		const char *text;
		uint64_t usec;
	} good[] = {
		{"0", 0},
		{"10us", 10},
		{"300ms", 300000},
		{"1.5s", 1500000},
		{"1h30m", UINT64_C(5400000000)},
		{"1m0.5s", 60500000},
		{"1500ns", 1},
	};
	static const char *const bad[] = {"", "1", "s", "-1s", "1 s", "1d", "inf", "0x1s", "1e3s",
		"1s1", "1..5s", "99999999999999999h"};
	uint64_t usec;

	array_foreach (row, good) {
		g_test_message("duration \"%s\"", row->text);
		g_assert_true(parse_duration(row->text, &usec));
		g_assert_cmpuint(usec, ==, row->usec);
	}
	array_foreach (text, bad) {
		g_test_message("bad duration \"%s\"", *text);
		g_assert_false(parse_duration(*text, &usec));
	}
}

static void test_mode(void) {
	unsigned mode;

	g_assert_true(parse_mode("0755", &mode));
	g_assert_cmpuint(mode, ==, 0755);
	g_assert_true(parse_mode("07777", &mode));
	g_assert_false(parse_mode("", &mode));
	g_assert_false(parse_mode("8", &mode));
	g_assert_false(parse_mode("10000", &mode));
	g_assert_false(parse_mode("0o755", &mode));
}

static void test_signal(void) {
	static const struct {
		const char *text;
		int number;
	} good[] = {
		{"TERM", SIGTERM},
		{"sigterm", SIGTERM},
		{"SIGKILL", SIGKILL},
		{"15", 15},
		{"64", 64},
		{"RTMIN+3", 37},
		{"SIGRTMIN+0", 34},
	};
	static const char *const bad[] = {
		"", "0", "65", "-9", "SIG", "WHAT", "RTMIN+", "RTMIN+31", "RTMIN-1", "TERM "};
	int number;

	array_foreach (row, good) {
		g_test_message("signal \"%s\"", row->text);
		g_assert_true(parse_signal(row->text, &number));
		g_assert_cmpint(number, ==, row->number);
	}
	array_foreach (text, bad) {
		g_test_message("bad signal \"%s\"", *text);
		g_assert_false(parse_signal(*text, &number));
	}
	for (int i = 1; i <= 31; i++) {
		const char *name = signal_to_string(i);
		g_assert_nonnull(name);
		g_assert_true(parse_signal(name, &number));
		g_assert_cmpint(number, ==, i);
	}
	g_assert_null(signal_to_string(0));
	g_assert_null(signal_to_string(1000));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/parse/numbers", test_numbers);
	g_test_add_func("/base/parse/bool", test_bool);
	g_test_add_func("/base/parse/size", test_size);
	g_test_add_func("/base/parse/duration", test_duration);
	g_test_add_func("/base/parse/mode", test_mode);
	g_test_add_func("/base/parse/signal", test_signal);
	return g_test_run();
}
