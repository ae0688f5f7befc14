/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of stats: podman's words and units, "--" for what is not known. */
#pragma once

#include "base/json.h"

/* One row for templates, from the engine's numbers now and those of the look before (NULL: the
 * average since the start counts). A new reference. */
json_t *stats_view_container(const json_t *now, const json_t *before, bool no_trunc);
json_t *stats_view_pod(const json_t *now, const json_t *before, bool no_trunc);

/* The objects that --format json shows, from those rows. New references. */
json_t *stats_view_json(const json_t *rows);
json_t *stats_view_pod_json(const json_t *rows);

/* A span as Go prints it: "1m2.5s", "350ms", "1.5µs", "0s". Free with g_free. */
char *stats_view_span(uint64_t nsec);
