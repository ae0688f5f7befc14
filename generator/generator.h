/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data that pass through the generator: a Generator holds the Units that were loaded, a Unit is
 * one source file and becomes one service. The steps, each in its own file:
 *
 *   search.c   which directories are read
 *   load.c     directories -> units with their drop-ins
 *   graph.c    names, references between units, dependency translation
 *   keys.c     key tables: a key is supported exactly when it has a row
 *   unit_*.c   one file a unit type: its table and its rules
 *   common.c   what several types share; cmdline.c: the commands
 *   install.c  services and their symbolic links on disk
 *   main.c     options, messages, exit status
 *
 * How to add a key: one row in the table of unit_TYPE.c, at the place where its option belongs on
 * the command line; a handler only if there is a rule. Then one case in tests/generator/cases (the
 * runner fails for a key without a case) and one line in man/podctl-systemd.unit.5.
 */
#pragma once

#include "base/cleanup.h"
#include "base/unitfile.h"
#include "base/words.h"

#include <sys/types.h>

/* Names that differ from podman's; nothing else in the generator spells them out. */
#define GENERATOR_PROGRAM      PODCTL_BINDIR "/podctl"
#define GENERATOR_PROGRAM_ENV  "PODCTL"
#define GENERATOR_USER_NETWORK "podctl-user-wait-network-online.service"
#define GENERATOR_UNIT_ENV     "PODMAN_SYSTEMD_UNIT=%n" /* other tools look for this name */
/* Root directory in front of every fixed path, for tests. Only honoured with -dryrun or
 * -no-kmsg-log, which systemd never passes. */
#define GENERATOR_ROOT_ENV "PODCTL_GENERATOR_ROOT"

/* Larger source files are refused. */
#define GENERATOR_FILE_LIMIT ((size_t)4 * 1024 * 1024)

typedef struct Conversion Conversion;
typedef struct KeyRow KeyRow;
typedef struct Section Section;
typedef struct Unit Unit;

typedef struct UnitType {
	const char *extension; /* with the dot */
	const char *group;
	const char *renamed; /* "X-" and the group */
	const char *suffix;  /* of the service name: "-pod" */
	unsigned order;      /* conversion order; members before their pod */
	bool needs_key;      /* an empty file is no unit, so it masks */
	const KeyRow *rows;
	size_t n_rows;
	/* Sets what other units may ask before the conversion; may be NULL. */
	void (*prepare)(Unit *unit);
	bool (*convert)(Conversion *c, GError **err);
} UnitType;

extern const UnitType unit_type_container, unit_type_pod, unit_type_kube, unit_type_volume,
	unit_type_network, unit_type_image, unit_type_build, unit_type_artifact;

typedef enum UnitState {
	UNIT_LOADED,
	UNIT_CONVERTED,
	UNIT_MASKED,
	UNIT_FAILED,
} UnitState;

struct Unit {
	const UnitType *type;
	const char *name; /* file name; borrowed from path */
	char *path;
	char *directory;
	char *base; /* file name without the extension */
	UnitFile *file;
	Section *section;     /* lines of the type's group by key */
	GError *error;        /* found before the conversion */
	const char *service;  /* without ".service" */
	const char *own_name; /* as its own command names the thing; may hold %N, %i */
	const char *resource; /* as others name it; NULL: not known (yet) */
	UnitState state;
	GPtrArray *members;    /* pods: service names to start; NULL: none */
	GPtrArray *references; /* units that were referred to by name alone; NULL: none */
};

typedef struct Generator {
	bool user;
	uid_t uid;
	const char *program;
	const char *root; /* "" or the test root */
	GPtrArray *units; /* of Unit, in the order they were found */
	GHashTable *by_name;
	GHashTable *services; /* "x.service" -> Unit */
	GHashTable *dropins;  /* "x.container.d" -> GPtrArray of directories that have it */
	bool failed;          /* at least one error was reported */
} Generator;

/* One unit under conversion. All strings live in unit->file. */
struct Conversion {
	Generator *generator;
	Unit *unit;
	GPtrArray *base;  /* the first words of every command */
	GPtrArray *words; /* the command that the key table builds */
	bool oneshot;     /* containers and kube: [Service] Type=oneshot */
	/* what the last row emits; container: image or root; build: the context, NULL for none */
	const char *operand;
};

/* "path:line: text", or "path: text" if line is NULL or was not read from a file. Returns false. */
bool unit_fail(const Unit *unit, const UnitLine *line, GError **err, ErrorCode code,
	const char *format, ...) G_GNUC_PRINTF(5, 6);
void unit_warn(const Unit *unit, const UnitLine *line, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Reports an error and remembers that there was one. */
void generator_report(Generator *generator, const GError *error);
