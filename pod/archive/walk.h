/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads a tree, entry by entry, while somebody else may be changing it: everything is opened by
 * name without following a link, looked at, and only then opened for reading by its descriptor, so
 * that what was looked at is what is read. Private to the room.
 */
#pragma once

#include "archive/archive.h"
#include "archive/entry.h"

/* Hands every entry to take, a directory before what is in it, names in order. Sockets are left
 * out and counted. Whatever vanishes meanwhile is left out. */
bool walk_tree(const ArchiveSource *source, EntryTake take, void *taker, ArchiveReport *report,
	GError **err);
