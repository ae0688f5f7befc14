/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl container prune, pod prune: what does not run goes, after a question. One that is started
 * in the meantime stays. */
#include "cli/confirm.h"
#include "cli/filter.h"
#include "cli/targets.h"

#include <stddef.h>

typedef struct PruneOptions {
	bool force;
	char **filters;
} PruneOptions;

#define FIELD(member) offsetof(PruneOptions, member)

static const OptionRow prune_options[] = {
	{"filter", 0, OPTION_LIST, FIELD(filters), "KEY=VALUE",
		"Only those that pass: label, label!, until and the filters of the list"},
	{"force", 'f', OPTION_BOOL, FIELD(force), NULL, "Do not ask"},
	{NULL},
};

static bool is_over(const json_t *object, bool pods) {
	const char *state = json_get_string(object, pods ? "Status" : "State", "");

	return g_ascii_strcasecmp(state, "exited") == 0 ||
	       (!pods && g_ascii_strcasecmp(state, "created") == 0);
}

/* Full ids, NULL-terminated. */
static char **find_over(Cli *cli, bool pods, GError **err) {
	const PruneOptions *options = cli->options;
	Engine *engine = cli_engine(cli, err);
	json_auto_t *objects = !engine ? NULL
			       : pods  ? engine_query_pods(engine, err)
				       : engine_query_containers(engine, true, false, err);
	const json_t *object;
	char **ids = NULL;
	size_t index;

	if (!objects || !filter_objects(objects, options->filters, pods, err))
		return NULL;
	ids = g_new0(char *, 1);
	json_array_foreach (objects, index, object)
		if (is_over(object, pods))
			options_append(&ids, json_get_string(object, "Id", ""));
	return ids;
}

static bool remove_container(
	Engine *engine, const char *id, G_GNUC_UNUSED const void *data, GError **err) {
	GError *error = NULL;

	return engine_container_remove(engine, id, false, false, SPEC_UNSET, &error) ||
	       targets_fail_unless_in_use(error, err);
}

static bool remove_pod(
	Engine *engine, const char *id, G_GNUC_UNUSED const void *data, GError **err) {
	GError *error = NULL;

	return engine_pod_remove(engine, id, false, SPEC_UNSET, &error) ||
	       targets_fail_unless_in_use(error, err);
}

static int prune(Cli *cli, bool pods, const char *question, GError **err) {
	const PruneOptions *options = cli->options;
	const EachRules rules = {
		.act = pods ? remove_pod : remove_container, .ignore_missing = true};
	bool yes = options->force;

	if (!yes && !confirm(question, &yes, err))
		return -1;
	if (!yes)
		return 0;
	Engine *engine = cli_engine(cli, err);
	if (!engine || !engine_recover(engine, err))
		return -1;
	g_auto(GStrv) ids = find_over(cli, pods, err);
	return ids ? targets_each(cli, ids, &rules, err) : -1;
}

static int run_container_prune(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	return prune(cli, false, "This will remove all non running containers.", err);
}

static int run_pod_prune(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	return prune(cli, true, "This will remove all stopped/exited pods.", err);
}

const Command command_container_prune = {
	.usage = "[options]",
	.help = "Remove all containers that do not run",
	.options = prune_options,
	.options_size = sizeof(PruneOptions),
	.run = run_container_prune,
};

const Command command_pod_prune = {
	.usage = "[options]",
	.help = "Remove all pods that have stopped, with their members",
	.options = prune_options,
	.options_size = sizeof(PruneOptions),
	.run = run_pod_prune,
};
