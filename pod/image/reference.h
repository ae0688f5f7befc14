/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of images as text: [HOST[:PORT]/]PATH[:TAG]. The grammar is the distribution project's
 * ("reference"), the choice of a host for a short name is podman's. No file system here.
 */
#pragma once

#include "base/error.h"

/* The stored form of a name the user gives to an image of his own: a name without a host goes below
 * localhost/, without a tag gets "latest". A digest is refused. ERROR_INVALID says what is wrong.
 * Free with g_free. */
char *reference_normalise(const char *name, GError **err);

/* The stored form of a name out of a docker-archive, where a short name is the default registry's.
 */
char *reference_normalise_docker(const char *name, GError **err);

/* The stored names that a reference may mean, in order (NULL-terminated; g_strfreev). NULL with
 * ERROR_INVALID when it is no name. */
char **reference_candidates(const char *name, GError **err);

/* True if the stored name is name below any host and path: "quay.example/a/b:1" for "a/b:1" and,
 * tag being latest, "b". name must have passed reference_candidates. */
bool reference_is_suffix(const char *stored, const char *name);

/* The 64 hex digits of "sha256:HEX", or NULL when it is anything else. Points into digest. */
const char *reference_digest_hex(const char *digest);

/* A stored name as one file name, and back (NULL when it is none). Free with g_free. */
char *reference_escape(const char *stored);
char *reference_unescape(const char *file_name);
