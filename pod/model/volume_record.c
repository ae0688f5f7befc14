/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes as JSON and back. See volume_record.h. */
#include "model/volume_record.h"
#include "model/spec_fields.h"

static const FieldRow rows[] = {
	{"id", FIELD_STRING, offsetof(VolumeDefinition, id)},
	{"name", FIELD_STRING, offsetof(VolumeDefinition, name)},
	{"labels", FIELD_LIST, offsetof(VolumeDefinition, labels)},
	{"created_usec", FIELD_UINT64, offsetof(VolumeDefinition, created_usec)},
	{"anonymous", FIELD_BOOL, offsetof(VolumeDefinition, anonymous)},
	{"container_id", FIELD_STRING, offsetof(VolumeDefinition, container_id)},
	{NULL},
};

void volume_definition_free(VolumeDefinition *definition) {
	if (!definition)
		return;
	fields_clear(rows, definition);
	g_free(definition);
}

json_t *volume_definition_to_json(const VolumeDefinition *definition) {
	return fields_to_json(rows, definition);
}

VolumeDefinition *volume_definition_from_json(const json_t *json, GError **err) {
	g_autoptr(VolumeDefinition) definition = g_new0(VolumeDefinition, 1);

	fields_from_json(rows, definition, json);
	if (definition->id && definition->name)
		return g_steal_pointer(&definition);
	fail(err, ERROR_CORRUPT, "the record of a volume has no id or no name");
	return NULL;
}
