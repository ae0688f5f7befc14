/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl image ls, rm, tag, exists, and their short names. Loading is cmd_load.c. */
#include "base/parse.h"
#include "base/proc.h"
#include "cli/cmd.h"
#include "cli/output.h"
#include "cli/sort.h"
#include "cli/targets.h"
#include "model/names.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

typedef struct LsOptions {
	bool all, digests, no_trunc, no_heading, quiet;
	char *format, *sort;
	char **filters;
} LsOptions;

#define FIELD(member) offsetof(LsOptions, member)

static const OptionRow ls_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL,
		"Taken for podman's sake: there are no hidden images"},
	{"digests", 0, OPTION_BOOL, FIELD(digests), NULL, "Show digests"},
	{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE",
		"reference=PATTERN or dangling=BOOL"},
	{"format", 0, OPTION_STRING, FIELD(format), "FORMAT", "json, or a template"},
	{"history", 0, OPTION_REFUSED_BOOL, 0, NULL, "earlier names of an image are not kept"},
	{"no-trunc", 0, OPTION_BOOL, FIELD(no_trunc), NULL, "Do not shorten"},
	{"noheading", 'n', OPTION_BOOL, FIELD(no_heading), NULL, "Leave out the line of headings"},
	{"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL, "Show ids only"},
	{"sort", 0, OPTION_STRING, FIELD(sort), "KEY", "created, id, repository, size or tag"},
	{NULL},
};

static const SortKey sort_keys[] = {
	{"created", "_created", true},
	{"id", "ID"},
	{"repository", "Repository"},
	{"size", "_size"},
	{"tag", "Tag"},
	{NULL, NULL},
};

static const Heading headings[] = {
	{"ID", "IMAGE ID"},
	{NULL, NULL},
};

static void put_owned(json_t *row, const char *key, char *text) {
	json_put_string(row, key, text);
	g_free(text);
}

/* One row a name; an image without one has a row of its own. */
static json_t *image_row(const json_t *image, const char *reference, bool no_trunc) {
	json_t *row = json_copy((json_t *)(uintptr_t)image);
	const char *id = json_get_string(image, "Id", "");
	int64_t created = json_get_int(image, "Created", 0);
	uint64_t now = proc_now_realtime() / USEC_PER_SEC;
	const char *slash = reference ? strrchr(reference, '/') : NULL;
	const char *colon = reference ? strchr(slash ? slash : reference, ':') : NULL;

	if (g_str_has_prefix(id, "sha256:"))
		id += strlen("sha256:");
	put_owned(row, "ID",
		no_trunc ? g_strconcat("sha256:", id, NULL) : g_strndup(id, ID_SHORT_LENGTH));
	json_object_del(row, "Id");
	put_owned(row, "Repository",
		!reference ? g_strdup("<none>")
		: colon    ? g_strndup(reference, (size_t)(colon - reference))
			   : g_strdup(reference));
	json_put_string(row, "Tag", colon ? colon + 1 : "<none>");
	json_put_int(row, "_created", created);
	json_put_int(row, "_size", json_get_int(image, "Size", 0));
	put_owned(row, "Size", output_size((uint64_t)MAX(json_get_int(image, "Size", 0), 0)));
	put_owned(row, "CreatedAt", output_time((uint64_t)MAX(created, 0) * USEC_PER_SEC));
	uint64_t age = created > 0 && now > (uint64_t)created ? now - (uint64_t)created : 0;
	g_autofree char *duration = output_duration(age * USEC_PER_SEC);
	put_owned(row, "Created", g_strconcat(duration, " ago", NULL));
	put_owned(row, "CreatedSince", g_strconcat(duration, " ago", NULL));
	if (!json_object_get(row, "Digest"))
		json_put_string(row, "Digest", "<none>");
	return row;
}

static bool name_matches(const char *reference, const char *pattern) {
	const char *slash = strrchr(reference, '/');
	g_autofree char *tagged = g_strconcat(pattern, ":*", NULL);
	const char *short_name = slash ? slash + 1 : reference;

	return fnmatch(pattern, reference, 0) == 0 || fnmatch(tagged, reference, 0) == 0 ||
	       fnmatch(pattern, short_name, 0) == 0 || fnmatch(tagged, short_name, 0) == 0;
}

/* False with err for a filter that is none. */
static bool passes_filters(
	const char *reference, char *const *filters, bool *ret_passes, GError **err) {
	*ret_passes = true;
	for (; filters && *filters; filters++) {
		bool dangling;
		if (g_str_has_prefix(*filters, "reference=")) {
			*ret_passes = *ret_passes && reference &&
				      name_matches(reference, strchr(*filters, '=') + 1);
		} else if (g_str_has_prefix(*filters, "dangling=") &&
			   parse_bool(strchr(*filters, '=') + 1, &dangling)) {
			*ret_passes = *ret_passes && dangling == !reference;
		} else {
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--filter\": there is no such filter",
				*filters);
		}
	}
	return true;
}

static bool add_rows(json_t *rows, const json_t *image, char *const *wanted, bool no_trunc,
	char *const *filters, GError **err) {
	g_auto(GStrv) names = json_get_strv(image, "Names");
	g_auto(GStrv) tags = json_get_strv(image, "RepoTags");
	char **references = tags[0] ? tags : names;
	bool passes;

	for (size_t i = 0; i == 0 || references[i]; i++) {
		bool chosen = !wanted[0];
		for (char *const *pattern = wanted; *pattern && references[i]; pattern++)
			chosen = chosen || name_matches(references[i], *pattern);
		if (!passes_filters(references[i], filters, &passes, err))
			return false;
		if (chosen && passes)
			json_array_append_new(rows, image_row(image, references[i], no_trunc));
		if (!references[i])
			break;
	}
	return true;
}

static int run_ls(Cli *cli, char **arguments, GError **err) {
	const LsOptions *options = cli->options;
	const ListFormat list = {
		.format = options->quiet ? "{{.ID}}" : options->format,
		.standard = options->digests
				    ? "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.Created}"
				      "}\t{{.Size}}"
				    : "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.Created}}\t{{.Size}}",
		.headings = headings,
		.no_heading = options->no_heading,
	};
	Engine *engine = cli_engine(cli, err);
	json_auto_t *images = engine ? engine_query_images(engine, err) : NULL;
	json_auto_t *rows = json_array();
	const json_t *image;
	size_t index;

	if (!images)
		return -1;
	json_array_foreach (images, index, image) {
		if (!add_rows(rows, image, arguments, options->no_trunc, options->filters, err))
			return -1;
	}
	if (!sort_objects(rows, sort_keys, options->sort ? options->sort : "created", err))
		return -1;
	return output_list(rows, images, &list, err) ? 0 : -1;
}

const Command command_image_ls = {
	.usage = "[options] [NAME]",
	.help = "List images",
	.max_arguments = 1,
	.argument = ARGUMENT_IMAGE,
	.options = ls_options,
	.options_size = sizeof(LsOptions),
	.run = run_ls,
};

typedef struct RmOptions {
	bool all, force, ignore;
} RmOptions;

#undef FIELD
#define FIELD(member) offsetof(RmOptions, member)

static const OptionRow rm_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "Remove all images"},
	{"force", 'f', OPTION_BOOL, FIELD(force), NULL, "Remove an image that is in use"},
	{"ignore", 'i', OPTION_BOOL, FIELD(ignore), NULL, "An image that is not there is fine"},
	{"no-prune", 0, OPTION_REFUSED_BOOL, 0, NULL, "images have no parents here"},
	{NULL},
};

static bool remove_one(Engine *engine, const char *image, const void *data, GError **err) {
	const RmOptions *options = data;
	g_auto(GStrv) lines = NULL;

	if (!engine_image_remove(engine, image, options->force, &lines, err))
		return false;
	g_autofree char *text = g_strjoinv("\n", lines);
	g_autofree char *whole = g_strconcat(text, *text ? "\n" : "", NULL);
	return output_print(whole, err);
}

static int run_rm(Cli *cli, char **arguments, GError **err) {
	const RmOptions *options = cli->options;
	const EachRules rules = {.act = remove_one,
		.options = options,
		.silent = true,
		.ignore_missing = options->ignore || options->force,
		.missing_status = 1,
		.busy_status = 2};
	g_autoptr(GPtrArray) ids = g_ptr_array_new();
	const json_t *image;
	size_t index;

	if (options->all == (arguments[0] != NULL)) {
		fail(err, ERROR_INVALID, "name images, or give --all");
		return -1;
	}
	if (!options->all)
		return targets_each(cli, arguments, &rules, err);
	Engine *engine = cli_engine(cli, err);
	json_auto_t *images = engine ? engine_query_images(engine, err) : NULL;
	if (!images)
		return -1;
	json_array_foreach (images, index, image)
		g_ptr_array_add(ids, (char *)(uintptr_t)json_get_string(image, "Id", ""));
	g_ptr_array_add(ids, NULL);
	return targets_each(cli, (char *const *)ids->pdata, &rules, err);
}

const Command command_image_rm = {
	.usage = "[options] IMAGE...",
	.help = "Remove images",
	.max_arguments = -1,
	.argument = ARGUMENT_IMAGE,
	.options = rm_options,
	.options_size = sizeof(RmOptions),
	.run = run_rm,
};

static int run_tag(Cli *cli, char **arguments, GError **err) {
	Engine *engine = cli_engine(cli, err);

	if (!engine)
		return -1;
	for (char **name = arguments + 1; *name; name++)
		if (!engine_image_tag(engine, arguments[0], *name, err))
			return -1;
	return 0;
}

const Command command_image_tag = {
	.usage = "IMAGE NAME...",
	.help = "Give an image further names",
	.min_arguments = 2,
	.max_arguments = -1,
	.argument = ARGUMENT_IMAGE,
	.run = run_tag,
};

static int run_untag(Cli *cli, char **arguments, GError **err) {
	Engine *engine = cli_engine(cli, err);

	if (!engine)
		return -1;
	/* As in podman: the first word finds the image, the others are the names to take away. */
	for (char **name = arguments[1] ? arguments + 1 : arguments; *name; name++)
		if (!engine_image_untag(engine, *name, err))
			return -1;
	return 0;
}

const Command command_image_untag = {
	.usage = "IMAGE [NAME...]",
	.help = "Take names away from an image",
	.min_arguments = 1,
	.max_arguments = -1,
	.argument = ARGUMENT_IMAGE,
	.run = run_untag,
};

static int run_exists(Cli *cli, char **arguments, GError **err) {
	Engine *engine = cli_engine(cli, err);

	if (!engine)
		return -1;
	return engine_image_exists(engine, arguments[0]) ? 0 : 1;
}

const Command command_image_exists = {
	.usage = "IMAGE",
	.help = "Tell by the exit status whether an image is there (0 or 1)",
	.min_arguments = 1,
	.max_arguments = 1,
	.argument = ARGUMENT_IMAGE,
	.run = run_exists,
};
