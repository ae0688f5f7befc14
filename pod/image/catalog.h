/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The records and names of images: one small file an image, one symbolic link a name. Reading takes
 * no lock; both are replaced by rename only.
 */
#pragma once

#include "image/image_store.h"

/* The record of an image as text. image has all of the configuration, digest and diff_ids; stack
 * are the hex names of the layers to mount, lowest first, blobs the hex names of all blobs that
 * belong to it. Free with g_free. */
char *catalog_format(const ImageConfig *image, char *const *stack, char *const *blobs);

/* The other way round; store gives the layers' paths. id is 64 hex digits. */
ImageConfig *catalog_parse(
	const ImageStore *store, const char *id, const char *text, size_t size, GError **err);

/* Reads one record; ERROR_NOT_FOUND when there is none. */
ImageConfig *catalog_read(const ImageStore *store, const char *id, GError **err);

/* Hex names of the layers and blobs that the record keeps alive are added to the sets. */
bool catalog_mark(const ImageStore *store, const char *id, GHashTable *layers, GHashTable *blobs,
	GError **err);

/* Sorted ids of all images. */
char **catalog_ids(const ImageStore *store, GError **err);

/* The id behind a stored name, NULL when there is none (no error set). Free with g_free. */
char *catalog_name_target(const ImageStore *store, const char *stored_name);

/* Points a name at an image, taking it from the one that had it. */
bool catalog_set_name(
	const ImageStore *store, const char *stored_name, const char *id, GError **err);

/* Takes a name away; fine when it is not there. */
bool catalog_drop_name(const ImageStore *store, const char *stored_name, GError **err);

/* Sorted names of one image. */
char **catalog_names_of(const ImageStore *store, const char *id, GError **err);

/* All names, sorted, as id and name in turn: [id, name, id, name, ..., NULL]. */
char **catalog_names(const ImageStore *store, GError **err);
