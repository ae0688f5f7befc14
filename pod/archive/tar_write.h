/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree as tar. Part of the module: links libarchive. */
#pragma once

#include "archive/archive.h"

/* archive_write(). */
bool tar_write(const ArchiveSource *source, int out_fd, ArchiveWriteFlags flags,
	ArchiveReport *report, GError **err);
