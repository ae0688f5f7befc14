/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl help, and two hidden commands for the checks between parts: __options writes the tables as
 * JSON, __parse tells whether a command line is known. */
#include "cli/cmd.h"

#include <string.h>

static int run_help(Cli *cli, char **arguments, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);
	int used = 0;

	if (!arguments[0]) {
		help_program(cli->rows, text);
	} else if (!arguments[1] && command_is_group(cli->rows, arguments[0])) {
		help_group(cli->rows, arguments[0], text);
	} else {
		const CommandRow *row = command_find(cli->rows, arguments, &used, err);
		if (!row)
			return -1;
		help_command(row, text);
	}
	return output_print(text->str, err) ? 0 : -1;
}

const Command command_help = {
	.usage = "[COMMAND...]",
	.help = "Show help about a command",
	.max_arguments = 2,
	.run = run_help,
};

static json_t *dump_row(const OptionRow *row) {
	json_t *object = json_object();
	const char letter[] = {row->letter, '\0'};
	bool bool_kind = row->kind == OPTION_BOOL || row->kind == OPTION_TRISTATE ||
			 row->kind == OPTION_REFUSED_BOOL || row->bare;

	json_put_string(object, "name", row->name);
	json_put_string(object, "letter", letter);
	json_put_bool(object, "value", !bool_kind);
	json_put_bool(
		object, "refused", row->kind == OPTION_REFUSED || row->kind == OPTION_REFUSED_BOOL);
	json_put_bool(object, "hidden", row->hidden);
	json_put_string(object, "placeholder", row->placeholder);
	json_put_string(object, "help", row->help);
	return object;
}

static json_t *dump_groups(const OptionGroup *groups) {
	json_t *rows = json_array();

	for (; groups->rows; groups++)
		for (const OptionRow *row = groups->rows; row->name; row++)
			json_array_append_new(rows, dump_row(row));
	return rows;
}

static int run_dump(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	const OptionGroup global[] = {{global_options, NULL}, {NULL, NULL}};
	json_auto_t *dump = json_object();
	json_t *commands = json_array();

	json_object_set_new(dump, "options", dump_groups(global));
	json_object_set_new(dump, "commands", commands);
	for (const CommandRow *row = cli->rows; row->words; row++) {
		json_t *command = json_object();
		OptionGroup groups[3];
		command_option_groups(row->command, groups);
		json_put_string(command, "words", row->words);
		json_put_string(command, "usage", row->command->usage);
		json_put_string(command, "help", row->command->help);
		json_put_bool(command, "hidden", row->command->flags & COMMAND_HIDDEN);
		json_object_set_new(command, "options", dump_groups(groups));
		json_array_append_new(commands, command);
	}
	g_autofree char *text = json_to_text(dump, true);
	g_autofree char *line = g_strconcat(text, "\n", NULL);
	return output_print(line, err) ? 0 : -1;
}

const Command command_dump_options = {
	.usage = "",
	.help = "Write all commands and options as JSON",
	.flags = COMMAND_HIDDEN,
	.run = run_dump,
};

/* A refused option is a known one: files that carry it are podman's, not wrong. The options in
 * front of the command are skipped by their table. */
static int run_parse(Cli *cli, char **words, GError **err) {
	while (words[0] && words[0][0] == '-') {
		bool valued = false, known = false;
		for (const OptionRow *row = global_options; row->name && !known; row++) {
			size_t length = strlen(row->name);
			known = strncmp(words[0], "--", 2) == 0 &&
				strncmp(words[0] + 2, row->name, length) == 0 &&
				(!words[0][2 + length] || words[0][2 + length] == '=');
			valued = known && !words[0][2 + length] && row->kind != OPTION_BOOL &&
				 row->kind != OPTION_REFUSED_BOOL;
		}
		if (!known) {
			fail(err, ERROR_INVALID, "unknown option \"%s\"", words[0]);
			return -1;
		}
		words += valued && words[1] ? 2 : 1;
	}
	int used = 0;
	const CommandRow *row = words[0] ? command_find(cli->rows, words, &used, err) : NULL;
	if (!words[0])
		fail(err, ERROR_INVALID, "there is no command");
	if (!row)
		return -1;
	Cli inner = {.rows = cli->rows, .argv = cli->argv};
	return command_invoke(&inner, row, words + used, true, err);
}

const Command command_parse = {
	.usage = "WORD...",
	.help = "Tell whether a command line is known, without running it",
	.flags = COMMAND_HIDDEN | COMMAND_RAW,
	.max_arguments = -1,
	.run = run_parse,
};
