/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl's memory on disk (D7). Definitions live below the state directory, run-time facts below
 * the run directory (gone at reboot); an object that goes at its end lives below the run directory
 * altogether. One directory an object, one file a record, replaced by rename, never edited.
 * Writers lock one object; readers never lock and never wait.
 *
 *   STATE/{containers,pods,volumes}/ID/RECORD.json   persistent objects
 *   RUN/{containers,pods,volumes}/ID/RECORD.json     run-time facts, and all of a volatile object
 *                                            flock on the directory itself is the object's lock
 *   RUN/{containers,pods,volumes}/ID/journal one JSON line for each host-side change made for it
 *   RUN/names/NAME -> KIND/ID                claims; containers and pods share one set of names
 *   RUN/volume-names/NAME -> volumes/ID      claims of volumes
 *   RUN/pending/ID -> KIND/ID                objects with an operation under way: whoever finds
 *                                            one whose lock is free finishes or undoes it
 *   STATE/ids/FIRST-COUNT -> KIND/ID         ranges of ids that an object's user namespace has
 *   STATE/scratch/BOOTID/ID/                 upper layers of volatile objects
 *
 * RUN/boot holds the boot id for which RUN is valid; when it is missing, names of persistent
 * objects are claimed anew from their definitions and scratch directories of other boots are
 * removed.
 */
#pragma once

#include "base/idrange.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Store Store;

typedef enum StoreKind {
	STORE_CONTAINER,
	STORE_POD,
	STORE_VOLUME,
} StoreKind;

/* Both paths are absolute; nothing is made before the first write. */
Store *store_open(const char *state_path, const char *run_path, GError **err);
void store_free(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

/* One object. Descriptors are owned by it. */
typedef struct StoreObject {
	Store *store;
	StoreKind kind;
	char *id;
	bool persistent;
	int state_fd; /* directory below STATE; -1 for a volatile object */
	int run_fd;   /* directory below RUN */
	int lock_fd;  /* -1 while not locked */
} StoreObject;

/* Closes the descriptors. A lock that is still held goes, but the pending mark stays: as after a
 * kill, store_recover() looks at the object. Call store_unlock() when the work is done. */
void store_object_free(StoreObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreObject, store_object_free)

/* Makes the object's directories, locked and marked pending; not visible to readers before
 * store_publish. Nothing is left on failure. */
StoreObject *store_create(
	Store *store, StoreKind kind, const char *id, bool persistent, GError **err);

/* Writes the definition, whose member "name" must be name, and claims the name; ERROR_EXISTS names
 * who has it (the name "web" is in use by container 0123...). After it the object exists and is
 * still locked. On failure it is still half-made: store_remove() it. */
bool store_publish(StoreObject *object, const char *name, const json_t *definition, GError **err);

/* Opens an object by its full id. ERROR_NOT_FOUND when it is not there. */
StoreObject *store_get(Store *store, StoreKind kind, const char *id, GError **err);

/* Full id for a name, a full id or an unambiguous id prefix; a volume goes by its name alone.
 * ERROR_NOT_FOUND: no container with
 * name or ID "x" found: no such container (podman's words); ERROR_INVALID when ambiguous. */
char *store_find(Store *store, StoreKind kind, const char *name_or_id, GError **err);

/* Full ids, oldest first is not promised; half-made objects are left out. */
char **store_list(Store *store, StoreKind kind, GError **err);

/* Takes the object's lock and marks it pending; waits at most timeout_usec (ERROR_TIMEOUT says who
 * is in the way). ERROR_NOT_FOUND if it was removed meanwhile. store_unlock takes both back. */
bool store_lock(StoreObject *object, uint64_t timeout_usec, GError **err);
void store_unlock(StoreObject *object);

/* Reads a record ("definition", "state", "exit"): NULL without error when it is missing. */
json_t *store_read(const StoreObject *object, const char *record, GError **err);

/* Replaces a record. "definition" and "exit" of a persistent object go below STATE, all else
 * below RUN. */
bool store_write(const StoreObject *object, const char *record, const json_t *value, GError **err);

/* Creates (true) or removes (false) an empty marker file in the object's run directory. */
bool store_mark(const StoreObject *object, const char *name, bool present, GError **err);
bool store_is_marked(const StoreObject *object, const char *name);

/* Gives up the name, then removes the directories. The object must be locked; it is unlocked and
 * must be freed. Idempotent: a removal that was killed half-way is finished by calling it again. */
bool store_remove(StoreObject *object, GError **err);

/* Changes the name, in the definition as well: the new claim is made before the old one goes. The
 * object must be locked. */
bool store_rename(StoreObject *object, const char *old_name, const char *new_name, GError **err);

/* The object's run directory and the directory for its writable layer (persistent: below STATE,
 * volatile: below scratch/BOOTID; made on demand); free with g_free. */
char *store_run_path(const StoreObject *object);
char *store_data_path(const StoreObject *object, GError **err);
/* The same without making it: for readers. */
char *store_data_location(const StoreObject *object);

/* Journal: what was done to the host for this object. Written (one write of one line) before the
 * change is made; read by whoever undoes. A torn last line is ignored. */
bool store_journal_add(const StoreObject *object, const json_t *entry, GError **err);
json_t *store_journal_read(const StoreObject *object, GError **err); /* array, oldest first */
bool store_journal_clear(const StoreObject *object, GError **err);

/* Takes count ids, the same numbers for users and groups, for the object alone, which exists (made,
 * not necessarily published): within one row of both pools (their outside column), where no other
 * object of the store has a claim. ERROR_IN_USE when none are left. They are given back when the
 * object's directories are gone; store_release_ids does it at once and finds nothing to do for
 * most. */
bool store_claim_ids(const StoreObject *object, const IdMap *uid_pool, const IdMap *gid_pool,
	uint32_t count, uint32_t *ret_first, GError **err);
void store_release_ids(const StoreObject *object);

/* Calls recover for every pending object whose lock is free, holding that lock. half_made: it has
 * no definition (never published, or being removed) and is to be removed. recover undoes or removes
 * it; when it fails a warning is logged, the object stays pending, and the walk goes on. Costs one
 * directory listing when nothing is pending. */
typedef bool (*StoreRecover)(StoreObject *object, bool half_made, void *data, GError **err);
bool store_recover(Store *store, StoreRecover recover, void *data, GError **err);
