/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Option tables. One row an option: parsing, --help, shell completion and the check of the man
 * pages read the same rows, so none of them can forget one. Syntax is podman's (Go's pflag):
 * --name VALUE, --name=VALUE, -n VALUE, -nVALUE, grouped booleans -it; a boolean takes a value
 * only with '='; "--" ends options.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef enum OptionKind {
	OPTION_BOOL,         /* bool */
	OPTION_TRISTATE,     /* int: -1 unset, 0, 1 */
	OPTION_STRING,       /* char *: the last one counts */
	OPTION_LIST,         /* char **: every value whole */
	OPTION_CSV,          /* char **: every value, split at commas by CSV rules */
	OPTION_INT,          /* int */
	OPTION_UINT64,       /* uint64_t */
	OPTION_SIZE,         /* uint64_t, bytes: 64m */
	OPTION_CALL,         /* parse() does it */
	OPTION_REFUSED,      /* known to podman, not offered here: refused by name; help says why */
	OPTION_REFUSED_BOOL, /* the same without a value */
} OptionKind;

typedef struct OptionRow OptionRow;

struct OptionRow {
	const char *name; /* without dashes */
	char letter;      /* 0: none */
	OptionKind kind;
	size_t offset;           /* of the field in the target struct */
	const char *placeholder; /* of the value in help: "PATH" */
	const char *help;        /* one line, no period; for REFUSED: the reason */
	/* OPTION_CALL only; value is "true" for a bare flag when bare is set */
	bool (*parse)(void *target, const OptionRow *row, const char *value, GError **err);
	const char
		*bare; /* the value when the option stands without one (--pull); NULL: required */
	bool hidden;   /* aliases and internal options: parsed, not in help */
};

/* A command's options: several tables, each with the struct its offsets are for. */
typedef struct OptionGroup {
	const OptionRow *rows; /* ends with a row whose name is NULL */
	void *target;
} OptionGroup;

typedef enum OptionsFlags {
	OPTIONS_INTERSPERSED = 0,     /* options may follow arguments */
	OPTIONS_STOP_AT_ARGUMENT = 1, /* the first argument ends the options (run, exec) */
} OptionsFlags;

/* Parses argv (argv[0] is the first word after the command). groups ends with rows == NULL. The
 * words that are no options are returned in *ret_arguments (NULL-terminated, a new list, strings
 * copied; free with g_strfreev). String fields are freed before they are replaced. Errors are
 * ERROR_INVALID: unknown options with the nearest known one, missing and bad values by name;
 * ERROR_UNSUPPORTED for refused ones. "--help" and "-h" (unless a row claims 'h') set
 * *ret_help. */
bool options_parse(const OptionGroup *groups, OptionsFlags flags, char *const *argv,
	char ***ret_arguments, bool *ret_help, GError **err);

/* Appends the "Options:" section of --help. */
void options_format_help(const OptionGroup *groups, GString *out);

/* Appends value to the NULL-terminated list at field. */
void options_append(char ***field, const char *value);
