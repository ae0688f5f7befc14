/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From checked bytes to an image in the store. See publish.h. */
#include "image/publish.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "image/catalog.h"
#include "image/layer_unpack.h"
#include "image/oci.h"
#include "image/reference.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define READ_BLOCK 65536

typedef struct Publication {
	const ImageStore *store;
	const PublishSource *source;
	int store_fd;
	OciManifest *manifest;
	ImageConfig *image;
	GPtrArray *stack; /* hex names of the layers to mount, lowest first */
	GPtrArray *blobs; /* hex names of all blobs */
} Publication;

/* By their first bytes. The specification has types for gzip and zstd only. */
static const struct {
	const char *magic;
	size_t size;
	const char *suffix;
} compressions[] = {
	{"\x1f\x8b", 2, "+gzip"},
	{"\x28\xb5\x2f\xfd", 4, "+zstd"},
	{"\xfd"
	 "7zXZ",
		5, "+xz"},
	{"BZh", 3, "+bzip2"},
};

const char *publish_compression(const char *data, size_t size) {
	array_foreach (row, compressions)
		if (size >= row->size && memcmp(data, row->magic, row->size) == 0)
			return row->suffix;
	return "";
}

char *publish_digest(const char *text, size_t size) {
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, size);
}

bool publish_digest_file(int fd, char **ret_hex, uint64_t *ret_bytes, GError **err) {
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree unsigned char *block = g_malloc(READ_BLOCK);
	off_t offset = 0;

	for (;;) {
		ssize_t n = pread(fd, block, READ_BLOCK, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, errno, "cannot read a layer");
		if (n == 0)
			break;
		g_checksum_update(checksum, block, n);
		offset += n;
	}
	*ret_hex = g_strdup(g_checksum_get_string(checksum));
	*ret_bytes = (uint64_t)offset;
	return true;
}

static bool check_digest(int fd, const char *hex, GError **err) {
	g_autofree char *actual = NULL;
	uint64_t bytes;

	if (!publish_digest_file(fd, &actual, &bytes, err))
		return false;
	return strcmp(actual, hex) == 0 ||
	       fail(err, ERROR_CORRUPT, "its content does not match its digest");
}

static int open_blob(const Publication *work, const OciBlob *blob, GError **err) {
	g_autofree char *path = g_strconcat(work->source->blobs, "/", blob->hex, NULL);
	struct stat st;
	_cleanup_close_ int fd = openat(
		work->source->staging->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		fail_errno(err, errno, "cannot open its blob");
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fail(err, ERROR_CORRUPT, "its blob is not a file");
		return -1;
	}
	if ((uint64_t)st.st_size != blob->size_bytes) {
		fail(err, ERROR_CORRUPT, "its blob has %lld bytes, the manifest says %llu",
			(long long)st.st_size, (unsigned long long)blob->size_bytes);
		return -1;
	}
	return steal_fd(&fd);
}

#define NEW_LAYER "new"

int publish_begin_layer(Staging *staging, GError **err) {
	_cleanup_close_ int layer_fd = fd_make_dir(staging->fd, NEW_LAYER, 0700, err);

	if (layer_fd < 0)
		return -1;
	_cleanup_close_ int diff_fd = fd_make_dir(layer_fd, "diff", 0700, err);
	/* the container's root directory, unless the archive says otherwise: whatever our umask */
	if (diff_fd >= 0 && fchmod(diff_fd, 0755) < 0) {
		fail_errno(err, errno, "cannot set the mode of a layer");
		return -1;
	}
	return steal_fd(&diff_fd);
}

bool publish_end_layer(Staging *staging, const LayerReport *report, GError **err) {
	g_autofree char *target = g_strconcat("layer-", report->diff_id, NULL);
	json_auto_t *info = json_object();
	_cleanup_close_ int layer_fd = fd_open_dir(staging->fd, NEW_LAYER, err);

	if (layer_fd < 0)
		return false;
	if (report->n_skipped > 0)
		log_debug("layer %s: %" PRIu64 " device nodes and attributes left out",
			report->diff_id, report->n_skipped);
	json_put_int(info, "size", (int64_t)report->file_bytes);
	json_put_bool(info, "hides_below", report->hides_below);
	g_autofree char *text = json_to_text(info, false);
	if (!fd_replace_file(
		    layer_fd, "info.json", text, strlen(text), 0600, FD_REPLACE_PLAIN, err))
		return false;
	if (renameat(staging->fd, NEW_LAYER, staging->fd, target) < 0)
		return fail_errno(err, errno, "cannot name a layer");
	return true;
}

static bool lay_out(const Publication *work, const char *diff_hex, const OciBlob *blob, int blob_fd,
	GError **err) {
	Staging *staging = work->source->staging;
	LayerReport report;
	_cleanup_close_ int diff_fd = publish_begin_layer(staging, err);

	if (diff_fd < 0 || !layer_unpack(blob_fd, diff_fd, &report, err))
		return false;
	if (strcmp(report.diff_id, diff_hex) != 0)
		return fail(err, ERROR_CORRUPT, "its content does not match its digest");
	/* an uncompressed layer's digest is the one just checked */
	if (strcmp(diff_hex, blob->hex) != 0 && !check_digest(blob_fd, blob->hex, err))
		return false;
	return publish_end_layer(staging, &report, err);
}

/* Opens the layer where it is: in the store, or freshly laid out in staging. -1 without an error
 * when it is nowhere. */
static int find_layer(const Publication *work, const char *diff_hex) {
	g_autofree char *stored = g_strconcat("layers/", diff_hex, NULL);
	g_autofree char *staged = g_strconcat("layer-", diff_hex, NULL);
	int fd = fd_open_dir(work->store_fd, stored, NULL);

	return fd >= 0 ? fd : fd_open_dir(work->source->staging->fd, staged, NULL);
}

/* The same layer twice: the upper one alone says the same, and overlayfs refuses the pair. */
static void stack_layer(Publication *work, const char *diff_hex, bool hides_below) {
	guint index;

	if (hides_below)
		g_ptr_array_set_size(work->stack, 0);
	if (g_ptr_array_find_with_equal_func(work->stack, diff_hex, g_str_equal, &index))
		g_ptr_array_remove_index(work->stack, index);
	g_ptr_array_add(work->stack, g_strdup(diff_hex));
}

/* Opens the layer that is made from a blob of the staging directory. -1 on error. */
static int take_layer(
	const Publication *work, const OciBlob *blob, const char *diff_hex, GError **err) {
	_cleanup_close_ int blob_fd = open_blob(work, blob, err);

	if (blob_fd < 0)
		return -1;
	_cleanup_close_ int layer_fd = find_layer(work, diff_hex);
	if (layer_fd >= 0)
		return check_digest(blob_fd, blob->hex, err) ? steal_fd(&layer_fd) : -1;
	if (!lay_out(work, diff_hex, blob, blob_fd, err))
		return -1;
	return find_layer(work, diff_hex);
}

/* Opens a layer that the store has, blob and all. -1 on error, or when it is hidden: layers below
 * an opaque root are not kept laid out. */
static int use_layer(const Publication *work, const OciBlob *blob, const char *diff_hex,
	bool *ret_is_hidden, GError **err) {
	g_autofree char *blob_path = g_strconcat("blobs/sha256/", blob->hex, NULL);
	g_autofree char *path = g_strconcat("layers/", diff_hex, NULL);

	if (faccessat(work->store_fd, blob_path, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		fail_errno(err, errno, "cannot find the blob of a layer");
		return -1;
	}
	*ret_is_hidden =
		faccessat(work->store_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
	return *ret_is_hidden ? -1 : fd_open_dir(work->store_fd, path, err);
}

static bool add_layer(Publication *work, size_t i, GError **err) {
	const OciBlob *blob = &work->manifest->layers[i];
	const char *diff_hex = reference_digest_hex(work->image->diff_ids[i]);
	bool is_stored = i < work->source->n_stored_layers, is_hidden = false;
	_cleanup_close_ int layer_fd = is_stored ? use_layer(work, blob, diff_hex, &is_hidden, err)
						 : take_layer(work, blob, diff_hex, err);

	if (layer_fd < 0 && !is_hidden)
		return false;
	if (is_hidden) {
		g_ptr_array_add(work->blobs, g_strdup(blob->hex));
		return true;
	}
	json_auto_t *info = json_read_file(layer_fd, "info.json", err);
	if (!info)
		return false;
	work->image->size_bytes += (uint64_t)json_get_int(info, "size", 0);
	stack_layer(work, diff_hex, json_get_bool(info, "hides_below", false));
	g_ptr_array_add(work->blobs, g_strdup(blob->hex));
	return true;
}

static bool add_layers(Publication *work, GError **err) {
	size_t n_layers = work->manifest->n_layers;

	if (g_strv_length(work->image->diff_ids) != n_layers)
		return fail(err, ERROR_CORRUPT,
			"the manifest and the configuration do not have the same number of layers");
	for (size_t i = 0; i < n_layers; i++)
		if (!add_layer(work, i, err))
			return fail_prefix(err, "layer %zu", i + 1);
	return true;
}

/* The two documents become blobs beside the layers. */
static bool add_document(
	Publication *work, const char *hex, const char *text, size_t size, GError **err) {
	g_autofree char *path = g_strconcat(work->source->blobs, "/", hex, NULL);
	_cleanup_close_ int fd = openat(work->source->staging->fd, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_errno(err, errno, "cannot write a blob");
	g_ptr_array_add(work->blobs, g_strdup(hex));
	return fd_write_all(fd, text, size, "blob", err);
}

static bool add_documents(Publication *work, GError **err) {
	const PublishSource *source = work->source;
	g_autofree char *config_hex = publish_digest(source->config, source->config_size);
	g_autofree char *manifest_hex = publish_digest(source->manifest, source->manifest_size);

	if (strcmp(config_hex, work->manifest->config.hex) != 0 ||
		work->manifest->config.size_bytes != source->config_size)
		return fail(err, ERROR_CORRUPT, "the configuration does not match its digest");
	work->image->digest = g_strconcat("sha256:", manifest_hex, NULL);
	work->image->id = g_strdup(config_hex);
	return add_document(work, config_hex, source->config, source->config_size, err) &&
	       add_document(work, manifest_hex, source->manifest, source->manifest_size, err);
}

/* Somebody else may have put the same thing there: it has the same digest. */
static bool move_in(const Publication *work, const char *from, const char *to, GError **err) {
	if (renameat(work->source->staging->fd, from, work->store_fd, to) == 0 || errno == EEXIST ||
		errno == ENOTEMPTY)
		return true;
	if (errno == ENOENT && faccessat(work->store_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	return fail_errno(err, errno, "cannot store \"%s\"", to);
}

static bool sync_folder(const Publication *work, const char *folder, GError **err) {
	_cleanup_close_ int fd = fd_open_dir(work->store_fd, folder, err);

	if (fd < 0)
		return false;
	return fsync(fd) == 0 || fail_errno(err, errno, "cannot write \"%s\" to disk", folder);
}

static bool move_all(const Publication *work, GError **err) {
	for (guint i = 0; i < work->stack->len; i++) {
		const char *hex = work->stack->pdata[i];
		g_autofree char *from = g_strconcat("layer-", hex, NULL);
		g_autofree char *to = g_strconcat("layers/", hex, NULL);
		if (!move_in(work, from, to, err))
			return false;
	}
	for (guint i = 0; i < work->blobs->len; i++) {
		const char *hex = work->blobs->pdata[i];
		g_autofree char *from = g_strconcat(work->source->blobs, "/", hex, NULL);
		g_autofree char *to = g_strconcat("blobs/sha256/", hex, NULL);
		if (!move_in(work, from, to, err))
			return false;
	}
	return sync_folder(work, "layers", err) && sync_folder(work, "blobs/sha256", err);
}

static bool write_record(const Publication *work, GError **err) {
	g_ptr_array_add(work->stack, NULL);
	g_ptr_array_add(work->blobs, NULL);
	g_autofree char *text = catalog_format(
		work->image, (char **)work->stack->pdata, (char **)work->blobs->pdata);
	g_autofree char *name = g_strconcat(work->image->id, ".json", NULL);
	_cleanup_close_ int fd = fd_open_dir(work->store_fd, "images", err);

	return fd >= 0 && fd_replace_file(fd, name, text, strlen(text), 0600, FD_REPLACE_SYNC, err);
}

static bool publish(Publication *work, GError **err) {
	work->manifest =
		oci_parse_manifest(work->source->manifest, work->source->manifest_size, err);
	if (!work->manifest)
		return false;
	work->image = oci_parse_config(work->source->config, work->source->config_size, err);
	return work->image && add_documents(work, err) && add_layers(work, err) &&
	       store_sync(work->store, err) && move_all(work, err) && write_record(work, err);
}

bool publish_image(
	const ImageStore *store, const PublishSource *source, char **ret_id, GError **err) {
	g_autoptr(GPtrArray) stack = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) blobs = g_ptr_array_new_with_free_func(g_free);
	_cleanup_close_ int store_fd = store_make(store, err);
	Publication work = {store, source, store_fd, NULL, NULL, stack, blobs};

	if (store_fd < 0)
		return false;
	bool done = publish(&work, err);
	if (done)
		*ret_id = g_strdup(work.image->id);
	oci_manifest_free(work.manifest);
	image_config_free(work.image);
	return done;
}
