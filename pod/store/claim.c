/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names: one symbolic link each, made by symlink(2), so that of two claims exactly one wins
 * without any lock. Only taking over a dead claim needs one. */
#include "base/fd.h"
#include "store/layout.h"

#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { CLAIM_ATTEMPTS = 100 };

/* A volume may be called like a container. */
static const char *claim_directory(bool volume) {
	return volume ? "volume-names" : "names";
}

static bool is_volume(const char *owner_path) {
	return g_str_has_prefix(owner_path, "volumes/");
}

static char *claim_path(bool volume, const char *name) {
	return g_strconcat(claim_directory(volume), "/", name, NULL);
}

char *claim_owner(const Store *store, StoreKind kind, const char *name) {
	g_autofree char *path = claim_path(kind == STORE_VOLUME, name);
	char target[128];
	ssize_t n =
		store->run_fd < 0 ? -1 : readlinkat(store->run_fd, path, target, sizeof target - 1);

	return n < 0 ? NULL : g_strndup(target, (size_t)n);
}

static char *owner_beside(const Store *store, const char *owner_path, const char *name) {
	return claim_owner(store, is_volume(owner_path) ? STORE_VOLUME : STORE_CONTAINER, name);
}

/* Puts our link in the place of a claim whose owner is gone. *ret_done is false when somebody else
 * was faster: look again. */
static bool take_over(Store *store, const char *name, const char *stale, const char *owner_path,
	bool *ret_done, GError **err) {
	/* no name starts with a dot, and the lock makes the temporary ours */
	static const char temporary[] = "names/.claim";
	g_autofree char *path = claim_path(is_volume(owner_path), name);
	_cleanup_close_ int lock = lock_file(store, "names.lock", LOCK_EX, err);

	if (lock < 0)
		return false;
	g_autofree char *owner = owner_beside(store, owner_path, name);
	*ret_done = false;
	if (g_strcmp0(owner, stale) != 0 || !object_is_gone(store, stale))
		return true;
	unlinkat(store->run_fd, temporary, 0);
	if (symlinkat(owner_path, store->run_fd, temporary) < 0 ||
		renameat(store->run_fd, temporary, store->run_fd, path) < 0)
		return fail_errno(err, errno, "cannot claim the name \"%s\"", name);
	*ret_done = true;
	return true;
}

static bool fail_taken(const char *name, const char *owner, GError **err) {
	StoreKind kind;
	const char *id;

	if (!object_path_parse(owner, &kind, &id))
		return fail(err, ERROR_EXISTS, "the name \"%s\" is in use", name);
	return fail(
		err, ERROR_EXISTS, "the name \"%s\" is in use by %s %s", name, kind_word(kind), id);
}

bool claim_take(Store *store, const char *name, const char *owner_path, GError **err) {
	g_autofree char *path = claim_path(is_volume(owner_path), name);

	for (int i = 0; i < CLAIM_ATTEMPTS; i++) {
		bool done = false;
		if (symlinkat(owner_path, store->run_fd, path) == 0)
			return true;
		/* a run directory from before there were volumes */
		if (errno == ENOENT && i == 0 &&
			mkdirat(store->run_fd, claim_directory(is_volume(owner_path)), 0700) == 0)
			continue;
		if (errno != EEXIST)
			return fail_errno(err, errno, "cannot claim the name \"%s\"", name);
		g_autofree char *owner = owner_beside(store, owner_path, name);
		if (!owner)
			continue; /* given back in this moment */
		if (strcmp(owner, owner_path) == 0)
			return true;
		if (!object_is_gone(store, owner))
			return fail_taken(name, owner, err);
		if (!take_over(store, name, owner, owner_path, &done, err))
			return false;
		if (done)
			return true;
	}
	return fail(err, ERROR_EXISTS, "the name \"%s\" is in use", name);
}

void claim_release(Store *store, const char *name, const char *owner_path) {
	g_autofree char *path = claim_path(is_volume(owner_path), name);
	g_autofree char *owner = owner_beside(store, owner_path, name);

	/* nobody takes over a claim whose owner exists, and we are the owner and hold its lock */
	if (g_strcmp0(owner, owner_path) == 0)
		unlinkat(store->run_fd, path, 0);
}

bool claim_settle(Store *store, const char *name, const char *owner_path, GError **err) {
	g_auto(GStrv) names =
		fd_list_dir(store->run_fd, claim_directory(is_volume(owner_path)), err);

	if (!names)
		return false;
	for (char **other = names; *other; other++)
		if (g_strcmp0(*other, name) != 0)
			claim_release(store, *other, owner_path);
	return !name || claim_take(store, name, owner_path, err);
}
