/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl inspect, container inspect, pod inspect, image inspect: everything about an object. */
#include "base/cleanup.h"
#include "cli/cmd.h"
#include "cli/output.h"
#include "cli/targets.h"

#include <stddef.h>
#include <string.h>

typedef struct InspectOptions {
	bool latest;
	char *format, *type;
} InspectOptions;

typedef json_t *(*InspectFunction)(Engine *engine, const char *name, GError **err);

typedef struct InspectType {
	const char *word;
	InspectFunction inspect;
} InspectType;

/* In the order in which a plain name is looked for. */
static const InspectType inspect_types[] = {
	{"container", engine_inspect_container},
	{"image", engine_inspect_image},
	{"pod", engine_inspect_pod},
	{"volume", engine_inspect_volume},
};

#define FIELD(member) offsetof(InspectOptions, member)
#define ROW_FORMAT \
	{ "format", 'f', OPTION_STRING, FIELD(format), "FORMAT", "json, or a template" }
#define ROW_LATEST(help) \
	{ "latest", 'l', OPTION_BOOL, FIELD(latest), NULL, help }
#define ROW_SIZE \
	{ "size", 's', OPTION_REFUSED_BOOL, 0, NULL, "sizes of containers are not there yet" }

static const OptionRow inspect_options[] = {
	ROW_FORMAT,
	ROW_LATEST("The container that was made last"),
	ROW_SIZE,
	{"type", 't', OPTION_STRING, FIELD(type), "TYPE",
		"container, image, pod, volume or all (default)"},
	{NULL},
};

static const OptionRow container_inspect_options[] = {
	ROW_FORMAT,
	ROW_LATEST("The container that was made last"),
	ROW_SIZE,
	{NULL},
};

static const OptionRow pod_inspect_options[] = {
	ROW_FORMAT,
	ROW_LATEST("The pod that was made last"),
	{NULL},
};

static const OptionRow image_inspect_options[] = {
	ROW_FORMAT,
	{NULL},
};

/* The object of one type, or of the first that has it. */
static json_t *inspect_name(Engine *engine, const char *type, const char *name, GError **err) {
	bool any = !type || !*type || strcmp(type, "all") == 0;
	bool known = any;

	array_foreach (row, inspect_types) {
		g_autoptr(GError) error = NULL;
		if (!any && strcmp(type, row->word) != 0)
			continue;
		known = true;
		json_t *object = row->inspect(engine, name, &error);
		if (object)
			return object;
		if (!any || !error_is(error, ERROR_NOT_FOUND)) {
			g_propagate_error(err, g_steal_pointer(&error));
			return NULL;
		}
	}
	if (known)
		fail(err, ERROR_NOT_FOUND, "no such object \"%s\"", name);
	else
		fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--type\"", type);
	return NULL;
}

static bool print_each(json_t *objects, const char *format, GError **err) {
	json_t *object;
	size_t index;

	json_array_foreach (objects, index, object) {
		if (!output_value(object, format, err))
			return false;
	}
	return true;
}

/* Prints what was found, then fails for what was not, as podman does. */
static int inspect_all(Cli *cli, const char *type, char *const *names, GError **err) {
	const InspectOptions *options = cli->options;
	const char *format = options->format;
	json_auto_t *objects = json_array();
	Engine *engine = cli_engine(cli, err);
	int status = 0;

	if (!engine)
		return -1;
	for (; *names; names++) {
		g_autoptr(GError) error = NULL;
		json_t *object = inspect_name(engine, type, *names, &error);
		if (object) {
			json_array_append_new(objects, object);
		} else {
			cli_print_error(error);
			status = STATUS_FAILED;
		}
	}
	bool whole = !format || strcmp(format, "json") == 0;
	bool good = whole ? output_value(objects, format, err) : print_each(objects, format, err);
	return good ? status : -1;
}

static int inspect_targets(Cli *cli, const char *type, bool pods, char **arguments, GError **err) {
	const InspectOptions *options = cli->options;
	const Targets targets = {.pods = pods, .latest = options->latest, .names = arguments};
	g_auto(GStrv) names = targets_find(cli, &targets, err);

	return names ? inspect_all(cli, type, names, err) : -1;
}

static int run_inspect(Cli *cli, char **arguments, GError **err) {
	const InspectOptions *options = cli->options;

	return inspect_targets(cli, options->type, false, arguments, err);
}

static int run_container_inspect(Cli *cli, char **arguments, GError **err) {
	return inspect_targets(cli, "container", false, arguments, err);
}

static int run_pod_inspect(Cli *cli, char **arguments, GError **err) {
	return inspect_targets(cli, "pod", true, arguments, err);
}

static int run_volume_inspect(Cli *cli, char **arguments, GError **err) {
	return inspect_all(cli, "volume", arguments, err);
}

static int run_image_inspect(Cli *cli, char **arguments, GError **err) {
	return inspect_all(cli, "image", arguments, err);
}

const Command command_inspect = {
	.usage = "[options] NAME...",
	.help = "Show everything about containers, images and pods",
	.max_arguments = -1,
	.argument = ARGUMENT_OBJECT,
	.options = inspect_options,
	.options_size = sizeof(InspectOptions),
	.run = run_inspect,
};

const Command command_container_inspect = {
	.usage = "[options] CONTAINER...",
	.help = "Show everything about containers",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = container_inspect_options,
	.options_size = sizeof(InspectOptions),
	.run = run_container_inspect,
};

const Command command_pod_inspect = {
	.usage = "[options] POD...",
	.help = "Show everything about pods",
	.max_arguments = -1,
	.argument = ARGUMENT_POD,
	.options = pod_inspect_options,
	.options_size = sizeof(InspectOptions),
	.run = run_pod_inspect,
};

const Command command_image_inspect = {
	.usage = "[options] IMAGE...",
	.help = "Show everything about images",
	.min_arguments = 1,
	.max_arguments = -1,
	.argument = ARGUMENT_IMAGE,
	.options = image_inspect_options,
	.options_size = sizeof(InspectOptions),
	.run = run_image_inspect,
};

const Command command_volume_inspect = {
	.usage = "[options] VOLUME...",
	.help = "Show everything about volumes",
	.min_arguments = 1,
	.max_arguments = -1,
	.argument = ARGUMENT_VOLUME,
	.options = image_inspect_options,
	.options_size = sizeof(InspectOptions),
	.run = run_volume_inspect,
};
