/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Door of the archive room: file trees that somebody else may be changing meanwhile, or that come
 * as foreign bytes. Trees are copied, written as tar, made from tar and compared, all by
 * descriptors: no link is followed on either side but those in the path the caller himself wrote,
 * and that one is looked up inside its root. Nothing here runs a program or loads a library but
 * libarchive, which is in a module that only tar needs (D18).
 */
#pragma once

#include "base/idrange.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* --- finding the ends of a copy --------------------------------------------------------------- */

/* Where a path is looked up. */
typedef struct ArchivePlace {
	int root_fd;      /* root directory of a container; -1: the caller's own file system */
	const char *name; /* for messages: "on the host", "in container \"web\"" */
} ArchivePlace;

/* What is at path (links followed), by a descriptor good for nothing but looking. *ret_name: its
 * last name as written, NULL when path means what is in a directory ("dir/.", "/"). -1 on error:
 * ERROR_NOT_FOUND names path and place. */
int archive_find_source(const ArchivePlace *place, const char *path, char **ret_name, GError **err);

typedef struct ArchiveSpot {
	int dir_fd; /* owned */
	char *name; /* NULL: dir_fd itself is the target, a directory. Else a name in dir_fd of
		       something that is no directory, or that is not there yet */
	bool exists;
} ArchiveSpot;

void archive_spot_clear(ArchiveSpot *spot);

/* The target of a copy: links are followed, also a dangling one at the end. The directory that
 * path is in must be there; a path that ends in a slash must be a directory. */
bool archive_find_target(
	const ArchivePlace *place, const char *path, ArchiveSpot *ret_spot, GError **err);

/* --- trees ------------------------------------------------------------------------------------ */

typedef struct ArchiveSource {
	int fd;           /* file or directory; may be O_PATH */
	const char *name; /* what it is to be called; NULL: only what is in the directory */
	bool is_root;     /* a container's root: dev, proc and sys are left empty */
	bool is_upper;    /* an overlay's upper layer: what it hides becomes OCI whiteouts */
	bool with_top;    /* for an image's layer: without a name, the directory itself as "./" */
	const IdMap *uids, *gids; /* the container's; NULL: as they are */
} ArchiveSource;

typedef struct ArchiveTarget {
	int dir_fd;
	bool overwrite;  /* a directory may replace something else, and the other way round */
	bool keep_owner; /* else everything belongs to uid and gid */
	uid_t uid;       /* as the container sees it */
	gid_t gid;
	bool drop_privileges;     /* setuid, setgid and file capabilities are left behind */
	bool skip_devices;        /* device nodes are not made */
	const IdMap *uids, *gids; /* the container's; NULL: as they are */
} ArchiveTarget;

typedef struct ArchiveReport {
	uint64_t n_entries;
	uint64_t n_skipped;   /* sockets, device nodes, names that cannot be */
	char diff_digest[65]; /* archive_write: hex SHA-256 of the tar before compression */
} ArchiveReport;

/* Copies a tree. What is there already stays, unless something of the same name comes. A failure
 * names the entry; what was copied before it stays. */
bool archive_copy(const ArchiveSource *source, const ArchiveTarget *target,
	ArchiveReport *ret_report, GError **err);

typedef enum ArchiveWriteFlags {
	ARCHIVE_WRITE_PLAIN = 0,
	ARCHIVE_WRITE_GZIP = 1 << 0,
	ARCHIVE_WRITE_DENSE = 1 << 1, /* no sparse maps, which image tools need not know */
} ArchiveWriteFlags;

/* Writes a tree as tar (pax) to out_fd. */
bool archive_write(const ArchiveSource *source, int out_fd, ArchiveWriteFlags flags,
	ArchiveReport *ret_report, GError **err);

/* Makes what a tar holds; plain, gzip, bzip2, xz or zstd, told apart by content. Names that are
 * absolute, have a ".." or lead through a link are ERROR_INVALID, as are archives beyond the
 * bounds; bytes that are no tar are ERROR_CORRUPT. */
bool archive_extract(
	int in_fd, const ArchiveTarget *target, ArchiveReport *ret_report, GError **err);

/* --- differences ------------------------------------------------------------------------------ */

typedef enum ArchiveChangeKind {
	ARCHIVE_CHANGED,
	ARCHIVE_ADDED,
	ARCHIVE_DELETED,
} ArchiveChangeKind;

typedef struct ArchiveChange {
	ArchiveChangeKind kind;
	char *path; /* absolute in the container, as bytes */
} ArchiveChange;

/* What an overlay's upper layer changes in the layers below it (paths of directories, lowest
 * first): sorted by path. ArchiveChange, free function set; NULL on error. */
GPtrArray *archive_changes(const char *upper, char *const *lowers, GError **err);
