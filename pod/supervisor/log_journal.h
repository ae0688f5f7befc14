/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journald log: one datagram a line in journald's native protocol, spoken by hand
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). stdout is PRIORITY 6, stderr 3, as conmon has it;
 * a line that begins with "<N>" says its priority itself, as everywhere under systemd. Parts of a
 * long line carry CONTAINER_PARTIAL_MESSAGE=true, the last part does not.
 */
#pragma once

#include "supervisor/supervisor.h"

/* Connects; a journald that is not there is tried again with each entry. */
void log_journal_open(Supervisor *s);

/* Sends an entry of at most LINE_BYTES, without its newline. begins_line: not a later part. Waits
 * for a busy journald at most a second, and not at all as long as it stays stuck; what is lost is
 * told when it works again. */
void log_journal_add(Supervisor *s, bool is_error, bool begins_line, const char *text,
	size_t length, bool partial);
