/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Foreign tar. libarchive decodes, in this process, with its own codecs only: no program is ever
 * run to decompress (security.md B1-07). What a member says of itself is checked here; where it
 * goes, plant.c sees to.
 */
#include "archive/tar_read.h"

#include "archive/plant.h"
#include "base/cleanup.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define READ_BLOCK 65536
/* More than anything but zeros gives. */
#define RATIO_MAX   1000
#define RATIO_AFTER (UINT64_C(64) << 20)

typedef struct Reader {
	struct archive *tar;
	uint64_t bytes; /* of content */
	uint64_t size;  /* of the entry at work */
	const char *path;
} Reader;

/* ARCHIVE_WARN from these means "I would run a program": a library built without the codec. */
static bool support(struct archive *tar) {
	return archive_read_support_filter_gzip(tar) == ARCHIVE_OK &&
	       archive_read_support_filter_bzip2(tar) == ARCHIVE_OK &&
	       archive_read_support_filter_xz(tar) == ARCHIVE_OK &&
	       archive_read_support_filter_zstd(tar) == ARCHIVE_OK &&
	       archive_read_support_format_tar(tar) == ARCHIVE_OK;
}

static bool fail_reader(const Reader *reader, GError **err) {
	const char *text = archive_error_string(reader->tar);

	return fail(err, ERROR_CORRUPT, "cannot read the archive: %s", text ? text : "damaged");
}

static bool check_bounds(const Reader *reader, GError **err) {
	int64_t taken = archive_filter_bytes(reader->tar, -1);
	int64_t given = archive_filter_bytes(reader->tar, 0);

	if (reader->bytes > LIMIT_BYTES)
		return fail(err, ERROR_INVALID, "the archive holds more than %llu bytes",
			(unsigned long long)LIMIT_BYTES);
	if (taken > 0 && given > 0 && (uint64_t)given > RATIO_AFTER && given / RATIO_MAX > taken)
		return fail(err, ERROR_INVALID, "the archive is compressed more than %d to one",
			RATIO_MAX);
	return true;
}

static int next_block(
	void *data, const void **ret_data, size_t *ret_size, uint64_t *ret_offset, GError **err) {
	Reader *reader = data;
	la_int64_t offset;
	int result = archive_read_data_block(reader->tar, ret_data, ret_size, &offset);

	if (result == ARCHIVE_EOF)
		return 0;
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
		fail_reader(reader, err);
		return -1;
	}
	/* a sparse map may point anywhere */
	if (offset < 0 || (uint64_t)offset > reader->size ||
		*ret_size > reader->size - (uint64_t)offset) {
		fail(err, ERROR_CORRUPT, "\"%s\" has content beyond its size", reader->path);
		return -1;
	}
	reader->bytes += *ret_size;
	if (!check_bounds(reader, err))
		return -1;
	*ret_offset = (uint64_t)offset;
	return 1;
}

static GPtrArray *read_xattrs(struct archive_entry *member) {
	GPtrArray *list = g_ptr_array_new_with_free_func(entry_xattr_free);
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(member);
	while (archive_entry_xattr_next(member, &name, &value, &size) == ARCHIVE_OK) {
		if (!name || !entry_xattr_is_allowed(name) || size > LIMIT_XATTR_SIZE ||
			list->len >= LIMIT_XATTRS)
			continue;
		EntryXattr *xattr = g_new0(EntryXattr, 1);
		xattr->name = g_strdup(name);
		xattr->value = g_malloc(size + 1);
		if (size)
			memcpy(xattr->value, value, size);
		xattr->size = size;
		g_ptr_array_add(list, xattr);
	}
	return list;
}

static bool read_attributes(struct archive_entry *member, Entry *entry, GError **err) {
	int64_t uid = archive_entry_uid(member), gid = archive_entry_gid(member);
	int64_t size = archive_entry_size_is_set(member) ? archive_entry_size(member) : 0;

	if (uid < 0 || gid < 0 || uid > ID_MAX || gid > ID_MAX)
		return fail(err, ERROR_INVALID, "\"%s\" has the owner %lld:%lld, which cannot be",
			entry->path, (long long)uid, (long long)gid);
	if (size < 0 || (uint64_t)size > LIMIT_FILE_BYTES)
		return fail(err, ERROR_INVALID, "\"%s\" is larger than %llu bytes", entry->path,
			(unsigned long long)LIMIT_FILE_BYTES);
	entry->uid = (uid_t)uid;
	entry->gid = (gid_t)gid;
	entry->size = (uint64_t)size;
	entry->mode = archive_entry_mode(member);
	entry->device = archive_entry_rdev(member);
	entry->mtime = (struct timespec){
		.tv_sec = archive_entry_mtime(member), .tv_nsec = archive_entry_mtime_nsec(member)};
	entry->link_target = archive_entry_symlink(member);
	return true;
}

static bool read_member(
	Reader *reader, struct archive_entry *member, EntryTake take, void *taker, GError **err) {
	char path[LIMIT_PATH + 1], link[LIMIT_PATH + 1];
	const char *raw = archive_entry_pathname(member), *hard = archive_entry_hardlink(member);
	Entry entry = {.path = path, .content = reader, .next = next_block};

	if (!raw || !entry_path_clean(raw, path, err))
		return raw ? false : fail_reader(reader, err);
	if (*path == '\0') /* the directory itself, which is there */
		return archive_entry_filetype(member) == AE_IFDIR ||
		       fail(err, ERROR_INVALID,
			       "refusing the name \"%s\" in the archive: it is "
			       "the target itself",
			       raw);
	if (hard && !entry_path_clean(hard, link, err))
		return false;
	entry.hard_link = hard ? link : NULL;
	if (!read_attributes(member, &entry, err))
		return false;
	g_autoptr(GPtrArray) xattrs = read_xattrs(member);
	entry.xattrs = xattrs;
	reader->size = entry.size;
	reader->path = path;
	return take(taker, &entry, err);
}

static bool read_members(
	Reader *reader, EntryTake take, void *taker, ArchiveReport *report, GError **err) {
	for (;;) {
		struct archive_entry *member;
		int result = archive_read_next_header(reader->tar, &member);
		if (result == ARCHIVE_EOF)
			return true;
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
			return fail_reader(reader, err);
		if (++report->n_entries > LIMIT_ENTRIES)
			return fail(err, ERROR_INVALID, "the archive has more than %llu entries",
				(unsigned long long)LIMIT_ENTRIES);
		if (!check_bounds(reader, err) || !read_member(reader, member, take, taker, err))
			return false;
	}
}

bool tar_read(int in_fd, const void *data, size_t size, EntryTake take, void *taker,
	ArchiveReport *report, GError **err) {
	Reader reader = {.tar = archive_read_new()};
	bool done = false;

	if (!support(reader.tar))
		fail(err, ERROR_UNSUPPORTED, "libarchive lacks one of gzip, bzip2, xz and zstd");
	else if ((data ? archive_read_open_memory(reader.tar, data, size)
		       : archive_read_open_fd(reader.tar, in_fd, READ_BLOCK)) != ARCHIVE_OK)
		fail_reader(&reader, err);
	else if (archive_filter_count(reader.tar) > 2)
		fail(err, ERROR_INVALID, "the archive is compressed more than once");
	else
		done = read_members(&reader, take, taker, report, err);
	archive_read_free(reader.tar);
	return done;
}

bool tar_extract(int in_fd, const ArchiveTarget *target, ArchiveReport *report, GError **err) {
	g_autoptr(Plant) plant = plant_new(target, report);

	if (!tar_read(in_fd, NULL, 0, plant_take, plant, report, err))
		return false;
	plant_finish(plant);
	return true;
}
