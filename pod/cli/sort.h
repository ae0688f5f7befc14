/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --sort of the list commands. */
#pragma once

#include "base/json.h"

typedef struct SortKey {
	const char *word;   /* of --sort */
	const char *member; /* of the objects; an array counts by its first element */
	bool descending;
} SortKey;

/* Sorts the array by the key with this word (keys end with word NULL); ERROR_INVALID for a word
 * that is none. Equal objects keep their order. */
bool sort_objects(json_t *objects, const SortKey *keys, const char *word, GError **err);
