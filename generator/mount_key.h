/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount= of a container: the one value with a syntax of its own. */
#pragma once

#include "generator.h"

/* Handler of the row: each word is a mount; sources of the kinds that may name a unit or a relative
 * path are resolved, everything else passes unchanged. */
bool mount_key_emit(Conversion *c, const KeyRow *row, GError **err);
