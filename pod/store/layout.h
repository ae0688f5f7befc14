/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of this room share: the store itself and the names of its places. An object
 * exists for readers exactly while it has a file definition.json; publishing and removing are one
 * rename between that name and definition.new. Everything before the first and after the second is
 * "half-made", carries a pending mark, and is removed by whoever finds its lock free.
 */
#pragma once

#include "base/cleanup.h"
#include "store/store.h"

#define DEFINITION_FILE  "definition.json"
#define UNPUBLISHED_FILE "definition.new"

struct Store {
	char *state_path;
	char *run_path;
	char *boot_id; /* NULL until store_ready() */
	int state_fd;  /* -1: not there yet */
	int run_fd;    /* -1: not there yet, or not known to be of this boot */
};

/* "containers", "pods" */
const char *kind_directory(StoreKind kind);
/* "container", "pod" */
const char *kind_word(StoreKind kind);

/* "containers/ID"; free with g_free. */
char *object_path(StoreKind kind, const char *id);

/* Reads "containers/ID" back; *ret_id points into path. */
bool object_path_parse(const char *path, StoreKind *ret_kind, const char **ret_id);

/* True if path exists below dir_fd, which may be -1. */
bool path_exists(int dir_fd, const char *path);

/* True if the object is published. */
bool is_published(const Store *store, StoreKind kind, const char *id);

/* An exclusive or shared flock on RUN/NAME, made if missing; held until the descriptor is closed.
 * operation as for flock(2). -1 on error; with LOCK_NB -1 and ERROR_IN_USE when it is taken. */
int lock_file(Store *store, const char *name, int operation, GError **err);

/* Opens RUN and STATE and sees to it that RUN is of this boot. Reading a store that was never
 * written succeeds with both descriptors at -1. */
bool store_ready(Store *store, bool writing, GError **err);

/* Whether both directories of the object are gone. */
bool object_is_gone(const Store *store, const char *path);

/* A name for an object. ERROR_EXISTS names who has it. A claim of an object that is gone is taken
 * over. */
bool claim_take(Store *store, const char *name, const char *owner_path, GError **err);

/* Gives the name back if it is owner_path's. */
void claim_release(Store *store, const char *name, const char *owner_path);

/* "KIND/ID" of who claims the name among its kind, or NULL; free with g_free. */
char *claim_owner(const Store *store, StoreKind kind, const char *name);

/* Gives back every name of the owner but one (NULL: all), and claims that. For objects that were
 * left in the middle of a change. */
bool claim_settle(Store *store, const char *name, const char *owner_path, GError **err);

/* The name in a definition file of the object (published or not), or NULL; free with g_free. */
char *object_recorded_name(const StoreObject *object);

/* Opens what there is of an object, published or not; run_fd or state_fd is -1 where nothing is. */
StoreObject *object_open(Store *store, StoreKind kind, const char *id);

/* Takes the lock of an object whose run directory is open. False with ERROR_TIMEOUT, or
 * ERROR_NOT_FOUND when the directory is not the object's any more. */
bool object_lock(StoreObject *object, uint64_t timeout_usec, GError **err);

/* Sets or takes back the pending mark. Without space there is no mark: a removal must work then. */
bool object_set_pending(const StoreObject *object, bool pending, GError **err);

/* Makes the run directory of a persistent object that lost it. */
bool object_make_run_dir(StoreObject *object, GError **err);
