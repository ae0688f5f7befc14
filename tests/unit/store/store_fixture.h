/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A store in a temporary directory, and the short cuts of its tests. */
#pragma once

#include "base/fd.h"
#include "model/names.h"
#include "store/store.h"

#include <fcntl.h>
#include <string.h>

typedef struct Fixture {
	char *root;
	char *state_path;
	char *run_path;
	Store *store;
} Fixture;

static inline void fixture_set_up(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;

	(void)data;
	fixture->root = g_dir_make_tmp("store-test-XXXXXX", &err);
	g_assert_no_error(err);
	fixture->state_path = g_build_filename(fixture->root, "state", NULL);
	fixture->run_path = g_build_filename(fixture->root, "run", NULL);
	fixture->store = store_open(fixture->state_path, fixture->run_path, &err);
	g_assert_no_error(err);
}

static inline void fixture_tear_down(Fixture *fixture, gconstpointer data) {
	(void)data;
	store_free(fixture->store);
	g_assert_true(fd_remove_tree(AT_FDCWD, fixture->root, NULL));
	g_free(fixture->root);
	g_free(fixture->state_path);
	g_free(fixture->run_path);
}

/* A new look at the same directories, as another process has. */
static inline void fixture_reopen(Fixture *fixture) {
	store_free(fixture->store);
	fixture->store = store_open(fixture->state_path, fixture->run_path, NULL);
	g_assert_nonnull(fixture->store);
}

static inline json_t *definition_of(const char *id, const char *name) {
	json_t *json = json_object();

	json_put_string(json, "id", id);
	json_put_string(json, "name", name);
	return json;
}

/* Publishes an object and leaves it locked. NULL if that failed; nothing is left then. */
static inline StoreObject *make_object(
	Store *store, StoreKind kind, const char *name, bool persistent, GError **err) {
	g_autofree char *id = id_generate();
	json_auto_t *definition = definition_of(id, name);
	g_autoptr(StoreObject) object = store_create(store, kind, id, persistent, err);

	if (!object)
		return NULL;
	if (!store_publish(object, name, definition, err)) {
		store_remove(object, NULL);
		return NULL;
	}
	return g_steal_pointer(&object);
}

/* The number of names in a directory below the fixture's root. */
static inline guint count_entries(const Fixture *fixture, const char *below) {
	g_autofree char *path = g_build_filename(fixture->root, below, NULL);
	g_auto(GStrv) names = fd_list_dir(AT_FDCWD, path, NULL);

	g_assert_nonnull(names);
	return g_strv_length(names);
}
