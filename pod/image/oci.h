/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON documents of images: OCI index, manifest and configuration, Docker's manifest (schema 2)
 * and the index of a docker-archive. All of it is foreign: bounded, strict where a value leads to a
 * file, lenient where it is only shown.
 */
#pragma once

#include "image/image.h"

#define OCI_TEXT_LIMIT (4U << 20) /* one JSON document */
#define OCI_MAX_LAYERS 500        /* an overlay cannot stack more */
#define OCI_MAX_IMAGES 1000       /* of one archive */

typedef struct OciBlob {
	char *hex; /* 64 digits, checked */
	uint64_t size_bytes;
} OciBlob;

typedef struct OciManifest {
	OciBlob config;
	OciBlob *layers; /* lowest first */
	size_t n_layers;
} OciManifest;

void oci_manifest_free(OciManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OciManifest, oci_manifest_free)

/* Parses the manifest of one image. An index, a list of manifests, a document that is both, schema
 * 1, and any digest that is not sha256 are ERROR_CORRUPT. */
OciManifest *oci_parse_manifest(const char *text, size_t size, GError **err);

/* Parses a configuration into a new ImageConfig: all that comes from it; id, digest, names, layers
 * and size stay empty. Environment entries that are not NAME=VALUE and unknown stop signals are
 * dropped with a warning. */
ImageConfig *oci_parse_config(const char *text, size_t size, GError **err);

/* Names in an OCI index: one text an image, "" for one that has none (NULL-terminated). */
char **oci_parse_index(const char *text, size_t size, GError **err);

/* Names in the manifest.json of a docker-archive: one GStrv an image. */
GPtrArray *oci_parse_docker_index(const char *text, size_t size, GError **err);
