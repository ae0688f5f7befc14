/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an overlay's upper layer changes. Overlayfs marks what is gone by a 0:0 character device and
 * a directory that starts afresh by an attribute; all else in the upper layer is new, or stands in
 * front of something below.
 */
#include "archive/archive.h"

#include "archive/entry.h"
#include "archive/lookup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define OPAQUE_XATTR "trusted.overlay.opaque"

/* One directory of the upper layer and the same one in the layers below, highest first: only those
 * that are to be seen. */
typedef struct Stack {
	int upper_fd; /* -1: only what was below */
	int *lower_fds;
	size_t n_lower;
} Stack;

typedef struct Comparison {
	GPtrArray *changes;
	GString *path; /* "" is the root */
} Comparison;

static void free_change(void *data) {
	ArchiveChange *change = data;

	g_free(change->path);
	g_free(change);
}

static void clear_stack(Stack *stack) {
	close_fd_ptr(&stack->upper_fd);
	for (size_t i = 0; i < stack->n_lower; i++)
		close(stack->lower_fds[i]);
	g_free(stack->lower_fds);
	stack->lower_fds = NULL;
	stack->n_lower = 0;
}

static void add_change(Comparison *comparison, ArchiveChangeKind kind) {
	ArchiveChange *change = g_new(ArchiveChange, 1);

	*change = (ArchiveChange){kind, g_strdup(comparison->path->str)};
	g_ptr_array_add(comparison->changes, change);
}

static bool is_whiteout(const struct stat *st) {
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool is_opaque(int fd) {
	char value[2];

	return fgetxattr(fd, OPAQUE_XATTR, value, sizeof(value)) == 1 && value[0] == 'y';
}

/* True if the layers below show something of this name. *ret_below: when it is a directory, that
 * directory in all layers that add to it. */
static bool look_below(const Stack *stack, const char *name, Stack *ret_below) {
	bool found = false;

	*ret_below = (Stack){.upper_fd = -1, .lower_fds = g_new(int, stack->n_lower + 1)};
	for (size_t i = 0; i < stack->n_lower; i++) {
		struct stat st;
		int fd;

		if (fstatat(stack->lower_fds[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (is_whiteout(&st) || (found && !S_ISDIR(st.st_mode)))
			break;
		found = true;
		if (!S_ISDIR(st.st_mode))
			break;
		fd = lookup_below(stack->lower_fds[i], name, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			break;
		ret_below->lower_fds[ret_below->n_lower++] = fd;
		if (is_opaque(fd))
			break;
	}
	return found;
}

/* Names that the layers below show in this directory and the upper one does not have. */
static bool add_hidden(Comparison *comparison, const Stack *stack, GError **err) {
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	size_t length = comparison->path->len;

	for (size_t i = 0; i < stack->n_lower; i++) {
		g_auto(GStrv) names = fd_list_dir(stack->lower_fds[i], ".", err);
		if (!names)
			return false;
		for (char **name = names; *name; name++) {
			Stack below;
			struct stat st;

			if (!g_hash_table_add(seen, g_strdup(*name)) ||
				fstatat(stack->upper_fd, *name, &st, AT_SYMLINK_NOFOLLOW) == 0)
				continue;
			if (look_below(stack, *name, &below)) {
				g_string_append_printf(comparison->path, "/%s", *name);
				add_change(comparison, ARCHIVE_DELETED);
				g_string_truncate(comparison->path, length);
			}
			clear_stack(&below);
		}
	}
	return true;
}

/* What one name of the upper layer says. *ret_next: the directory to go through, or nothing. */
static void compare_name(
	Comparison *comparison, const Stack *stack, const char *name, Stack *ret_next) {
	struct stat st;
	Stack below;

	*ret_next = (Stack){.upper_fd = -1};
	if (fstatat(stack->upper_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	bool exists = look_below(stack, name, &below);
	if (!is_whiteout(&st))
		add_change(comparison, exists ? ARCHIVE_CHANGED : ARCHIVE_ADDED);
	else if (exists)
		add_change(comparison, ARCHIVE_DELETED);
	if (S_ISDIR(st.st_mode)) {
		below.upper_fd = lookup_below(stack->upper_fd, name, O_RDONLY | O_DIRECTORY);
		*ret_next = below;
	} else {
		clear_stack(&below);
	}
}

static bool compare(Comparison *comparison, const Stack *stack, unsigned depth, GError **err) {
	g_auto(GStrv) names = fd_list_dir(stack->upper_fd, ".", err);
	size_t length = comparison->path->len;

	if (!names)
		return false;
	if (depth > LIMIT_DEPTH || comparison->changes->len > LIMIT_ENTRIES)
		return fail(err, ERROR_INVALID, "there are too many changes");
	if (is_opaque(stack->upper_fd) && !add_hidden(comparison, stack, err))
		return false;
	for (char **name = names; *name; name++) {
		__attribute__((cleanup(clear_stack))) Stack next = {.upper_fd = -1};

		g_string_append_printf(comparison->path, "/%s", *name);
		compare_name(comparison, stack, *name, &next);
		if (next.upper_fd >= 0 && !compare(comparison, &next, depth + 1, err))
			return false;
		g_string_truncate(comparison->path, length);
	}
	return true;
}

static int by_path(const void *a, const void *b) {
	const ArchiveChange *const *one = a, *const *other = b;

	return strcmp((*one)->path, (*other)->path);
}

GPtrArray *archive_changes(const char *upper, char *const *lowers, GError **err) {
	g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(free_change);
	g_autoptr(GString) path = g_string_new(NULL);
	size_t n = lowers ? g_strv_length((char **)lowers) : 0;
	__attribute__((cleanup(clear_stack)))
	Stack top = {.upper_fd = fd_open_dir(AT_FDCWD, upper, err), .lower_fds = g_new(int, n + 1)};
	Comparison comparison = {changes, path};

	if (top.upper_fd < 0)
		return NULL;
	for (size_t i = n; i-- > 0;) {
		int fd = fd_open_dir(AT_FDCWD, lowers[i], err);
		if (fd < 0)
			return NULL;
		top.lower_fds[top.n_lower++] = fd;
	}
	if (!compare(&comparison, &top, 0, err))
		return NULL;
	g_ptr_array_sort(changes, by_path);
	return g_steal_pointer(&changes);
}
