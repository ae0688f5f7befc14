/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From checked bytes in a staging directory to an image in the store. Everything is made complete
 * in the staging directory, brought to the disk, renamed into the store, and named by the record
 * last: a writer that dies anywhere leaves either nothing or parts that no record names.
 */
#pragma once

#include "image/image_store.h"
#include "image/layer_unpack.h"

typedef struct PublishSource {
	Staging *staging;
	const char *blobs; /* directory in staging with the layers, each named by its hex digest */
	const char *manifest;
	size_t manifest_size;
	const char *config;
	size_t config_size;
	size_t n_stored_layers; /* so many of the lowest ones are in the store and were checked */
} PublishSource;

/* Checks digests and sizes of the configuration and of all layers, lays out those that are not
 * there yet, and adds the image. The caller holds the lock (STORE_LOCK_ADD). *ret_id is its id. */
bool publish_image(
	const ImageStore *store, const PublishSource *source, char **ret_id, GError **err);

/* Makes the empty directory in staging that a layer is laid out in; -1 on error. */
int publish_begin_layer(Staging *staging, GError **err);

/* The directory is complete: from now on publish_image finds the layer by its digest. */
bool publish_end_layer(Staging *staging, const LayerReport *report, GError **err);

/* Hex SHA-256 of a text; free with g_free. */
char *publish_digest(const char *text, size_t size);

/* Hex SHA-256 and size of a file from its first byte on; *ret_hex: free with g_free. */
bool publish_digest_file(int fd, char **ret_hex, uint64_t *ret_bytes, GError **err);

/* Suffix of a layer's media type ("+gzip", "") from its first bytes. */
const char *publish_compression(const char *data, size_t size);
