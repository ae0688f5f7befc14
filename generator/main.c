/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-system-generator and podctl-user-generator: one program, the name it is called by decides.
 * systemd runs it at boot and at every reload; all it may rely on is the root file system.
 *
 * Exit status: 0, 2 for a bad option, 1 if nothing could be written. With -dryrun or -no-kmsg-log,
 * which people and tests use, also 1 if any file had an error; systemd gets 0 then, because the
 * other units are there and the messages are in its journal.
 */
#include "generator.h"
#include "graph.h"
#include "install.h"
#include "load.h"
#include "search.h"

#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

typedef struct Options {
	int user; /* int: the rows below point at them */
	int dryrun;
	int verbose;
	int no_kmsg_log;
	int version;
	int help;
	const char *output; /* NULL: none */
} Options;

static void write_stderr(LogLevel level G_GNUC_UNUSED, const char *text) {
	fprintf(stderr, "%s[%d]: %.900s\n", program_invocation_short_name, (int)getpid(), text);
}

/* The kernel log keeps what is said before the journal runs. Messages go to both: the kernel may
 * drop some of many, and whoever starts the program by hand reads stderr. */
static void write_kernel_log(LogLevel level, const char *text) {
	/* Priorities of syslog, facility "daemon". A record has at most about 1000 bytes. */
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = 27,
		[LOG_LEVEL_WARNING] = 28,
		[LOG_LEVEL_INFO] = 30,
		[LOG_LEVEL_DEBUG] = 31,
	};
	_cleanup_close_ int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	g_autofree char *record = g_strdup_printf("<%d>%s[%d]: %.900s", priorities[level],
		program_invocation_short_name, (int)getpid(), text);

	if (fd >= 0 && write(fd, record, strlen(record)) < 0)
		write_stderr(LOG_LEVEL_DEBUG, "cannot write to the kernel log");
	write_stderr(level, text);
}

static void print_usage(FILE *stream) {
	fprintf(stream,
		"Usage: %s [OPTION]... NORMAL-DIR [EARLY-DIR LATE-DIR]\n"
		"  -dryrun       print the units, write nothing\n"
		"  -user         generate units of the user\n"
		"  -v            debug messages\n"
		"  -no-kmsg-log  messages to stderr only\n"
		"  -version      print the version\n"
		"  -h, -help     print this help\n",
		program_invocation_short_name);
}

/* Go's words for booleans. */
static bool parse_flag_value(const char *text, int *ret_value) {
	static const char *const words[] = {
		"1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_value = i < ARRAY_LENGTH(words) / 2;
			return true;
		}
	}
	return false;
}

static bool parse_option(Options *options, const char *argument) {
	const struct {
		const char *name;
		int *value;
	} rows[] = {
		{"user", &options->user},
		{"dryrun", &options->dryrun},
		{"v", &options->verbose},
		{"no-kmsg-log", &options->no_kmsg_log},
		{"version", &options->version},
		{"h", &options->help},
		{"help", &options->help},
	};
	const char *name = argument + (argument[1] == '-' ? 2 : 1);
	size_t length = strcspn(name, "=");

	array_foreach (row, rows) {
		if (strlen(row->name) != length || memcmp(row->name, name, length) != 0)
			continue;
		*row->value = 1;
		if (name[length] == '\0' || parse_flag_value(name + length + 1, row->value))
			return true;
		fprintf(stderr, "bad boolean in %s\n", argument);
		return false;
	}
	fprintf(stderr, "unknown option %s\n", argument);
	return false;
}

/* Options as Go's flag package reads them: one or two dashes, values only with '='. */
static bool parse_options(Options *options, int argc, char **argv) {
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (!parse_option(options, argv[i]))
			return false;
	}
	options->output = i < argc ? argv[i] : NULL;
	return true;
}

static void generator_clear(Generator *generator) {
	g_ptr_array_unref(generator->units);
	g_hash_table_unref(generator->by_name);
	g_hash_table_unref(generator->services);
	g_hash_table_unref(generator->dropins);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Generator, generator_clear)

static bool run(Generator *generator, const Options *options, const char *program, GError **err) {
	g_autoptr(GPtrArray) roots = search_roots(generator);

	load_units(generator, roots);
	if (generator->units->len == 0) {
		log_debug("no source files in %u directories", roots->len);
		return true;
	}
	load_dropins(generator);
	graph_convert_all(generator);
	if (!options->dryrun)
		return install_units(generator, options->output, program, err);
	g_autoptr(GString) text = g_string_sized_new(8192);
	for (guint i = 0; i < generator->units->len; i++) {
		const Unit *unit = g_ptr_array_index(generator->units, i);
		if (unit->state == UNIT_CONVERTED)
			install_print(unit, text);
	}
	fwrite(text->str, 1, text->len, stdout);
	return true;
}

int main(int argc, char **argv) {
	Options options = {.user = strstr(program_invocation_short_name, "user") != NULL};
	g_autoptr(GError) error = NULL;

	if (!parse_options(&options, argc, argv)) {
		print_usage(stderr);
		return 2;
	}
	if (options.help) {
		print_usage(stderr);
		return 0;
	}
	if (options.version) {
		puts(PODCTL_VERSION);
		return 0;
	}
	bool strict = options.dryrun || options.no_kmsg_log;
	const char *program = getenv(GENERATOR_PROGRAM_ENV);
	const char *root = strict ? getenv(GENERATOR_ROOT_ENV) : NULL;
	log_set_level(options.verbose || options.dryrun ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	log_set_sink(strict ? write_stderr : write_kernel_log);
	if (!options.dryrun && !options.output) {
		log_message(LOG_LEVEL_ERROR, "the output directory is missing");
		return 1;
	}
	g_auto(Generator) generator = {
		.user = options.user,
		.uid = getuid(),
		.program = program && *program ? program : GENERATOR_PROGRAM,
		.root = root ? root : "",
		.units = g_ptr_array_new_with_free_func(unit_free),
		.by_name = g_hash_table_new(g_str_hash, g_str_equal),
		.services = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.dropins = g_hash_table_new_full(
			g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref),
	};
	if (!run(&generator, &options, argv[0], &error)) {
		log_message(LOG_LEVEL_ERROR, "%s", error->message);
		return 1;
	}
	return strict && generator.failed ? 1 : 0;
}
