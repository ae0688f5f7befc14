/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 (FIPS 180-4). Here because the digest of a layer is taken while it is read, inside the
 * confined program, and libarchive has no digest to offer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Sha256 {
	uint32_t state[8];
	uint64_t size; /* bytes so far */
	uint8_t block[64];
} Sha256;

void sha256_init(Sha256 *hash);
void sha256_update(Sha256 *hash, const void *data, size_t size);

/* Lower-case hex and a NUL; the hash is used up. */
void sha256_finish(Sha256 *hash, char ret_hex[65]);
