/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Removing a tree that somebody else has made. However deep it is, it takes two descriptors and no
 * recursion: the way back is "..", and it has to lead where one came from.
 */
#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A directory on the way down to the one at work. */
typedef struct Level {
	char *name; /* in the directory above */
	char **entries;
	size_t next; /* of entries */
	dev_t device;
	ino_t inode;
} Level;

static void clear_level(void *data) {
	Level *level = data;

	g_free(level->name);
	g_strfreev(level->entries);
}

/* The device number alone does not tell a bind mount of the same file system. */
static int open_directory(int dir_fd, const char *name, bool same_mount) {
	struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = same_mount ? RESOLVE_NO_XDEV : 0};

	return (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
}

static bool fail_name(const char *name, GError **err) {
	return fail_errno(err, errno, "cannot remove \"%s\"", name);
}

/* Goes into directory name of *fd, which it replaces unless this is the first one. */
static bool enter(GArray *levels, int *fd, const char *name, dev_t device, GError **err) {
	struct stat st;
	_cleanup_close_ int child = open_directory(*fd, name, levels->len > 0);

	if (child < 0 && errno != EXDEV)
		return errno == ENOENT || fail_name(name, err);
	if (child < 0 || fstat(child, &st) < 0 || st.st_dev != device)
		return fail(err, ERROR_IN_USE,
			"cannot remove \"%s\": another file system is mounted there", name);
	g_auto(GStrv) entries = fd_list_dir(child, ".", err);
	if (!entries)
		return false;
	const Level level = {.name = g_strdup(name),
		.entries = g_steal_pointer(&entries),
		.device = st.st_dev,
		.inode = st.st_ino};
	g_array_append_val(levels, level);
	if (levels->len > 1)
		close(*fd);
	*fd = steal_fd(&child);
	return true;
}

/* Removes the directory at work, which is empty now, from the one above. */
static bool leave(GArray *levels, int *fd, GError **err) {
	const Level *level = &g_array_index(levels, Level, levels->len - 1), *above = level - 1;
	_cleanup_close_ int parent = open_directory(*fd, "..", true);
	struct stat st;

	if (parent < 0 || fstat(parent, &st) < 0)
		return fail_name(level->name, err);
	if (st.st_dev != above->device || st.st_ino != above->inode)
		return fail(err, ERROR_IN_USE, "cannot remove \"%s\": somebody has moved it",
			level->name);
	if (unlinkat(parent, level->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return fail_name(level->name, err);
	g_array_set_size(levels, levels->len - 1);
	close(*fd);
	*fd = steal_fd(&parent);
	return true;
}

/* All that is in the first of the levels, whose descriptor *fd is. */
static bool empty(GArray *levels, int *fd, dev_t device, GError **err) {
	for (;;) {
		Level *level = &g_array_index(levels, Level, levels->len - 1);
		const char *entry = level->entries[level->next];

		if (!entry && levels->len == 1)
			return true;
		if (!entry) {
			if (!leave(levels, fd, err))
				return false;
			continue;
		}
		level->next++;
		if (unlinkat(*fd, entry, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return fail_name(entry, err);
		if (!enter(levels, fd, entry, device, err))
			return false;
	}
}

bool fd_remove_tree(int dir_fd, const char *name, GError **err) {
	g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
	struct stat st;
	int fd = dir_fd;

	g_array_set_clear_func(levels, clear_level);
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return true;
	if ((errno != EISDIR && errno != EPERM) ||
		fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_name(name, err);
	bool good = enter(levels, &fd, name, st.st_dev, err) &&
		    (levels->len == 0 || empty(levels, &fd, st.st_dev, err));
	if (levels->len > 0)
		close(fd);
	return good && (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ||
			       fail_name(name, err));
}
