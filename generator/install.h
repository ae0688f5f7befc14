/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services on disk: the files, the links that [Install] asks for (systemctl cannot enable generated
 * units), and the short name of a pod (foo.service for foo.pod).
 */
#pragma once

#include "generator.h"

/* Makes the output directory with its parents and writes all converted units and their links. A
 * unit that cannot be written is reported; false only when nothing can be written at all. */
bool install_units(
	Generator *generator, const char *output, const char *program_name, GError **err);

/* Appends the unit as "---NAME.service---" and its text. */
void install_print(const Unit *unit, GString *out);
