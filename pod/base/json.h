/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * jansson with our error idiom. Values are json_t; own them with json_auto (from jansson.h).
 * Getters never fail: they return the fallback when the member is missing or of another type,
 * because a record of an older or newer podctl must still be readable.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stdint.h>

/* Parses text; what names the source in the error (ERROR_CORRUPT). Duplicate keys and nesting
 * deeper than 64 are refused. A new reference, NULL on error. */
json_t *json_parse(const char *text, size_t size, const char *what, GError **err);

/* Reads and parses a file, at most 16 MiB. ERROR_NOT_FOUND when it is missing. */
json_t *json_read_file(int dir_fd, const char *path, GError **err);

/* Text of a value; compact, or indented by four as podman prints it. Free with g_free. */
char *json_to_text(const json_t *value, bool pretty);

/* Borrowed from object; fallback may be NULL. */
const char *json_get_string(const json_t *object, const char *key, const char *fallback);
int64_t json_get_int(const json_t *object, const char *key, int64_t fallback);
bool json_get_bool(const json_t *object, const char *key, bool fallback);

/* A copied string list (NULL-terminated, never NULL itself); members of another type are dropped.
 */
char **json_get_strv(const json_t *object, const char *key);

/* Setters drop NULL: a NULL text or list leaves the member out. */
void json_put_string(json_t *object, const char *key, const char *text);
void json_put_int(json_t *object, const char *key, int64_t value);
void json_put_bool(json_t *object, const char *key, bool value);
void json_put_strv(json_t *object, const char *key, char *const *list);

/* A new array of strings from a list (NULL gives an empty array). */
json_t *json_from_strv(char *const *list);
