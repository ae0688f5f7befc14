/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Birth and death of specs. What the values mean is in spec_parse.c, whether they fit together in
 * spec_validate.c. See spec.h. */
#include "model/spec.h"

#include "model/spec_fields.h"

static void set_unset(const FieldRow *rows, void *object) {
	for (const FieldRow *row = rows; row->key; row++) {
		void *field = (char *)object + row->offset;
		if (row->kind == FIELD_INT)
			*(int *)field = SPEC_UNSET;
	}
}

ContainerSpec *container_spec_new(void) {
	ContainerSpec *spec = g_new0(ContainerSpec, 1);

	set_unset(container_spec_fields, spec);
	return spec;
}

PodSpec *pod_spec_new(void) {
	PodSpec *spec = g_new0(PodSpec, 1);

	set_unset(pod_spec_fields, spec);
	spec->infra = true;
	return spec;
}

void container_spec_free(ContainerSpec *spec) {
	if (!spec)
		return;
	fields_clear(container_spec_fields, spec);
	g_free(spec);
}

void pod_spec_free(PodSpec *spec) {
	if (!spec)
		return;
	fields_clear(pod_spec_fields, spec);
	g_free(spec);
}
