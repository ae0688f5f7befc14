/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl ps and pod ps: lists. The engine answers, here is only the form. */
#include "cli/cmd.h"
#include "cli/filter.h"
#include "cli/output.h"
#include "cli/ps_view.h"
#include "cli/sort.h"

#include <stddef.h>
#include <string.h>

typedef struct PsOptions {
	bool all, latest, no_trunc, no_heading, pod, quiet;
	bool names, ids, status; /* pod ps: of members */
	int last;
	char *format, *sort;
	char **filters;
} PsOptions;

static const PsOptions ps_defaults = {.last = -1};

#define FIELD(member) offsetof(PsOptions, member)

static const OptionRow ps_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "Show those that do not run too"},
	{"external", 0, OPTION_REFUSED_BOOL, 0, NULL, "only podctl's own containers are looked at"},
	{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE", "Show those that pass"},
	{"format", 0, OPTION_STRING, FIELD(format), "FORMAT", "json, or a template"},
	{"last", 'n', OPTION_INT, FIELD(last), "N", "Show the N that were made last"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "Show the one that was made last"},
	{"namespace", 0, OPTION_REFUSED_BOOL, 0, NULL, "see \"podctl inspect\""},
	{"ns", 0, OPTION_REFUSED_BOOL, 0, NULL, "see \"podctl inspect\""},
	{"no-trunc", 0, OPTION_BOOL, FIELD(no_trunc), NULL, "Do not shorten"},
	{"noheading", 0, OPTION_BOOL, FIELD(no_heading), NULL, "Leave out the line of headings"},
	{"pod", 'p', OPTION_BOOL, FIELD(pod), NULL, "Show the pod too"},
	{"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL, "Show ids only"},
	{"size", 's', OPTION_REFUSED_BOOL, 0, NULL, "sizes of containers are not there yet"},
	{"sort", 0, OPTION_STRING, FIELD(sort), "KEY",
		"command, created, id, image, names, pod, runningfor or status"},
	{"sync", 0, OPTION_REFUSED_BOOL, 0, NULL, "what ps shows is always so"},
	{"watch", 'w', OPTION_REFUSED, 0, NULL, "use watch(1)"},
	{NULL},
};

static const SortKey ps_sort_keys[] = {
	{"command", "Command"},
	{"created", "_created_usec"},
	{"id", "Id"},
	{"image", "Image"},
	{"names", "Names"},
	{"pod", "Pod"},
	{"runningfor", "_created_usec"},
	{"status", "State"},
	{NULL, NULL},
};

static const Heading ps_headings[] = {
	{"Created", "CREATED"},
	{"CreatedHuman", "CREATED"},
	{"ID", "CONTAINER ID"},
	{"Pod", "POD ID"},
	{"PodName", "PODNAME"},
	{"RunningFor", "CREATED"},
	{NULL, NULL},
};

#define PS_COLUMNS                                                                        \
	"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{" \
	".Names}}"

/* Keeps the n that were made last; the array is sorted by creation. */
static void keep_last(json_t *objects, int n) {
	while (n >= 0 && json_array_size(objects) > (size_t)n)
		json_array_remove(objects, 0);
}

static bool has_status_filter(char **filters) {
	for (; filters && *filters; filters++)
		if (g_str_has_prefix(*filters, "status=") || g_str_has_prefix(*filters, "exited="))
			return true;
	return false;
}

static json_t *query_containers(Cli *cli, const PsOptions *options, GError **err) {
	int last = options->latest ? 1 : options->last;
	/* As in podman: asking for a state means asking for all of that state. */
	bool all = options->all || last >= 0 || has_status_filter(options->filters);
	Engine *engine = cli_engine(cli, err);
	json_auto_t *containers = engine ? engine_query_containers(engine, all, false, err) : NULL;

	if (!containers || !filter_objects(containers, options->filters, false, err) ||
		!sort_objects(containers, ps_sort_keys, "created", err))
		return NULL;
	keep_last(containers, last);
	if (options->sort && !sort_objects(containers, ps_sort_keys, options->sort, err))
		return NULL;
	return json_incref(containers);
}

static int run_ps(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	const PsOptions *options = cli->options;
	ListFormat list = {
		.format = options->format,
		.standard = options->pod ? PS_COLUMNS "\t{{.Pod}}\t{{.PodName}}" : PS_COLUMNS,
		.headings = ps_headings,
		.no_heading = options->no_heading,
	};

	if (options->quiet && options->format) {
		fail(err, ERROR_INVALID, "--quiet and --format exclude each other");
		return -1;
	}
	if (options->quiet)
		list.format = "{{.ID}}";
	json_auto_t *containers = query_containers(cli, options, err);
	if (!containers)
		return -1;
	json_auto_t *rows = ps_view_containers(containers, options->no_trunc);
	ps_view_finish_json(containers);
	return output_list(rows, containers, &list, err) ? 0 : -1;
}

const Command command_ps = {
	.usage = "[options]",
	.help = "List containers",
	.options = ps_options,
	.options_size = sizeof(PsOptions),
	.defaults = &ps_defaults,
	.run = run_ps,
};

static const OptionRow pod_ps_options[] = {
	{"ctr-ids", 0, OPTION_BOOL, FIELD(ids), NULL, "Show the ids of the members"},
	{"ctr-names", 0, OPTION_BOOL, FIELD(names), NULL, "Show the names of the members"},
	{"ctr-status", 0, OPTION_BOOL, FIELD(status), NULL, "Show the state of the members"},
	{"filter", 'f', OPTION_LIST, FIELD(filters), "KEY=VALUE", "Show those that pass"},
	{"format", 0, OPTION_STRING, FIELD(format), "FORMAT", "json, or a template"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "Show the one that was made last"},
	{"no-trunc", 0, OPTION_BOOL, FIELD(no_trunc), NULL, "Do not shorten"},
	{"noheading", 'n', OPTION_BOOL, FIELD(no_heading), NULL, "Leave out the line of headings"},
	{"ns", 0, OPTION_REFUSED_BOOL, 0, NULL, "see \"podctl pod inspect\""},
	{"quiet", 'q', OPTION_BOOL, FIELD(quiet), NULL, "Show ids only"},
	{"sort", 0, OPTION_STRING, FIELD(sort), "KEY", "created, id, name or status"},
	{NULL},
};

static const SortKey pod_sort_keys[] = {
	{"created", "_created_usec", true},
	{"id", "Id"},
	{"name", "Name"},
	{"status", "Status"},
	{NULL, NULL},
};

static const Heading pod_headings[] = {
	{"ContainerIds", "IDS"},
	{"ContainerNames", "NAMES"},
	{"ContainerStatuses", "STATUS"},
	{"ID", "POD ID"},
	{"InfraID", "INFRA ID"},
	{"NumberOfContainers", "# OF CONTAINERS"},
	{NULL, NULL},
};

static int run_pod_ps(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	const PsOptions *options = cli->options;
	bool members = options->ids || options->names || options->status;
	g_autofree char *columns = g_strconcat("{{.ID}}\t{{.Name}}\t{{.Status}}\t{{.Created}}",
		"\t{{.InfraID}}", options->ids ? "\t{{.ContainerIds}}" : "",
		options->names ? "\t{{.ContainerNames}}" : "",
		options->status ? "\t{{.ContainerStatuses}}" : "",
		members ? "" : "\t{{.NumberOfContainers}}", NULL);
	const ListFormat list = {
		.format = options->quiet ? "{{.ID}}" : options->format,
		.standard = columns,
		.headings = pod_headings,
		.no_heading = options->no_heading,
	};

	Engine *engine = cli_engine(cli, err);
	json_auto_t *pods = engine ? engine_query_pods(engine, err) : NULL;
	if (!pods || !filter_objects(pods, options->filters, true, err) ||
		!sort_objects(pods, pod_sort_keys, options->sort ? options->sort : "created", err))
		return -1;
	while (options->latest && json_array_size(pods) > 1)
		json_array_remove(pods, json_array_size(pods) - 1);
	json_auto_t *rows = ps_view_pods(pods, options->no_trunc);
	ps_view_finish_json(pods);
	return output_list(rows, pods, &list, err) ? 0 : -1;
}

const Command command_pod_ps = {
	.usage = "[options]",
	.help = "List pods",
	.options = pod_ps_options,
	.options_size = sizeof(PsOptions),
	.run = run_pod_ps,
};
