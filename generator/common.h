/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules that several unit types share. */
#pragma once

#include "generator.h"

/* The first steps of every conversion: dependencies, SourcePath=, the renamed groups. */
bool common_begin(Conversion *c, GError **err);

/* Adds key=value to [Service] if the key is not there at all. */
void common_service_default(Conversion *c, const char *key, const char *value);

/* SyslogIdentifier=, Type=oneshot, and RemainAfterExit=yes if remain. */
void common_oneshot_defaults(Conversion *c, bool remain);

/* KillMode= must be one that leaves the stop to the supervisor; absent: mixed. */
bool common_kill_mode(Conversion *c, GError **err);

/* Type= must be notify (set if absent, with NotifyAccess=all) or oneshot: sets c->oneshot. */
bool common_service_type(Conversion *c, GError **err);

/* A relative path starts at the directory of the unit file; %... and absolute ones stay. */
const char *common_absolute(const Unit *unit, const char *path);

/* Adds RequiresMountsFor=path, quoted. */
void common_require_mounts(Conversion *c, const char *path);

/* A source of Volume= or Mount=: paths are made absolute, unit names become resource names with
 * their dependencies. NULL on error. */
const char *common_resolve_source(
	Conversion *c, const UnitLine *line, const char *source, bool allow_image, GError **err);

/* An image name, or the one a .image or .build unit provides. NULL on error. */
const char *common_resolve_image(
	Conversion *c, const UnitLine *line, const char *image, GError **err);

/* Warns about an image name that depends on the machine's search registries. */
void common_check_image(const Unit *unit, const char *key);

/* True if text ends in suffix and is longer. */
bool common_has_suffix(const char *text, const char *suffix);

/* Adds words to c->words, up to a NULL. */
void common_emit(Conversion *c, const char *first, ...) G_GNUC_NULL_TERMINATED;

/* Handlers of rows. */
bool common_emit_network(Conversion *c, const KeyRow *row, GError **err);
bool common_emit_volume(Conversion *c, const KeyRow *row, GError **err);
/* The deprecated Remap* keys; row->flags 1: manual mode is allowed. */
bool common_emit_remap(Conversion *c, const KeyRow *row, GError **err);
/* row->option and the unit's own name */
bool common_emit_own_name(Conversion *c, const KeyRow *row, GError **err);
