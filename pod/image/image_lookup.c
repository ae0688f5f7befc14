/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding an image by what the user calls it, and the list of all. See image.h. */
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "image/catalog.h"
#include "image/oci.h"
#include "image/reference.h"

#include <fcntl.h>
#include <string.h>

#define SHORTEST_PREFIX 3

static bool fail_not_found(const char *reference, GError **err) {
	return fail(err, ERROR_NOT_FOUND,
		"image \"%s\" is not here: load one with \"podctl image load -i FILE\" or "
		"\"podctl image import FILE NAME\"",
		reference);
}

/* The image behind a stored name; NULL without an error when there is none. */
static ImageConfig *read_named(const ImageStore *store, const char *stored_name, GError **err) {
	g_autofree char *id = catalog_name_target(store, stored_name);
	g_autoptr(GError) error = NULL;

	if (!id)
		return NULL;
	ImageConfig *image = catalog_read(store, id, &error);
	if (image)
		image->name = g_strdup(stored_name);
	else if (!error_is(error, ERROR_NOT_FOUND))
		g_propagate_error(err, g_steal_pointer(&error));
	return image;
}

/* A short name that is the end of one stored name, whatever its host. */
static ImageConfig *find_by_suffix(const ImageStore *store, const char *reference, GError **err) {
	g_auto(GStrv) pairs = catalog_names(store, err);
	const char *found_id = NULL, *found_name = NULL;

	for (char **pair = pairs; pair && *pair; pair += 2) {
		if (!reference_is_suffix(pair[1], reference))
			continue;
		if (found_id && strcmp(found_id, pair[0]) != 0) {
			fail(err, ERROR_INVALID,
				"image \"%s\" may be \"%s\" or \"%s\": name it whole", reference,
				found_name, pair[1]);
			return NULL;
		}
		found_id = pair[0];
		found_name = found_name ? found_name : pair[1];
	}
	return found_name ? read_named(store, found_name, err) : NULL;
}

static ImageConfig *find_by_name(
	const ImageStore *store, const char *reference, char *const *candidates, GError **err) {
	for (char *const *name = candidates; *name; name++) {
		g_autoptr(GError) error = NULL;
		ImageConfig *image = read_named(store, *name, &error);
		if (image)
			return image;
		if (error) {
			g_propagate_error(err, g_steal_pointer(&error));
			return NULL;
		}
	}
	/* only a name without a host has more than one candidate */
	return candidates[1] ? find_by_suffix(store, reference, err) : NULL;
}

static ImageConfig *find_by_digest(const ImageStore *store, const char *digest, GError **err) {
	g_auto(GStrv) ids = catalog_ids(store, err);

	for (char **id = ids; id && *id; id++) {
		g_autoptr(ImageConfig) image = catalog_read(store, *id, NULL);
		if (image && strcmp(image->digest, digest) == 0)
			return g_steal_pointer(&image);
	}
	return NULL;
}

static ImageConfig *find_by_id(
	const ImageStore *store, const char *reference, const char *prefix, GError **err) {
	size_t length = strlen(prefix);
	const char *found = NULL;

	if (length < SHORTEST_PREFIX || length > 64 || !str_is_hex(prefix))
		return NULL;
	g_auto(GStrv) ids = catalog_ids(store, err);
	for (char **id = ids; id && *id; id++) {
		if (strncmp(*id, prefix, length) != 0)
			continue;
		if (found) {
			fail(err, ERROR_INVALID, "image id \"%s\" is ambiguous: give more digits",
				reference);
			return NULL;
		}
		found = *id;
	}
	return found ? catalog_read(store, found, err) : NULL;
}

static ImageConfig *find_full_id(const ImageStore *store, const char *id, GError **err) {
	g_autoptr(GError) error = NULL;
	ImageConfig *image = catalog_read(store, id, &error);

	if (!image && !error_is(error, ERROR_NOT_FOUND))
		g_propagate_error(err, g_steal_pointer(&error));
	return image;
}

/* NULL with or without an error. */
static ImageConfig *find(const ImageStore *store, const char *reference, GError **err) {
	const char *at = strchr(reference, '@');
	g_autoptr(GError) error = NULL;

	if (strlen(reference) == 64 && str_is_hex(reference))
		return find_full_id(store, reference, err);
	if (g_str_has_prefix(reference, "sha256:"))
		return find_by_id(store, reference, reference + strlen("sha256:"), err);
	if (at) {
		if (!reference_digest_hex(at + 1)) {
			fail(err, ERROR_INVALID,
				"\"%s\" is not an image name: the digest is not sha256:HEX",
				reference);
			return NULL;
		}
		return find_by_digest(store, at + 1, err);
	}
	g_auto(GStrv) candidates = reference_candidates(reference, err);
	if (!candidates)
		return NULL;
	ImageConfig *image = find_by_name(store, reference, candidates, &error);
	if (error)
		g_propagate_error(err, g_steal_pointer(&error));
	else if (!image)
		image = find_by_id(store, reference, reference, err);
	return image;
}

ImageConfig *image_lookup(ImageStore *store, const char *reference, GError **err) {
	g_autoptr(GError) error = NULL;
	ImageConfig *image = find(store, reference, &error);

	if (error)
		g_propagate_error(err, g_steal_pointer(&error));
	else if (!image)
		fail_not_found(reference, err);
	return image;
}

ImageConfig *image_inspect(ImageStore *store, const char *reference, GError **err) {
	g_autoptr(ImageConfig) image = image_lookup(store, reference, err);

	if (!image)
		return NULL;
	char **names = catalog_names_of(store, image->id, err);
	if (!names)
		return NULL;
	g_strfreev(image->names);
	image->names = names;
	return g_steal_pointer(&image);
}

char *image_read_raw_config(ImageStore *store, const char *id, GError **err) {
	g_autofree char *path = store_path(store, "blobs/sha256", id);
	char *text = NULL;

	if (strlen(id) != 64 || !str_is_hex(id)) {
		fail(err, ERROR_INVALID, "\"%s\" is not an image id", id);
		return NULL;
	}
	if (!fd_read_file(AT_FDCWD, path, OCI_TEXT_LIMIT, &text, NULL, err))
		return NULL;
	return text;
}

static int compare_newest_first(gconstpointer a, gconstpointer b) {
	const ImageConfig *x = *(ImageConfig *const *)a, *y = *(ImageConfig *const *)b;

	if (x->created_sec != y->created_sec)
		return x->created_sec < y->created_sec ? 1 : -1;
	return strcmp(x->id, y->id);
}

static char **names_from_pairs(char *const *pairs, const char *id) {
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (; *pairs; pairs += 2)
		if (strcmp(pairs[0], id) == 0)
			g_ptr_array_add(names, g_strdup(pairs[1]));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

GPtrArray *image_list(ImageStore *store, GError **err) {
	g_autoptr(GPtrArray) images =
		g_ptr_array_new_with_free_func((GDestroyNotify)image_config_free);
	g_auto(GStrv) ids = catalog_ids(store, err);
	g_auto(GStrv) pairs = ids ? catalog_names(store, err) : NULL;

	if (!pairs)
		return NULL;
	for (char **id = ids; *id; id++) {
		g_autoptr(GError) error = NULL;
		ImageConfig *image = catalog_read(store, *id, &error);
		if (!image) {
			/* deleted meanwhile, or damaged: the others are still to be seen */
			if (!error_is(error, ERROR_NOT_FOUND))
				log_warning("%s, ignoring", error->message);
			continue;
		}
		g_strfreev(image->names);
		image->names = names_from_pairs(pairs, *id);
		g_ptr_array_add(images, image);
	}
	g_ptr_array_sort(images, compare_newest_first);
	return g_steal_pointer(&images);
}
