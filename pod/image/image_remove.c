/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names given and taken, images deleted, and what no image needs any more. See image.h. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "image/catalog.h"
#include "image/reference.h"

#include <stdio.h>
#include <string.h>

bool image_tag(ImageStore *store, const char *reference, const char *new_name, GError **err) {
	g_autofree char *stored_name = reference_normalise(new_name, err);

	if (!stored_name)
		return fail_prefix(err, "cannot tag \"%s\"", reference);
	_cleanup_close_ int lock = image_store_lock(store, STORE_LOCK_ADD, err);
	if (lock < 0)
		return false;
	g_autoptr(ImageConfig) image = image_lookup(store, reference, err);
	return image && catalog_set_name(store, stored_name, image->id, err);
}

bool image_untag(ImageStore *store, const char *reference, GError **err) {
	_cleanup_close_ int lock = image_store_lock(store, STORE_LOCK_DELETE, err);

	if (lock < 0)
		return false;
	g_autoptr(ImageConfig) image = image_lookup(store, reference, err);
	if (!image)
		return false;
	if (!image->name)
		return fail(err, ERROR_INVALID, "cannot untag \"%s\": it is an id, not a name",
			reference);
	return catalog_drop_name(store, image->name, err);
}

void image_removal_free(ImageRemoval *removal) {
	if (!removal)
		return;
	g_strfreev(removal->untagged);
	g_free(removal->deleted);
	g_free(removal);
}

/* Moves what the set does not have out of a folder: gone for readers at once, and removed with the
 * staging directory. */
static bool move_unmarked(Staging *staging, const char *folder, GHashTable *marked, GError **err) {
	g_auto(GStrv) names = fd_list_dir(staging->store_fd, folder, err);

	if (!names)
		return false;
	for (char **name = names; *name; name++) {
		if (g_hash_table_contains(marked, *name))
			continue;
		g_autofree char *path = g_strconcat(folder, "/", *name, NULL);
		g_autofree char *target = g_strdelimit(g_strdup(path), "/", '-');
		if (renameat(staging->store_fd, path, staging->fd, target) < 0)
			return fail_errno(err, errno, "cannot remove \"%s\"", path);
	}
	return true;
}

/* Temporary names of writers that died before their rename; nobody else holds the lock now. */
static void drop_temporary(const Staging *staging, const char *folder) {
	_cleanup_close_ int fd = fd_open_dir(staging->store_fd, folder, NULL);
	g_auto(GStrv) names = fd >= 0 ? fd_list_dir(fd, ".", NULL) : NULL;

	for (char **name = names; name && *name; name++)
		if (**name == '.')
			(void)unlinkat(fd, *name, 0);
}

/* Under the lock. A record that cannot be read stops it: what that needs is not known. */
static bool collect_garbage(ImageStore *store, Staging *staging, GError **err) {
	g_autoptr(GHashTable) layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) blobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(GStrv) ids = catalog_ids(store, err);

	if (!ids)
		return false;
	drop_temporary(staging, "names");
	drop_temporary(staging, "images");
	for (char **id = ids; *id; id++)
		if (!catalog_mark(store, *id, layers, blobs, err))
			return false;
	return move_unmarked(staging, "layers", layers, err) &&
	       move_unmarked(staging, "blobs/sha256", blobs, err);
}

static bool delete_record(const Staging *staging, const char *id, GError **err) {
	g_autofree char *path = g_strconcat("images/", id, ".json", NULL);
	_cleanup_close_ int fd = fd_open_dir(staging->store_fd, "images", err);

	if (fd < 0)
		return false;
	/* on disk before its layers go: after a power cut no record may name what is not there */
	if (unlinkat(staging->store_fd, path, 0) < 0 || fsync(fd) < 0)
		return fail_errno(err, errno, "cannot remove \"%s\"", path);
	return true;
}

static bool is_used(const char *id, const char *const *used_ids) {
	for (; used_ids && *used_ids; used_ids++)
		if (strcmp(*used_ids, id) == 0)
			return true;
	return false;
}

/* Which names go: the one that was given, or all when the image was given by its id. */
static char **names_to_drop(const ImageConfig *image) {
	if (!image->name)
		return g_strdupv(image->names);
	char **one = g_new0(char *, 2);
	one[0] = g_strdup(image->name);
	return one;
}

static ImageRemoval *remove_locked(ImageStore *store, Staging *staging, const char *reference,
	bool force, const char *const *used_ids, GError **err) {
	g_autoptr(ImageConfig) image = image_inspect(store, reference, err);
	g_autoptr(ImageRemoval) removal = g_new0(ImageRemoval, 1);
	g_autoptr(GError) error = NULL;

	if (!image)
		return NULL;
	size_t n_names = g_strv_length(image->names);
	bool is_last = !image->name || n_names <= 1;
	if (!image->name && n_names > 1 && !force) {
		fail(err, ERROR_IN_USE,
			"cannot remove image \"%s\": it has %zu names; remove them one by one or "
			"use --force",
			reference, n_names);
		return NULL;
	}
	if (is_last && is_used(image->id, used_ids)) {
		fail(err, ERROR_IN_USE, "cannot remove image \"%s\": a container is made from it",
			reference);
		return NULL;
	}
	removal->untagged = names_to_drop(image);
	for (char **name = removal->untagged; *name; name++)
		if (!catalog_drop_name(store, *name, err))
			return NULL;
	if (!is_last)
		return g_steal_pointer(&removal);
	if (!delete_record(staging, image->id, err))
		return NULL;
	removal->deleted = g_strdup(image->id);
	if (!collect_garbage(store, staging, &error))
		log_warning("the layers of image \"%s\" stay: %s, continuing", reference,
			error->message);
	return g_steal_pointer(&removal);
}

ImageRemoval *image_remove(ImageStore *store, const char *reference, bool force,
	const char *const *used_ids, GError **err) {
	g_autoptr(ImageConfig) image = image_lookup(store, reference, err);

	/* before anything is made: an image that is not here needs no store */
	if (!image)
		return NULL;
	g_autoptr(Staging) staging = store_stage(store, err);
	if (!staging)
		return NULL;
	_cleanup_close_ int lock = image_store_lock(store, STORE_LOCK_DELETE, err);
	if (lock < 0)
		return NULL;
	ImageRemoval *removal = remove_locked(store, staging, reference, force, used_ids, err);
	/* the lock goes first (it was taken last): removing the trees is slow and needs none */
	return removal;
}
