/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON documents of images: OCI index, manifest and configuration, Docker's manifest (schema 2)
 * and the index of a docker-archive. All of it is foreign: bounded, strict where a value leads to a
 * file, lenient where it is only shown.
 */
#pragma once

#include "image/image.h"

#define LAYOUT_TEXT_LIMIT (4U << 20) /* one JSON document */
#define LAYOUT_MAX_LAYERS 500        /* an overlay cannot stack more */
#define LAYOUT_MAX_IMAGES 1000       /* of one archive */

typedef struct LayoutBlob {
	char *hex; /* 64 digits, checked */
	uint64_t size_bytes;
} LayoutBlob;

typedef struct LayoutManifest {
	LayoutBlob config;
	LayoutBlob *layers; /* lowest first */
	size_t n_layers;
} LayoutManifest;

void layout_manifest_free(LayoutManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutManifest, layout_manifest_free)

/* Parses the manifest of one image. An index, a list of manifests, a document that is both, schema
 * 1, and any digest that is not sha256 are ERROR_CORRUPT. */
LayoutManifest *layout_parse_manifest(const char *text, size_t size, GError **err);

/* Parses a configuration into a new ImageConfig: all that comes from it; id, digest, names, layers
 * and size stay empty. Environment entries that are not NAME=VALUE and unknown stop signals are
 * dropped with a warning. */
ImageConfig *layout_parse_config(const char *text, size_t size, GError **err);

/* Names in an OCI index: one text an image, "" for one that has none (NULL-terminated). */
char **layout_parse_index(const char *text, size_t size, GError **err);

/* Names in the manifest.json of a docker-archive: one GStrv an image. */
GPtrArray *layout_parse_docker_index(const char *text, size_t size, GError **err);
