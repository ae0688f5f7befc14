/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and ids. Rules are podman's, so that a name valid there is valid here. */
#pragma once

#include "base/error.h"

enum { ID_LENGTH = 64, ID_SHORT_LENGTH = 12 };

/* 64 random lower-case hex digits; free with g_free. */
char *id_generate(void);

/* A name of the form adjective_noun for objects whose user gave none; free with g_free. */
char *name_generate(void);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255 bytes, as podman; ERROR_INVALID names what ("pod name").
 */
bool name_check(const char *name, const char *what, GError **err);

/* A host name as the kernel and RFC 1123 take it: labels of 1..63 [A-Za-z0-9-], not starting with
 * '-', at most 64 bytes in all. */
bool hostname_check(const char *hostname, GError **err);
