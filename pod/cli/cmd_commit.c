/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl commit and diff: what a container has changed, as an image or as a list. */
#include "base/fd.h"
#include "cli/cmd.h"
#include "cli/targets.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

typedef struct CommitOptions {
	char *author, *message, *format, *id_file;
	char **changes;
	bool include_volumes, pause, quiet, squash;
} CommitOptions;

#define FIELD(member) offsetof(CommitOptions, member)

static const OptionRow commit_options[] = {
	{"author", 'a', OPTION_STRING, FIELD(author), "NAME", "Author of the image"},
	{"change", 'c', OPTION_LIST, FIELD(changes), "INSTRUCTION",
		"Set a field of the image's configuration: CMD, ENTRYPOINT, ENV, ..."},
	{"config", 0, OPTION_REFUSED, 0, NULL, "use --change"},
	{"format", 'f', OPTION_STRING, FIELD(format), "FORMAT", "Format of the image: oci"},
	{"iidfile", 0, OPTION_STRING, FIELD(id_file), "FILE", "Write the image's id to a file"},
	{"include-volumes", 0, OPTION_BOOL, FIELD(include_volumes), NULL,
		"Make the container's volumes volumes of the image"},
	{"message", 'm', OPTION_STRING, FIELD(message), "TEXT", "Note in the image's history"},
	{"pause", 'p', OPTION_BOOL, FIELD(pause), NULL, "Pause the container meanwhile"},
	{"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL, "Print nothing but the id"},
	{"squash", 's', OPTION_BOOL, FIELD(squash), NULL, "Make an image of one layer"},
	{NULL},
};

static int run_commit(Cli *cli, char **arguments, GError **err) {
	const CommitOptions *options = cli->options;
	const EngineCommit commit = {
		.reference = arguments[1],
		.author = options->author,
		.message = options->message,
		.changes = options->changes,
		.include_volumes = options->include_volumes,
		.pause = options->pause,
		.squash = options->squash,
	};
	g_autofree char *id = NULL;

	if (options->format && strcmp(options->format, "oci") != 0) {
		fail(err,
			strcmp(options->format, "docker") == 0 ? ERROR_UNSUPPORTED : ERROR_INVALID,
			"cannot use \"--format=%s\": images are kept in the format oci",
			options->format);
		return -1;
	}
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_commit(engine, arguments[0], &commit, &id, err))
		return -1;
	if (options->id_file &&
		!fd_write_file(AT_FDCWD, options->id_file, id, strlen(id), 0644, err))
		return -1;
	g_autofree char *line = g_strconcat(id, "\n", NULL);
	return output_print(line, err) ? 0 : -1;
}

const Command command_commit = {
	.usage = "[options] CONTAINER [IMAGE]",
	.help = "Make an image from a container",
	.min_arguments = 1,
	.max_arguments = 2,
	.argument = ARGUMENT_CONTAINER,
	.options = commit_options,
	.options_size = sizeof(CommitOptions),
	.run = run_commit,
};

typedef struct DiffOptions {
	char *format;
	bool latest;
} DiffOptions;

#undef FIELD
#define FIELD(member) offsetof(DiffOptions, member)

static const OptionRow diff_options[] = {
	{"format", 0, OPTION_STRING, FIELD(format), "FORMAT", "Print as \"json\""},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{NULL},
};

/* One line a path: a name with a new line in it must not look like two. */
static void append_change(const EngineChange *change, GString *out) {
	g_string_append_printf(out, "%c ", change->kind);
	for (const unsigned char *p = (const unsigned char *)change->path; *p; p++)
		if (*p < ' ' || *p == 0x7f || *p == '\\')
			g_string_append_printf(out, "\\%03o", *p);
		else
			g_string_append_c(out, (char)*p);
	g_string_append_c(out, '\n');
}

static json_t *changes_to_json(const EngineChange *changes) {
	static const struct {
		char kind;
		const char *key;
	} keys[] = {{'C', "changed"}, {'A', "added"}, {'D', "deleted"}};
	json_t *object = json_object();

	array_foreach (row, keys) {
		json_t *list = json_array();
		for (const EngineChange *change = changes; change->path; change++) {
			if (change->kind != row->kind)
				continue;
			g_autofree char *text = g_utf8_make_valid(change->path, -1);
			json_array_append_new(list, json_string(text));
		}
		if (json_array_size(list))
			json_object_set(object, row->key, list);
		json_decref(list);
	}
	return object;
}

static bool print_changes(const EngineChange *changes, const char *format, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	if (format) {
		json_auto_t *object = changes_to_json(changes);
		return output_value(object, NULL, err);
	}
	for (; changes->path; changes++)
		append_change(changes, text);
	return output_print(text->str, err);
}

static int run_diff(Cli *cli, char **arguments, GError **err) {
	const DiffOptions *options = cli->options;
	const Targets targets = {.latest = options->latest, .names = arguments};

	if (options->format && strcmp(options->format, "json") != 0) {
		fail(err, ERROR_INVALID,
			"invalid value \"%s\" for \"--format\": only json is there",
			options->format);
		return -1;
	}
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	Engine *engine = names ? cli_engine(cli, err) : NULL;
	EngineChange *changes = engine ? engine_container_changes(engine, names[0], err) : NULL;
	if (!changes)
		return -1;
	bool done = print_changes(changes, options->format, err);
	engine_changes_free(changes);
	return done ? 0 : -1;
}

const Command command_diff = {
	.usage = "[options] CONTAINER",
	.help = "List what a container has changed in its image",
	.max_arguments = 1,
	.argument = ARGUMENT_CONTAINER,
	.options = diff_options,
	.options_size = sizeof(DiffOptions),
	.run = run_diff,
};
