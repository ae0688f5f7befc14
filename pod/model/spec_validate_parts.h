/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of container_spec_validate and pod_spec_validate: options about the process, and about
 * namespaces and id maps. Private to the room. */
#pragma once

#include "model/spec.h"

bool container_spec_validate_process(const ContainerSpec *spec, GError **err);
bool pod_spec_validate_process(const PodSpec *spec, GError **err);

bool container_spec_validate_namespaces(const ContainerSpec *spec, GError **err);
bool pod_spec_validate_namespaces(const PodSpec *spec, GError **err);
