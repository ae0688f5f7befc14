/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times as logs and --since have them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* RFC 3339: 2026-01-02T15:04:05[.FRACTION][Z|+HH:MM]; without a zone it is local time; the seconds
 * and the time may be missing. Microseconds since the epoch. */
bool log_time_parse_stamp(const char *text, uint64_t *ret_usec);

/* A stamp, seconds since the epoch, or a duration before now ("10m"). */
bool log_time_parse(const char *text, uint64_t now_usec, uint64_t *ret_usec);

/* RFC 3339 with nine digits and the local offset; free with g_free. */
char *log_time_format(uint64_t usec);
