/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces as `inspect` shows them, with podman's field names. Private to the room. */
#pragma once

#include "engine/handle.h"

/* PidMode, IpcMode, UTSMode, CgroupMode, UsernsMode and IDMappings of a HostConfig. pod may be
 * NULL. */
void inspect_container_namespaces(const Container *container, const Pod *pod, json_t *object);

/* A pod's SharedNamespaces: a new list. */
json_t *inspect_shared_namespaces(const Pod *pod);
