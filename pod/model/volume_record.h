/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a volume: a record in the store, whose only readers and writers are these
 * functions. */
#pragma once

#include "base/json.h"

#include <stdint.h>

typedef struct VolumeDefinition {
	char *id;
	char *name;
	char **labels; /* K=V */
	uint64_t created_usec;
	bool anonymous;     /* made for one container, which takes it along when it is removed */
	char *container_id; /* that one; NULL */
} VolumeDefinition;

void volume_definition_free(VolumeDefinition *definition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VolumeDefinition, volume_definition_free)

json_t *volume_definition_to_json(const VolumeDefinition *definition);
/* NULL with ERROR_CORRUPT when the id or the name is missing. */
VolumeDefinition *volume_definition_from_json(const json_t *json, GError **err);
