/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands in [Service]. Every one begins with the same words: program, modules, GlobalArgs. */
#pragma once

#include "generator.h"

/* Sets c->base from ContainersConfModule= and GlobalArgs=. */
void cmdline_prepare(Conversion *c);

/* Starts c->words afresh with the base words. */
void cmdline_begin(Conversion *c);

/* Adds "key=c->words" to [Service], quoted. */
void cmdline_add_built(Conversion *c, const char *key);

/* Adds "key=base words..." to [Service]. prefix is glued in front of the program ("-": a failure is
 * ignored). extra (may be NULL) are words behind the NULL-terminated list. */
void cmdline_add(Conversion *c, const char *key, const char *prefix, const GPtrArray *extra,
	...) G_GNUC_NULL_TERMINATED;
