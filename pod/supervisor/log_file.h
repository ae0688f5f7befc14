/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The k8s-file log: "TIME stdout F text\n" a line, P instead of F for a part of one; the same file
 * podman writes. Lines are gathered and written with one call a batch. A failing disk loses lines,
 * never half a line, and never stops the container: the loss is told in the log when it works
 * again.
 */
#pragma once

#include "supervisor/supervisor.h"

/* Opens (or makes) the file. A failure is survived: it is tried again with the next batch. */
void log_file_open(Supervisor *s);

/* Takes the time that the entries of this batch carry. */
void log_file_begin(Supervisor *s);

/* Adds an entry of at most LINE_BYTES, without its newline. Rotates before it would pass
 * log_max_bytes. */
void log_file_add(Supervisor *s, bool is_error, const char *text, size_t length, bool partial);

/* Writes what was added. */
void log_file_flush(Supervisor *s);

/* Opens the file by its name again: somebody moved it. */
void log_file_reopen(Supervisor *s);

/* Most bytes of one entry's text; smaller than LINE_BYTES when the log may hardly grow. */
size_t log_file_line_limit(const Supervisor *s);
