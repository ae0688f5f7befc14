/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help of everything, from the tables that also parse. */
#include "base/cleanup.h"
#include "cli/cmd.h"

#include <string.h>

static void append_section(const char *title, const GString *lines, GString *out) {
	if (lines->len > 0)
		g_string_append_printf(out, "\n%s:\n%s", title, lines->str);
}

/* True if an earlier row of the same group has this command: the row is an alias. */
static bool is_alias(const CommandRow *rows, const CommandRow *row, size_t group_length) {
	for (const CommandRow *before = rows; before < row; before++)
		if (before->command == row->command &&
			strncmp(before->words, row->words, group_length + 1) == 0)
			return true;
	return false;
}

static void append_line(const char *word, const char *help, GString *out) {
	g_string_append_printf(out, "  %-12s %s\n", word, help);
}

void help_program(const CommandRow *rows, GString *out) {
	static const char *const groups[][2] = {
		{"container", "Manage containers"},
		{"image", "Manage images"},
		{"pod", "Manage pods"},
		{"volume", "Manage volumes"},
	};
	g_autoptr(GString) lines = g_string_new(NULL);
	g_autoptr(GString) options = g_string_new(NULL);
	const OptionGroup group[] = {{global_options, NULL}, {NULL, NULL}};

	g_string_append(out, "Pods without a daemon\n\nUsage:\n  podctl [options] COMMAND\n");
	for (const CommandRow *row = rows; row->words; row++)
		if (!strchr(row->words, ' ') && !(row->command->flags & COMMAND_HIDDEN))
			append_line(row->words, row->command->help, lines);
	append_section("Commands", lines, out);
	g_string_truncate(lines, 0);
	array_foreach (entry, groups)
		append_line((*entry)[0], (*entry)[1], lines);
	append_section("Groups of commands", lines, out);
	options_format_help(group, options);
	append_section("Options", options, out);
}

void help_group(const CommandRow *rows, const char *group, GString *out) {
	g_autoptr(GString) lines = g_string_new(NULL);
	size_t length = strlen(group);
	bool container = strcmp(group, "container") == 0;

	g_string_append_printf(out, "Usage:\n  podctl %s COMMAND\n", group);
	for (const CommandRow *row = rows; row->words; row++) {
		if (row->command->flags & COMMAND_HIDDEN)
			continue;
		if (strncmp(row->words, group, length) == 0 && row->words[length] == ' ' &&
			!is_alias(rows, row, length))
			append_line(row->words + length + 1, row->command->help, lines);
		else if (container && row->in_container && !strchr(row->words, ' '))
			append_line(row->words, row->command->help, lines);
	}
	append_section("Commands", lines, out);
}

void help_command(const CommandRow *row, GString *out) {
	g_autoptr(GString) options = g_string_new(NULL);
	OptionGroup groups[3];

	g_string_append_printf(out, "%s\n\nUsage:\n  podctl %s %s\n", row->command->help,
		row->words, row->command->usage);
	command_option_groups(row->command, groups);
	options_format_help(groups, options);
	append_section("Options", options, out);
}
