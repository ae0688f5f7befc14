/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes entries below a directory. Parents are reached without following any link, so neither a
 * link that was there nor one that came as an entry leads anywhere; things are made exclusively
 * and changed by the descriptor of what was made. Private to the room.
 */
#pragma once

#include "archive/archive.h"
#include "archive/entry.h"

typedef struct Plant Plant;

Plant *plant_new(const ArchiveTarget *target, ArchiveReport *report);
void plant_free(Plant *plant);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plant, plant_free)

/* An EntryTake; the taker is a Plant. */
bool plant_take(void *plant, const Entry *entry, GError **err);

/* Sets the times of directories, which writing into them has changed. */
void plant_finish(Plant *plant);
