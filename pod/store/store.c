/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store as a whole: opening it, finding and listing objects. Nothing here takes a lock. */
#include "base/fd.h"
#include "base/str.h"
#include "model/names.h"
#include "store/layout.h"

#include <fcntl.h>
#include <string.h>

static const char *const directories[] = {
	[STORE_CONTAINER] = "containers",
	[STORE_POD] = "pods",
	[STORE_VOLUME] = "volumes",
};

static const char *const words[] = {
	[STORE_CONTAINER] = "container",
	[STORE_POD] = "pod",
	[STORE_VOLUME] = "volume",
};

const char *kind_directory(StoreKind kind) {
	return directories[kind];
}

const char *kind_word(StoreKind kind) {
	return words[kind];
}

char *object_path(StoreKind kind, const char *id) {
	return g_strconcat(directories[kind], "/", id, NULL);
}

bool object_path_parse(const char *path, StoreKind *ret_kind, const char **ret_id) {
	for (size_t i = 0; i < ARRAY_LENGTH(directories); i++) {
		size_t length = strlen(directories[i]);
		if (strncmp(path, directories[i], length) != 0 || path[length] != '/' ||
			!str_is_hex(path + length + 1))
			continue;
		*ret_kind = (StoreKind)i;
		*ret_id = path + length + 1;
		return true;
	}
	return false;
}

bool path_exists(int dir_fd, const char *path) {
	return dir_fd >= 0 && faccessat(dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool object_is_gone(const Store *store, const char *path) {
	return !path_exists(store->run_fd, path) && !path_exists(store->state_fd, path);
}

bool is_published(const Store *store, StoreKind kind, const char *id) {
	char path[128];

	g_snprintf(path, sizeof path, "%s/%s/" DEFINITION_FILE, directories[kind], id);
	return path_exists(store->run_fd, path) || path_exists(store->state_fd, path);
}

Store *store_open(const char *state_path, const char *run_path, GError **err) {
	if (*state_path != '/' || *run_path != '/') {
		fail(err, ERROR_INVALID, "cannot open the store: \"%s\" is not an absolute path",
			*state_path != '/' ? state_path : run_path);
		return NULL;
	}
	Store *store = g_new0(Store, 1);
	*store = (Store){
		.state_path = g_strdup(state_path),
		.run_path = g_strdup(run_path),
		.state_fd = -1,
		.run_fd = -1,
	};
	return store;
}

void store_free(Store *store) {
	if (!store)
		return;
	close_fd_ptr(&store->state_fd);
	close_fd_ptr(&store->run_fd);
	g_free(store->state_path);
	g_free(store->run_path);
	g_free(store->boot_id);
	g_free(store);
}

/* Ids in one of the two roots, appended; sorted by fd_list_dir. */
static bool add_ids(int root_fd, StoreKind kind, GPtrArray *ids, GError **err) {
	g_auto(GStrv) names = root_fd < 0 ? NULL : fd_list_dir(root_fd, directories[kind], err);

	if (root_fd < 0)
		return true;
	if (!names)
		return false;
	for (char **name = names; *name; name++)
		g_ptr_array_add(ids, g_steal_pointer(name));
	return true;
}

static int compare_ids(gconstpointer a, gconstpointer b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **store_list(Store *store, StoreKind kind, GError **err) {
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) published = g_ptr_array_new();

	if (!store_ready(store, false, err) || !add_ids(store->run_fd, kind, ids, err) ||
		!add_ids(store->state_fd, kind, ids, err))
		return NULL;
	g_ptr_array_sort(ids, compare_ids);
	for (guint i = 0; i < ids->len; i++) {
		const char *id = g_ptr_array_index(ids, i);
		bool again = i > 0 && strcmp(id, g_ptr_array_index(ids, i - 1)) == 0;
		if (!again && is_published(store, kind, id))
			g_ptr_array_add(published, g_strdup(id));
	}
	g_ptr_array_add(published, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&published), FALSE);
}

/* Id of the object of this kind that has the name, or NULL. */
static char *find_by_name(Store *store, StoreKind kind, const char *name) {
	g_autofree char *owner = NULL;
	StoreKind owner_kind;
	const char *id;

	if (!name_check(name, "name", NULL))
		return NULL;
	owner = claim_owner(store, kind, name);
	if (!owner || !object_path_parse(owner, &owner_kind, &id) || owner_kind != kind ||
		!is_published(store, kind, id))
		return NULL;
	return g_strdup(id);
}

/* Id with the prefix; NULL without an error when there is none. */
static char *find_by_prefix(Store *store, StoreKind kind, const char *prefix, GError **err) {
	g_auto(GStrv) ids = store_list(store, kind, err);
	g_autofree char *found = NULL;

	for (char **id = ids; id && *id; id++) {
		if (!g_str_has_prefix(*id, prefix))
			continue;
		if (found) {
			fail(err, ERROR_INVALID,
				"more than one %s has an ID that starts with \"%s\"", words[kind],
				prefix);
			return NULL;
		}
		found = g_strdup(*id);
	}
	return g_steal_pointer(&found);
}

char *store_find(Store *store, StoreKind kind, const char *name_or_id, GError **err) {
	g_autoptr(GError) error = NULL;
	char *id = NULL;

	if (!store_ready(store, false, err))
		return NULL;
	id = find_by_name(store, kind, name_or_id);
	if (!id && kind != STORE_VOLUME && str_is_hex(name_or_id) &&
		strlen(name_or_id) <= ID_LENGTH) {
		if (strlen(name_or_id) == ID_LENGTH && is_published(store, kind, name_or_id))
			return g_strdup(name_or_id);
		id = find_by_prefix(store, kind, name_or_id, &error);
	}
	if (error)
		g_propagate_error(err, g_steal_pointer(&error));
	else if (!id && kind == STORE_VOLUME)
		fail(err, ERROR_NOT_FOUND, "no volume with name \"%s\" found: no such volume",
			name_or_id);
	else if (!id)
		fail(err, ERROR_NOT_FOUND, "no %s with name or ID \"%s\" found: no such %s",
			words[kind], name_or_id, words[kind]);
	return id;
}
