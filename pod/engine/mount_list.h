/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that is to be mounted into one container, whoever asked for it. Private to the room.
 */
#pragma once

#include "model/mount_request.h"
#include "model/spec.h"

/* MountRequests (free function set): the pod's, the container's, and the image's volumes as
 * --image-volume says, each destination once: the container's own word wins. pod and image_volumes
 * may be NULL. ERROR_INVALID for an image's volume on a place of the runtime's. */
GPtrArray *mount_list(
	const ContainerSpec *spec, const PodSpec *pod, char *const *image_volumes, GError **err);
