/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding what killed processes left: an object that is pending and whose lock is free. */
#include "base/fd.h"
#include "base/log.h"
#include "store/layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

typedef struct Recovery {
	Store *store;
	StoreRecover recover;
	void *data;
	GError **err; /* of the walk, not of one object */
} Recovery;

/* Held while something half-made is judged: nobody is between the mark and the lock of a new
 * object then. -1 when somebody is; the next call looks again. */
static int guard_creation(Store *store) {
	return lock_file(store, "create.lock", LOCK_EX | LOCK_NB, NULL);
}

static void remove_stray_mark(Store *store, const char *mark, const char *path) {
	_cleanup_close_ int guard = guard_creation(store);

	if (guard >= 0 && object_is_gone(store, path))
		unlinkat(store->run_fd, mark, 0);
}

/* With the lock held. False when the callback failed: the mark stays, and the object is tried
 * again by whoever comes next. */
static bool recover_locked(const Recovery *recovery, StoreObject *object, const char *path) {
	bool half_made = !is_published(recovery->store, object->kind, object->id);
	_cleanup_close_ int guard = half_made ? guard_creation(recovery->store) : -1;
	g_autofree char *name = half_made ? NULL : object_recorded_name(object);
	g_autoptr(GError) error = NULL;

	if (half_made && guard < 0)
		return false;
	close_fd_ptr(&guard); /* with the object's lock held its maker is known to be dead */
	/* a half-made object may keep its claim until it is removed: its definition.new has it */
	if (!half_made && !claim_settle(recovery->store, name, path, &error))
		log_warning("%s: %s, continuing", path, error->message);
	g_clear_error(&error);
	if (recovery->recover(object, half_made, recovery->data, &error))
		return true;
	log_warning("cannot clear up after %s: %s, continuing", path,
		error ? error->message : "no reason given");
	return false;
}

static void recover_one(const Recovery *recovery, const char *mark, const char *path,
	StoreKind kind, const char *id) {
	Store *store = recovery->store;
	g_autoptr(StoreObject) object = object_open(store, kind, id);

	if (object->run_fd < 0 && object->state_fd < 0) {
		remove_stray_mark(store, mark, path);
		return;
	}
	if (!object_make_run_dir(object, NULL) || !object_lock(object, 0, NULL))
		return;
	/* the operation may have ended between the listing and the lock */
	if (!path_exists(store->run_fd, path) ||
		faccessat(store->run_fd, mark, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (recover_locked(recovery, object, path))
		store_unlock(object);
}

bool store_recover(Store *store, StoreRecover recover, void *data, GError **err) {
	Recovery recovery = {.store = store, .recover = recover, .data = data};

	if (!store_ready(store, false, err))
		return false;
	if (store->run_fd < 0)
		return true;
	g_auto(GStrv) marks = fd_list_dir(store->run_fd, "pending", err);
	if (!marks)
		return false;
	for (char **entry = marks; *entry; entry++) {
		g_autofree char *mark = g_strconcat("pending/", *entry, NULL);
		char path[128];
		StoreKind kind;
		const char *id;
		ssize_t n = readlinkat(store->run_fd, mark, path, sizeof path - 1);
		if (n < 0)
			continue;
		path[n] = '\0';
		if (object_path_parse(path, &kind, &id))
			recover_one(&recovery, mark, path, kind, id);
	}
	return true;
}
