/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's directory, its lock and its staging places. See image_store.h. */
#include "image/image_store.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char *const folders[] = {
	"blobs", "blobs/sha256", "layers", "images", "names", "staging"};

ImageStore *image_store_open(const char *state_path, const char *run_path, GError **err) {
	if (state_path[0] != '/' || run_path[0] != '/') {
		fail(err, ERROR_INVALID, "cannot open the image store \"%s\": not an absolute path",
			state_path);
		return NULL;
	}
	ImageStore *store = g_new0(ImageStore, 1);
	store->state_path = g_strdup(state_path);
	store->run_path = g_strdup(run_path);
	return store;
}

void image_store_free(ImageStore *store) {
	if (!store)
		return;
	g_free(store->state_path);
	g_free(store->run_path);
	g_free(store);
}

char *store_path(const ImageStore *store, const char *folder, const char *name) {
	return g_strconcat(store->state_path, "/", folder, "/", name, NULL);
}

int store_make(const ImageStore *store, GError **err) {
	_cleanup_close_ int fd = fd_make_dir(AT_FDCWD, store->state_path, 0700, err);

	if (fd < 0)
		return -1;
	array_foreach (folder, folders)
		if (mkdirat(fd, *folder, 0700) < 0 && errno != EEXIST) {
			fail_errno(err, errno, "cannot make directory \"%s/%s\"", store->state_path,
				*folder);
			return -1;
		}
	return steal_fd(&fd);
}

static bool lock_file_is_ours(int fd) {
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       st.st_nlink == 1;
}

static bool lock_fd(int fd, int operation) {
	int result;

	do
		result = flock(fd, operation);
	while (result < 0 && errno == EINTR);
	return result == 0;
}

int image_store_lock(const ImageStore *store, StoreLockMode mode, GError **err) {
	_cleanup_close_ int directory = fd_make_dir(AT_FDCWD, store->run_path, 0700, err);

	if (directory < 0)
		return -1;
	_cleanup_close_ int fd =
		openat(directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || !lock_file_is_ours(fd) ||
		!lock_fd(fd, mode == STORE_LOCK_ADD ? LOCK_SH : LOCK_EX)) {
		fail(err, ERROR_FAILED, "cannot lock the image store by \"%s/lock\"",
			store->run_path);
		return -1;
	}
	return steal_fd(&fd);
}

bool store_sync(const ImageStore *store, GError **err) {
	_cleanup_close_ int fd = fd_open_dir(AT_FDCWD, store->state_path, err);

	if (fd < 0)
		return false;
	if (syncfs(fd) < 0)
		return fail_errno(err, errno, "cannot write \"%s\" to disk", store->state_path);
	return true;
}

/* Removes staging directories whose owners have died. One that was made a moment ago and is not
 * locked yet may go with them: its owner notices and makes another. */
static void sweep(int staging_fd) {
	g_auto(GStrv) names = fd_list_dir(staging_fd, ".", NULL);

	for (char **name = names; name && *name; name++) {
		_cleanup_close_ int fd =
			openat(staging_fd, *name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		g_autoptr(GError) error = NULL;
		if (!fd_remove_tree(staging_fd, *name, &error))
			log_debug("left over in the image store: %s, ignoring", error->message);
	}
}

static bool is_linked(int staging_fd, const char *name, int fd) {
	struct stat by_name, by_fd;

	return fstatat(staging_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino;
}

/* One try at a directory of a random name: -1 without an error when a sweeper was faster. */
static int make_stage(int staging_fd, const char *name, GError **err) {
	if (mkdirat(staging_fd, name, 0700) < 0) {
		fail_errno(err, errno, "cannot make a staging directory");
		return -1;
	}
	_cleanup_close_ int fd =
		openat(staging_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_linked(staging_fd, name, fd))
		return -1;
	return steal_fd(&fd);
}

Staging *store_stage(const ImageStore *store, GError **err) {
	g_autoptr(GError) error = NULL;
	_cleanup_close_ int store_fd = store_make(store, err);

	if (store_fd < 0)
		return NULL;
	_cleanup_close_ int staging_fd = fd_open_dir(store_fd, "staging", err);
	if (staging_fd < 0)
		return NULL;
	sweep(staging_fd);
	for (int i = 0; i < 100 && !error; i++) {
		g_autofree char *name = g_strdup_printf("%08x%08x", g_random_int(), g_random_int());
		int fd = make_stage(staging_fd, name, &error);
		if (fd < 0)
			continue;
		Staging *staging = g_new0(Staging, 1);
		staging->path = store_path(store, "staging", name);
		staging->fd = fd;
		staging->store_fd = steal_fd(&store_fd);
		return staging;
	}
	if (!error)
		fail(&error, ERROR_FAILED, "cannot make a staging directory");
	g_propagate_error(err, g_steal_pointer(&error));
	return NULL;
}

void store_unstage(Staging *staging) {
	g_autoptr(GError) error = NULL;

	if (!staging)
		return;
	if (!fd_remove_tree(AT_FDCWD, staging->path, &error))
		log_debug("left over in the image store: %s, ignoring", error->message);
	close_fd_ptr(&staging->fd);
	close_fd_ptr(&staging->store_fd);
	g_free(staging->path);
	g_free(staging);
}
