/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a command is, and what every command is given.
 *
 * Adding a command:
 *   1. a file cmd_NAME.c with a struct for its options, a table of OptionRows for that struct, a
 *      function, and at the end `const Command command_NAME = {...}`;
 *   2. one row in the table of main.c (the only list of commands), the file in meson.build;
 *   3. its page in man/: tests/contract/check_man.py fails for an option that is not written there.
 * Help, completion and the checks read the same tables; there is nothing else to keep in step.
 */
#pragma once

#include "base/options.h"
#include "cli/output.h"
#include "engine/engine.h"

/* podctl's own failures, as podman's. */
enum { STATUS_FAILED = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

typedef enum CommandFlags {
	COMMAND_PLAIN = 0,
	COMMAND_HIDDEN = 1 << 0,           /* podctl calls it itself */
	COMMAND_STOP_AT_ARGUMENT = 1 << 1, /* the first argument ends the options */
	COMMAND_CONTAINER_SPEC = 1 << 2,   /* takes the options of a container too */
	COMMAND_POD_SPEC = 1 << 3,         /* takes the options of a pod too */
	COMMAND_OPTIONS_TWICE = 1 << 4, /* options may stand before and after the first argument */
	COMMAND_RAW = 1 << 5,           /* words are handed over unparsed */
} CommandFlags;

/* What an argument names, for completion. */
typedef enum CommandArgument {
	ARGUMENT_OTHER,
	ARGUMENT_CONTAINER,
	ARGUMENT_POD,
	ARGUMENT_IMAGE,
	ARGUMENT_OBJECT, /* any of the three */
	ARGUMENT_VOLUME,
	ARGUMENT_FILE,
} CommandArgument;

typedef struct Cli Cli;

typedef struct Command {
	const char *usage; /* what follows the words: "[options] CONTAINER..." */
	const char *help;  /* one line, no period */
	CommandFlags flags;
	int min_arguments;
	int max_arguments; /* -1: no bound */
	CommandArgument argument;

	/* The command's own options: a table, the size of the struct it fills, and the struct's
	 * values before parsing (NULL: zeros). Fields with a row of kind STRING, LIST or CSV are
	 * freed; a parse function of a CALL row stores only in such fields or in plain numbers. */
	const OptionRow *options;
	size_t options_size;
	const void *defaults;

	/* Returns the exit status, or -1 with err set. arguments is NULL-terminated and within
	 * the bounds above. */
	int (*run)(Cli *cli, char **arguments, GError **err);
} Command;

/* One name of a command. The first row of a command is its real name, the others are aliases. */
typedef struct CommandRow {
	const char *words; /* "pod create" */
	const Command *command;
	bool in_container; /* also known as "container WORDS" */
} CommandRow;

struct Cli {
	const CommandRow *rows; /* ends with words == NULL */
	char *const *argv;      /* of this process */
	mode_t caller_umask; /* for files that are the caller's own; ours have modes of their own */

	/* global options */
	char *root, *runroot, *log_level;
	bool version;

	/* leave nothing to a process in the background: the supervisor's own commands */
	bool settle_now;

	/* the command at work; owned until command_invoke returns */
	const CommandRow *row;
	void *options;
	ContainerSpec *container_spec; /* with COMMAND_CONTAINER_SPEC; else NULL */
	PodSpec *pod_spec;             /* with COMMAND_POD_SPEC; else NULL */

	Engine *engine; /* opened by cli_engine; may be NULL */
};

/* The engine, opened at the first call; NULL on error. Owned by cli. */
Engine *cli_engine(Cli *cli, GError **err);

/* Frees what cli owns. */
void cli_clear(Cli *cli);

/* Prints "Error: TEXT" as one line on stderr. */
void cli_print_error(const GError *error);

/* Exit status of a failed command: 126 and 127 for a program that cannot be run, else 125. */
int cli_error_status(const GError *error);

/* Options of podctl itself, in front of the command; their struct is Cli. */
extern const OptionRow global_options[];

/* Finds the command that the words start with; *ret_words is how many belong to it. "container X"
 * is X where the row allows it. NULL with ERROR_INVALID and a suggestion. A group alone ("pod")
 * is an error too. */
const CommandRow *command_find(
	const CommandRow *rows, char *const *words, int *ret_words, GError **err);

/* True if a command of two words starts with group, or group is "container". */
bool command_is_group(const CommandRow *rows, const char *group);

/* The option groups of a command, targets zero, for help, completion and dumps; ends with
 * rows == NULL. */
void command_option_groups(const Command *command, OptionGroup groups[static 3]);

/* Parses words (those after the command's own) and runs the command, or prints its help. dry: only
 * parses, and takes refused options for good. Returns the exit status or -1 with err set. */
int command_invoke(Cli *cli, const CommandRow *row, char *const *words, bool dry, GError **err);

/* Help of podctl, of a group, of a command; appended to out. */
void help_program(const CommandRow *rows, GString *out);
void help_group(const CommandRow *rows, const char *group, GString *out);
void help_command(const CommandRow *row, GString *out);
