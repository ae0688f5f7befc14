/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The members of the spec and state structs as rows: storing, reading back and freeing walk them,
 * so a field cannot be forgotten in one of the three. */
#pragma once

#include "base/json.h"
#include "model/spec.h"

#include <stddef.h>

typedef enum FieldKind {
	FIELD_STRING,
	FIELD_LIST,
	FIELD_BOOL,
	FIELD_INT,
	FIELD_UINT64,
} FieldKind;

typedef struct FieldRow {
	const char *key; /* of the JSON member */
	FieldKind kind;
	size_t offset;
} FieldRow;

/* Tables end with key == NULL. */
extern const FieldRow container_spec_fields[];
extern const FieldRow pod_spec_fields[];

/* Every field of object that has a row, as a new JSON object; unset strings and lists are left out.
 */
json_t *fields_to_json(const FieldRow *rows, const void *object);

/* Fills the fields that json has; others keep their value. Owned strings are replaced. */
void fields_from_json(const FieldRow *rows, void *object, const json_t *json);

/* Overwrites the fields of target that changes has set: strings, lists, integers other than
 * SPEC_UNSET, booleans that are true. changes stays as it is. */
void fields_merge(const FieldRow *rows, void *target, const void *changes);

/* Frees strings and lists and sets them to NULL. */
void fields_clear(const FieldRow *rows, void *object);
