/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding, parsing and running a command. It knows tables, not commands: the list is main.c's. */
#include "cli/cmd.h"

#include "base/log.h"

#include "base/str.h"
#include "cli/spec_options.h"

#include <stdlib.h>
#include <string.h>

Engine *cli_engine(Cli *cli, GError **err) {
	if (!cli->engine) {
		const char *socket = getenv("NOTIFY_SOCKET");
		const EngineOptions options = {
			.state_path = cli->root,
			.run_path = cli->runroot,
			.create_command = cli->argv,
			.notify_socket = socket && *socket ? socket : NULL,
			.unit = getenv("PODMAN_SYSTEMD_UNIT"),
		};
		cli->engine = engine_open(&options, err);
	}
	return cli->engine;
}

void cli_clear(Cli *cli) {
	g_autoptr(GError) error = NULL;

	if (cli->engine && !engine_settle(cli->engine, !cli->settle_now, &error))
		log_warning("%s, ignoring", error->message);
	engine_free(g_steal_pointer(&cli->engine));
	g_clear_pointer(&cli->root, g_free);
	g_clear_pointer(&cli->runroot, g_free);
	g_clear_pointer(&cli->log_level, g_free);
}

void cli_print_error(const GError *error) {
	g_autofree char *text = g_strdup(error->message);

	g_strdelimit(g_strchomp(text), "\r\n\t", ' ');
	fprintf(stderr, "Error: %s\n", str_strip_control(text));
}

int cli_error_status(const GError *error) {
	if (error_is(error, ERROR_COMMAND_NOT_EXECUTABLE))
		return STATUS_NOT_EXECUTABLE;
	if (error_is(error, ERROR_COMMAND_NOT_FOUND))
		return STATUS_NOT_FOUND;
	return STATUS_FAILED;
}

/* How many of the words stand in row_words, which is "A" or "A B"; 0: it is not this command. */
static int match_words(const char *row_words, char *const *words) {
	const char *space = strchr(row_words, ' ');

	if (!space)
		return words[0] && strcmp(words[0], row_words) == 0 ? 1 : 0;
	if (!words[0] || !words[1] || strlen(words[0]) != (size_t)(space - row_words))
		return 0;
	bool same = strncmp(words[0], row_words, strlen(words[0])) == 0 &&
		    strcmp(words[1], space + 1) == 0;
	return same ? 2 : 0;
}

bool command_is_group(const CommandRow *rows, const char *group) {
	size_t length = strlen(group);

	if (strcmp(group, "container") == 0)
		return true;
	for (const CommandRow *row = rows; row->words; row++)
		if (strncmp(row->words, group, length) == 0 && row->words[length] == ' ')
			return true;
	return false;
}

/* What podman's command line has and podctl's has not yet: no word of them is a slip of the hand.
 */
static const char *const missing_commands[] = {"artifact", "auto-update", "build",
	"container checkpoint", "container init", "container mount", "container restore",
	"container unmount", "events", "farm", "generate", "healthcheck", "history", "image build",
	"image diff", "image history", "image mount", "image prune", "image pull", "image push",
	"image save", "image search", "image tree", "image trust", "image unmount", "init", "kube",
	"login", "logout", "machine", "manifest", "mount", "network", "play", "pull", "push",
	"save", "search", "secret", "system", "unmount", "unshare", "volume export",
	"volume import", "volume mount", "volume reload", "volume unmount", NULL};

/* The words that could have been meant: the first ones, or the second ones of a group. */
static bool fail_unknown(
	const CommandRow *rows, const char *group, const char *word, GError **err) {
	g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func(g_free);
	bool container = group && strcmp(group, "container") == 0;
	const char *before = group ? " " : "";

	for (const CommandRow *row = rows; row->words; row++) {
		const char *space = strchr(row->words, ' ');
		if (row->command->flags & COMMAND_HIDDEN)
			continue;
		if (!group || (container && row->in_container))
			g_ptr_array_add(candidates,
				space ? g_strndup(row->words, (size_t)(space - row->words))
				      : g_strdup(row->words));
		else if (space && strlen(group) == (size_t)(space - row->words) &&
			 g_str_has_prefix(row->words, group))
			g_ptr_array_add(candidates, g_strdup(space + 1));
	}
	g_ptr_array_add(candidates, NULL);
	const char *nearest = str_nearest(word, (const char *const *)candidates->pdata);
	group = group ? group : "";
	g_autofree char *words = g_strconcat(group, before, word, NULL);
	if (g_strv_contains(missing_commands, words))
		return fail(err, ERROR_INVALID,
			"unknown command \"podctl %s\": podman has it, podctl has it not yet",
			words);
	if (nearest)
		return fail(err, ERROR_INVALID,
			"unknown command \"podctl %s%s%s\", did you mean \"podctl %s%s%s\"?", group,
			before, word, group, before, nearest);
	return fail(err, ERROR_INVALID,
		"unknown command \"podctl %s%s%s\", try \"podctl %s%s--help\"", group, before, word,
		group, before);
}

const CommandRow *command_find(
	const CommandRow *rows, char *const *words, int *ret_words, GError **err) {
	bool container = strcmp(words[0], "container") == 0;

	for (const CommandRow *row = rows; row->words; row++) {
		int count = match_words(row->words, words);
		if (count == 0 && container && row->in_container && words[1])
			count = match_words(row->words, words + 1) ? 2 : 0;
		if (count > 0) {
			*ret_words = count;
			return row;
		}
	}
	if (!command_is_group(rows, words[0]))
		fail_unknown(rows, NULL, words[0], err);
	else if (!words[1])
		fail(err, ERROR_INVALID,
			"missing command \"podctl %s COMMAND\", try \"podctl %s --help\"", words[0],
			words[0]);
	else
		fail_unknown(rows, words[0], words[1], err);
	return NULL;
}

void command_option_groups(const Command *command, OptionGroup groups[static 3]) {
	size_t n = 0;

	if (command->options)
		groups[n++] = (OptionGroup){command->options, NULL};
	if (command->flags & COMMAND_CONTAINER_SPEC)
		groups[n++] = (OptionGroup){container_spec_options, NULL};
	if (command->flags & COMMAND_POD_SPEC)
		groups[n++] = (OptionGroup){pod_spec_options, NULL};
	groups[n] = (OptionGroup){NULL, NULL};
}

static bool accept_value(G_GNUC_UNUSED void *target, G_GNUC_UNUSED const OptionRow *row,
	G_GNUC_UNUSED const char *value, G_GNUC_UNUSED GError **err) {
	return true;
}

/* A copy of a table in which refused options are known and do nothing. */
static OptionRow *accepting_rows(const OptionRow *rows) {
	size_t n = 0;

	while (rows[n].name)
		n++;
	OptionRow *copy = g_memdup2(rows, (n + 1) * sizeof(*rows));
	for (OptionRow *row = copy; row->name; row++) {
		if (row->kind == OPTION_REFUSED_BOOL)
			row->bare = "true";
		if (row->kind == OPTION_REFUSED || row->kind == OPTION_REFUSED_BOOL ||
			row->kind == OPTION_CALL) {
			row->kind = OPTION_CALL;
			row->parse = accept_value;
		}
	}
	return copy;
}

static void free_options(const Command *command, void *options) {
	for (const OptionRow *row = command->options; row && row->name; row++) {
		void *field = (char *)options + row->offset;
		if (row->kind == OPTION_STRING)
			g_clear_pointer((char **)field, g_free);
		else if (row->kind == OPTION_LIST || row->kind == OPTION_CSV)
			g_clear_pointer((char ***)field, g_strfreev);
	}
	g_free(options);
}

static bool check_count(const CommandRow *row, char **arguments, GError **err) {
	const Command *command = row->command;
	int count = (int)g_strv_length(arguments);

	if (count < command->min_arguments)
		return fail(err, ERROR_INVALID,
			"requires at least %d argument%s, got %d: podctl %s %s",
			command->min_arguments, command->min_arguments == 1 ? "" : "s", count,
			row->words, command->usage);
	if (command->max_arguments >= 0 && count > command->max_arguments)
		return fail(err, ERROR_INVALID, "takes at most %d argument%s, got %d: podctl %s %s",
			command->max_arguments, command->max_arguments == 1 ? "" : "s", count,
			row->words, command->usage);
	return true;
}

/* Parses the words after the first argument again: `pod add POD --name X IMAGE`. */
static bool parse_again(
	const OptionGroup *groups, char ***arguments, bool *ret_help, GError **err) {
	g_auto(GStrv) first = g_steal_pointer(arguments);
	g_auto(GStrv) rest = NULL;

	if (!options_parse(groups, OPTIONS_STOP_AT_ARGUMENT, first + 1, &rest, ret_help, err))
		return false;
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_ptr_array_add(all, g_strdup(first[0]));
	for (char **word = rest; *word; word++)
		g_ptr_array_add(all, g_strdup(*word));
	g_ptr_array_add(all, NULL);
	*arguments = (char **)g_ptr_array_free(g_steal_pointer(&all), FALSE);
	return true;
}

static bool parse_words(Cli *cli, const Command *command, char *const *words, bool dry,
	char ***ret_arguments, bool *ret_help, GError **err) {
	OptionGroup groups[3];
	g_autoptr(GPtrArray) copies = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) arguments = NULL;
	bool stop = command->flags & COMMAND_STOP_AT_ARGUMENT;

	command_option_groups(command, groups);
	for (size_t i = 0; groups[i].rows; i++) {
		bool spec = groups[i].rows != command->options;
		groups[i].target = !spec                 ? cli->options
				   : cli->container_spec ? (void *)cli->container_spec
							 : (void *)cli->pod_spec;
		if (dry) {
			g_ptr_array_add(copies, accepting_rows(groups[i].rows));
			groups[i].rows = copies->pdata[i];
		}
	}
	bool good = options_parse(groups, stop ? OPTIONS_STOP_AT_ARGUMENT : OPTIONS_INTERSPERSED,
		words, &arguments, ret_help, err);
	if (good && !*ret_help && (command->flags & COMMAND_OPTIONS_TWICE) && arguments[0])
		good = parse_again(groups, &arguments, ret_help, err);
	if (good)
		*ret_arguments = g_steal_pointer(&arguments);
	return good;
}

static int run_parsed(Cli *cli, char *const *words, bool dry, GError **err) {
	const Command *command = cli->row->command;
	g_auto(GStrv) arguments = NULL;
	bool help = false;

	if (command->flags & COMMAND_RAW)
		return command->run(cli, (char **)words, err);
	if (!parse_words(cli, command, words, dry, &arguments, &help, err))
		return -1;
	if (help) {
		g_autoptr(GString) text = g_string_new(NULL);
		help_command(cli->row, text);
		return output_print(text->str, err) ? 0 : -1;
	}
	if (!check_count(cli->row, arguments, err))
		return -1;
	return dry ? 0 : command->run(cli, arguments, err);
}

int command_invoke(Cli *cli, const CommandRow *row, char *const *words, bool dry, GError **err) {
	const Command *command = row->command;

	cli->row = row;
	cli->options = g_malloc0(MAX(command->options_size, 1));
	if (command->defaults)
		memcpy(cli->options, command->defaults, command->options_size);
	if (command->flags & COMMAND_CONTAINER_SPEC)
		cli->container_spec = container_spec_new();
	if (command->flags & COMMAND_POD_SPEC)
		cli->pod_spec = pod_spec_new();
	int status = run_parsed(cli, words, dry, err);
	free_options(command, g_steal_pointer(&cli->options));
	g_clear_pointer(&cli->container_spec, container_spec_free);
	g_clear_pointer(&cli->pod_spec, pod_spec_free);
	return status;
}
