/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree as tar. Two libarchive writers in a row when it is compressed, so that the digest of the
 * plain tar, an image's DiffID, is known as well.
 */
#include "archive/tar_write.h"

#include "archive/walk.h"
#include "base/cleanup.h"
#include "base/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

/* Larger blocks of zeros for holes: memory that is never written. */
static const char zeros[COPY_BLOCK];

typedef struct Writer {
	struct archive *tar, *gzip; /* gzip: NULL when plain */
	int out_fd;
	ArchiveWriteFlags flags;
	GChecksum *checksum;
	GError *error; /* of a write below libarchive */
} Writer;

static la_ssize_t write_out(struct archive *archive, void *data, const void *block, size_t size) {
	Writer *writer = data;

	if (fd_write_all(writer->out_fd, block, size, "the archive",
		    writer->error ? NULL : &writer->error))
		return (la_ssize_t)size;
	archive_set_error(archive, EIO, "write");
	return -1;
}

static la_ssize_t write_tar(struct archive *archive, void *data, const void *block, size_t size) {
	Writer *writer = data;

	g_checksum_update(writer->checksum, block, (gssize)size);
	if (!writer->gzip)
		return write_out(archive, data, block, size);
	if (archive_write_data(writer->gzip, block, size) == (la_ssize_t)size)
		return (la_ssize_t)size;
	archive_set_error(archive, EIO, "compress");
	return -1;
}

static bool fail_writer(Writer *writer, struct archive *archive, const char *path, GError **err) {
	const char *text = archive_error_string(archive);

	if (writer->error) {
		g_propagate_error(err, g_steal_pointer(&writer->error));
		return false;
	}
	return fail(err, ERROR_FAILED, "cannot put \"%s\" into the archive: %s", path,
		text ? text : "unknown error");
}

/* A level that is three times as fast as the usual one for a tenth more bytes. */
static bool open_gzip(Writer *writer, GError **err) {
	struct archive_entry *entry = archive_entry_new();

	writer->gzip = archive_write_new();
	archive_entry_set_pathname(entry, "layer");
	archive_entry_set_filetype(entry, AE_IFREG);
	bool good = archive_write_set_format_raw(writer->gzip) == ARCHIVE_OK &&
		    archive_write_add_filter_gzip(writer->gzip) == ARCHIVE_OK &&
		    archive_write_set_options(writer->gzip, "compression-level=2,!timestamp") ==
			    ARCHIVE_OK &&
		    archive_write_open(writer->gzip, writer, NULL, write_out, NULL) == ARCHIVE_OK &&
		    archive_write_header(writer->gzip, entry) == ARCHIVE_OK;
	archive_entry_free(entry);
	return good || fail_writer(writer, writer->gzip, "layer", err);
}

static bool open_tar(Writer *writer, GError **err) {
	writer->tar = archive_write_new();
	/* names are bytes: no locale has a say */
	if (archive_write_set_format_pax_restricted(writer->tar) != ARCHIVE_OK ||
		archive_write_set_format_option(writer->tar, "pax", "hdrcharset", "BINARY") !=
			ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(writer->tar, 1) != ARCHIVE_OK ||
		archive_write_open(writer->tar, writer, NULL, write_tar, NULL) != ARCHIVE_OK)
		return fail_writer(writer, writer->tar, "", err);
	return true;
}

static void describe(const Writer *writer, const Entry *entry, struct archive_entry *out) {
	g_autofree char *directory =
		S_ISDIR(entry->mode) ? g_strconcat(entry->path, "/", NULL) : NULL;

	archive_entry_set_pathname(out, directory ? directory : entry->path);
	archive_entry_set_mode(out, entry->mode);
	archive_entry_set_uid(out, entry->uid);
	archive_entry_set_gid(out, entry->gid);
	archive_entry_set_mtime(out, entry->mtime.tv_sec, entry->mtime.tv_nsec);
	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode))
		archive_entry_set_rdev(out, entry->device);
	if (entry->hard_link)
		archive_entry_set_hardlink(out, entry->hard_link);
	else if (entry->link_target)
		archive_entry_set_symlink(out, entry->link_target);
	archive_entry_set_size(
		out, S_ISREG(entry->mode) && !entry->hard_link ? (int64_t)entry->size : 0);
	for (guint i = 0; entry->xattrs && i < entry->xattrs->len; i++) {
		const EntryXattr *xattr = entry->xattrs->pdata[i];
		archive_entry_xattr_add_entry(out, xattr->name, xattr->value, xattr->size);
	}
	if (!(writer->flags & ARCHIVE_WRITE_DENSE))
		for (size_t i = 0; i < entry->n_regions; i++)
			archive_entry_sparse_add_entry(out, (la_int64_t)entry->regions[i].offset,
				(la_int64_t)entry->regions[i].size);
}

static bool write_bytes(Writer *writer, const void *data, uint64_t size) {
	return archive_write_data(writer->tar, data, (size_t)size) == (la_ssize_t)size;
}

static bool write_zeros(Writer *writer, uint64_t size) {
	while (size > 0) {
		uint64_t n = MIN(size, (uint64_t)sizeof(zeros));
		if (!write_bytes(writer, zeros, n))
			return false;
		size -= n;
	}
	return true;
}

/* libarchive takes the holes as zeros and leaves them out by the map. */
static bool write_content(Writer *writer, const Entry *entry, GError **err) {
	const void *data;
	size_t size;
	uint64_t offset, at = 0;

	for (;;) {
		int more =
			entry->next ? entry->next(entry->content, &data, &size, &offset, err) : 0;
		if (more < 0)
			return false;
		if (more == 0)
			break;
		if (!write_zeros(writer, offset - at) || !write_bytes(writer, data, size))
			return fail_writer(writer, writer->tar, entry->path, err);
		at = offset + size;
	}
	return write_zeros(writer, entry->size - at) ||
	       fail_writer(writer, writer->tar, entry->path, err);
}

static bool take(void *data, const Entry *entry, GError **err) {
	Writer *writer = data;
	struct archive_entry *out = archive_entry_new();

	describe(writer, entry, out);
	int result = archive_write_header(writer->tar, out);
	archive_entry_free(out);
	/* a warning is about a name that is no text, or a number that needs an extension */
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return fail_writer(writer, writer->tar, entry->path, err);
	if (!S_ISREG(entry->mode) || entry->hard_link)
		return true;
	return write_content(writer, entry, err);
}

static bool finish(Writer *writer, GError **err) {
	if (archive_write_close(writer->tar) != ARCHIVE_OK)
		return fail_writer(writer, writer->tar, "", err);
	if (writer->gzip && archive_write_close(writer->gzip) != ARCHIVE_OK)
		return fail_writer(writer, writer->gzip, "", err);
	return true;
}

bool tar_write(const ArchiveSource *source, int out_fd, ArchiveWriteFlags flags,
	ArchiveReport *report, GError **err) {
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	Writer writer = {.out_fd = out_fd, .flags = flags, .checksum = checksum};

	bool done = (!(flags & ARCHIVE_WRITE_GZIP) || open_gzip(&writer, err)) &&
		    open_tar(&writer, err) && walk_tree(source, take, &writer, report, err) &&
		    finish(&writer, err);
	if (done)
		g_strlcpy(report->diff_digest, g_checksum_get_string(checksum),
			sizeof(report->diff_digest));
	/* freeing closes, and closing would write the end of an archive that has none */
	if (!done && writer.tar)
		archive_write_fail(writer.tar);
	if (!done && writer.gzip)
		archive_write_fail(writer.gzip);
	archive_write_free(writer.tar);
	archive_write_free(writer.gzip);
	g_clear_error(&writer.error);
	return done;
}
