/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store's directory, its lock and its staging places.
 *
 *   blobs/sha256/HEX     manifests, configurations and layers as they came, checked
 *   layers/HEX/diff      a layer laid out, keyed by the digest of its uncompressed tar
 *   layers/HEX/info.json its size, and whether it hides all layers below
 *   images/ID.json       one record an image
 *   names/ESCAPED        symbolic link to the ID
 *   staging/NAME         a writer's own directory; things are renamed out of it when complete
 *
 * Whoever adds holds the lock shared, whoever deletes holds it alone; readers take none. A record
 * is written after all that it names, so what a record names is there. Whatever no record names
 * is left over from a writer that died, and goes with the next image that is deleted.
 */
#pragma once

#include "image/image.h"

struct ImageStore {
	char *state_path;
	char *run_path;
};

/* Path below the store; free with g_free. */
char *store_path(const ImageStore *store, const char *folder, const char *name);

/* Makes what is missing of the store's directories, all 0700, and opens the top one. -1 on error.
 */
int store_make(const ImageStore *store, GError **err);

typedef enum StoreLockMode {
	STORE_LOCK_ADD,    /* shared: nothing is deleted meanwhile */
	STORE_LOCK_DELETE, /* alone */
} StoreLockMode;

/* Waits for the lock; closing the descriptor gives it back. -1 on error. */
int image_store_lock(const ImageStore *store, StoreLockMode mode, GError **err);

/* Gets all that was written below the store to the disk: before a rename publishes it. */
bool store_sync(const ImageStore *store, GError **err);

/* A writer's own directory below staging/. It is locked while its owner lives; a staging directory
 * that nobody has locked is removed by the next store_stage. */
typedef struct Staging {
	char *path; /* absolute */
	int fd;
	int store_fd;
} Staging;

Staging *store_stage(const ImageStore *store, GError **err);

/* Removes the directory with all that is left in it. */
void store_unstage(Staging *staging);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Staging, store_unstage)
