/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces that the query files share. Private to the room. */
#pragma once

#include "engine/handle.h"

/* RFC 3339 with microseconds in UTC; 0 gives Go's zero time, as podman prints it. g_free. */
char *query_time(uint64_t usec);

/* Mounts of a container as inspect shows them: binds, images and volumes; pod: its pod's or NULL.
 */
json_t *query_mounts(Engine *engine, const Container *container, const PodSpec *pod);
/* Their destinations alone, without a look at any volume. */
json_t *query_mount_points(const Container *container);
/* --device as inspect shows it. */
json_t *query_devices(char *const *devices);

/* K=V list as an object. */
json_t *query_labels(char *const *labels);

/* Published ports of a network record as `podman ps --format json` lists them; NULL: none. */
json_t *query_ports(const json_t *network);

/* Name of a pod's infra container: the one asked for, or SHORTID-infra. Free with g_free. */
char *query_infra_name(const Pod *pod);

/* podman's state of a pod from its members and infra: Created Running Degraded Exited Stopped. */
const char *query_pod_status(const Pod *pod, const GPtrArray *members);
