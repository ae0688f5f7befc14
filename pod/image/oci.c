/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON documents of images. See oci.h. */
#include "image/oci.h"

#include "base/json.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "image/reference.h"

#include <string.h>
#include <time.h>

static const char *const manifest_types[] = {
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	NULL,
};

void oci_manifest_free(OciManifest *manifest) {
	if (!manifest)
		return;
	g_free(manifest->config.hex);
	for (size_t i = 0; i < manifest->n_layers; i++)
		g_free(manifest->layers[i].hex);
	g_free(manifest->layers);
	g_free(manifest);
}

static bool parse_blob(
	const json_t *descriptor, const char *what, OciBlob *ret_blob, GError **err) {
	const char *hex = reference_digest_hex(json_get_string(descriptor, "digest", NULL));
	int64_t size = json_get_int(descriptor, "size", -1);

	if (!hex)
		return fail(err, ERROR_CORRUPT, "the manifest's %s has no sha256 digest", what);
	if (size < 0)
		return fail(err, ERROR_CORRUPT, "the manifest's %s has no size", what);
	*ret_blob = (OciBlob){g_strdup(hex), (uint64_t)size};
	return true;
}

OciManifest *oci_parse_manifest(const char *text, size_t size, GError **err) {
	json_auto_t *root = json_parse(text, size, "manifest", err);
	g_autoptr(OciManifest) manifest = g_new0(OciManifest, 1);
	json_t *layer;
	size_t i;

	if (!root)
		return NULL;
	const char *type = json_get_string(root, "mediaType", manifest_types[0]);
	const json_t *layers = json_object_get(root, "layers");
	if (json_get_int(root, "schemaVersion", 0) != 2 || !str_in_list(type, manifest_types) ||
		json_object_get(root, "manifests") || !json_is_array(layers)) {
		fail(err, ERROR_CORRUPT, "not the manifest of one image");
		return NULL;
	}
	size_t n_layers = json_array_size(layers);
	if (n_layers == 0 || n_layers > OCI_MAX_LAYERS) {
		fail(err, ERROR_CORRUPT, "the image has %zu layers; 1 to %d are possible", n_layers,
			OCI_MAX_LAYERS);
		return NULL;
	}
	if (!parse_blob(json_object_get(root, "config"), "configuration", &manifest->config, err))
		return NULL;
	manifest->layers = g_new0(OciBlob, n_layers);
	json_array_foreach (layers, i, layer) {
		if (!parse_blob(layer, "layer", &manifest->layers[i], err))
			return NULL;
		manifest->n_layers++;
	}
	return g_steal_pointer(&manifest);
}

static int compare_texts(gconstpointer a, gconstpointer b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object whose values do not matter ({"80/tcp":{}}), sorted. */
static char **sorted_keys(const json_t *object) {
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		g_ptr_array_add(keys, g_strdup(key));
	g_ptr_array_sort(keys, compare_texts);
	g_ptr_array_add(keys, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&keys), FALSE);
}

static char **read_labels(const json_t *object) {
	g_auto(GStrv) keys = sorted_keys(object);
	g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);

	for (char **key = keys; *key; key++) {
		const char *value = json_get_string(object, *key, "");
		g_ptr_array_add(labels, g_strconcat(*key, "=", value, NULL));
	}
	g_ptr_array_add(labels, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&labels), FALSE);
}

/* An entry without a value would mean "the host's" to whoever reads it as an option. */
static bool env_is_valid(const char *entry) {
	const char *equals = strchr(entry, '=');

	return equals && equals != entry && !memchr(entry, '*', (size_t)(equals - entry)) &&
	       !memchr(entry, '\n', (size_t)(equals - entry));
}

static char **read_env(const json_t *object) {
	g_auto(GStrv) all = json_get_strv(object, "Env");
	g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);

	for (char **entry = all; *entry; entry++)
		if (env_is_valid(*entry))
			g_ptr_array_add(env, g_strdup(*entry));
		else
			log_warning("the image has an environment entry that is not NAME=VALUE, "
				    "ignoring");
	g_ptr_array_add(env, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&env), FALSE);
}

static char *read_text(const json_t *object, const char *key) {
	const char *text = json_get_string(object, key, NULL);

	return text && *text ? g_strdup(text) : NULL;
}

static char *read_stop_signal(const json_t *object) {
	g_autofree char *text = read_text(object, "StopSignal");
	int number;

	if (!text || parse_signal(text, &number))
		return g_steal_pointer(&text);
	log_warning("the image has an unknown stop signal, ignoring");
	return NULL;
}

/* RFC 3339 to whole seconds; 0 when it is not, or before 1970. */
static uint64_t read_time(const char *text) {
	g_autoptr(GDateTime) time = NULL;

	if (text)
		time = g_date_time_new_from_iso8601(text, NULL);
	gint64 seconds = time ? g_date_time_to_unix(time) : 0;
	return seconds > 0 ? (uint64_t)seconds : 0;
}

static bool check_diff_ids(char *const *diff_ids, GError **err) {
	if (!*diff_ids)
		return fail(err, ERROR_CORRUPT, "the configuration names no layers");
	for (; *diff_ids; diff_ids++)
		if (!reference_digest_hex(*diff_ids))
			return fail(err, ERROR_CORRUPT,
				"the configuration has a layer without a sha256 digest");
	return true;
}

static char *read_comment(const json_t *root) {
	const json_t *history = json_object_get(root, "history");
	char *comment = read_text(root, "comment");

	if (!comment && json_array_size(history) > 0)
		comment =
			read_text(json_array_get(history, json_array_size(history) - 1), "comment");
	return comment;
}

static void read_run_settings(ImageConfig *image, const json_t *config) {
	const json_t *healthcheck = json_object_get(config, "Healthcheck");

	image->entrypoint = json_get_strv(config, "Entrypoint");
	image->command = json_get_strv(config, "Cmd");
	image->env = read_env(config);
	image->user = read_text(config, "User");
	image->working_dir = read_text(config, "WorkingDir");
	image->stop_signal = read_stop_signal(config);
	image->volumes = sorted_keys(json_object_get(config, "Volumes"));
	image->exposed_ports = sorted_keys(json_object_get(config, "ExposedPorts"));
	image->labels = read_labels(json_object_get(config, "Labels"));
	if (json_is_object(healthcheck))
		image->healthcheck = json_to_text(healthcheck, false);
}

ImageConfig *oci_parse_config(const char *text, size_t size, GError **err) {
	json_auto_t *root = json_parse(text, size, "configuration", err);
	g_autoptr(ImageConfig) image = g_new0(ImageConfig, 1);

	if (!root)
		return NULL;
	if (!json_is_object(root)) {
		fail(err, ERROR_CORRUPT, "the configuration is not an object");
		return NULL;
	}
	read_run_settings(image, json_object_get(root, "config"));
	image->diff_ids = json_get_strv(json_object_get(root, "rootfs"), "diff_ids");
	image->architecture = read_text(root, "architecture");
	image->os = read_text(root, "os");
	image->author = read_text(root, "author");
	image->comment = read_comment(root);
	image->created_sec = read_time(json_get_string(root, "created", NULL));
	if (!check_diff_ids(image->diff_ids, err))
		return NULL;
	if (image->os && strcmp(image->os, "linux") != 0) {
		fail(err, ERROR_UNSUPPORTED, "the image is for \"%s\", not for linux", image->os);
		return NULL;
	}
	return g_steal_pointer(&image);
}

static json_t *parse_image_list(
	const char *text, size_t size, const char *key, const json_t **ret_list, GError **err) {
	json_auto_t *root = json_parse(text, size, "index", err);

	if (!root)
		return NULL;
	const json_t *list = key ? json_object_get(root, key) : root;
	if (!json_is_array(list) || (key && json_object_get(root, "layers"))) {
		fail(err, ERROR_CORRUPT, "not an index of images");
		return NULL;
	}
	size_t n = json_array_size(list);
	if (n == 0 || n > OCI_MAX_IMAGES) {
		fail(err, ERROR_CORRUPT, "the index names %zu images; 1 to %d are possible", n,
			OCI_MAX_IMAGES);
		return NULL;
	}
	*ret_list = list;
	return json_incref(root);
}

char **oci_parse_index(const char *text, size_t size, GError **err) {
	const json_t *list = NULL;
	json_auto_t *root = parse_image_list(text, size, "manifests", &list, err);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	json_t *descriptor;
	size_t i;

	if (!root)
		return NULL;
	json_array_foreach (list, i, descriptor) {
		const json_t *annotations = json_object_get(descriptor, "annotations");
		g_ptr_array_add(names, g_strdup(json_get_string(annotations,
					       "org.opencontainers.image.ref.name", "")));
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

GPtrArray *oci_parse_docker_index(const char *text, size_t size, GError **err) {
	const json_t *list = NULL;
	json_auto_t *root = parse_image_list(text, size, NULL, &list, err);
	json_t *image;
	size_t i;

	if (!root)
		return NULL;
	GPtrArray *names = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	json_array_foreach (list, i, image)
		g_ptr_array_add(names, json_get_strv(image, "RepoTags"));
	return names;
}
