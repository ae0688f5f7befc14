/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image out of a container: what it is made from, and one layer more. See image.h. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "image/catalog.h"
#include "image/image_changes.h"
#include "image/publish.h"
#include "image/reference.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define BLOBS         "blobs"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"

typedef struct Commit {
	ImageStore *store;
	const ImageCommit *commit;
	Staging *staging;
	json_t *config;       /* of the new image */
	json_t *layers;       /* descriptors of its manifest */
	size_t n_base_layers; /* of these, from the image below */
	char created[64];
} Commit;

/* The type is told by content: what came from docker has types of its own, and a docker-archive's
 * manifest calls layers compressed that are not. */
static bool add_base_layer(Commit *work, const json_t *layer, GError **err) {
	const char *digest = json_get_string(layer, "digest", "");
	const char *hex = reference_digest_hex(digest);
	char start[8];

	if (!hex)
		return fail(err, ERROR_CORRUPT, "the image below has a layer without a digest");
	g_autofree char *path = store_path(work->store, "blobs/sha256", hex);
	_cleanup_close_ int fd = fd_open_file(AT_FDCWD, path, err);
	if (fd < 0)
		return false;
	ssize_t n = pread(fd, start, sizeof(start), 0);
	if (n < 0)
		return fail_errno(err, errno, "cannot read a layer");
	g_autofree char *type =
		g_strconcat(LAYER_TYPE, publish_compression(start, (size_t)n), NULL);
	json_array_append_new(
		work->layers, json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest,
				      "size", (json_int_t)json_get_int(layer, "size", 0)));
	return true;
}

static bool read_base_layers(Commit *work, const ImageConfig *base, GError **err) {
	const char *hex = reference_digest_hex(base->digest);
	g_autofree char *path = store_path(work->store, "blobs/sha256", hex);
	json_auto_t *manifest = json_read_file(AT_FDCWD, path, err);
	size_t index;
	json_t *layer;

	if (!manifest)
		return false;
	json_array_foreach (json_object_get(manifest, "layers"), index, layer)
		if (!add_base_layer(work, layer, err))
			return false;
	work->n_base_layers = json_array_size(work->layers);
	return true;
}

/* The configuration to start from: the base's without what tells of another container. */
static bool read_base(Commit *work, GError **err) {
	static const char *const foreign[] = {
		"container", "container_config", "docker_version", "id", "parent", "throwaway"};
	const char *id = work->commit->base_id;
	g_autoptr(ImageConfig) base = image_lookup(work->store, id, err);
	g_autofree char *text = base ? image_read_raw_config(work->store, base->id, err) : NULL;

	if (!text)
		return false;
	work->config = json_parse(text, strlen(text), "the image's configuration", err);
	if (!work->config)
		return false;
	array_foreach (key, foreign)
		json_object_del(work->config, *key);
	if (!work->commit->squash)
		return read_base_layers(work, base, err);
	json_object_set_new(
		work->config, "rootfs", json_pack("{s:s, s:[]}", "type", "layers", "diff_ids"));
	json_object_set_new(work->config, "history", json_array());
	return true;
}

/* --- the layer -------------------------------------------------------------------------------- */

static bool add_layer(Commit *work, GError **err) {
	const ImageCommit *commit = work->commit;
	g_autofree char *hex = NULL;
	char diff[65] = "";
	uint64_t bytes;
	_cleanup_close_ int blobs_fd = fd_make_dir(work->staging->fd, BLOBS, 0700, err);
	_cleanup_close_ int fd =
		blobs_fd < 0 ? -1
			     : openat(blobs_fd, "layer",
				       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (blobs_fd < 0)
		return false;
	if (fd < 0)
		return fail_errno(err, errno, "cannot make a staging file");
	if (!commit->write_layer(fd, commit->data, diff, err) ||
		!publish_digest_file(fd, &hex, &bytes, err))
		return false;
	if (renameat(blobs_fd, "layer", blobs_fd, hex) < 0)
		return fail_errno(err, errno, "cannot name a staging file");
	g_autofree char *digest = g_strconcat("sha256:", hex, NULL);
	g_autofree char *diff_id = g_strconcat("sha256:", diff, NULL);
	json_array_append_new(
		work->layers, json_pack("{s:s, s:s, s:I}", "mediaType", LAYER_TYPE "+gzip",
				      "digest", digest, "size", (json_int_t)bytes));
	json_t *rootfs = json_object_get(work->config, "rootfs");
	json_array_append_new(json_object_get(rootfs, "diff_ids"), json_string(diff_id));
	return true;
}

/* --- the configuration ------------------------------------------------------------------------ */

static json_t *member(json_t *object, const char *key, json_t *(*make)(void)) {
	json_t *value = json_object_get(object, key);

	if (!value) {
		value = make();
		json_object_set_new(object, key, value);
	}
	return value;
}

static bool set_config(Commit *work, GError **err) {
	const ImageCommit *commit = work->commit;
	json_t *settings = member(work->config, "config", json_object);
	json_t *entry = json_object();

	for (char *const *change = commit->settings; change && *change; change++)
		if (!image_change_apply(settings, *change, err))
			return false;
	for (char *const *change = commit->changes; change && *change; change++)
		if (!image_change_apply(settings, *change, err))
			return false;
	json_put_string(work->config, "created", work->created);
	json_put_string(work->config, "author", commit->author);
	json_put_string(entry, "created", work->created);
	json_put_string(entry, "created_by", "podctl commit");
	json_put_string(entry, "author", commit->author);
	json_put_string(entry, "comment", commit->message);
	json_array_append_new(member(work->config, "history", json_array), entry);
	return true;
}

static char *format_manifest(const Commit *work, const char *config) {
	g_autofree char *hex = publish_digest(config, strlen(config));
	g_autofree char *digest = g_strconcat("sha256:", hex, NULL);
	json_auto_t *manifest = json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:O}", "schemaVersion", 2,
		"mediaType", MANIFEST_TYPE, "config", "mediaType", CONFIG_TYPE, "digest", digest,
		"size", (json_int_t)strlen(config), "layers", work->layers);

	return json_to_text(manifest, false);
}

static bool publish(Commit *work, const char *stored_name, char **ret_id, GError **err) {
	g_autofree char *config = json_to_text(work->config, false);
	g_autofree char *manifest = format_manifest(work, config);
	g_autofree char *id = NULL;
	const PublishSource source = {
		.staging = work->staging,
		.blobs = BLOBS,
		.manifest = manifest,
		.manifest_size = strlen(manifest),
		.config = config,
		.config_size = strlen(config),
		.n_stored_layers = work->n_base_layers,
	};

	if (!publish_image(work->store, &source, &id, err) ||
		(stored_name && !catalog_set_name(work->store, stored_name, id, err)))
		return false;
	*ret_id = g_steal_pointer(&id);
	return true;
}

static bool check_texts(const ImageCommit *commit, GError **err) {
	if ((commit->author && !g_utf8_validate(commit->author, -1, NULL)) ||
		(commit->message && !g_utf8_validate(commit->message, -1, NULL)))
		return fail(err, ERROR_INVALID, "an author or message that is not UTF-8");
	/* what is wrong with a change is to be known before the work */
	json_auto_t *scratch = json_object();
	for (char *const *change = commit->changes; change && *change; change++)
		if (!image_change_apply(scratch, *change, err))
			return false;
	return true;
}

bool image_commit(ImageStore *store, const ImageCommit *commit, char **ret_id, GError **err) {
	Commit work = {.store = store, .commit = commit, .layers = json_array()};
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *created = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
	g_autofree char *name = NULL;
	bool done = false;

	g_strlcpy(work.created, created, sizeof(work.created));
	if (commit->reference)
		name = reference_normalise(commit->reference, err);
	if ((!commit->reference || name) && check_texts(commit, err)) {
		/* from here on nobody deletes the image below */
		_cleanup_close_ int lock = image_store_lock(store, STORE_LOCK_ADD, err);
		if (lock >= 0 && read_base(&work, err))
			work.staging = store_stage(store, err);
		done = work.staging && add_layer(&work, err) && set_config(&work, err) &&
		       publish(&work, name, ret_id, err);
		store_unstage(work.staging);
	}
	json_decref(work.config);
	json_decref(work.layers);
	return done;
}
