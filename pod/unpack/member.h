/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One member of the archive onto the disk: type, content, owner, mode, attributes, time. libarchive
 * only decodes; this file writes, by descriptors of what it has just made itself.
 */
#pragma once

#include "unpack/source.h"
#include "unpack/tree.h"

struct archive_entry;

typedef struct Counts {
	uint64_t entries;
	uint64_t file_bytes;
	uint64_t skipped; /* device nodes, sockets and attributes that were left out */
} Counts;

/* Lays out the member under path (clean, not a whiteout). Device nodes and sockets are skipped: a
 * container gets its devices from the runtime. A 0:0 character device is refused: it would be a
 * whiteout that the image's author may not write this way. */
bool member_write(Tree *tree, Source *source, struct archive_entry *entry, const char *path,
	Counts *counts, Failure *failure);
