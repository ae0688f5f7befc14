/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Foreign tar, entry by entry. Part of the module: links libarchive. */
#pragma once

#include "archive/archive.h"
#include "archive/entry.h"

/* archive_extract(). */
bool tar_extract(int in_fd, const ArchiveTarget *target, ArchiveReport *report, GError **err);

/* Reads a whole archive and hands its entries to take. data NULL: from in_fd. */
bool tar_read(int in_fd, const void *data, size_t size, EntryTake take, void *taker,
	ArchiveReport *report, GError **err);
