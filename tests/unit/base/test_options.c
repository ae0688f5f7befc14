/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Option tables: every kind, both forms, clusters, and what is refused. */
#include "base/options.h"

#include "base/cleanup.h"

#include <string.h>

typedef struct Target {
	bool flag, other_flag;
	int tristate, number;
	char *text, *pull;
	char **list, **csv;
	uint64_t large, size;
	int calls;
} Target;

static bool count_call(void *target, const OptionRow *row, const char *value, GError **err) {
	Target *t = target;

	t->calls++;
	return strcmp(value, "bad") != 0 || fail(err, ERROR_INVALID, "bad --%s", row->name);
}

static const OptionRow rows[] = {
	{"flag", 'f', OPTION_BOOL, offsetof(Target, flag), NULL, "a flag"},
	{"interactive", 'i', OPTION_BOOL, offsetof(Target, other_flag), NULL, "another"},
	{"tristate", 0, OPTION_TRISTATE, offsetof(Target, tristate), NULL, "three"},
	{"text", 't', OPTION_STRING, offsetof(Target, text), "TEXT", "a text"},
	{"pull", 0, OPTION_STRING, offsetof(Target, pull), "WHEN", "with a bare form",
		.bare = "always"},
	{"list", 'l', OPTION_LIST, offsetof(Target, list), "X", "a list"},
	{"csv", 0, OPTION_CSV, offsetof(Target, csv), "X,Y", "a split list"},
	{"number", 0, OPTION_INT, offsetof(Target, number), "N", "a number"},
	{"large", 0, OPTION_UINT64, offsetof(Target, large), "N", "a large number"},
	{"size", 0, OPTION_SIZE, offsetof(Target, size), "SIZE", "a size"},
	{"call", 0, OPTION_CALL, 0, "X", "a call", .parse = count_call},
	{"refused", 0, OPTION_REFUSED, 0, "X", "there is no such thing here"},
	{"refused-flag", 0, OPTION_REFUSED_BOOL, 0, NULL, "nor this"},
	{"alias", 0, OPTION_STRING, offsetof(Target, text), "TEXT", "old name", .hidden = true},
	{NULL},
};

static void target_clear(Target *target) {
	g_free(target->text);
	g_free(target->pull);
	g_strfreev(target->list);
	g_strfreev(target->csv);
}

typedef struct Parsed {
	Target target;
	char **arguments;
	bool good, help;
	GError *err;
} Parsed;

/* line is split at blanks. */
static Parsed parse(const char *line, OptionsFlags flags) {
	g_auto(GStrv) argv = g_strsplit(line, " ", -1);
	Parsed parsed = {.target.tristate = -1};
	const OptionGroup groups[] = {{rows, &parsed.target}, {NULL}};

	parsed.good =
		options_parse(groups, flags, argv, &parsed.arguments, &parsed.help, &parsed.err);
	g_assert_true(parsed.good == !parsed.err);
	return parsed;
}

static void parsed_clear(Parsed *parsed) {
	target_clear(&parsed->target);
	g_strfreev(parsed->arguments);
	g_clear_error(&parsed->err);
}

#define _cleanup_parsed_ __attribute__((cleanup(parsed_clear)))

static void test_kinds(void) {
	_cleanup_parsed_ Parsed p = parse(
		"--flag --tristate=false --text one --text=two --list a,b --list c --csv a,\"b,c\" "
		"--csv d --number -5 --large 18446744073709551615 --size 2k --call x "
		"--call=y --pull arg --interactive=false",
		OPTIONS_INTERSPERSED);
	const Target *t = &p.target;

	g_assert_no_error(p.err);
	g_assert_true(t->flag && !t->other_flag);
	g_assert_cmpint(t->tristate, ==, 0);
	g_assert_cmpstr(t->text, ==, "two");
	g_assert_cmpuint(g_strv_length(t->list), ==, 2);
	g_assert_cmpstr(t->list[0], ==, "a,b");
	g_assert_cmpuint(g_strv_length(t->csv), ==, 3);
	g_assert_cmpstr(t->csv[1], ==, "b,c");
	g_assert_cmpint(t->number, ==, -5);
	g_assert_cmpuint(t->large, ==, UINT64_MAX);
	g_assert_cmpuint(t->size, ==, 2048);
	g_assert_cmpint(t->calls, ==, 2);
	g_assert_cmpstr(t->pull, ==, "always");
	g_assert_cmpuint(g_strv_length(p.arguments), ==, 1);
	g_assert_cmpstr(p.arguments[0], ==, "arg");
}

static void test_clusters(void) {
	_cleanup_parsed_ Parsed p = parse("-fi -tone -l -x -l=y -ftx", OPTIONS_INTERSPERSED);
	_cleanup_parsed_ Parsed off = parse("-fi=false", OPTIONS_INTERSPERSED);

	g_assert_no_error(p.err);
	g_assert_true(p.target.flag && p.target.other_flag);
	g_assert_cmpstr(p.target.text, ==, "x");
	g_assert_cmpuint(g_strv_length(p.target.list), ==, 2);
	g_assert_cmpstr(p.target.list[0], ==, "-x"); /* the next word, whatever it is */
	g_assert_cmpstr(p.target.list[1], ==, "y");
	g_assert_true(off.target.flag && !off.target.other_flag);
}

static void test_arguments(void) {
	_cleanup_parsed_ Parsed mixed = parse("a --flag b -- --text -", OPTIONS_INTERSPERSED);
	_cleanup_parsed_ Parsed stop = parse("--flag image --flag -x", OPTIONS_STOP_AT_ARGUMENT);
	_cleanup_parsed_ Parsed dash = parse("- -f", OPTIONS_INTERSPERSED);

	g_assert_cmpuint(g_strv_length(mixed.arguments), ==, 4);
	g_assert_cmpstr(mixed.arguments[2], ==, "--text");
	g_assert_cmpuint(g_strv_length(stop.arguments), ==, 3);
	g_assert_cmpstr(stop.arguments[1], ==, "--flag");
	g_assert_cmpstr(dash.arguments[0], ==, "-");
	g_assert_true(dash.target.flag);
}

static void test_help(void) {
	_cleanup_parsed_ Parsed by_name = parse("--help", OPTIONS_INTERSPERSED);
	_cleanup_parsed_ Parsed by_letter = parse("-fh", OPTIONS_INTERSPERSED);
	_cleanup_parsed_ Parsed late = parse("image --help", OPTIONS_STOP_AT_ARGUMENT);
	const OptionGroup groups[] = {{rows, NULL}, {NULL}};
	g_autoptr(GString) out = g_string_new(NULL);

	g_assert_true(by_name.help && by_letter.help && !late.help);
	options_format_help(groups, out);
	g_assert_nonnull(strstr(out->str, "  -t, --text TEXT"));
	g_assert_nonnull(strstr(out->str, "      --number N"));
	g_assert_null(strstr(out->str, "refused"));
	g_assert_null(strstr(out->str, "alias"));
}

/* security: B16-05 */
static void test_errors(void) {
	static const struct {
		const char *line;
		int code;
		const char *message;
	} cases[] = {
		{"--flg", ERROR_INVALID, "unknown option \"--flg\", did you mean \"--flag\"?"},
		{"--zzzzzzzz=1", ERROR_INVALID, "unknown option \"--zzzzzzzz\""},
		{"-x", ERROR_INVALID, "unknown option \"-x\" in \"-x\""},
		{"--text", ERROR_INVALID, "option \"--text\" needs a value"},
		{"-t", ERROR_INVALID, "option \"-t\" needs a value"},
		{"--flag=maybe", ERROR_INVALID, "invalid value \"maybe\" for \"--flag\""},
		{"--number x", ERROR_INVALID, "invalid value \"x\" for \"--number\""},
		{"--size 1q", ERROR_INVALID, "invalid value \"1q\" for \"--size\""},
		{"--csv \"a", ERROR_INVALID, "invalid value \"\"a\" for \"--csv\""},
		{"--call bad", ERROR_INVALID, "bad --call"},
		{"--refused x", ERROR_UNSUPPORTED,
			"option \"--refused\" is not supported: there is no such thing here"},
		{"--refused-flag", ERROR_UNSUPPORTED,
			"option \"--refused-flag\" is not supported: nor this"},
	};

	array_foreach (row, cases) {
		_cleanup_parsed_ Parsed p = parse(row->line, OPTIONS_INTERSPERSED);
		g_assert_error(p.err, PODCTL_ERROR, row->code);
		g_assert_cmpstr(p.err->message, ==, row->message);
		g_assert_null(p.arguments);
	}
}

/* The number option has no room for INT32_MIN, and none beyond. */
static void test_number_range(void) {
	_cleanup_parsed_ Parsed good = parse("--number 2147483647", OPTIONS_INTERSPERSED);
	_cleanup_parsed_ Parsed bad = parse("--number 2147483648", OPTIONS_INTERSPERSED);

	g_assert_true(good.good);
	g_assert_cmpint(good.target.number, ==, 2147483647);
	g_assert_false(bad.good);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/options/kinds", test_kinds);
	g_test_add_func("/base/options/clusters", test_clusters);
	g_test_add_func("/base/options/arguments", test_arguments);
	g_test_add_func("/base/options/help", test_help);
	g_test_add_func("/base/options/errors", test_errors);
	g_test_add_func("/base/options/number-range", test_number_range);
	return g_test_run();
}
