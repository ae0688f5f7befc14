/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records and names of images. See catalog.h. */
#include "image/catalog.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "image/reference.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#define RECORD_LIMIT   (16U << 20)
#define RECORD_VERSION 1

/* Members of a record that are one text or one list of texts of ImageConfig. */
static const struct {
	const char *key;
	size_t offset;
} texts[] =
	{
		{"digest", offsetof(ImageConfig, digest)},
		{"user", offsetof(ImageConfig, user)},
		{"working_dir", offsetof(ImageConfig, working_dir)},
		{"stop_signal", offsetof(ImageConfig, stop_signal)},
		{"architecture", offsetof(ImageConfig, architecture)},
		{"os", offsetof(ImageConfig, os)},
		{"author", offsetof(ImageConfig, author)},
		{"comment", offsetof(ImageConfig, comment)},
		{"healthcheck", offsetof(ImageConfig, healthcheck)},
},
  lists[] = {
	  {"diff_ids", offsetof(ImageConfig, diff_ids)},
	  {"entrypoint", offsetof(ImageConfig, entrypoint)},
	  {"command", offsetof(ImageConfig, command)},
	  {"env", offsetof(ImageConfig, env)},
	  {"volumes", offsetof(ImageConfig, volumes)},
	  {"exposed_ports", offsetof(ImageConfig, exposed_ports)},
	  {"labels", offsetof(ImageConfig, labels)},
};

#define TEXT_OF(image, row) (*(char **)((char *)(image) + (row)->offset))
#define LIST_OF(image, row) (*(char ***)((char *)(image) + (row)->offset))

void image_config_free(ImageConfig *image) {
	if (!image)
		return;
	array_foreach (row, texts)
		g_free(TEXT_OF(image, row));
	array_foreach (row, lists)
		g_strfreev(LIST_OF(image, row));
	g_free(image->id);
	g_free(image->name);
	g_strfreev(image->names);
	g_strfreev(image->layers);
	g_free(image);
}

char *catalog_format(const ImageConfig *image, char *const *stack, char *const *blobs) {
	json_auto_t *root = json_object();

	json_put_int(root, "version", RECORD_VERSION);
	array_foreach (row, texts)
		json_put_string(root, row->key, TEXT_OF(image, row));
	array_foreach (row, lists)
		json_put_strv(root, row->key, LIST_OF(image, row));
	json_put_int(root, "size", (int64_t)image->size_bytes);
	json_put_int(root, "created", (int64_t)image->created_sec);
	json_put_strv(root, "stack", stack);
	json_put_strv(root, "blobs", blobs);
	return json_to_text(root, false);
}

/* Absolute paths of the layers; a name that is no digest is a damaged record. */
static char **layer_paths(const ImageStore *store, const json_t *root, GError **err) {
	g_auto(GStrv) stack = json_get_strv(root, "stack");

	for (char **name = stack; *name; name++) {
		if (strlen(*name) != 64 || !str_is_hex(*name)) {
			fail(err, ERROR_CORRUPT, "the record has a layer without a digest");
			return NULL;
		}
		char *path = g_strconcat(store->state_path, "/layers/", *name, "/diff", NULL);
		g_free(*name);
		*name = path;
	}
	return g_steal_pointer(&stack);
}

ImageConfig *catalog_parse(
	const ImageStore *store, const char *id, const char *text, size_t size, GError **err) {
	json_auto_t *root = json_parse(text, size, id, err);
	g_autoptr(ImageConfig) image = g_new0(ImageConfig, 1);

	if (!root)
		return NULL;
	if (json_get_int(root, "version", 0) != RECORD_VERSION) {
		fail(err, ERROR_CORRUPT, "the record of image %s is of another podctl", id);
		return NULL;
	}
	image->id = g_strdup(id);
	array_foreach (row, texts)
		TEXT_OF(image, row) = g_strdup(json_get_string(root, row->key, NULL));
	array_foreach (row, lists)
		LIST_OF(image, row) = json_get_strv(root, row->key);
	image->size_bytes = (uint64_t)json_get_int(root, "size", 0);
	image->created_sec = (uint64_t)json_get_int(root, "created", 0);
	image->names = g_new0(char *, 1);
	image->layers = layer_paths(store, root, err);
	if (!image->layers || !image->digest)
		return image->layers ? (fail(err, ERROR_CORRUPT,
						"the record of image %s has no digest", id),
					       NULL)
				     : NULL;
	return g_steal_pointer(&image);
}

static char *read_record(const ImageStore *store, const char *id, size_t *ret_size, GError **err) {
	g_autofree char *file = g_strconcat(id, ".json", NULL);
	g_autofree char *path = store_path(store, "images", file);
	char *text = NULL;

	if (!fd_read_file(AT_FDCWD, path, RECORD_LIMIT, &text, ret_size, err))
		return NULL;
	return text;
}

ImageConfig *catalog_read(const ImageStore *store, const char *id, GError **err) {
	size_t size;
	g_autofree char *text = read_record(store, id, &size, err);

	return text ? catalog_parse(store, id, text, size, err) : NULL;
}

static void add_all(GHashTable *set, const json_t *root, const char *key, bool are_digests) {
	g_auto(GStrv) names = json_get_strv(root, key);

	for (char **name = names; *name; name++) {
		const char *hex = are_digests ? reference_digest_hex(*name) : *name;
		if (hex)
			g_hash_table_add(set, g_strdup(hex));
	}
}

bool catalog_mark(const ImageStore *store, const char *id, GHashTable *layers, GHashTable *blobs,
	GError **err) {
	size_t size;
	g_autofree char *text = read_record(store, id, &size, err);
	json_auto_t *root = text ? json_parse(text, size, id, err) : NULL;

	if (!root)
		return false;
	add_all(layers, root, "stack", false);
	add_all(layers, root, "diff_ids", true);
	add_all(blobs, root, "blobs", false);
	return true;
}

char **catalog_ids(const ImageStore *store, GError **err) {
	g_autofree char *path = g_strconcat(store->state_path, "/images", NULL);
	g_auto(GStrv) files = fd_list_dir(AT_FDCWD, path, err);
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

	if (!files)
		return NULL;
	for (char **file = files; *file; file++)
		if (strlen(*file) == 69 && g_str_has_suffix(*file, ".json"))
			g_ptr_array_add(ids, g_strndup(*file, 64));
	g_ptr_array_add(ids, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&ids), FALSE);
}

static char *read_link(int dir_fd, const char *path) {
	char target[65];
	ssize_t n = readlinkat(dir_fd, path, target, sizeof target);

	if (n != 64)
		return NULL;
	target[64] = '\0';
	return str_is_hex(target) ? g_strdup(target) : NULL;
}

char *catalog_name_target(const ImageStore *store, const char *stored_name) {
	g_autofree char *file = reference_escape(stored_name);
	g_autofree char *path = store_path(store, "names", file);

	return read_link(AT_FDCWD, path);
}

static int open_names(const ImageStore *store, GError **err) {
	g_autofree char *path = g_strconcat(store->state_path, "/names", NULL);

	return fd_open_dir(AT_FDCWD, path, err);
}

bool catalog_set_name(
	const ImageStore *store, const char *stored_name, const char *id, GError **err) {
	g_autofree char *file = reference_escape(stored_name);
	g_autofree char *temporary =
		g_strdup_printf(".%08x%08x.tmp", g_random_int(), g_random_int());
	_cleanup_close_ int fd = open_names(store, err);

	if (fd < 0)
		return false;
	if (symlinkat(id, fd, temporary) < 0)
		return fail_errno(err, errno, "cannot store the name \"%s\"", stored_name);
	if (renameat(fd, temporary, fd, file) < 0 || fsync(fd) < 0) {
		int errnum = errno;
		unlinkat(fd, temporary, 0);
		return fail_errno(err, errnum, "cannot store the name \"%s\"", stored_name);
	}
	return true;
}

bool catalog_drop_name(const ImageStore *store, const char *stored_name, GError **err) {
	g_autofree char *file = reference_escape(stored_name);
	_cleanup_close_ int fd = open_names(store, err);

	if (fd < 0)
		return false;
	if (unlinkat(fd, file, 0) < 0 && errno != ENOENT)
		return fail_errno(err, errno, "cannot remove the name \"%s\"", stored_name);
	return true;
}

char **catalog_names(const ImageStore *store, GError **err) {
	g_autofree char *path = g_strconcat(store->state_path, "/names", NULL);
	g_auto(GStrv) files = fd_list_dir(AT_FDCWD, path, err);
	g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);

	if (!files)
		return NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (char **file = files; fd >= 0 && *file; file++) {
		g_autofree char *name = reference_unescape(*file);
		char *id = name ? read_link(fd, *file) : NULL;
		if (!id)
			continue;
		g_ptr_array_add(pairs, id);
		g_ptr_array_add(pairs, g_steal_pointer(&name));
	}
	g_ptr_array_add(pairs, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&pairs), FALSE);
}

char **catalog_names_of(const ImageStore *store, const char *id, GError **err) {
	g_auto(GStrv) pairs = catalog_names(store, err);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	if (!pairs)
		return NULL;
	for (char **pair = pairs; *pair; pair += 2)
		if (strcmp(pair[0], id) == 0)
			g_ptr_array_add(names, g_strdup(pair[1]));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
