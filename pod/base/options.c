/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Option tables. See options.h. */
#include "base/options.h"

#include "base/parse.h"
#include "base/str.h"

#include <string.h>

typedef struct Parser {
	const OptionGroup *groups;
	char *const *argv; /* advances */
	GPtrArray *arguments;
	bool help;
} Parser;

static bool takes_no_value(const OptionRow *row) {
	return row->kind == OPTION_BOOL || row->kind == OPTION_TRISTATE ||
	       row->kind == OPTION_REFUSED_BOOL || row->bare;
}

static const OptionRow *find_row(
	const Parser *parser, const char *name, size_t length, char letter, void **ret_target) {
	for (const OptionGroup *group = parser->groups; group->rows; group++) {
		for (const OptionRow *row = group->rows; row->name; row++) {
			bool by_name = name && strlen(row->name) == length &&
				       strncmp(row->name, name, length) == 0;
			if (by_name || (letter && row->letter == letter)) {
				*ret_target = group->target;
				return row;
			}
		}
	}
	return NULL;
}

static bool fail_unknown(const Parser *parser, const char *name, size_t length, GError **err) {
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *word = g_strndup(name, length);

	for (const OptionGroup *group = parser->groups; group->rows; group++)
		for (const OptionRow *row = group->rows; row->name; row++)
			if (!row->hidden)
				g_ptr_array_add(names, (char *)(uintptr_t)row->name);
	g_ptr_array_add(names, NULL);
	const char *nearest = str_nearest(word, (const char *const *)names->pdata);
	if (nearest)
		return fail(err, ERROR_INVALID, "unknown option \"--%s\", did you mean \"--%s\"?",
			word, nearest);
	return fail(err, ERROR_INVALID, "unknown option \"--%s\"", word);
}

void options_append(char ***field, const char *value) {
	size_t length = *field ? g_strv_length(*field) : 0;

	*field = g_renew(char *, *field, length + 2);
	(*field)[length] = g_strdup(value);
	(*field)[length + 1] = NULL;
}

static bool append_csv(char ***field, const char *value) {
	g_auto(GStrv) parts = str_split_csv(value);

	if (!parts)
		return false;
	for (char **part = parts; *part; part++)
		options_append(field, *part);
	return true;
}

static bool store_value(const OptionRow *row, void *target, const char *value, GError **err) {
	void *field = (char *)target + row->offset;
	bool truth, good = true;

	switch (row->kind) {
	case OPTION_BOOL:
		good = parse_bool(value, (bool *)field);
		break;
	case OPTION_TRISTATE:
		good = parse_bool(value, &truth);
		if (good)
			*(int *)field = truth;
		break;
	case OPTION_STRING:
		g_free(*(char **)field);
		*(char **)field = g_strdup(value);
		break;
	case OPTION_LIST:
		options_append(field, value);
		break;
	case OPTION_CSV:
		good = append_csv(field, value);
		break;
	case OPTION_INT:
		good = parse_int(value, INT32_MIN + 1, INT32_MAX, (int *)field);
		break;
	case OPTION_UINT64:
		good = parse_uint64(value, UINT64_MAX, (uint64_t *)field);
		break;
	case OPTION_SIZE:
		good = parse_size(value, (uint64_t *)field);
		break;
	case OPTION_CALL:
		return row->parse(target, row, value, err);
	case OPTION_REFUSED:
	case OPTION_REFUSED_BOOL:
		return fail(err, ERROR_UNSUPPORTED, "option \"--%s\" is not supported: %s",
			row->name, row->help);
	}
	if (!good)
		return fail(
			err, ERROR_INVALID, "invalid value \"%s\" for \"--%s\"", value, row->name);
	return true;
}

static bool parse_long(Parser *parser, const char *word, GError **err) {
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	void *target = NULL;
	const OptionRow *row = find_row(parser, name, length, 0, &target);

	if (!row && strcmp(name, "help") == 0) {
		parser->help = true;
		return true;
	}
	if (!row)
		return fail_unknown(parser, name, length, err);
	if (equals)
		return store_value(row, target, equals + 1, err);
	if (takes_no_value(row))
		return store_value(row, target, row->bare ? row->bare : "true", err);
	if (!parser->argv[0])
		return fail(err, ERROR_INVALID, "option \"--%s\" needs a value", row->name);
	return store_value(row, target, *parser->argv++, err);
}

/* A cluster such as -it or -p8080:80. */
static bool parse_letters(Parser *parser, const char *word, GError **err) {
	for (const char *p = word + 1; *p; p++) {
		void *target = NULL;
		const OptionRow *row = find_row(parser, NULL, 0, *p, &target);

		if (!row && *p == 'h') {
			parser->help = true;
			continue;
		}
		if (!row)
			return fail(
				err, ERROR_INVALID, "unknown option \"-%c\" in \"%s\"", *p, word);
		if (takes_no_value(row)) {
			bool valued = p[1] == '=';
			const char *value = valued ? p + 2 : row->bare ? row->bare : "true";
			if (!store_value(row, target, value, err))
				return false;
			if (valued)
				return true;
			continue;
		}
		const char *rest = p[1] == '=' ? p + 2 : p + 1;
		if (!*rest && !parser->argv[0])
			return fail(err, ERROR_INVALID, "option \"-%c\" needs a value", *p);
		return store_value(row, target, *rest ? rest : *parser->argv++, err);
	}
	return true;
}

bool options_parse(const OptionGroup *groups, OptionsFlags flags, char *const *argv,
	char ***ret_arguments, bool *ret_help, GError **err) {
	Parser parser = {.groups = groups, .argv = argv};
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	bool options_end = false;

	parser.arguments = arguments;
	while (*parser.argv) {
		const char *word = *parser.argv++;

		if (options_end || word[0] != '-' || !word[1]) {
			g_ptr_array_add(arguments, g_strdup(word));
			options_end = options_end || (flags & OPTIONS_STOP_AT_ARGUMENT);
		} else if (strcmp(word, "--") == 0) {
			options_end = true;
		} else if (word[1] == '-') {
			if (!parse_long(&parser, word, err))
				return false;
		} else if (!parse_letters(&parser, word, err)) {
			return false;
		}
	}
	g_ptr_array_add(arguments, NULL);
	*ret_arguments = (char **)g_ptr_array_free(g_steal_pointer(&arguments), FALSE);
	*ret_help = parser.help;
	return true;
}

enum { HELP_COLUMN = 34 };

void options_format_help(const OptionGroup *groups, GString *out) {
	for (const OptionGroup *group = groups; group->rows; group++) {
		for (const OptionRow *row = group->rows; row->name; row++) {
			g_autoptr(GString) left = g_string_new(NULL);
			if (row->hidden || row->kind == OPTION_REFUSED ||
				row->kind == OPTION_REFUSED_BOOL)
				continue;
			if (row->letter)
				g_string_append_printf(left, "  -%c, --%s", row->letter, row->name);
			else
				g_string_append_printf(left, "      --%s", row->name);
			if (row->placeholder)
				g_string_append_printf(left, " %s", row->placeholder);
			/* What is too wide for the column has the help in the line below. */
			if (left->len > HELP_COLUMN)
				g_string_append_printf(left, "\n%*s", HELP_COLUMN, "");
			g_string_append_printf(out, "%-*s %s\n", HELP_COLUMN, left->str, row->help);
		}
	}
}
