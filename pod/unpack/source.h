/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The byte stream: a compressed or plain archive on a descriptor, decompressed by libarchive's own
 * filters (never by a program), hashed and counted, and handed to libarchive's tar reader. Only
 * these filters and only tar are registered: whatever else libarchive could read is refused.
 */
#pragma once

#include "unpack/scope.h"
#include "unpack/sha256.h"

struct archive;

typedef struct Source {
	struct archive *raw; /* decompression */
	struct archive *tar; /* members; read these with archive_read_next_header */
	Sha256 hash;
	uint64_t bytes;     /* uncompressed, so far */
	uint64_t zero_tail; /* zero bytes at the end of what was read */
	bool ended;
	bool is_compressed;
	int copy_fd; /* the uncompressed stream is written there too; -1: nowhere */
	Failure *failure;
} Source;

/* Opens the stream on fd and reads its first bytes: is_compressed is known. */
bool source_open(Source *source, int fd, Failure *failure);

/* Starts the tar reader; copy_fd may be set before. */
bool source_start(Source *source);

/* After the last member: reads what is left (it counts for the digest), gives the digest of the
 * uncompressed stream and whether an end-of-archive marker was there. */
bool source_finish(Source *source, char ret_diffid[65], bool *ret_complete);

/* Sets the failure from a libarchive error of the tar reader, unless the stream itself failed. */
bool source_fail(Source *source, const char *what);

void source_close(Source *source);
