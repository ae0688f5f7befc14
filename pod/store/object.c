/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of one object: made, published, locked, renamed, removed. Each step leaves behind what
 * store_recover() needs, should it be the last. */
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/proc.h"
#include "model/names.h"
#include "store/layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

enum { LOCK_FIRST_NAP_USEC = 200, LOCK_LONGEST_NAP_USEC = 20000 };

void store_object_free(StoreObject *object) {
	if (!object)
		return;
	close_fd_ptr(&object->lock_fd);
	close_fd_ptr(&object->run_fd);
	close_fd_ptr(&object->state_fd);
	g_free(object->id);
	g_free(object);
}

static int open_below(int root_fd, const char *path) {
	return root_fd < 0 ? -1
			   : openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

StoreObject *object_open(Store *store, StoreKind kind, const char *id) {
	g_autofree char *path = object_path(kind, id);
	StoreObject *object = g_new0(StoreObject, 1);

	*object = (StoreObject){
		.store = store,
		.kind = kind,
		.id = g_strdup(id),
		.state_fd = open_below(store->state_fd, path),
		.run_fd = open_below(store->run_fd, path),
		.lock_fd = -1,
	};
	object->persistent = object->state_fd >= 0;
	return object;
}

bool object_make_run_dir(StoreObject *object, GError **err) {
	g_autofree char *path = object_path(object->kind, object->id);

	if (object->run_fd >= 0)
		return true;
	object->run_fd = fd_make_dir(object->store->run_fd, path, 0700, err);
	return object->run_fd >= 0;
}

char *object_recorded_name(const StoreObject *object) {
	static const char *const files[] = {DEFINITION_FILE, UNPUBLISHED_FILE};
	int directory = object->persistent ? object->state_fd : object->run_fd;

	for (size_t i = 0; directory >= 0 && i < ARRAY_LENGTH(files); i++) {
		json_auto_t *definition = json_read_file(directory, files[i], NULL);
		const char *name = json_get_string(definition, "name", NULL);
		if (name && name_check(name, "name", NULL))
			return g_strdup(name);
	}
	return NULL;
}

bool object_set_pending(const StoreObject *object, bool pending, GError **err) {
	g_autofree char *mark = g_strconcat("pending/", object->id, NULL);
	g_autofree char *path = object_path(object->kind, object->id);

	if (!pending) {
		unlinkat(object->store->run_fd, mark, 0);
		return true;
	}
	if (symlinkat(path, object->store->run_fd, mark) == 0 || errno == EEXIST)
		return true;
	if (errno == ENOSPC || errno == EDQUOT) {
		log_debug("cannot mark %s as pending: %s, continuing", path, strerror(errno));
		return true;
	}
	return fail_errno(
		err, errno, "cannot mark %s %s as pending", kind_word(object->kind), object->id);
}

/* Who holds a flock on the inode, from /proc/locks; 0 if it cannot be told. */
static int lock_holder(int fd) {
	_cleanup_fclose_ FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	struct stat st;

	if (!locks || fstat(fd, &st) < 0)
		return 0;
	while (fgets(line, sizeof line, locks)) {
		unsigned long long inode;
		int pid;
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %*x:%*x:%llu", &pid, &inode) == 2 &&
			inode == st.st_ino)
			return pid;
	}
	return 0;
}

static bool fail_locked(const StoreObject *object, int fd, GError **err) {
	int pid = err ? lock_holder(fd) : 0;
	g_autofree char *who =
		pid > 0 ? g_strdup_printf("process %d", pid) : g_strdup("another process");

	return fail(err, ERROR_TIMEOUT, "cannot lock %s %s: %s is working on it",
		kind_word(object->kind), object->id, who);
}

static bool wait_for_lock(const StoreObject *object, int fd, uint64_t timeout_usec, GError **err) {
	uint64_t start = proc_now_monotonic(), nap = LOCK_FIRST_NAP_USEC;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail_errno(err, errno, "cannot lock %s %s", kind_word(object->kind),
				object->id);
		if (timeout_usec != USEC_INFINITY && proc_now_monotonic() - start >= timeout_usec)
			return fail_locked(object, fd, err);
		struct timespec pause = {.tv_nsec = (long)nap * 1000};
		nanosleep(&pause, NULL);
		nap = MIN(nap * 2, (uint64_t)LOCK_LONGEST_NAP_USEC);
	}
	return true;
}

bool object_lock(StoreObject *object, uint64_t timeout_usec, GError **err) {
	g_autofree char *path = object_path(object->kind, object->id);
	/* a description of its own: run_fd may be shared with a forked child */
	_cleanup_close_ int fd = openat(object->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat locked, there;

	if (fd < 0)
		return fail_errno(
			err, errno, "cannot lock %s %s", kind_word(object->kind), object->id);
	if (!wait_for_lock(object, fd, timeout_usec, err))
		return false;
	/* whoever held it may have removed the object */
	if (fstat(fd, &locked) < 0 ||
		fstatat(object->store->run_fd, path, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
		locked.st_ino != there.st_ino || locked.st_dev != there.st_dev)
		return fail(err, ERROR_NOT_FOUND, "no %s with ID %s found: it was removed",
			kind_word(object->kind), object->id);
	object->lock_fd = steal_fd(&fd);
	return true;
}

bool store_lock(StoreObject *object, uint64_t timeout_usec, GError **err) {
	if (object->lock_fd >= 0)
		return true;
	if (!object_lock(object, timeout_usec, err))
		return false;
	if (!is_published(object->store, object->kind, object->id)) {
		close_fd_ptr(&object->lock_fd);
		return fail(err, ERROR_NOT_FOUND, "no %s with ID %s found: it was removed",
			kind_word(object->kind), object->id);
	}
	if (object_set_pending(object, true, err))
		return true;
	close_fd_ptr(&object->lock_fd);
	return false;
}

void store_unlock(StoreObject *object) {
	if (object->lock_fd < 0)
		return;
	/* a half-made object stays pending, whoever lets go of it: recovery must find it */
	if (is_published(object->store, object->kind, object->id))
		object_set_pending(object, false, NULL);
	/* explicitly: a forked child may still have the descriptor */
	flock(object->lock_fd, LOCK_UN);
	close_fd_ptr(&object->lock_fd);
}

/* The directories of a new object, locked. Its mark is there, and create.lock is held. */
static bool make_directories(StoreObject *object, bool persistent, GError **err) {
	Store *store = object->store;
	g_autofree char *path = object_path(object->kind, object->id);

	if (mkdirat(store->run_fd, path, 0700) < 0)
		return fail_errno(
			err, errno, "cannot make directory \"%s/%s\"", store->run_path, path);
	object->run_fd = fd_open_dir(store->run_fd, path, err);
	if (object->run_fd < 0 || !object_lock(object, USEC_INFINITY, err))
		return false;
	if (!persistent)
		return true;
	object->state_fd = fd_make_dir(store->state_fd, path, 0700, err);
	object->persistent = true;
	return object->state_fd >= 0;
}

StoreObject *store_create(
	Store *store, StoreKind kind, const char *id, bool persistent, GError **err) {
	if (!store_ready(store, true, err))
		return NULL;
	g_autoptr(StoreObject) object = object_open(store, kind, id);
	if (object->run_fd >= 0 || object->state_fd >= 0) {
		fail(err, ERROR_EXISTS, "%s %s exists already", kind_word(kind), id);
		return NULL;
	}
	/* Between its mark and its lock a new object looks abandoned: while this is held shared,
	 * nobody clears away half-made ones. */
	_cleanup_close_ int guard = lock_file(store, "create.lock", LOCK_SH, err);
	if (guard < 0 || !object_set_pending(object, true, err))
		return NULL;
	if (!make_directories(object, persistent, err)) {
		store_remove(object, NULL);
		return NULL;
	}
	return g_steal_pointer(&object);
}

static bool write_unpublished(
	const StoreObject *object, int directory, const json_t *definition, GError **err) {
	g_autofree char *text = json_to_text(definition, false);
	_cleanup_close_ int fd = openat(directory, UNPUBLISHED_FILE,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_errno(err, errno, "cannot write the definition of %s %s",
			kind_word(object->kind), object->id);
	if (!fd_write_all(fd, text, strlen(text), UNPUBLISHED_FILE, err))
		return false;
	if (object->persistent && fsync(fd) < 0)
		return fail_errno(err, errno, "cannot sync the definition of %s %s",
			kind_word(object->kind), object->id);
	return true;
}

/* The directory entries of a published object reach the disk. */
static bool sync_directories(const StoreObject *object, GError **err) {
	_cleanup_close_ int parent =
		fd_open_dir(object->store->state_fd, kind_directory(object->kind), err);

	if (parent < 0)
		return false;
	if (fsync(object->state_fd) < 0 || fsync(parent) < 0)
		return fail_errno(err, errno, "cannot sync the directory of %s %s",
			kind_word(object->kind), object->id);
	return true;
}

bool store_publish(StoreObject *object, const char *name, const json_t *definition, GError **err) {
	g_autofree char *path = object_path(object->kind, object->id);
	int directory = object->persistent ? object->state_fd : object->run_fd;

	if (!name_check(name, "name", err))
		return false;
	if (g_strcmp0(json_get_string(definition, "name", NULL), name) != 0)
		return fail(err, ERROR_INVALID, "the definition of \"%s\" has another name", name);
	/* The definition is on disk before the claim, so that a claim can always be traced back;
	 * it gets its proper name after it, so that readers never see an object without one. */
	if (!write_unpublished(object, directory, definition, err) ||
		!claim_take(object->store, name, path, err))
		return false;
	if (renameat(directory, UNPUBLISHED_FILE, directory, DEFINITION_FILE) < 0) {
		fail_errno(err, errno, "cannot publish %s %s", kind_word(object->kind), object->id);
		claim_release(object->store, name, path);
		return false;
	}
	return !object->persistent || sync_directories(object, err);
}

StoreObject *store_get(Store *store, StoreKind kind, const char *id, GError **err) {
	if (!store_ready(store, false, err))
		return NULL;
	g_autoptr(StoreObject) object = object_open(store, kind, id);
	if (!path_exists(object->persistent ? object->state_fd : object->run_fd, DEFINITION_FILE)) {
		fail(err, ERROR_NOT_FOUND, "no %s with ID %s found: no such %s", kind_word(kind),
			id, kind_word(kind));
		return NULL;
	}
	if (!object_make_run_dir(object, err))
		return NULL;
	return g_steal_pointer(&object);
}

/* First it stops being visible, then it gives up its name, then it goes: from the first step on
 * recovery knows it as half-made. */
static bool withdraw(StoreObject *object, GError **err) {
	g_autofree char *path = object_path(object->kind, object->id);
	g_autofree char *name = object_recorded_name(object);
	int directory = object->persistent ? object->state_fd : object->run_fd;

	if (directory >= 0 &&
		renameat(directory, DEFINITION_FILE, directory, UNPUBLISHED_FILE) < 0 &&
		errno != ENOENT)
		return fail_errno(
			err, errno, "cannot remove %s %s", kind_word(object->kind), object->id);
	/* a record that cannot be read has lost its name: look through all claims */
	if (!name)
		return claim_settle(object->store, NULL, path, err);
	claim_release(object->store, name, path);
	return true;
}

bool store_remove(StoreObject *object, GError **err) {
	Store *store = object->store;
	g_autofree char *path = object_path(object->kind, object->id);
	g_autofree char *scratch = g_strconcat("scratch/", store->boot_id, "/", object->id, NULL);

	if (!withdraw(object, err))
		return false;
	if (store->state_fd >= 0 && (!fd_remove_tree(store->state_fd, path, err) ||
					    !fd_remove_tree(store->state_fd, scratch, err)))
		return fail_prefix(err, "cannot remove %s %s", kind_word(object->kind), object->id);
	if (!fd_remove_tree(store->run_fd, path, err))
		return fail_prefix(err, "cannot remove %s %s", kind_word(object->kind), object->id);
	store_release_ids(object);
	object_set_pending(object, false, NULL);
	close_fd_ptr(&object->lock_fd);
	return true;
}

bool store_rename(StoreObject *object, const char *old_name, const char *new_name, GError **err) {
	g_autofree char *path = object_path(object->kind, object->id);
	json_auto_t *definition = NULL;

	if (strcmp(old_name, new_name) == 0)
		return true;
	if (!name_check(new_name, "name", err))
		return false;
	definition = store_read(object, "definition", err);
	if (!definition)
		return err && *err ? false
				   : fail(err, ERROR_NOT_FOUND, "no %s with ID %s found",
					     kind_word(object->kind), object->id);
	if (!claim_take(object->store, new_name, path, err))
		return false;
	json_put_string(definition, "name", new_name);
	if (!store_write(object, "definition", definition, err)) {
		claim_release(object->store, new_name, path);
		return false;
	}
	claim_release(object->store, old_name, path);
	return true;
}

char *store_run_path(const StoreObject *object) {
	return g_strdup_printf(
		"%s/%s/%s", object->store->run_path, kind_directory(object->kind), object->id);
}

/* Below the state directory. */
static char *data_path(const StoreObject *object) {
	return object->persistent
		       ? g_strdup_printf("%s/%s/data", kind_directory(object->kind), object->id)
		       : g_strdup_printf("scratch/%s/%s", object->store->boot_id, object->id);
}

char *store_data_location(const StoreObject *object) {
	g_autofree char *path = data_path(object);

	return g_build_filename(object->store->state_path, path, NULL);
}

char *store_data_path(const StoreObject *object, GError **err) {
	Store *store = object->store;
	g_autofree char *path = data_path(object);

	if (!store_ready(store, true, err) || !fd_mkdir_parents(store->state_fd, path, 0700, err))
		return NULL;
	return g_strdup_printf("%s/%s", store->state_path, path);
}
