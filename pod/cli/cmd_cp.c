/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl cp and export: a container's files from outside. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/targets.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct CopyOptions {
	int archive;
	bool overwrite;
	bool pause;
} CopyOptions;

#define FIELD(member) offsetof(CopyOptions, member)

static const OptionRow copy_options[] = {
	{"archive", 'a', OPTION_TRISTATE, FIELD(archive), NULL,
		"Into a container: give files to its user (the default; =false keeps owners). To "
		"the "
		"host: keep setuid bits"},
	{"extract", 0, OPTION_REFUSED_BOOL, 0, NULL, "\"-\" always extracts"},
	{"overwrite", 0, OPTION_BOOL, FIELD(overwrite), NULL,
		"Let a directory replace something else, and the other way round"},
	{"pause", 0, OPTION_BOOL, FIELD(pause), NULL, "Pause the containers while copying"},
	{NULL},
};

static const CopyOptions copy_defaults = {.archive = -1};

typedef struct CopySide {
	char *container; /* NULL: the host */
	const char *path;
} CopySide;

/* podman's rule: what starts with a dot or a slash is the host's, else a colon ends a container's
 * name. */
static bool parse_side(const char *text, CopySide *side, GError **err) {
	const char *colon = *text == '.' || *text == '/' ? NULL : strchr(text, ':');

	side->path = text;
	if (!*text)
		return fail(err, ERROR_INVALID, "a path is empty");
	if (!colon)
		return true;
	if (colon == text || !colon[1])
		return fail(err, ERROR_INVALID, "\"%s\" is not CONTAINER:PATH", text);
	side->container = g_strndup(text, (size_t)(colon - text));
	side->path = colon + 1;
	return true;
}

static bool parse_sides(char *const *arguments, CopySide sides[2], GError **err) {
	if (!parse_side(arguments[0], &sides[0], err) || !parse_side(arguments[1], &sides[1], err))
		return false;
	if (!sides[0].container && !sides[1].container)
		return fail(err, ERROR_INVALID,
			"neither \"%s\" nor \"%s\" is in a container: write CONTAINER:PATH",
			arguments[0], arguments[1]);
	return true;
}

static bool is_stream(const CopySide *side) {
	return !side->container && strcmp(side->path, "-") == 0;
}

static int run_sides(Cli *cli, const CopySide sides[2], GError **err) {
	const CopyOptions *options = cli->options;
	uint64_t skipped = 0;
	const EngineCopy copy = {
		.source_container = sides[0].container,
		.source = sides[0].path,
		.target_container = sides[1].container,
		.target = sides[1].path,
		.in_fd = is_stream(&sides[0]) ? STDIN_FILENO : -1,
		.out_fd = is_stream(&sides[1]) ? STDOUT_FILENO : -1,
		.archive = options->archive,
		.overwrite = options->overwrite,
		.pause = options->pause,
	};

	if (copy.out_fd >= 0 && isatty(STDOUT_FILENO)) {
		fail(err, ERROR_INVALID, "cannot write an archive to a terminal");
		return -1;
	}
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_copy(engine, &copy, &skipped, err))
		return -1;
	if (skipped)
		log_warning("%llu sockets, devices or attributes cannot be copied, ignoring",
			(unsigned long long)skipped);
	return 0;
}

static int run_cp(Cli *cli, char **arguments, GError **err) {
	CopySide sides[2] = {0};
	int status = parse_sides(arguments, sides, err) ? run_sides(cli, sides, err) : -1;

	g_free(sides[0].container);
	g_free(sides[1].container);
	return status;
}

const Command command_cp = {
	.usage = "[options] [CONTAINER:]SOURCE [CONTAINER:]TARGET",
	.help = "Copy files between a container and the host, or another container",
	.min_arguments = 2,
	.max_arguments = 2,
	.argument = ARGUMENT_CONTAINER,
	.options = copy_options,
	.options_size = sizeof(CopyOptions),
	.defaults = &copy_defaults,
	.run = run_cp,
};

typedef struct ExportOptions {
	char *output;
} ExportOptions;

#undef FIELD
#define FIELD(member) offsetof(ExportOptions, member)

static const OptionRow export_options[] = {
	{"output", 'o', OPTION_STRING, FIELD(output), "FILE", "Write to a file, not to stdout"},
	{NULL},
};

/* A half-written archive is not left behind: it is written beside the file and renamed. */
static bool export_to_file(
	Engine *engine, const char *container, const char *path, mode_t mode, GError **err) {
	struct stat st;
	bool in_place = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	g_autofree char *temporary =
		in_place ? g_strdup(path) : g_strdup_printf("%s.%d.partial", path, (int)getpid());
	_cleanup_close_ int fd = open(temporary,
		O_WRONLY | O_NOCTTY | O_CLOEXEC | (in_place ? 0 : O_CREAT | O_EXCL), mode);

	if (fd < 0)
		return fail_errno(err, errno, "cannot make \"%s\"", path);
	bool done = engine_export(engine, container, fd, err);
	if (done && !in_place && rename(temporary, path) < 0)
		done = fail_errno(err, errno, "cannot make \"%s\"", path);
	if (!done && !in_place)
		unlink(temporary);
	return done;
}

static int run_export(Cli *cli, char **arguments, GError **err) {
	const ExportOptions *options = cli->options;

	if (!options->output && isatty(STDOUT_FILENO)) {
		fail(err, ERROR_INVALID,
			"refusing to export to a terminal: use \"--output FILE\" or redirect");
		return -1;
	}
	Engine *engine = cli_engine(cli, err);
	if (!engine)
		return -1;
	bool done = options->output ? export_to_file(engine, arguments[0], options->output,
					      0644 & ~cli->caller_umask, err)
				    : engine_export(engine, arguments[0], STDOUT_FILENO, err);
	return done ? 0 : -1;
}

const Command command_export = {
	.usage = "[options] CONTAINER",
	.help = "Write the file system of a container as a tar archive",
	.min_arguments = 1,
	.max_arguments = 1,
	.argument = ARGUMENT_CONTAINER,
	.options = export_options,
	.options_size = sizeof(ExportOptions),
	.run = run_export,
};
