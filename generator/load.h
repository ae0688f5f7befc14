/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From directories to units: walking, parsing, drop-ins. */
#pragma once

#include "generator.h"

/* Reads all roots (SearchRoot) and fills generator->units. A bad file is reported and costs itself
 * alone; it does not hide a good one of the same name further down. */
void load_units(Generator *generator, const GPtrArray *roots);

/* Merges the drop-ins into every unit; a bad one is reported and left out. */
void load_dropins(Generator *generator);
