/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes as objects of the store. See volume.h. */
#include "engine/volume.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/options.h"
#include "engine/mount_list.h"
#include "engine/query.h"
#include "model/names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Each is a directory of the host that nobody has asked for. */
#define IMAGE_VOLUMES_MAX 256

void volume_free(Volume *volume) {
	if (!volume)
		return;
	store_object_free(volume->object);
	volume_definition_free(volume->definition);
	g_free(volume);
}

static Volume *open_id(Engine *engine, const char *id, GError **err) {
	g_autoptr(Volume) volume = g_new0(Volume, 1);

	volume->object = store_get(engine->store, STORE_VOLUME, id, err);
	json_auto_t *json = volume->object ? store_read(volume->object, "definition", err) : NULL;
	if (!json) {
		if (err && !*err)
			fail(err, ERROR_NOT_FOUND, "no volume with ID %s found", id);
		return NULL;
	}
	volume->definition = volume_definition_from_json(json, err);
	return volume->definition ? g_steal_pointer(&volume) : NULL;
}

/* All of them, by name; free with g_ptr_array_unref. */
static int compare_names(gconstpointer a, gconstpointer b) {
	return strcmp(
		(*(Volume *const *)a)->definition->name, (*(Volume *const *)b)->definition->name);
}

static GPtrArray *open_all(Engine *engine, GError **err) {
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)volume_free);
	g_auto(GStrv) ids = store_list(engine->store, STORE_VOLUME, err);

	if (!ids)
		return NULL;
	for (char **id = ids; *id; id++) {
		g_autoptr(GError) gone = NULL;
		g_autoptr(Volume) volume = open_id(engine, *id, &gone);
		if (volume)
			g_ptr_array_add(all, g_steal_pointer(&volume));
		else if (error_is(gone, ERROR_CORRUPT))
			log_warning("%s, ignoring", gone->message);
	}
	g_ptr_array_sort(all, compare_names);
	return g_steal_pointer(&all);
}

/* Name of the one volume that starts like this; NULL without an error when there is none. */
static char *find_by_prefix(Engine *engine, const char *prefix, GError **err) {
	g_autoptr(GPtrArray) all = *prefix ? open_all(engine, err) : NULL;
	const char *found = NULL;

	for (guint i = 0; all && i < all->len; i++) {
		const Volume *volume = g_ptr_array_index(all, i);
		if (!g_str_has_prefix(volume->definition->name, prefix))
			continue;
		if (found) {
			fail(err, ERROR_INVALID,
				"more than one volume has a name that starts with "
				"\"%s\"",
				prefix);
			return NULL;
		}
		found = volume->definition->name;
	}
	return g_strdup(found);
}

Volume *volume_open(Engine *engine, const char *name, GError **err) {
	g_autoptr(GError) missing = NULL, ambiguous = NULL;
	g_autofree char *id = store_find(engine->store, STORE_VOLUME, name, &missing);

	if (id)
		return open_id(engine, id, err);
	g_autofree char *whole = error_is(missing, ERROR_NOT_FOUND)
					 ? find_by_prefix(engine, name, &ambiguous)
					 : NULL;
	g_autofree char *other =
		whole ? store_find(engine->store, STORE_VOLUME, whole, &ambiguous) : NULL;
	if (other)
		return open_id(engine, other, err);
	g_propagate_error(err, ambiguous ? g_steal_pointer(&ambiguous) : g_steal_pointer(&missing));
	return NULL;
}

char *volume_path(const Volume *volume, GError **err) {
	return store_data_path(volume->object, err);
}

/* The directory above is podctl's alone; this one is a container's, whoever its user is. */
static bool open_to_all(const StoreObject *object, GError **err) {
	g_autofree char *path = store_data_path(object, err);
	_cleanup_close_ int fd = path ? fd_open_dir(AT_FDCWD, path, err) : -1;

	if (fd < 0)
		return false;
	return fchmod(fd, 0755) == 0 ||
	       fail_errno(err, errno, "cannot set the mode of \"%s\"", path);
}

bool volume_make(
	Engine *engine, const VolumeDefinition *definition, bool persistent, GError **err) {
	g_autoptr(GError) error = NULL;
	json_auto_t *json = volume_definition_to_json(definition);
	g_autoptr(StoreObject) object =
		store_create(engine->store, STORE_VOLUME, definition->id, persistent, err);

	if (!object)
		return false;
	if (open_to_all(object, &error) && store_publish(object, definition->name, json, &error)) {
		store_unlock(object);
		return true;
	}
	store_remove(object, NULL);
	if (error_is(error, ERROR_EXISTS))
		return fail(err, ERROR_EXISTS,
			"volume with name \"%s\" already exists: volume already exists",
			definition->name);
	g_propagate_error(err, g_steal_pointer(&error));
	return false;
}

static bool make_named(Engine *engine, const char *name, char *const *labels, GError **err) {
	g_autoptr(VolumeDefinition) definition = g_new0(VolumeDefinition, 1);

	definition->id = id_generate();
	definition->name = g_strdup(name);
	definition->labels = g_strdupv((char **)(uintptr_t)labels);
	definition->created_usec = proc_now_realtime();
	return volume_make(engine, definition, true, err);
}

char *volume_ensure(Engine *engine, const char *name, GError **err) {
	for (int tries = 0; tries < 3; tries++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *id = store_find(engine->store, STORE_VOLUME, name, &error);
		g_autoptr(Volume) volume = id ? open_id(engine, id, &error) : NULL;

		if (volume)
			return volume_path(volume, err);
		if (!error_is(error, ERROR_NOT_FOUND)) {
			g_propagate_error(err, g_steal_pointer(&error));
			return NULL;
		}
		/* two containers may name it first */
		g_clear_error(&error);
		if (!make_named(engine, name, NULL, &error) && !error_is(error, ERROR_EXISTS)) {
			g_propagate_error(err, g_steal_pointer(&error));
			return NULL;
		}
	}
	fail(err, ERROR_STATE, "volume \"%s\" comes and goes", name);
	return NULL;
}

/* --- containers and their volumes ------------------------------------------------------------- */

static bool make_anonymous(Engine *engine, ContainerDefinition *container, const char *destination,
	bool persistent, GError **err) {
	g_autoptr(VolumeDefinition) definition = g_new0(VolumeDefinition, 1);
	g_autofree char *note = NULL;

	definition->id = id_generate();
	definition->name = g_strdup(definition->id);
	definition->created_usec = proc_now_realtime();
	definition->anonymous = true;
	definition->container_id = g_strdup(container->id);
	if (!volume_make(engine, definition, persistent, err))
		return false;
	note = g_strconcat(definition->name, ":", destination, NULL);
	options_append(&container->anonymous_volumes, note);
	return true;
}

bool volumes_prepare(Engine *engine, ContainerDefinition *definition, const PodSpec *pod,
	const ImageConfig *image, bool persistent, GError **err) {
	g_autoptr(GPtrArray) list =
		mount_list(definition->spec, pod, image ? image->volumes : NULL, err);
	bool good = list != NULL;

	if (image && image->volumes && g_strv_length(image->volumes) > IMAGE_VOLUMES_MAX)
		return fail(err, ERROR_INVALID, "the image declares more than %d volumes",
			IMAGE_VOLUMES_MAX);
	for (guint i = 0; good && i < list->len; i++) {
		const MountRequest *request = g_ptr_array_index(list, i);
		if (request->type != MOUNT_TYPE_VOLUME)
			continue;
		if (request->source) {
			g_autofree char *path = volume_ensure(engine, request->source, err);
			good = path != NULL;
		} else {
			good = make_anonymous(
				engine, definition, request->destination, persistent, err);
		}
	}
	if (!good)
		volumes_remove_anonymous(engine, definition);
	return good;
}

char *volumes_anonymous_path(Engine *engine, const ContainerDefinition *definition,
	const char *destination, GError **err) {
	for (char **note = definition->anonymous_volumes; note && *note; note++) {
		if (strlen(*note) <= ID_LENGTH || strcmp(*note + ID_LENGTH + 1, destination) != 0)
			continue;
		g_autofree char *name = g_strndup(*note, ID_LENGTH);
		g_autoptr(Volume) volume = volume_open(engine, name, err);
		return volume ? volume_path(volume, err) : NULL;
	}
	fail(err, ERROR_NOT_FOUND, "the container has no volume for \"%s\"", destination);
	return NULL;
}

/* Looked at before anything goes: half a volume would be left. */
static bool check_mounts(const Volume *volume, GError **err) {
	g_autofree char *path = volume_path(volume, err);
	bool mounted = false;

	if (!path || !fd_has_mounts(path, &mounted, err))
		return false;
	return !mounted ||
	       fail(err, ERROR_IN_USE,
		       "cannot remove volume \"%s\": a file system is mounted in \"%s\"",
		       volume->definition->name, path);
}

static bool remove_volume(Volume *volume, GError **err) {
	if (!check_mounts(volume, err))
		return false;
	if (!store_lock(volume->object, LOCK_TIMEOUT_USEC, err))
		return false;
	bool good = store_remove(volume->object, err);
	store_unlock(volume->object);
	return good;
}

void volumes_remove_anonymous(Engine *engine, const ContainerDefinition *definition) {
	for (char **note = definition->anonymous_volumes; note && *note; note++) {
		g_autofree char *name = g_strndup(*note, ID_LENGTH);
		g_autoptr(GError) error = NULL;
		g_autoptr(Volume) volume = volume_open(engine, name, &error);

		if (volume ? !remove_volume(volume, &error) : !error_is(error, ERROR_NOT_FOUND))
			log_warning("%s, continuing", error->message);
	}
}

void volumes_remove_of(Engine *engine, const char *container_id) {
	g_autoptr(GPtrArray) all = open_all(engine, NULL);

	for (guint i = 0; all && i < all->len; i++) {
		Volume *volume = g_ptr_array_index(all, i);
		g_autoptr(GError) error = NULL;

		if (g_strcmp0(volume->definition->container_id, container_id) == 0 &&
			!remove_volume(volume, &error))
			log_warning("%s, continuing", error->message);
	}
}

static bool uses(Engine *engine, const ContainerDefinition *definition, const char *name) {
	g_autoptr(Pod) pod = definition->pod_id ? pod_open(engine, definition->pod_id, NULL) : NULL;
	g_autoptr(GPtrArray) list =
		mount_list(definition->spec, pod ? pod->definition->spec : NULL, NULL, NULL);

	for (char **note = definition->anonymous_volumes; note && *note; note++)
		if (strncmp(*note, name, ID_LENGTH) == 0 && strlen(name) == ID_LENGTH)
			return true;
	for (guint i = 0; list && i < list->len; i++) {
		const MountRequest *request = g_ptr_array_index(list, i);
		if (request->type == MOUNT_TYPE_VOLUME && g_strcmp0(request->source, name) == 0)
			return true;
	}
	return false;
}

char **volume_users(Engine *engine, const char *name, GError **err) {
	g_auto(GStrv) ids = store_list(engine->store, STORE_CONTAINER, err);
	g_auto(GStrv) users = g_new0(char *, 1);

	for (char **id = ids; id && *id; id++) {
		g_autoptr(Container) container = container_open_id(engine, *id, NULL);
		if (container && uses(engine, container->definition, name))
			options_append(&users, *id);
	}
	return ids ? g_steal_pointer(&users) : NULL;
}

/* --- the door --------------------------------------------------------------------------------- */

bool engine_volume_create(Engine *engine, const char *name, char *const *labels, bool ignore,
	char **ret_name, GError **err) {
	g_autofree char *made = name ? g_strdup(name) : id_generate();
	g_autoptr(GError) error = NULL;

	if (!engine_require_root(err) || !name_check(made, "volume name", err) ||
		!engine_recover(engine, err))
		return false;
	if (!make_named(engine, made, labels, &error) &&
		!(ignore && error_is(error, ERROR_EXISTS))) {
		g_propagate_error(err, g_steal_pointer(&error));
		return false;
	}
	*ret_name = g_steal_pointer(&made);
	return true;
}

static json_t *volume_to_json(const Volume *volume) {
	const VolumeDefinition *definition = volume->definition;
	g_autofree char *path = volume_path(volume, NULL);
	g_autofree char *created = query_time(definition->created_usec);
	json_t *object = json_object();

	json_put_string(object, "Name", definition->name);
	json_put_string(object, "Driver", "local");
	json_put_string(object, "Mountpoint", path ? path : "");
	json_put_string(object, "CreatedAt", created);
	json_object_set_new(object, "Labels", query_labels(definition->labels));
	json_put_string(object, "Scope", "local");
	json_object_set_new(object, "Options", json_object());
	if (definition->anonymous)
		json_put_bool(object, "Anonymous", true);
	json_put_int(object, "MountCount", 0);
	json_put_int(object, "_created_usec", (int64_t)definition->created_usec);
	return object;
}

json_t *engine_query_volumes(Engine *engine, GError **err) {
	g_autoptr(GPtrArray) all = open_all(engine, err);
	json_t *list = all ? json_array() : NULL;

	for (guint i = 0; all && i < all->len; i++)
		json_array_append_new(list, volume_to_json(g_ptr_array_index(all, i)));
	return list;
}

json_t *engine_inspect_volume(Engine *engine, const char *name, GError **err) {
	g_autoptr(Volume) volume = volume_open(engine, name, err);
	json_t *object = volume ? volume_to_json(volume) : NULL;

	if (object)
		json_object_del(object, "_created_usec");
	return object;
}

bool engine_volume_is_used(Engine *engine, const char *name, bool *ret_used, GError **err) {
	g_auto(GStrv) users = volume_users(engine, name, err);

	if (users)
		*ret_used = users[0] != NULL;
	return users != NULL;
}

bool engine_volume_remove(
	Engine *engine, const char *name, bool force, int timeout_sec, GError **err) {
	g_autoptr(Volume) volume = volume_open(engine, name, err);
	g_auto(GStrv) users = volume ? volume_users(engine, volume->definition->name, err) : NULL;

	if (!users || !engine_require_root(err))
		return false;
	if (users[0] && !force) {
		g_autofree char *list = g_strjoinv(", ", users);
		return fail(err, ERROR_IN_USE,
			"volume %s is being used by the following container(s): %s: volume is "
			"being used",
			volume->definition->name, list);
	}
	for (char **user = users; *user; user++) {
		g_autoptr(GError) error = NULL;
		if (!engine_container_remove(engine, *user, true, false, timeout_sec, &error) &&
			!error_is(error, ERROR_NOT_FOUND)) {
			g_propagate_error(err, g_steal_pointer(&error));
			return false;
		}
	}
	return remove_volume(volume, err);
}
