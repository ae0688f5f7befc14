/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl image load and import: archives become images. What comes on standard input is kept in a
 * file without a name first, because the archive is read more than once. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Spools standard input; *ret_path names the file for as long as the descriptor is open. */
static int spool_input(char **ret_path, GError **err) {
	const char *directory = getenv("TMPDIR");
	char buffer[1 << 16];

	directory = directory && *directory ? directory : "/var/tmp";
	_cleanup_close_ int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		fail_errno(err, errno, "cannot make a temporary file in \"%s\"", directory);
		return -1;
	}
	for (;;) {
		ssize_t size = read(STDIN_FILENO, buffer, sizeof(buffer));
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0) {
			fail_errno(err, errno, "cannot read standard input");
			return -1;
		}
		if (size == 0)
			break;
		if (!fd_write_all(fd, buffer, (size_t)size, directory, err))
			return -1;
	}
	*ret_path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), fd);
	return steal_fd(&fd);
}

/* The path to read: the user's, or that of the spooled input, whose descriptor goes to *ret_fd. */
static char *source_path(const char *path, int *ret_fd, GError **err) {
	char *spooled = NULL;

	if (path && strcmp(path, "-") != 0)
		return g_strdup(path);
	if (isatty(STDIN_FILENO)) {
		fail(err, ERROR_INVALID, "there is no archive: give --input FILE, or redirect one");
		return NULL;
	}
	*ret_fd = spool_input(&spooled, err);
	return *ret_fd >= 0 ? spooled : NULL;
}

/* The name of the spooled input is nobody's business. */
static int fail_loading(const char *path, int spool_fd, GError **err) {
	if (!path || spool_fd < 0 || !err || !*err)
		return -1;
	g_autofree char *quoted = g_strdup_printf("\"%s\"", path);
	GString *message = g_string_new((*err)->message);
	g_string_replace(message, quoted, "standard input", 0);
	g_free((*err)->message);
	(*err)->message = g_string_free(message, FALSE);
	return -1;
}

typedef struct LoadOptions {
	bool quiet;
	char *input;
} LoadOptions;

#define FIELD(member) offsetof(LoadOptions, member)

static const OptionRow load_options[] = {
	{"input", 'i', OPTION_STRING, FIELD(input), "FILE", "Archive or directory to read"},
	{"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL, "Do not print the names"},
	{"signature-policy", 0, OPTION_REFUSED, 0, NULL, "skopeo's policy holds"},
	{NULL},
};

static int run_load(Cli *cli, char **arguments, GError **err) {
	const LoadOptions *options = cli->options;
	_cleanup_close_ int spool_fd = -1;
	g_auto(GStrv) names = NULL;

	if (options->input && arguments[0]) {
		fail(err, ERROR_INVALID, "there are two archives, \"%s\" and \"%s\"",
			options->input, arguments[0]);
		return -1;
	}
	Engine *engine = cli_engine(cli, err);
	if (!engine)
		return -1;
	g_autofree char *path =
		source_path(options->input ? options->input : arguments[0], &spool_fd, err);
	if (!path || !engine_image_load(engine, path, &names, err))
		return fail_loading(path, spool_fd, err);
	for (char **name = names; *name && !options->quiet; name++) {
		g_autofree char *line = g_strdup_printf("Loaded image: %s\n", *name);
		if (!output_print(line, err))
			return -1;
	}
	return 0;
}

const Command command_image_load = {
	.usage = "[options] [FILE]",
	.help = "Load images from an OCI or docker archive or an OCI directory",
	.max_arguments = 1,
	.argument = ARGUMENT_FILE,
	.options = load_options,
	.options_size = sizeof(LoadOptions),
	.run = run_load,
};

typedef struct ImportOptions {
	bool quiet;
	char *message;
	char **changes;
} ImportOptions;

#undef FIELD
#define FIELD(member) offsetof(ImportOptions, member)

static const OptionRow import_options[] = {
	{"arch", 0, OPTION_REFUSED, 0, NULL, "an imported image is for this machine"},
	{"change", 'c', OPTION_LIST, FIELD(changes), "INSTRUCTION",
		"Set a field of the image's configuration: CMD, ENTRYPOINT, ENV, ..."},
	{"message", 'm', OPTION_STRING, FIELD(message), "TEXT", "Note in the image's history"},
	{"os", 0, OPTION_REFUSED, 0, NULL, "an imported image is for this machine"},
	{"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL, "Do not print the id"},
	{"signature-policy", 0, OPTION_REFUSED, 0, NULL, "there is no signature on an archive"},
	{"variant", 0, OPTION_REFUSED, 0, NULL, "an imported image is for this machine"},
	{NULL},
};

static int run_import(Cli *cli, char **arguments, GError **err) {
	const ImportOptions *options = cli->options;
	_cleanup_close_ int spool_fd = -1;
	g_autofree char *id = NULL;
	Engine *engine = cli_engine(cli, err);

	if (!engine)
		return -1;
	g_autofree char *path = source_path(arguments[0], &spool_fd, err);
	if (!path || !engine_image_import(engine, path, arguments[1], options->changes,
			     options->message, &id, err))
		return fail_loading(path, spool_fd, err);
	g_autofree char *line = g_str_has_prefix(id, "sha256:")
					? g_strconcat(id, "\n", NULL)
					: g_strconcat("sha256:", id, "\n", NULL);
	return options->quiet || output_print(line, err) ? 0 : -1;
}

const Command command_image_import = {
	.usage = "[options] FILE [NAME]",
	.help = "Make an image from an archive of a root file system",
	.min_arguments = 1,
	.max_arguments = 2,
	.argument = ARGUMENT_FILE,
	.options = import_options,
	.options_size = sizeof(ImportOptions),
	.run = run_import,
};
