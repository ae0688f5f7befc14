/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image of one layer out of the tar of a root file system. See image.h. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "image/catalog.h"
#include "image/image_changes.h"
#include "image/layer_unpack.h"
#include "image/publish.h"
#include "image/reference.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define READ_BLOCK  65536
#define INPUT_LIMIT (UINT64_C(64) << 30)
#define BLOBS       "blobs"

typedef struct Import {
	ImageStore *store;
	Staging *staging;
	const char *what; /* for people: the path, or "standard input" */
	const char *message;
	json_t *settings; /* the "config" object */
	char *blob_hex;
	uint64_t blob_bytes;
	const char *compression; /* suffix of the media type */
	char *diff_hex;
} Import;

/* Copies the input into the staging directory and takes its digest. */
static bool copy_input(Import *import, int in_fd, int out_fd, GError **err) {
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *block = g_malloc(READ_BLOCK);

	for (;;) {
		ssize_t n = read(in_fd, block, READ_BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, errno, "cannot read");
		if (n == 0)
			break;
		if (import->blob_bytes == 0)
			import->compression = publish_compression(block, (size_t)n);
		import->blob_bytes += (uint64_t)n;
		if (import->blob_bytes > INPUT_LIMIT)
			return fail(err, ERROR_INVALID, "it is larger than %llu bytes",
				(unsigned long long)INPUT_LIMIT);
		g_checksum_update(checksum, (const guchar *)block, n);
		if (!fd_write_all(out_fd, block, (size_t)n, "layer", err))
			return false;
	}
	if (import->blob_bytes == 0)
		return fail(err, ERROR_CORRUPT, "it is empty");
	import->blob_hex = g_strdup(g_checksum_get_string(checksum));
	return true;
}

/* The stored blob is laid out here once to learn its digest; publish_image finds it done. */
static bool take_layer(Import *import, int in_fd, GError **err) {
	int staging_fd = import->staging->fd;
	LayerReport report;
	_cleanup_close_ int blobs_fd = fd_make_dir(staging_fd, BLOBS, 0700, err);
	_cleanup_close_ int blob_fd =
		blobs_fd < 0 ? -1
			     : openat(blobs_fd, "input",
				       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (blobs_fd < 0)
		return false;
	if (blob_fd < 0)
		return fail_errno(err, errno, "cannot make a staging file");
	if (!copy_input(import, in_fd, blob_fd, err))
		return false;
	_cleanup_close_ int diff_fd = publish_begin_layer(import->staging, err);
	if (diff_fd < 0)
		return false;
	if (lseek(blob_fd, 0, SEEK_SET) < 0)
		return fail_errno(err, errno, "cannot read");
	if (!layer_unpack(blob_fd, diff_fd, &report, err))
		return false;
	if (!report.is_complete)
		return fail(err, ERROR_CORRUPT, "it is truncated: the archive has no end marker");
	import->diff_hex = g_strdup(report.diff_id);
	return publish_end_layer(import->staging, &report, err) &&
	       (renameat(blobs_fd, "input", blobs_fd, import->blob_hex) == 0 ||
		       fail_errno(err, errno, "cannot name a staging file"));
}

/* Go's names, as every image has them. */
static const char *architecture(void) {
	static const struct {
		const char *machine, *name;
	} names[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i686", "386"}, {"armv7l", "arm"},
		{"riscv64", "riscv64"}, {"ppc64le", "ppc64le"}, {"s390x", "s390x"}};
	static struct utsname self;

	uname(&self);
	array_foreach (row, names)
		if (strcmp(row->machine, self.machine) == 0)
			return row->name;
	return self.machine;
}

static char *format_config(const Import *import) {
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *created = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
	g_autofree char *diff_id = g_strconcat("sha256:", import->diff_hex, NULL);
	g_autofree char *comment = import->message
					   ? g_strdup(import->message)
					   : g_strconcat("Imported from ", import->what, NULL);
	json_auto_t *root = json_pack("{s:s, s:s, s:s, s:O, s:{s:s, s:[s]}, s:[{s:s, s:s, s:s}]}",
		"created", created, "architecture", architecture(), "os", "linux", "config",
		import->settings, "rootfs", "type", "layers", "diff_ids", diff_id, "history",
		"created", created, "created_by", "podctl image import", "comment", comment);

	return root ? json_to_text(root, false) : NULL;
}

static char *format_manifest(const Import *import, const char *config) {
	g_autofree char *config_hex = publish_digest(config, strlen(config));
	g_autofree char *config_digest = g_strconcat("sha256:", config_hex, NULL);
	g_autofree char *layer_digest = g_strconcat("sha256:", import->blob_hex, NULL);
	g_autofree char *layer_type =
		g_strconcat("application/vnd.oci.image.layer.v1.tar", import->compression, NULL);
	json_auto_t *root = json_pack("{s:i, s:s, s:{s:s, s:s, s:I}, s:[{s:s, s:s, s:I}]}",
		"schemaVersion", 2, "mediaType", "application/vnd.oci.image.manifest.v1+json",
		"config", "mediaType", "application/vnd.oci.image.config.v1+json", "digest",
		config_digest, "size", (json_int_t)strlen(config), "layers", "mediaType",
		layer_type, "digest", layer_digest, "size", (json_int_t)import->blob_bytes);

	return json_to_text(root, false);
}

static bool add_image(Import *import, const char *stored_name, char **ret_id, GError **err) {
	g_autofree char *config = format_config(import);
	g_autofree char *id = NULL;

	if (!config)
		return fail(err, ERROR_INVALID, "a name or message that is not UTF-8");
	g_autofree char *manifest = format_manifest(import, config);
	PublishSource source = {
		.staging = import->staging,
		.blobs = BLOBS,
		.manifest = manifest,
		.manifest_size = strlen(manifest),
		.config = config,
		.config_size = strlen(config),
	};
	_cleanup_close_ int lock = image_store_lock(import->store, STORE_LOCK_ADD, err);
	if (lock < 0 || !publish_image(import->store, &source, &id, err) ||
		(stored_name && !catalog_set_name(import->store, stored_name, id, err)))
		return false;
	*ret_id = g_steal_pointer(&id);
	return true;
}

static bool import_fd(
	Import *import, int in_fd, const char *stored_name, char **ret_id, GError **err) {
	struct stat st;

	if (in_fd < 0 || fstat(in_fd, &st) < 0)
		return fail_errno(err, errno, "cannot open");
	if (S_ISDIR(st.st_mode))
		return fail(err, ERROR_INVALID, "it is a directory, not a tar archive");
	import->staging = store_stage(import->store, err);
	return import->staging && take_layer(import, in_fd, err) &&
	       add_image(import, stored_name, ret_id, err);
}

bool image_import(ImageStore *store, const char *tar_path, const char *reference,
	const char *const *changes, const char *message, char **ret_id, GError **err) {
	bool is_stdin = strcmp(tar_path, "-") == 0;
	json_auto_t *settings = json_object();
	Import import = {
		.store = store,
		.what = is_stdin ? "standard input" : tar_path,
		.message = message,
		.settings = settings,
		.compression = "",
	};
	g_autofree char *stored_name = reference ? reference_normalise(reference, err) : NULL;

	if (reference && !stored_name)
		return false;
	for (; changes && *changes; changes++)
		if (!image_change_apply(settings, *changes, err))
			return false;
	_cleanup_close_ int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					  : open(tar_path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	bool done = import_fd(&import, fd, stored_name, ret_id, err);
	store_unstage(import.staging);
	g_free(import.blob_hex);
	g_free(import.diff_hex);
	return done || fail_prefix(err, "cannot import \"%s\"", import.what);
}
