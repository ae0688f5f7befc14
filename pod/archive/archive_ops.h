/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the module podctl-archive.so exports: one struct, archive_ops. The door loads it on the
 * first call that needs libarchive; copies of trees and differences do without.
 */
#pragma once

#include "archive/archive.h"
#include "base/log.h"

typedef struct ArchiveOps {
	/* The module has its own copy of base: its messages go where the program's go. */
	void (*set_log)(LogLevel level, LogSink sink);
	bool (*write)(const ArchiveSource *source, int out_fd, ArchiveWriteFlags flags,
		ArchiveReport *report, GError **err);
	bool (*extract)(
		int in_fd, const ArchiveTarget *target, ArchiveReport *report, GError **err);
} ArchiveOps;

#define ARCHIVE_MODULE "podctl-archive"
#define ARCHIVE_SYMBOL "archive_ops"
