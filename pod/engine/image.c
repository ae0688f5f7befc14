/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images as the CLI sees them: the image room's answers in podman's words. */
#include "engine/query.h"

#include <string.h>

json_t *query_labels(char *const *labels) {
	json_t *object = json_object();

	for (; labels && *labels; labels++) {
		g_auto(GStrv) pair = g_strsplit(*labels, "=", 2);
		json_put_string(object, pair[0], pair[1] ? pair[1] : "");
	}
	return object;
}

static json_t *image_row(const ImageConfig *image) {
	json_t *row = json_object();

	json_put_string(row, "Id", image->id);
	json_put_string(row, "ParentId", "");
	json_object_set_new(row, "RepoTags", json_from_strv(image->names));
	json_object_set_new(row, "Names", json_from_strv(image->names));
	json_put_string(row, "Digest", image->digest);
	json_put_int(row, "Created", (int64_t)image->created_sec);
	g_autofree char *created = query_time(image->created_sec * 1000000);
	json_put_string(row, "CreatedAt", created);
	json_put_int(row, "Size", (int64_t)image->size_bytes);
	json_put_int(row, "VirtualSize", (int64_t)image->size_bytes);
	json_object_set_new(row, "Labels", query_labels(image->labels));
	json_put_string(row, "Arch", image->architecture);
	json_put_string(row, "Os", image->os);
	return row;
}

/* Ids of the images that containers are made from; free with g_strfreev. */
static char **used_images(Engine *engine, GError **err) {
	g_auto(GStrv) ids = engine_container_ids(engine, err);
	g_autoptr(GPtrArray) used = g_ptr_array_new();

	if (!ids)
		return NULL;
	for (char **id = ids; *id; id++) {
		g_autoptr(Container) container = container_open_id(engine, *id, NULL);
		if (container && container->definition->image_id)
			g_ptr_array_add(used, g_strdup(container->definition->image_id));
	}
	g_ptr_array_add(used, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&used), FALSE);
}

static int count_words(char *const *list, const char *word) {
	int count = 0;

	for (; *list; list++)
		count += strcmp(*list, word) == 0;
	return count;
}

json_t *engine_query_images(Engine *engine, GError **err) {
	ImageStore *store = engine_images(engine, err);
	g_autoptr(GPtrArray) images = store ? image_list(store, err) : NULL;
	g_auto(GStrv) used = images ? used_images(engine, err) : NULL;

	if (!used)
		return NULL;
	json_t *rows = json_array();
	for (unsigned i = 0; i < images->len; i++) {
		const ImageConfig *image = g_ptr_array_index(images, i);
		json_t *row = image_row(image);
		json_put_int(row, "Containers", count_words(used, image->id));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *set_of(char *const *words) {
	json_t *object = json_object();

	for (; words && *words; words++)
		json_object_set_new(object, *words, json_object());
	return object;
}

static json_t *image_config(const ImageConfig *image) {
	json_t *config = json_object();

	json_put_string(config, "User", image->user ? image->user : "");
	json_object_set_new(config, "ExposedPorts", set_of(image->exposed_ports));
	json_object_set_new(config, "Env", json_from_strv(image->env));
	json_object_set_new(config, "Entrypoint", json_from_strv(image->entrypoint));
	json_object_set_new(config, "Cmd", json_from_strv(image->command));
	json_object_set_new(config, "Volumes", set_of(image->volumes));
	json_put_string(config, "WorkingDir", image->working_dir ? image->working_dir : "/");
	json_object_set_new(config, "Labels", query_labels(image->labels));
	json_put_string(config, "StopSignal", image->stop_signal);
	return config;
}

json_t *engine_inspect_image(Engine *engine, const char *name, GError **err) {
	ImageStore *store = engine_images(engine, err);
	g_autoptr(ImageConfig) image = store ? image_inspect(store, name, err) : NULL;

	if (!image)
		return NULL;
	json_t *object = image_row(image);
	json_object_del(object, "CreatedAt");
	g_autofree char *created = query_time(image->created_sec * 1000000);
	json_put_string(object, "Created", created);
	json_put_string(object, "Architecture", image->architecture);
	json_put_string(object, "Author", image->author ? image->author : "");
	json_put_string(object, "Comment", image->comment ? image->comment : "");
	json_object_set_new(object, "Config", image_config(image));
	json_t *rootfs = json_object();
	json_put_string(rootfs, "Type", "layers");
	json_object_set_new(rootfs, "Layers", json_from_strv(image->diff_ids));
	json_object_set_new(object, "RootFS", rootfs);
	return object;
}

bool engine_image_exists(Engine *engine, const char *name) {
	ImageStore *store = engine_images(engine, NULL);
	g_autoptr(ImageConfig) image = store ? image_lookup(store, name, NULL) : NULL;

	return image != NULL;
}

bool engine_image_load(Engine *engine, const char *path, char ***ret_names, GError **err) {
	ImageStore *store = engine_images(engine, err);
	g_autoptr(GPtrArray) names = NULL;

	if (!store || !image_load(store, path, &names, err))
		return false;
	*ret_names = g_new0(char *, names->len + 1);
	for (unsigned i = 0; i < names->len; i++)
		(*ret_names)[i] = g_strdup(g_ptr_array_index(names, i));
	return true;
}

bool engine_image_import(Engine *engine, const char *path, const char *reference, char **changes,
	const char *message, char **ret_id, GError **err) {
	ImageStore *store = engine_images(engine, err);

	return store && image_import(store, path, reference, (const char *const *)changes, message,
				ret_id, err);
}

bool engine_image_tag(Engine *engine, const char *name, const char *new_name, GError **err) {
	ImageStore *store = engine_images(engine, err);

	return store && image_tag(store, name, new_name, err);
}

bool engine_image_untag(Engine *engine, const char *name, GError **err) {
	ImageStore *store = engine_images(engine, err);

	return store && image_untag(store, name, err);
}

/* --force: the containers made from the image go first, as with podman. */
static bool remove_users(Engine *engine, const char *image_id, GError **err) {
	g_auto(GStrv) ids = engine_container_ids(engine, err);

	for (char **id = ids; id && *id; id++) {
		g_autoptr(Container) container = container_open_id(engine, *id, NULL);
		if (container && g_strcmp0(container->definition->image_id, image_id) == 0 &&
			!engine_container_remove(engine, *id, true, false, SPEC_UNSET, err))
			return false;
	}
	return ids != NULL;
}

bool engine_image_remove(
	Engine *engine, const char *name, bool force, char ***ret_lines, GError **err) {
	ImageStore *store = engine_images(engine, err);
	g_autoptr(ImageConfig) image = store ? image_lookup(store, name, err) : NULL;
	g_autoptr(GPtrArray) lines = g_ptr_array_new();

	if (!image || (force && !remove_users(engine, image->id, err)))
		return false;
	g_auto(GStrv) used = used_images(engine, err);
	g_autoptr(ImageRemoval) removal =
		used ? image_remove(store, name, force, (const char *const *)used, err) : NULL;
	if (!removal)
		return false;
	for (char **gone = removal->untagged; gone && *gone; gone++)
		g_ptr_array_add(lines, g_strdup_printf("Untagged: %s", *gone));
	if (removal->deleted)
		g_ptr_array_add(lines, g_strdup_printf("Deleted: %s", removal->deleted));
	g_ptr_array_add(lines, NULL);
	*ret_lines = (char **)g_ptr_array_free(g_steal_pointer(&lines), FALSE);
	return true;
}
