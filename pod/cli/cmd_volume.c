/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl volume create, ls, inspect, rm, exists, prune. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/cmd.h"
#include "cli/confirm.h"
#include "cli/targets.h"

#include <stddef.h>
#include <string.h>

#define LOCAL_ONLY "volumes are directories of podctl's own: the driver is local, without options"

typedef struct CreateOptions {
	bool ignore;
	char **labels;
} CreateOptions;

static bool parse_driver(
	G_GNUC_UNUSED void *target, const OptionRow *row, const char *value, GError **err) {
	return !*value || strcmp(value, "local") == 0 ||
	       fail(err, ERROR_UNSUPPORTED, "option \"--%s=%s\" is not supported: " LOCAL_ONLY,
		       row->name, value);
}

#define FIELD(member) offsetof(CreateOptions, member)

static const OptionRow create_options[] = {
	{"driver", 'd', OPTION_CALL, 0, "DRIVER", "Only local", parse_driver},
	{"gid", 0, OPTION_REFUSED, 0, NULL, "the owner is the container's, see the option U"},
	{"ignore", 0, OPTION_BOOL, FIELD(ignore), NULL, "A volume that is there is fine"},
	{"label", 'l', OPTION_LIST, FIELD(labels), "KEY=VALUE", "Set a label"},
	{"opt", 'o', OPTION_REFUSED, 0, NULL, LOCAL_ONLY},
	{"uid", 0, OPTION_REFUSED, 0, NULL, "the owner is the container's, see the option U"},
	{NULL},
};

static int run_create(Cli *cli, char **arguments, GError **err) {
	const CreateOptions *options = cli->options;
	g_autofree char *name = NULL;

	for (char **label = options->labels; label && *label; label++) {
		if (**label && **label != '=')
			continue;
		fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--label\": it has no key",
			*label);
		return -1;
	}
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_volume_create(
			       engine, arguments[0], options->labels, options->ignore, &name, err))
		return -1;
	g_autofree char *line = g_strconcat(name, "\n", NULL);
	return output_print(line, err) ? 0 : -1;
}

const Command command_volume_create = {
	.usage = "[options] [NAME]",
	.help = "Make a volume",
	.max_arguments = 1,
	.options = create_options,
	.options_size = sizeof(CreateOptions),
	.run = run_create,
};

/* --- filters --------------------------------------------------------------------------------- */

static bool has_label(const json_t *volume, const char *label) {
	const char *equals = strchr(label, '=');
	g_autofree char *key = g_strndup(label, equals ? (size_t)(equals - label) : strlen(label));
	const char *value = json_get_string(json_object_get(volume, "Labels"), key, NULL);

	return value && (!equals || strcmp(value, equals + 1) == 0);
}

static bool is_named(const json_t *volume, const char *part) {
	return strstr(json_get_string(volume, "Name", ""), part) != NULL;
}

static bool passes_one(
	Engine *engine, const json_t *volume, const char *filter, bool *ret_passes, GError **err) {
	const char *value = strchr(filter, '=');
	g_autofree char *key = g_strndup(filter, value ? (size_t)(value - filter) : 0);
	bool truth, used = false;

	value = value ? value + 1 : "";
	if (strcmp(key, "name") == 0)
		*ret_passes = is_named(volume, value);
	else if (strcmp(key, "label") == 0)
		*ret_passes = has_label(volume, value);
	else if (strcmp(key, "label!") == 0)
		*ret_passes = !has_label(volume, value);
	else if (strcmp(key, "driver") == 0 || strcmp(key, "scope") == 0)
		*ret_passes = strcmp(value, "local") == 0;
	else if (strcmp(key, "anonymous") == 0 && parse_bool(value, &truth))
		*ret_passes = json_get_bool(volume, "Anonymous", false) == truth;
	else if (strcmp(key, "dangling") == 0 && parse_bool(value, &truth)) {
		if (!engine_volume_is_used(engine, json_get_string(volume, "Name", ""), &used, err))
			return false;
		*ret_passes = used != truth;
	} else {
		return fail(err, ERROR_INVALID,
			"invalid value \"%s\" for \"--filter\": there is no such filter", filter);
	}
	return true;
}

/* podman's volumes that pass every filter; a new reference, NULL on error. */
static json_t *find_volumes(Cli *cli, char *const *filters, GError **err) {
	Engine *engine = cli_engine(cli, err);
	json_auto_t *all = engine ? engine_query_volumes(engine, err) : NULL;
	json_auto_t *found = json_array();
	json_t *volume;
	size_t index;

	if (!all)
		return NULL;
	json_array_foreach (all, index, volume) {
		bool passes = true;
		for (char *const *filter = filters; passes && filter && *filter; filter++)
			if (!passes_one(engine, volume, *filter, &passes, err))
				return NULL;
		if (passes)
			json_array_append(found, volume);
	}
	return json_incref(found);
}

/* --- ls -------------------------------------------------------------------------------------- */

typedef struct LsOptions {
	bool quiet, no_heading;
	char *format;
	char **filters;
} LsOptions;

#undef FIELD
#define FIELD(member) offsetof(LsOptions, member)

static const OptionRow ls_options[] = {
	{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE",
		"name, label, label!, driver, scope, anonymous or dangling"},
	{"format", 0, OPTION_STRING, FIELD(format), "FORMAT", "json, or a template"},
	{"noheading", 'n', OPTION_BOOL, FIELD(no_heading), NULL, "Leave out the line of headings"},
	{"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL, "Show names only"},
	{NULL},
};

static const Heading headings[] = {
	{"Name", "VOLUME NAME"},
	{NULL, NULL},
};

static int run_ls(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	const LsOptions *options = cli->options;
	const ListFormat list = {
		.format = options->quiet ? "{{.Name}}" : options->format,
		.standard = "{{.Driver}}\t{{.Name}}",
		.headings = headings,
		.no_heading = options->no_heading,
	};
	json_auto_t *volumes = find_volumes(cli, options->filters, err);
	json_t *volume;
	size_t index;

	if (!volumes)
		return -1;
	json_array_foreach (volumes, index, volume)
		json_object_del(volume, "_created_usec");
	return output_list(volumes, volumes, &list, err) ? 0 : -1;
}

const Command command_volume_ls = {
	.usage = "[options]",
	.help = "List volumes",
	.options = ls_options,
	.options_size = sizeof(LsOptions),
	.run = run_ls,
};

/* --- rm -------------------------------------------------------------------------------------- */

typedef struct RmOptions {
	bool all, force;
	int time_sec;
} RmOptions;

static const RmOptions rm_defaults = {.time_sec = SPEC_UNSET};

#undef FIELD
#define FIELD(member) offsetof(RmOptions, member)

static const OptionRow rm_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "Remove all volumes"},
	{"force", 'f', OPTION_BOOL, FIELD(force), NULL,
		"Remove the containers that use it too; one that is not there is fine"},
	{"time", 't', OPTION_INT, FIELD(time_sec), "SECONDS", "With --force: time before SIGKILL"},
	{NULL},
};

static bool remove_one(Engine *engine, const char *volume, const void *data, GError **err) {
	const RmOptions *options = data;

	return engine_volume_remove(engine, volume, options->force, options->time_sec, err);
}

static char **names_of(const json_t *volumes) {
	char **names = g_new0(char *, 1);
	const json_t *volume;
	size_t index;

	json_array_foreach (volumes, index, volume)
		options_append(&names, json_get_string(volume, "Name", ""));
	return names;
}

static int run_rm(Cli *cli, char **arguments, GError **err) {
	const RmOptions *options = cli->options;
	const EachRules rules = {.act = remove_one,
		.options = options,
		.ignore_missing = options->force,
		.missing_status = 1,
		.busy_status = 2};

	if (options->time_sec != SPEC_UNSET && !options->force) {
		fail(err, ERROR_INVALID, "--time goes with --force");
		return -1;
	}
	if (options->all == (arguments[0] != NULL)) {
		fail(err, ERROR_INVALID, "choose volumes by name or with --all");
		return -1;
	}
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_recover(engine, err))
		return -1;
	json_auto_t *all = options->all ? find_volumes(cli, NULL, err) : json_array();
	g_auto(GStrv) names = !all ? NULL : options->all ? names_of(all) : g_strdupv(arguments);
	return names ? targets_each(cli, names, &rules, err) : -1;
}

const Command command_volume_rm = {
	.usage = "[options] VOLUME...",
	.help = "Remove volumes",
	.max_arguments = -1,
	.argument = ARGUMENT_VOLUME,
	.options = rm_options,
	.options_size = sizeof(RmOptions),
	.defaults = &rm_defaults,
	.run = run_rm,
};

/* --- prune ----------------------------------------------------------------------------------- */

typedef struct PruneOptions {
	bool force;
	char **filters;
} PruneOptions;

#undef FIELD
#define FIELD(member) offsetof(PruneOptions, member)

static const OptionRow prune_options[] = {
	{"filter", 0, OPTION_LIST, FIELD(filters), "KEY=VALUE",
		"Only those that pass: the filters of the list"},
	{"force", 'f', OPTION_BOOL, FIELD(force), NULL, "Do not ask"},
	{NULL},
};

static bool prune_one(
	Engine *engine, const char *name, G_GNUC_UNUSED const void *data, GError **err) {
	GError *error = NULL;

	return engine_volume_remove(engine, name, false, SPEC_UNSET, &error) ||
	       targets_fail_unless_in_use(error, err);
}

static int run_prune(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	const PruneOptions *options = cli->options;
	const EachRules rules = {.act = prune_one, .ignore_missing = true};
	bool yes = options->force;

	if (!yes && !confirm("This will remove all volumes not used by at least one container.",
			    &yes, err))
		return -1;
	if (!yes)
		return 0;
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_recover(engine, err))
		return -1;
	json_auto_t *volumes = find_volumes(cli, options->filters, err);
	g_auto(GStrv) names = volumes ? names_of(volumes) : NULL;
	return names ? targets_each(cli, names, &rules, err) : -1;
}

const Command command_volume_prune = {
	.usage = "[options]",
	.help = "Remove all volumes that no container uses",
	.options = prune_options,
	.options_size = sizeof(PruneOptions),
	.run = run_prune,
};

/* --- exists ---------------------------------------------------------------------------------- */

static const OptionRow no_options[] = {{NULL}};

static int run_exists(Cli *cli, char **arguments, GError **err) {
	Engine *engine = cli_engine(cli, err);
	json_auto_t *volumes = engine ? engine_query_volumes(engine, err) : NULL;
	const json_t *volume;
	size_t index;

	if (!volumes)
		return -1;
	json_array_foreach (volumes, index, volume)
		if (strcmp(json_get_string(volume, "Name", ""), arguments[0]) == 0)
			return 0;
	return 1;
}

const Command command_volume_exists = {
	.usage = "VOLUME",
	.help = "Tell by the exit status whether a volume is there (0 or 1)",
	.min_arguments = 1,
	.max_arguments = 1,
	.argument = ARGUMENT_VOLUME,
	.options = no_options,
	.run = run_exists,
};
