/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict parsers of small values. None of them accepts leading blanks, signs it does not need, or
 * trailing text. They set no error: the caller knows what the value was for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_INFINITY UINT64_MAX

/* Decimal digits only, at most max. */
bool parse_uint64(const char *text, uint64_t max, uint64_t *ret_value);
bool parse_uint(const char *text, unsigned max, unsigned *ret_value);

/* Optional '-', then decimal digits, within [min, max]. */
bool parse_int(const char *text, int min, int max, int *ret_value);

/* podman's and Go's booleans: 1 t true 0 f false, any case of these words. */
bool parse_bool(const char *text, bool *ret_value);

/* 10, 10b, 10k, 10m, 10g, 10t (also kb, kib ...; powers of 1024, any case). */
bool parse_size(const char *text, uint64_t *ret_bytes);

/* Go durations: "1h30m", "1.5s", "300ms", "10us"; a bare "0". Result in microseconds. */
bool parse_duration(const char *text, uint64_t *ret_usec);

/* Octal digits up to 07777. */
bool parse_mode(const char *text, unsigned *ret_mode);

/* "TERM", "SIGTERM", "15", "RTMIN+3"; any case. 1..64. */
bool parse_signal(const char *text, int *ret_signal);

/* The name with "SIG" in front, or NULL for numbers that have none. */
const char *signal_to_string(int signal_number);
