/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl stats and pod stats: what containers use, once or again and again. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"
#include "cli/stats_view.h"
#include "cli/targets.h"

#include <stddef.h>
#include <unistd.h>

enum { INTERVAL_MAX_SEC = 24 * 3600 };

typedef struct StatsOptions {
	bool all, latest, no_reset, no_stream, no_trunc, sum;
	int interval_sec;
	char *format;
} StatsOptions;

static const StatsOptions stats_defaults = {.interval_sec = 5};
static const StatsOptions pod_stats_defaults = {.interval_sec = 1};

#define FIELD(member) offsetof(StatsOptions, member)
#define ROW_FORMAT \
	{ "format", 0, OPTION_STRING, FIELD(format), "FORMAT", "json, or a template" }
#define ROW_INTERVAL \
	{ "interval", 'i', OPTION_INT, FIELD(interval_sec), "SECONDS", "Time between two looks" }
#define ROW_LATEST \
	{ "latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The one that was made last" }
#define ROW_NO_RESET \
	{ "no-reset", 0, OPTION_BOOL, FIELD(no_reset), NULL, "Do not clear the screen in between" }
#define ROW_NO_STREAM \
	{ "no-stream", 0, OPTION_BOOL, FIELD(no_stream), NULL, "Look once" }
#define ROW_NO_TRUNC \
	{ "no-trunc", 0, OPTION_BOOL, FIELD(no_trunc), NULL, "Do not shorten" }

static const OptionRow stats_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "Show those that do not run too"},
	ROW_FORMAT,
	ROW_INTERVAL,
	ROW_LATEST,
	ROW_NO_RESET,
	ROW_NO_STREAM,
	ROW_NO_TRUNC,
	{NULL},
};

static const OptionRow pod_stats_options[] = {
	{"all", 'a', OPTION_BOOL, FIELD(all), NULL, "Show all pods"},
	ROW_FORMAT,
	ROW_INTERVAL,
	ROW_LATEST,
	ROW_NO_RESET,
	ROW_NO_STREAM,
	ROW_NO_TRUNC,
	{"sum", 0, OPTION_BOOL, FIELD(sum), NULL, "Show each pod as one, instead of its members"},
	{NULL},
};

#define STATS_COLUMNS                                                                   \
	"{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{" \
	".BlockIO}}\t{{.PIDS}}\t{{.UpTime}}\t{{.AVGCPU}}"

static const Heading stats_headings[] = {
	{"AVGCPU", "AVG CPU %"},
	{"BlockIO", "BLOCK IO"},
	{"CPUPerc", "CPU %"},
	{"ID", "ID"},
	{"MemPerc", "MEM %"},
	{"MemUsage", "MEM USAGE / LIMIT"},
	{"MemUsageBytes", "MEM USAGE / LIMIT"},
	{"NetIO", "NET IO"},
	{"PIDS", "PIDS"},
	{"UpTime", "CPU TIME"},
	{NULL, NULL},
};

#define POD_STATS_COLUMNS                                                              \
	"{{.Pod}}\t{{.CID}}\t{{.Name}}\t{{.CPU}}\t{{.MemUsage}}\t{{.Mem}}\t{{.NetIO}}" \
	"\t{{.BlockIO}}\t{{.PIDS}}"

static const Heading pod_stats_headings[] = {
	{"BlockIO", "BLOCK IO"},
	{"CID", "CID"},
	{"CPU", "CPU %"},
	{"Mem", "MEM %"},
	{"MemUsage", "MEM USAGE/ LIMIT"},
	{"MemUsageBytes", "MEM USAGE/ LIMIT"},
	{"NetIO", "NET IO"},
	{"PIDS", "PIDS"},
	{NULL, NULL},
};

/* One kind of thing that is looked at. */
typedef struct StatsKind {
	json_t *(*query)(Engine *engine, const char *name, GError **err);
	json_t *(*row)(const json_t *now, const json_t *before, bool no_trunc);
	json_t *(*json)(const json_t *rows);
	const char *columns;
	const Heading *headings;
} StatsKind;

static const StatsKind containers_kind = {engine_container_stats, stats_view_container,
	stats_view_json, STATS_COLUMNS, stats_headings};
static const StatsKind members_kind = {engine_container_stats, stats_view_pod, stats_view_pod_json,
	POD_STATS_COLUMNS, pod_stats_headings};
static const StatsKind pods_kind = {engine_pod_stats, stats_view_pod, stats_view_pod_json,
	POD_STATS_COLUMNS, pod_stats_headings};

/* Samples by name, in order. Who has gone since the names were found is left out; when somebody
 * was named and nobody is there any more, that is an error. */
static json_t *take_samples(
	Engine *engine, const StatsKind *kind, char *const *names, bool strict, GError **err) {
	json_t *samples = json_object();

	for (; *names; names++) {
		g_autoptr(GError) error = NULL;
		json_t *sample = kind->query(engine, *names, &error);
		if (sample) {
			json_object_set_new(samples, *names, sample);
			continue;
		}
		if (strict || !error_is(error, ERROR_NOT_FOUND)) {
			g_propagate_error(err, g_steal_pointer(&error));
			json_decref(samples);
			return NULL;
		}
	}
	return samples;
}

static bool clear_screen(const StatsOptions *options, GError **err) {
	static const char clear[] = "\033[2J\033[1;1H";

	if (options->no_reset || options->no_stream || !isatty(STDOUT_FILENO))
		return true;
	return fd_write_all(STDOUT_FILENO, clear, sizeof(clear) - 1, "standard output", err);
}

static bool show(const StatsKind *kind, const StatsOptions *options, const json_t *samples,
	const json_t *before, GError **err) {
	json_auto_t *rows = json_array();
	const ListFormat list = {
		.format = options->format, .standard = kind->columns, .headings = kind->headings};
	const char *name;
	json_t *sample;

	json_object_foreach ((json_t *)(uintptr_t)samples, name, sample)
		json_array_append_new(
			rows, kind->row(sample, json_object_get(before, name), options->no_trunc));
	json_auto_t *raw = kind->json(rows);
	return clear_screen(options, err) && output_list(rows, raw, &list, err);
}

/* Finds the names anew each time: what starts meanwhile is shown, what has gone is not. */
typedef char **(*FindNames)(Cli *cli, char **arguments, GError **err);

static int run_loop(
	Cli *cli, const StatsKind *kind, FindNames find, char **arguments, GError **err) {
	const StatsOptions *options = cli->options;
	json_auto_t *before = NULL;
	bool first = true;

	if (options->interval_sec < 1 || options->interval_sec > INTERVAL_MAX_SEC) {
		fail(err, ERROR_INVALID, "invalid value \"%d\" for \"--interval\"",
			options->interval_sec);
		return -1;
	}
	if (arguments[0] && (options->all || options->latest)) {
		fail(err, ERROR_INVALID, "names go with neither --all nor --latest");
		return -1;
	}
	if (options->all && options->latest) {
		fail(err, ERROR_INVALID, "--all and --latest exclude each other");
		return -1;
	}
	for (;;) {
		g_auto(GStrv) names = find(cli, arguments, err);
		json_t *samples = names ? take_samples(cli_engine(cli, err), kind, names,
						  first && arguments[0], err)
					: NULL;
		if (!samples)
			return -1;
		bool over = !first && arguments[0] && json_object_size(samples) == 0;
		bool good = over || show(kind, options, samples, before, err);
		json_decref(before);
		before = samples;
		if (!good)
			return -1;
		if (over || options->no_stream)
			return 0;
		first = false;
		g_usleep((gulong)options->interval_sec * USEC_PER_SEC);
	}
}

/* "running" and "paused": what has processes. */
static char **live_containers(Cli *cli, bool all, GError **err) {
	Engine *engine = cli_engine(cli, err);
	json_auto_t *rows = engine ? engine_query_containers(engine, all, false, err) : NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const json_t *row;
	size_t index;

	if (!rows)
		return NULL;
	json_array_foreach (rows, index, row)
		g_ptr_array_add(names, g_strdup(json_get_string(row, "Id", "")));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

static char **find_containers(Cli *cli, char **arguments, GError **err) {
	const StatsOptions *options = cli->options;
	const Targets targets = {.latest = options->latest, .names = arguments};

	if (!options->latest && !arguments[0])
		return live_containers(cli, options->all, err);
	return targets_find(cli, &targets, err);
}

static int run_stats(Cli *cli, char **arguments, GError **err) {
	return run_loop(cli, &containers_kind, find_containers, arguments, err);
}

static char **find_pods(Cli *cli, char **arguments, GError **err) {
	const StatsOptions *options = cli->options;
	const Targets targets = {.pods = true,
		.all = options->all,
		.running = !options->all && !options->latest && !arguments[0],
		.latest = options->latest,
		.names = arguments};

	return targets_find(cli, &targets, err);
}

static char **find_members(Cli *cli, char **arguments, GError **err) {
	g_auto(GStrv) pods = find_pods(cli, arguments, err);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	Engine *engine = pods ? cli_engine(cli, err) : NULL;

	if (!engine)
		return NULL;
	for (char **pod = pods; *pod; pod++) {
		g_auto(GStrv) members = engine_pod_members(engine, *pod, err);
		if (!members)
			return NULL;
		for (char **member = members; *member; member++)
			g_ptr_array_add(found, g_strdup(*member));
	}
	g_ptr_array_add(found, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

static int run_pod_stats(Cli *cli, char **arguments, GError **err) {
	const StatsOptions *options = cli->options;

	return options->sum ? run_loop(cli, &pods_kind, find_pods, arguments, err)
			    : run_loop(cli, &members_kind, find_members, arguments, err);
}

const Command command_stats = {
	.usage = "[options] [CONTAINER...]",
	.help = "Show what containers use",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = stats_options,
	.options_size = sizeof(StatsOptions),
	.defaults = &stats_defaults,
	.run = run_stats,
};

const Command command_pod_stats = {
	.usage = "[options] [POD...]",
	.help = "Show what the members of pods use",
	.max_arguments = -1,
	.argument = ARGUMENT_POD,
	.options = pod_stats_options,
	.options_size = sizeof(StatsOptions),
	.defaults = &pod_stats_defaults,
	.run = run_pod_stats,
};
