/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the launcher's block. It is treated as if a stranger had written it: nothing in it is
 * used before its offsets, sizes, numbers and descriptors were looked at.
 */
#pragma once

#include "supervisor/supervisor.h"

/* Reads the block from HANDOFF_FD into s->block, closes the descriptor, checks everything and sets
 * s->handoff. Returns NULL, or what is wrong (static text). */
const char *handoff_read(Supervisor *s);

/* The text, NUL-terminated; NULL when it is absent. Only after handoff_read. */
const char *handoff_text(const Supervisor *s, HandoffText text);

/* Fills argv (room for ARGV_MAX + 1) from a list and ends it with NULL. Returns the number of
 * words; 0 when it is absent. */
size_t handoff_argv(const Supervisor *s, HandoffText list, const char **argv);
