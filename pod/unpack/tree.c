/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree that a layer is laid out in. See tree.h. */
#include "unpack/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

void tree_init(Tree *tree, int root_fd) {
	*tree = (Tree){.root_fd = root_fd, .parent_fd = -1};
}

static void forget_parent(Tree *tree) {
	if (tree->parent_fd >= 0)
		close(tree->parent_fd);
	tree->parent_fd = -1;
}

void tree_clear(Tree *tree) {
	forget_parent(tree);
	for (size_t i = 0; i < tree->n_opaque; i++)
		free(tree->opaque[i]);
	for (size_t i = 0; i < tree->n_late_times; i++)
		free(tree->late_times[i].path);
	free(tree->opaque);
	free(tree->late_times);
}

static int open_in_root(int root_fd, const char *path, int flags) {
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof how);
}

static bool is_whiteout(const struct stat *st) {
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool tree_add_opaque(Tree *tree, const char *path, Failure *failure) {
	if (tree->n_opaque >= LIMIT_OPAQUE)
		return failure_set(failure, "more than %d opaque directories", LIMIT_OPAQUE);
	char **list = realloc(tree->opaque, (tree->n_opaque + 1) * sizeof *list);
	char *copy = strdup(path);
	if (list)
		tree->opaque = list;
	if (!list || !copy) {
		free(copy);
		return failure_set(failure, "out of memory");
	}
	tree->opaque[tree->n_opaque++] = copy;
	return true;
}

/* Makes one missing directory on the way to a member. A whiteout of this layer in its place means
 * that the directory starts afresh. */
static bool make_directory(
	Tree *tree, int parent_fd, const char *name, const char *path, Failure *failure) {
	struct stat st;
	bool fresh = false;

	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!is_whiteout(&st))
			return failure_set(
				failure, "member below \"%.256s\": not a directory", path);
		if (unlinkat(parent_fd, name, 0) < 0)
			return failure_errno(failure, errno, "cannot replace \"%.256s\"", path);
		fresh = true;
	}
	if (mkdirat(parent_fd, name, 0755) < 0)
		return failure_errno(failure, errno, "cannot make directory \"%.256s\"", path);
	return !fresh || tree_add_opaque(tree, path, failure);
}

/* Walks down from the root, making what is missing. -1 on failure. */
static int make_parents(Tree *tree, const char *path, Failure *failure) {
	char partial[LIMIT_PATH + 1];
	_cleanup_close_ int current = open_in_root(tree->root_fd, "", O_PATH | O_DIRECTORY);

	if (current < 0) {
		failure_errno(failure, errno, "cannot open the layer's root");
		return -1;
	}
	for (const char *component = path;;) {
		size_t end = (size_t)(component - path) + strcspn(component, "/");
		memcpy(partial, path, end);
		partial[end] = '\0';
		int next = open_in_root(tree->root_fd, partial, O_PATH | O_DIRECTORY);
		if (next < 0 && (errno == ENOENT || errno == ENOTDIR)) {
			if (!make_directory(
				    tree, current, partial + (component - path), partial, failure))
				return -1;
			next = open_in_root(tree->root_fd, partial, O_PATH | O_DIRECTORY);
		}
		if (next < 0) {
			failure_errno(failure, errno, "cannot open directory \"%.256s\"", partial);
			return -1;
		}
		close(current);
		current = next;
		if (path[end] == '\0')
			break;
		component = path + end + 1;
	}
	int made = current;
	current = -1;
	return made;
}

int tree_open_directory(Tree *tree, const char *path, Failure *failure) {
	if (tree->parent_fd >= 0 && !tree->parent_is_stale && strcmp(tree->parent_path, path) == 0)
		return tree->parent_fd;
	int fd = open_in_root(tree->root_fd, path, O_PATH | O_DIRECTORY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && *path)
		fd = make_parents(tree, path, failure);
	else if (fd < 0)
		failure_errno(failure, errno, "cannot open directory \"%.256s\"", path);
	if (fd < 0)
		return -1;
	forget_parent(tree);
	tree->parent_fd = fd;
	tree->parent_is_stale = false;
	memcpy(tree->parent_path, path, strlen(path) + 1);
	return fd;
}

int tree_open_parent(Tree *tree, const char *path, const char **ret_name, Failure *failure) {
	char directory[LIMIT_PATH + 1];

	layer_path_split(path, directory, ret_name);
	return tree_open_directory(tree, directory, failure);
}

int tree_find_directory(const Tree *tree, const char *path) {
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, tree->root_fd, *path ? path : ".", &how, sizeof how);
}

static bool remove_all(int parent_fd, const char *name, unsigned depth) {
	if (unlinkat(parent_fd, name, 0) == 0)
		return true;
	if ((errno != EISDIR && errno != EPERM) || depth > LIMIT_DEPTH)
		return false;
	int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool removed = directory != NULL;

	if (!directory && fd >= 0)
		close(fd);
	while (removed && (entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			removed = remove_all(dirfd(directory), entry->d_name, depth + 1);
	if (directory)
		closedir(directory);
	return removed && unlinkat(parent_fd, name, AT_REMOVEDIR) == 0;
}

bool tree_make_room(
	Tree *tree, int parent_fd, const char *name, bool *ret_was_whiteout, Failure *failure) {
	struct stat st;

	if (ret_was_whiteout)
		*ret_was_whiteout = false;
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ||
		       failure_errno(failure, errno, "cannot look at \"%.256s\"", name);
	if (!remove_all(parent_fd, name, 0))
		return failure_errno(failure, errno, "cannot replace \"%.256s\"", name);
	if (ret_was_whiteout)
		*ret_was_whiteout = is_whiteout(&st);
	/* the remembered path may lead elsewhere now */
	tree->parent_is_stale = true;
	return true;
}

bool tree_add_whiteout(Tree *tree, const char *path, Failure *failure) {
	const char *name;
	struct stat st;
	int parent_fd = tree_open_parent(tree, path, &name, failure);

	if (parent_fd < 0)
		return false;
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return !S_ISDIR(st.st_mode) || tree_add_opaque(tree, path, failure);
	if (errno != ENOENT)
		return failure_errno(failure, errno, "cannot look at \"%.256s\"", path);
	if (mknodat(parent_fd, name, S_IFCHR, makedev(0, 0)) < 0)
		return failure_errno(
			failure, errno, "cannot make the whiteout of \"%.256s\"", path);
	return true;
}

bool tree_note_time(Tree *tree, const char *path, ino_t inode, struct timespec mtime) {
	size_t n = tree->n_late_times;

	if (n >= LIMIT_LATE_TIMES)
		return true;
	if ((n & (n - 1)) == 0) {
		LateTime *list = realloc(tree->late_times, (n ? 2 * n : 1) * sizeof *list);
		if (!list)
			return false;
		tree->late_times = list;
	}
	char *copy = strdup(path);
	if (!copy)
		return false;
	tree->late_times[tree->n_late_times++] = (LateTime){copy, inode, mtime};
	return true;
}

void tree_apply_times(Tree *tree) {
	for (size_t i = tree->n_late_times; i-- > 0;) {
		const LateTime *late = &tree->late_times[i];
		struct timespec times[2] = {late->mtime, late->mtime};
		struct stat st;
		_cleanup_close_ int fd =
			open_in_root(tree->root_fd, late->path, O_RDONLY | O_DIRECTORY);
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == late->inode)
			(void)futimens(fd, times);
	}
}
