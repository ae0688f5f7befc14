/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One file, directory, link or node on its way from where it was read (a tree, a tar) to where it
 * is made (a tree, a tar), and the bounds on all of them. Private to the room.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* Bounds on one copy. Beyond them it stops with an error that names the bound. */
#define LIMIT_ENTRIES    UINT64_C(2000000)
#define LIMIT_FILE_BYTES (UINT64_C(1) << 40) /* size of one file, holes included */
#define LIMIT_BYTES      (UINT64_C(4) << 40) /* content of all of them */
#define LIMIT_PATH       4095
#define LIMIT_COMPONENT  255
#define LIMIT_DEPTH      256
#define LIMIT_XATTRS     64
#define LIMIT_XATTR_SIZE 65536
#define LIMIT_REGIONS    65536 /* of data, in one sparse file */
#define COPY_BLOCK       (256 * 1024)

typedef struct EntryXattr {
	char *name;
	void *value;
	size_t size;
} EntryXattr;

void entry_xattr_free(void *xattr);

/* user.* is data, file capabilities are part of a program; all else (overlay's own marks, labels,
 * signatures, ACLs of other ids) stays behind (security.md B6-14). */
bool entry_xattr_is_allowed(const char *name);

typedef struct EntryRegion {
	uint64_t offset, size;
} EntryRegion;

typedef struct Entry Entry;

struct Entry {
	const char *path; /* relative, plain; "" never occurs */
	mode_t mode;      /* with type */
	uid_t uid;        /* as the container sees it */
	gid_t gid;
	struct timespec mtime;
	dev_t device;
	const char *link_target; /* of a symbolic link */
	const char *hard_link;   /* path of an earlier entry that this is another name of */
	GPtrArray *xattrs;       /* EntryXattr; NULL: none */

	/* regular files */
	uint64_t size;
	const EntryRegion *regions; /* of data, ascending; NULL: not sparse or not known */
	size_t n_regions;
	void *content;
	/* The next block of data, ascending offsets within size: 1, 0 at the end, -1 on error. */
	int (*next)(void *content, const void **ret_data, size_t *ret_size, uint64_t *ret_offset,
		GError **err);
};

/* Where entries go. */
typedef bool (*EntryTake)(void *taker, const Entry *entry, GError **err);

/* Refuses names that are empty, absolute, too long or have a "..": relative and plain in ret. */
bool entry_path_clean(const char *raw, char ret_path[LIMIT_PATH + 1], GError **err);
