/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The byte stream. See source.h. */
#include "unpack/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define READ_BLOCK 65536

/* ARCHIVE_WARN from these means "I would run a program": a library built without the codec. */
static bool register_filters(struct archive *raw) {
	return archive_read_support_filter_gzip(raw) == ARCHIVE_OK &&
	       archive_read_support_filter_bzip2(raw) == ARCHIVE_OK &&
	       archive_read_support_filter_xz(raw) == ARCHIVE_OK &&
	       archive_read_support_filter_zstd(raw) == ARCHIVE_OK &&
	       archive_read_support_format_raw(raw) == ARCHIVE_OK &&
	       archive_read_support_format_empty(raw) == ARCHIVE_OK;
}

static void count_zero_tail(Source *source, const uint8_t *data, size_t size) {
	size_t zeros = 0;

	while (zeros < size && data[size - 1 - zeros] == 0)
		zeros++;
	source->zero_tail = zeros == size ? source->zero_tail + zeros : zeros;
}

static bool check_bounds(Source *source) {
	int64_t taken = archive_filter_bytes(source->raw, -1);

	if (source->bytes > LIMIT_BYTES)
		return failure_set(source->failure, "the archive holds more than %llu bytes",
			(unsigned long long)LIMIT_BYTES);
	if (source->bytes > LIMIT_RATIO_AFTER && taken > 0 &&
		source->bytes / LIMIT_RATIO > (uint64_t)taken)
		return failure_set(source->failure, "the archive is compressed more than %d to one",
			LIMIT_RATIO);
	return true;
}

static bool write_copy(Source *source, const uint8_t *data, size_t size) {
	while (source->copy_fd >= 0 && size > 0) {
		ssize_t n = write(source->copy_fd, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failure_errno(
				source->failure, errno, "cannot write the decompressed archive");
		data += n;
		size -= (size_t)n;
	}
	return true;
}

/* The tar reader's supplier. 0 is the end, -1 an error that is in source->failure. */
static la_ssize_t supply(struct archive *tar, void *data, const void **ret_buffer) {
	Source *source = data;
	size_t size = 0;
	la_int64_t offset;

	while (size == 0) {
		int result = archive_read_data_block(source->raw, ret_buffer, &size, &offset);
		if (result == ARCHIVE_EOF) {
			source->ended = true;
			return 0;
		}
		if (result == ARCHIVE_RETRY)
			continue;
		if (result != ARCHIVE_OK) {
			failure_set(source->failure, "cannot decompress: %s",
				archive_error_string(source->raw));
			archive_set_error(tar, EIO, "stream");
			return -1;
		}
	}
	sha256_update(&source->hash, *ret_buffer, size);
	source->bytes += size;
	count_zero_tail(source, *ret_buffer, size);
	if (!check_bounds(source) || !write_copy(source, *ret_buffer, size)) {
		archive_set_error(tar, EIO, "bound");
		return -1;
	}
	return (la_ssize_t)size;
}

bool source_fail(Source *source, const char *what) {
	const char *text = archive_error_string(source->tar);

	return failure_set(source->failure, "%s: %s", what, text ? text : "damaged");
}

static bool open_raw(Source *source, int fd) {
	struct archive_entry *entry;

	source->raw = archive_read_new();
	if (!source->raw || !register_filters(source->raw))
		return failure_set(source->failure,
			"libarchive lacks one of gzip, bzip2, xz and zstd; nothing is unpacked");
	if (archive_read_open_fd(source->raw, fd, READ_BLOCK) != ARCHIVE_OK)
		return failure_set(source->failure, "cannot read the archive: %s",
			archive_error_string(source->raw));
	int result = archive_read_next_header(source->raw, &entry);
	if (result == ARCHIVE_EOF)
		return failure_set(source->failure, "the archive is empty");
	if (result != ARCHIVE_OK)
		return failure_set(source->failure, "cannot read the archive: %s",
			archive_error_string(source->raw));
	/* the last of the chain is the descriptor itself */
	int n_filters = archive_filter_count(source->raw);
	source->is_compressed = n_filters > 1;
	if (n_filters > 2)
		return failure_set(source->failure, "the archive is compressed more than once");
	return true;
}

bool source_open(Source *source, int fd, Failure *failure) {
	*source = (Source){.failure = failure, .copy_fd = -1};
	sha256_init(&source->hash);
	return open_raw(source, fd);
}

bool source_start(Source *source) {
	source->tar = archive_read_new();
	if (!source->tar || archive_read_support_format_tar(source->tar) != ARCHIVE_OK)
		return failure_set(source->failure, "out of memory");
	if (archive_read_open(source->tar, source, NULL, supply, NULL) != ARCHIVE_OK)
		return source_fail(source, "cannot read the archive");
	return true;
}

bool source_finish(Source *source, char ret_diffid[65], bool *ret_complete) {
	bool all_used = (uint64_t)archive_filter_bytes(source->tar, 0) >= source->bytes;
	const void *buffer;

	*ret_complete = !(source->ended && all_used && source->zero_tail < 512);
	while (!source->ended)
		if (supply(source->tar, source, &buffer) < 0)
			return false;
	sha256_finish(&source->hash, ret_diffid);
	return true;
}

void source_close(Source *source) {
	if (source->tar)
		archive_read_free(source->tar);
	if (source->raw)
		archive_read_free(source->raw);
	if (source->copy_fd >= 0)
		close(source->copy_fd);
}
