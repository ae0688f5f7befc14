/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening things, and the two ends of a copy. See lookup.h and archive.h. */
#include "archive/lookup.h"

#include "archive/archive.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* As many as the kernel follows. */
#define LINKS_MAX 40
/* A rename elsewhere can make a ".." unsafe to follow for a moment. */
#define TRIES_MAX 64

static int open_with(int dir_fd, const char *path, int flags, uint64_t resolve) {
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve};
	int fd = -1;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

int lookup_below(int dir_fd, const char *path, int flags) {
	return open_with(dir_fd, *path ? path : ".", flags,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int lookup_in_root(int root_fd, const char *path, int flags) {
	if (root_fd < 0)
		return open(path, flags | O_CLOEXEC);
	return open_with(
		root_fd, *path ? path : ".", flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int lookup_again(int fd, int flags) {
	char path[40];

	g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

/* The last name of a path and what is before it; NULL when it ends in "/." or is the root. */
static char *last_name(const char *path, char **ret_before) {
	g_autofree char *plain = g_strdup(path);
	size_t length = strlen(plain);

	while (length > 1 && plain[length - 1] == '/')
		plain[--length] = '\0';
	const char *slash = strrchr(plain, '/');
	const char *name = slash ? slash + 1 : plain;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return NULL;
	if (ret_before)
		*ret_before =
			!slash ? g_strdup(".")
			       : g_strndup(plain, slash == plain ? 1 : (size_t)(slash - plain));
	return g_strdup(name);
}

static bool not_found(const ArchivePlace *place, const char *path, int errnum, GError **err) {
	/* a path below the root comes with the root's slash before its own */
	while (path[0] == '/' && path[1] == '/')
		path++;
	if (errnum == ENOENT || errnum == ENOTDIR)
		return fail(
			err, ERROR_NOT_FOUND, "\"%s\" could not be found %s", path, place->name);
	return fail_errno(err, errnum, "cannot use \"%s\" %s", path, place->name);
}

static bool ends_in_slash(const char *path) {
	size_t length = strlen(path);

	return length > 0 && path[length - 1] == '/';
}

int archive_find_source(
	const ArchivePlace *place, const char *path, char **ret_name, GError **err) {
	_cleanup_close_ int fd = lookup_in_root(place->root_fd, path, O_PATH);

	if (fd < 0) {
		not_found(place, path, errno, err);
		return -1;
	}
	*ret_name = last_name(path, NULL);
	return steal_fd(&fd);
}

void archive_spot_clear(ArchiveSpot *spot) {
	close_fd_ptr(&spot->dir_fd);
	g_free(spot->name);
	spot->name = NULL;
}

/* Follows a link that is the last component: the path that is meant instead. NULL: it is none. */
static char *follow(int dir_fd, const char *before, const char *name) {
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	return *target == '/' ? g_strdup(target) : g_strconcat(before, "/", target, NULL);
}

/* path is no directory. */
static bool find_name(const ArchivePlace *place, const char *path, const char *shown,
	ArchiveSpot *ret_spot, GError **err) {
	g_autofree char *current = g_strdup(path);

	for (int links = 0; links < LINKS_MAX; links++) {
		g_autofree char *before = NULL;
		g_autofree char *name = last_name(current, &before);
		struct stat st;

		if (!name)
			return not_found(place, shown, ENOENT, err);
		_cleanup_close_ int dir_fd =
			lookup_in_root(place->root_fd, before, O_PATH | O_DIRECTORY);
		if (dir_fd < 0)
			return not_found(place, shown, errno, err);
		char *next = follow(dir_fd, before, name);
		if (next) {
			g_free(current);
			current = next;
			continue;
		}
		bool exists = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		*ret_spot = (ArchiveSpot){.dir_fd = steal_fd(&dir_fd),
			.name = g_steal_pointer(&name),
			.exists = exists};
		return true;
	}
	return not_found(place, shown, ELOOP, err);
}

bool archive_find_target(
	const ArchivePlace *place, const char *path, ArchiveSpot *ret_spot, GError **err) {
	int fd = lookup_in_root(place->root_fd, path, O_PATH | O_DIRECTORY);

	if (fd >= 0) {
		*ret_spot = (ArchiveSpot){.dir_fd = fd, .exists = true};
		return true;
	}
	if ((errno != ENOENT && errno != ENOTDIR) || ends_in_slash(path))
		return not_found(place, path, errno, err);
	return find_name(place, path, path, ret_spot, err);
}
