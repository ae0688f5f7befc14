/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one symbol of the module podctl-archive.so. */
#include "archive/archive_ops.h"
#include "archive/tar_read.h"
#include "archive/tar_write.h"

extern const ArchiveOps archive_ops;

static void set_log(LogLevel level, LogSink sink) {
	log_set_level(level);
	log_set_sink(sink);
}

const ArchiveOps archive_ops = {
	.set_log = set_log,
	.write = tar_write,
	.extract = tar_extract,
};
