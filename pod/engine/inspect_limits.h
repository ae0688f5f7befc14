/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits as `inspect` shows them, with podman's field names. Private to the room. */
#pragma once

#include "base/json.h"
#include "model/spec.h"

/* The limits among a container's HostConfig; what is not set is 0 or empty, as in podman. */
void inspect_container_limits(const ContainerSpec *spec, json_t *object);

/* A pod's: what is not set is left out, as in podman. */
void inspect_pod_limits(const PodSpec *spec, json_t *object);
