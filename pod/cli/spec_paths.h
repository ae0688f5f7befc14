/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths in a spec that are relative to where the caller stands: only the front end knows that. */
#pragma once

#include "model/spec.h"

/* Makes sources of mounts, the directory of --rootfs, and files that are written or read when the
 * container starts absolute, in place. */
void spec_paths_container(ContainerSpec *spec);
void spec_paths_pod(PodSpec *spec);
