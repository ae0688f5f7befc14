/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts podctl-unpack, which parses the foreign archive, and reads its report. */
#pragma once

#include "base/error.h"

#include <stdint.h>

typedef struct LayerReport {
	char diff_id[65];      /* hex digest of the uncompressed archive */
	uint64_t stream_bytes; /* its size */
	uint64_t file_bytes;   /* content of the files laid out */
	uint64_t n_skipped;    /* device nodes and attributes left out */
	bool is_complete;      /* it ended with an end-of-archive marker */
	bool hides_below;      /* an opaque root: no layer below is to be seen */
} LayerReport;

/* Lays the archive (read from archive_fd's current position) out in the empty directory dir_fd and
 * marks opaque directories for overlayfs. A bad archive is ERROR_CORRUPT with the reason; what is
 * half-made in the directory is the caller's to remove. */
bool layer_unpack(int archive_fd, int dir_fd, LayerReport *ret_report, GError **err);

/* Looks into the archive: only the named top-level files (NULL-terminated) are put into dir_fd,
 * and, when the archive is compressed, the whole of it decompressed as the file copy. */
bool layer_peek(
	int archive_fd, int dir_fd, const char *const *only, const char *copy, GError **err);
