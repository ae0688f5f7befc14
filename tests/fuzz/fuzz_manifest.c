/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as each JSON document of an image, and as a name of one. What was accepted as a
 * configuration makes a record that reads back the same; digests that were accepted are file names.
 */
#include "base/log.h"
#include "image/catalog.h"
#include "image/oci.h"
#include "image/reference.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drop_message(LogLevel level, const char *text) {
	(void)level;
	(void)text;
}

static void check_config(const char *text, size_t size) {
	static char hex[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static ImageStore store = {.state_path = hex, .run_path = hex};
	char *stack[] = {hex, NULL};
	g_autoptr(ImageConfig) image = oci_parse_config(text, size, NULL);

	if (!image)
		return;
	for (char **entry = image->env; *entry; entry++)
		g_assert_true(strchr(*entry, '=') > *entry);
	image->digest = g_strconcat("sha256:", hex, NULL);
	g_autofree char *record = catalog_format(image, stack, stack);
	g_autoptr(ImageConfig) back = catalog_parse(&store, hex, record, strlen(record), NULL);
	g_assert_nonnull(back);
	g_autofree char *again = catalog_format(back, stack, stack);
	g_assert_cmpstr(record, ==, again);
}

static void check_manifest(const char *text, size_t size) {
	g_autoptr(OciManifest) manifest = oci_parse_manifest(text, size, NULL);

	for (size_t i = 0; manifest && i < manifest->n_layers; i++) {
		g_assert_cmpuint(strlen(manifest->layers[i].hex), ==, 64);
		g_assert_null(strchr(manifest->layers[i].hex, '/'));
	}
}

static void check_name(const char *text) {
	g_autofree char *stored = reference_normalise(text, NULL);

	if (!stored)
		return;
	g_autofree char *file = reference_escape(stored);
	g_autofree char *back = reference_unescape(file);
	g_autofree char *again = reference_normalise(stored, NULL);
	g_assert_null(strchr(file, '/'));
	g_assert_cmpuint(strlen(file), <=, 255);
	g_assert_cmpstr(back, ==, stored);
	g_assert_cmpstr(again, ==, stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_malloc(size + 1);

	log_set_sink(drop_message);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	g_auto(GStrv) names = oci_parse_index(text, size, NULL);
	GPtrArray *images = oci_parse_docker_index(text, size, NULL);
	if (images)
		g_ptr_array_unref(images);
	check_config(text, size);
	check_manifest(text, size);
	check_name(text);
	return 0;
}
