/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The question before many things go. */
#pragma once

#include "base/error.h"

/* Prints "WARNING! WHAT" and asks on standard output; *ret_yes is true for "y" or "yes" on standard
 * input, false for anything else and for its end. */
bool confirm(const char *what, bool *ret_yes, GError **err);
