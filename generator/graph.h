/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Units as each other's neighbours: their service and resource names, references by source file
 * name ("db.volume"), and the order of conversion.
 */
#pragma once

#include "generator.h"

/* The type of a file name by the text from its last dot on, or NULL. */
const UnitType *graph_type_of(const char *name);

/* A unit for the file, parsed; takes the file. */
Unit *unit_new(const UnitType *type, const char *directory, const char *name, UnitFile *file);
void unit_free(void *unit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Unit, unit_free)

/* True for "name@.container": it is only ever started as an instance. */
bool unit_is_template(const Unit *unit);

/* "systemd-NAME", with the instance behind a dash; a template has %i there. */
const char *unit_default_resource(Unit *unit);

/* The unit that a reference in line means; an unknown, masked or nameless one is an error, as is a
 * failed one whose name is only known after its conversion. needs_name: it must have a resource
 * name. NULL on error. */
Unit *graph_find(
	Conversion *c, const UnitLine *line, const char *name, bool needs_name, GError **err);

/* Adds Requires= and After= for the service of the other unit. */
void graph_require(Conversion *c, const Unit *other);

/* Replaces source file names in the dependency keys of [Unit] by service names. */
bool graph_translate_dependencies(Conversion *c, GError **err);

/* Names all units, then converts each; errors are reported and cost their own unit. */
void graph_convert_all(Generator *generator);
