/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One member of the archive onto the disk. See member.h. */
#include "unpack/member.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#define TIME_LIMIT (INT64_C(1) << 34) /* ext4 and xfs can hold it */

/* What is set on the new inode, checked before anything is made. */
typedef struct Attributes {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* permission bits, setuid, setgid, sticky */
	struct timespec mtime;
} Attributes;

static bool read_attributes(
	struct archive_entry *entry, const char *path, Attributes *ret, Failure *failure) {
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	int64_t seconds = archive_entry_mtime(entry);
	long nanoseconds = archive_entry_mtime_nsec(entry);

	/* 2^32-1 means "leave it" to the kernel */
	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return failure_set(failure, "member \"%.256s\": owner %lld:%lld is out of range",
			path, (long long)uid, (long long)gid);
	if (seconds < 0 || seconds >= TIME_LIMIT)
		seconds = seconds < 0 ? 0 : TIME_LIMIT - 1;
	if (nanoseconds < 0 || nanoseconds > 999999999)
		nanoseconds = 0;
	*ret = (Attributes){
		.uid = (uid_t)uid,
		.gid = (gid_t)gid,
		.mode = archive_entry_mode(entry) & 07777,
		.mtime = {.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds},
	};
	return true;
}

/* user.* is data; file capabilities are part of a program. All else is dropped: overlay markers
 * would redirect look-ups, labels and signatures belong to the host. */
static bool xattr_is_allowed(const char *name) {
	if (strncmp(name, "user.overlay.", 13) == 0)
		return false;
	return (strncmp(name, "user.", 5) == 0 && name[5]) ||
	       strcmp(name, "security.capability") == 0;
}

static bool set_xattrs(
	int fd, struct archive_entry *entry, const char *path, Counts *counts, Failure *failure) {
	const char *name;
	const void *value;
	size_t size;

	if (archive_entry_xattr_count(entry) > LIMIT_XATTRS)
		return failure_set(failure, "member \"%.256s\": more than %d extended attributes",
			path, LIMIT_XATTRS);
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (!name || !xattr_is_allowed(name)) {
			counts->skipped++;
			continue;
		}
		if (size > LIMIT_XATTR_SIZE)
			return failure_set(failure,
				"member \"%.256s\": extended attribute of %zu bytes", path, size);
		if (fsetxattr(fd, name, value, size, 0) == 0)
			continue;
		/* a file system or a user namespace that cannot hold it, or a malformed one */
		if (errno != ENOTSUP && errno != EPERM && errno != EINVAL && errno != E2BIG)
			return failure_errno(failure, errno,
				"cannot set an extended attribute of \"%.256s\"", path);
		counts->skipped++;
	}
	return true;
}

/* chown first: it clears setuid bits and file capabilities. */
static bool set_attributes(int fd, struct archive_entry *entry, const Attributes *attributes,
	const char *path, Counts *counts, Failure *failure) {
	if (fchown(fd, attributes->uid, attributes->gid) < 0)
		return failure_errno(failure, errno, "cannot set the owner of \"%.256s\"", path);
	if (fchmod(fd, attributes->mode) < 0)
		return failure_errno(failure, errno, "cannot set the mode of \"%.256s\"", path);
	return set_xattrs(fd, entry, path, counts, failure);
}

static bool write_at(int fd, const char *data, size_t size, off_t offset) {
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		offset += n;
		size -= (size_t)n;
	}
	return true;
}

static bool write_content(
	int fd, Source *source, uint64_t size, const char *path, Counts *counts, Failure *failure) {
	uint64_t end = 0;

	for (;;) {
		const void *data;
		size_t length;
		la_int64_t offset;
		int result = archive_read_data_block(source->tar, &data, &length, &offset);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK)
			return source_fail(source, "cannot read the archive");
		/* a sparse map may point anywhere */
		if (offset < 0 || (uint64_t)offset > size || length > size - (uint64_t)offset)
			return failure_set(
				failure, "member \"%.256s\": content beyond its size", path);
		if (!write_at(fd, data, length, (off_t)offset))
			return failure_errno(failure, errno, "cannot write \"%.256s\"", path);
		end = (uint64_t)offset + length;
		counts->file_bytes += length;
	}
	if (end < size && ftruncate(fd, (off_t)size) < 0)
		return failure_errno(failure, errno, "cannot write \"%.256s\"", path);
	return true;
}

static bool write_file(Tree *tree, Source *source, struct archive_entry *entry, const char *path,
	const Attributes *attributes, Counts *counts, Failure *failure) {
	const char *name;
	int64_t size = archive_entry_size(entry);
	struct timespec times[2] = {attributes->mtime, attributes->mtime};
	int parent_fd = tree_open_parent(tree, path, &name, failure);

	if (parent_fd < 0 || !tree_make_room(tree, parent_fd, name, NULL, failure))
		return false;
	if (size < 0 || (uint64_t)size > LIMIT_BYTES)
		return failure_set(
			failure, "member \"%.256s\": a file of %lld bytes", path, (long long)size);
	_cleanup_close_ int fd =
		openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failure_errno(failure, errno, "cannot make \"%.256s\"", path);
	if (!write_content(fd, source, (uint64_t)size, path, counts, failure) ||
		!set_attributes(fd, entry, attributes, path, counts, failure))
		return false;
	if (futimens(fd, times) < 0)
		return failure_errno(failure, errno, "cannot set the time of \"%.256s\"", path);
	return true;
}

/* An existing directory stays with all in it and gets the new attributes. */
static bool write_directory(Tree *tree, struct archive_entry *entry, const char *path,
	const Attributes *attributes, Counts *counts, Failure *failure) {
	const char *name = ".";
	struct stat st;
	bool was_whiteout = false;
	int parent_fd = *path ? tree_open_parent(tree, path, &name, failure)
			      : tree_open_directory(tree, "", failure);

	if (parent_fd < 0)
		return false;
	bool exists =
		fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
	if (!exists) {
		if (!tree_make_room(tree, parent_fd, name, &was_whiteout, failure))
			return false;
		if (mkdirat(parent_fd, name, 0700) < 0)
			return failure_errno(
				failure, errno, "cannot make directory \"%.256s\"", path);
	}
	_cleanup_close_ int fd =
		openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return failure_errno(failure, errno, "cannot open directory \"%.256s\"", path);
	if (!set_attributes(fd, entry, attributes, path, counts, failure))
		return false;
	if (was_whiteout && !tree_add_opaque(tree, path, failure))
		return false;
	return tree_note_time(tree, path, st.st_ino, attributes->mtime) ||
	       failure_set(failure, "out of memory");
}

static bool write_symlink(Tree *tree, struct archive_entry *entry, const char *path,
	const Attributes *attributes, Failure *failure) {
	const char *target = archive_entry_symlink(entry), *name;
	struct timespec times[2] = {attributes->mtime, attributes->mtime};
	int parent_fd = tree_open_parent(tree, path, &name, failure);

	if (parent_fd < 0 || !tree_make_room(tree, parent_fd, name, NULL, failure))
		return false;
	if (!target || !*target || strlen(target) >= LIMIT_PATH)
		return failure_set(failure, "member \"%.256s\": a bad symbolic link", path);
	if (symlinkat(target, parent_fd, name) < 0 ||
		fchownat(parent_fd, name, attributes->uid, attributes->gid, AT_SYMLINK_NOFOLLOW) <
			0 ||
		utimensat(parent_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failure_errno(failure, errno, "cannot make \"%.256s\"", path);
	return true;
}

static bool write_fifo(
	Tree *tree, const char *path, const Attributes *attributes, Failure *failure) {
	const char *name;
	struct timespec times[2] = {attributes->mtime, attributes->mtime};
	int parent_fd = tree_open_parent(tree, path, &name, failure);

	if (parent_fd < 0 || !tree_make_room(tree, parent_fd, name, NULL, failure))
		return false;
	/* the mask is 0 in this program, so the mode is exact; a FIFO is never opened. Giving it
	 * away may clear setuid bits, which mean nothing here. */
	if (mknodat(parent_fd, name, S_IFIFO | (attributes->mode & 0777), 0) < 0 ||
		fchownat(parent_fd, name, attributes->uid, attributes->gid, AT_SYMLINK_NOFOLLOW) <
			0 ||
		utimensat(parent_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failure_errno(failure, errno, "cannot make \"%.256s\"", path);
	return true;
}

/* The target must be a regular file of this layer, reached without a link. linkat() on a parent
 * and a name follows nothing, and nobody else writes here. */
static bool write_hard_link(
	Tree *tree, const char *raw_target, const char *path, Failure *failure) {
	char target[LIMIT_PATH + 1], directory[LIMIT_PATH + 1];
	const char *target_name, *name;
	struct stat target_stat, st;

	if (!layer_path_clean(raw_target, target, failure))
		return false;
	layer_path_split(target, directory, &target_name);
	_cleanup_close_ int target_fd = *target ? tree_find_directory(tree, directory) : -1;
	if (target_fd < 0 || fstatat(target_fd, target_name, &target_stat, AT_SYMLINK_NOFOLLOW) < 0)
		return failure_set(failure,
			"member \"%.256s\": hard link to \"%.256s\", which is not in this layer",
			path, target);
	if (!S_ISREG(target_stat.st_mode))
		return failure_set(failure,
			"member \"%.256s\": hard link to \"%.256s\", which is not a file", path,
			target);
	int parent_fd = tree_open_parent(tree, path, &name, failure);
	if (parent_fd < 0)
		return false;
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_ino == target_stat.st_ino)
		return true;
	if (!tree_make_room(tree, parent_fd, name, NULL, failure))
		return false;
	if (linkat(target_fd, target_name, parent_fd, name, 0) < 0)
		return failure_errno(failure, errno, "cannot link \"%.256s\"", path);
	return true;
}

static bool check_device(struct archive_entry *entry, const char *path, Failure *failure) {
	if (archive_entry_filetype(entry) == AE_IFCHR && archive_entry_rdevmajor(entry) == 0 &&
		archive_entry_rdevminor(entry) == 0)
		return failure_set(failure,
			"member \"%.256s\": a 0:0 device would hide a file of the layers below",
			path);
	return true;
}

bool member_write(Tree *tree, Source *source, struct archive_entry *entry, const char *path,
	Counts *counts, Failure *failure) {
	const char *link = archive_entry_hardlink(entry);
	Attributes attributes;

	if (*path == '\0' && (link || archive_entry_filetype(entry) != AE_IFDIR))
		return failure_set(failure, "the root of the layer is not a directory");
	if (link)
		return write_hard_link(tree, link, path, failure);
	if (!read_attributes(entry, path, &attributes, failure))
		return false;
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return write_file(tree, source, entry, path, &attributes, counts, failure);
	case AE_IFDIR:
		return write_directory(tree, entry, path, &attributes, counts, failure);
	case AE_IFLNK:
		return write_symlink(tree, entry, path, &attributes, failure);
	case AE_IFIFO:
		return write_fifo(tree, path, &attributes, failure);
	case AE_IFCHR:
	case AE_IFBLK:
		counts->skipped++;
		return check_device(entry, path, failure);
	case AE_IFSOCK:
		counts->skipped++;
		return true;
	default:
		return failure_set(failure, "member \"%.256s\": unknown type", path);
	}
}
