/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl completion SHELL and the hidden __complete it calls: one short script a shell, all the
 * knowledge in the option tables and in what there is at the moment.
 */
#include "base/cleanup.h"
#include "cli/cmd.h"

#include <string.h>

static const char bash_script[] = "_podctl() {\n"
				  "\tlocal IFS=$'\\n' words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
				  "\tCOMPREPLY=($(podctl __complete \"${words[@]}\" 2>/dev/null))\n"
				  "\tif [ ${#COMPREPLY[@]} -eq 0 ]; then\n"
				  "\t\tcompopt -o default\n"
				  "\tfi\n"
				  "}\n"
				  "complete -F _podctl podctl\n";

static const char zsh_script[] =
	"#compdef podctl\n"
	"_podctl() {\n"
	"\tlocal -a candidates\n"
	"\tcandidates=(${(f)\"$(podctl __complete \"${(@)words[2,CURRENT]}\" 2>/dev/null)\"})\n"
	"\tif (( $#candidates )); then\n"
	"\t\tcompadd -a candidates\n"
	"\telse\n"
	"\t\t_files\n"
	"\tfi\n"
	"}\n"
	"compdef _podctl podctl\n";

static const char fish_script[] = "function __podctl_complete\n"
				  "\tset -l words (commandline -opc)[2..-1] (commandline -ct)\n"
				  "\tpodctl __complete $words 2>/dev/null\n"
				  "end\n"
				  "complete -c podctl -a '(__podctl_complete)'\n";

static const struct {
	const char *shell, *script;
} scripts[] = {
	{"bash", bash_script},
	{"fish", fish_script},
	{"zsh", zsh_script},
};

static int run_completion(G_GNUC_UNUSED Cli *cli, char **arguments, GError **err) {
	array_foreach (row, scripts)
		if (strcmp(row->shell, arguments[0]) == 0)
			return output_print(row->script, err) ? 0 : -1;
	fail(err, ERROR_INVALID, "no completion for \"%s\": use bash, fish or zsh", arguments[0]);
	return -1;
}

const Command command_completion = {
	.usage = "bash|fish|zsh",
	.help = "Print a completion script for a shell",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_completion,
};

static void add_word(GPtrArray *found, const char *word, size_t length, const char *prefix) {
	if (length < strlen(prefix) || strncmp(word, prefix, strlen(prefix)) != 0)
		return;
	for (guint i = 0; i < found->len; i++)
		if (strlen(found->pdata[i]) == length &&
			strncmp(found->pdata[i], word, length) == 0)
			return;
	g_ptr_array_add(found, g_strndup(word, length));
}

/* First words of commands, or second words of a group. */
static void add_commands(
	const CommandRow *rows, const char *group, const char *prefix, GPtrArray *found) {
	bool container = group && strcmp(group, "container") == 0;

	for (const CommandRow *row = rows; row->words; row++) {
		const char *space = strchr(row->words, ' ');
		size_t first = space ? (size_t)(space - row->words) : strlen(row->words);
		if (row->command->flags & COMMAND_HIDDEN)
			continue;
		if (!group || (container && row->in_container))
			add_word(found, row->words, first, prefix);
		else if (space && strlen(group) == first && g_str_has_prefix(row->words, group))
			add_word(found, space + 1, strlen(space + 1), prefix);
	}
}

static bool is_offered(const OptionRow *row) {
	return !row->hidden && row->kind != OPTION_REFUSED && row->kind != OPTION_REFUSED_BOOL;
}

static void add_options(const OptionGroup *groups, const char *prefix, GPtrArray *found) {
	for (const OptionGroup *group = groups; group->rows; group++) {
		for (const OptionRow *row = group->rows; row->name; row++) {
			g_autofree char *word = g_strconcat("--", row->name, NULL);
			if (is_offered(row))
				add_word(found, word, strlen(word), prefix);
		}
	}
	add_word(found, "--help", strlen("--help"), prefix);
}

static void add_names(const json_t *objects, const char *prefix, GPtrArray *found) {
	const json_t *object, *name;
	size_t index, i;

	json_array_foreach (objects, index, object) {
		const char *own = json_get_string(object, "Name", NULL);
		if (own)
			add_word(found, own, strlen(own), prefix);
		json_array_foreach (json_object_get(object, "Names"), i, name) {
			const char *text = json_string_value(name);
			if (text)
				add_word(found, text, strlen(text), prefix);
		}
	}
}

static void add_objects(Cli *cli, CommandArgument kind, const char *prefix, GPtrArray *found) {
	bool any = kind == ARGUMENT_OBJECT;
	Engine *engine = cli_engine(cli, NULL);

	if (!engine)
		return;
	if (any || kind == ARGUMENT_CONTAINER) {
		json_auto_t *containers = engine_query_containers(engine, true, false, NULL);
		add_names(containers, prefix, found);
	}
	if (any || kind == ARGUMENT_POD) {
		json_auto_t *pods = engine_query_pods(engine, NULL);
		add_names(pods, prefix, found);
	}
	if (any || kind == ARGUMENT_IMAGE) {
		json_auto_t *images = engine_query_images(engine, NULL);
		add_names(images, prefix, found);
	}
	if (kind == ARGUMENT_VOLUME) {
		json_auto_t *volumes = engine_query_volumes(engine, NULL);
		add_names(volumes, prefix, found);
	}
}

/* words: the whole line after "podctl", the last one is being typed. */
static void find_candidates(Cli *cli, char *const *words, GPtrArray *found) {
	const OptionGroup global[] = {{global_options, NULL}, {NULL, NULL}};
	const char *last = "";
	size_t n = 0;
	int used = 0;

	while (words[n])
		last = words[n++];
	if (n <= 1) {
		add_commands(cli->rows, NULL, last, found);
		if (*last == '-')
			add_options(global, last, found);
		return;
	}
	if (n == 2 && command_is_group(cli->rows, words[0])) {
		add_commands(cli->rows, words[0], last, found);
		return;
	}
	const CommandRow *row = command_find(cli->rows, words, &used, NULL);
	if (!row || (size_t)used >= n)
		return;
	if (*last == '-') {
		OptionGroup groups[3];
		command_option_groups(row->command, groups);
		add_options(groups, last, found);
	} else if (row->command->argument != ARGUMENT_OTHER) {
		add_objects(cli, row->command->argument, last, found);
	}
}

static int run_complete(Cli *cli, char **words, GError **err) {
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) text = g_string_new(NULL);

	find_candidates(cli, words, found);
	for (guint i = 0; i < found->len; i++)
		g_string_append_printf(text, "%s\n", (char *)found->pdata[i]);
	return output_print(text->str, err) ? 0 : -1;
}

const Command command_complete = {
	.usage = "WORD...",
	.help = "List what could stand at the last word",
	.flags = COMMAND_HIDDEN | COMMAND_RAW,
	.max_arguments = -1,
	.run = run_complete,
};
