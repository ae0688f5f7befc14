/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.image and NAME.artifact: something is pulled before those who need it start. */
#include "cmdline.h"
#include "common.h"
#include "keys.h"

static const KeyRow image_rows[] = {
	{NULL, KEY_FIXED, "image"},
	{NULL, KEY_FIXED, "pull"},
	{"Arch", KEY_STRING, "--arch"},
	{"AuthFile", KEY_STRING, "--authfile"},
	{"CertDir", KEY_STRING, "--cert-dir"},
	{"Creds", KEY_STRING, "--creds"},
	{"DecryptionKey", KEY_STRING, "--decryption-key"},
	{"OS", KEY_STRING, "--os"},
	{"Policy", KEY_STRING, "--policy"},
	{"Variant", KEY_STRING, "--variant"},
	{"Retry", KEY_STRING, "--retry"},
	{"RetryDelay", KEY_STRING, "--retry-delay"},
	{"AllTags", KEY_BOOL, "--all-tags"},
	{"TLSVerify", KEY_BOOL, "--tls-verify"},
	{"PodmanArgs", KEY_ARGS},
	{"Image", KEY_STRING},
	{"ImageTag", KEY_READ},
	{"ServiceName", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

static const KeyRow artifact_rows[] = {
	{NULL, KEY_FIXED, "artifact"},
	{NULL, KEY_FIXED, "pull"},
	{"AuthFile", KEY_STRING, "--authfile"},
	{"CertDir", KEY_STRING, "--cert-dir"},
	{"Creds", KEY_STRING, "--creds"},
	{"DecryptionKey", KEY_STRING, "--decryption-key"},
	{"Retry", KEY_STRING, "--retry"},
	{"RetryDelay", KEY_STRING, "--retry-delay"},
	{"Quiet", KEY_BOOL, "--quiet"},
	{"TLSVerify", KEY_BOOL, "--tls-verify"},
	{"PodmanArgs", KEY_ARGS},
	{"Artifact", KEY_STRING},
	{"ServiceName", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

static bool convert_pull(Conversion *c, const char *required, GError **err) {
	if (!keys_string(c->unit, required))
		return unit_fail(c->unit, section_last(c->unit->section, required), err,
			ERROR_INVALID, "needs %s= in [%s]", required, c->unit->type->group);
	cmdline_begin(c);
	if (!keys_emit(c, err))
		return false;
	cmdline_add_built(c, "ExecStart");
	common_oneshot_defaults(c, true);
	return true;
}

/* ImageTag= is how an archive's image is called once it is here. */
static void prepare_image(Unit *unit) {
	const char *tag = keys_string(unit, "ImageTag");

	unit->resource = tag ? tag : keys_string(unit, "Image");
}

static bool convert_image(Conversion *c, GError **err) {
	common_check_image(c->unit, "Image");
	return convert_pull(c, "Image", err);
}

static void prepare_artifact(Unit *unit) {
	unit->resource = keys_string(unit, "Artifact");
}

static bool convert_artifact(Conversion *c, GError **err) {
	return convert_pull(c, "Artifact", err);
}

const UnitType unit_type_image = {
	.extension = ".image",
	.group = "Image",
	.renamed = "X-Image",
	.suffix = "-image",
	.order = 1,
	.needs_key = true,
	.rows = image_rows,
	.n_rows = ARRAY_LENGTH(image_rows),
	.prepare = prepare_image,
	.convert = convert_image,
};

const UnitType unit_type_artifact = {
	.extension = ".artifact",
	.group = "Artifact",
	.renamed = "X-Artifact",
	.suffix = "-artifact",
	.order = 1,
	.needs_key = true,
	.rows = artifact_rows,
	.n_rows = ARRAY_LENGTH(artifact_rows),
	.prepare = prepare_artifact,
	.convert = convert_artifact,
};
