/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that leave a container running (podman's --detach-keys): reading the option, and finding
 * them in what is typed. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"
#define DETACH_KEYS_MAX     16

typedef struct DetachKeys {
	uint8_t keys[DETACH_KEYS_MAX];
	size_t n;       /* 0: nothing is looked for */
	size_t matched; /* typed so far, and held back */
} DetachKeys;

/* Reads "a", "ctrl-X", "DEL", comma-separated; X is a-z, @, [, \, ], ^ or _. "" turns it off, NULL
 * is the default. */
bool detach_keys_parse(const char *text, DetachKeys *ret_keys, GError **err);

/* Passes typed bytes on to out (room for size + DETACH_KEYS_MAX): *ret_size of them, without those
 * that may become the sequence. True: the sequence is complete; what was typed after it is dropped.
 */
bool detach_keys_scan(
	DetachKeys *keys, const char *bytes, size_t size, char *out, size_t *ret_size);
