/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that describe a container or a pod, as rows over ContainerSpec and PodSpec. Every
 * option that podman has is here: offered, or refused by name with the reason. */
#pragma once

#include "base/options.h"

/* run, create and pod add; the target is a ContainerSpec. */
extern const OptionRow container_spec_options[];

/* pod create; the target is a PodSpec. */
extern const OptionRow pod_spec_options[];
