/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One mount as the user asked for it, whichever of --volume, --tmpfs and --mount it came through.
 * Every word of the three syntaxes is a row of one table (mount_words.c): it is known or refused,
 * because a misspelt propagation or a lost "ro" must not pass in silence. Nothing here touches the
 * disk.
 */
#pragma once

#include "base/error.h"
#include "base/idrange.h"

typedef enum MountType {
	MOUNT_TYPE_BIND,
	MOUNT_TYPE_VOLUME,
	MOUNT_TYPE_TMPFS,
	MOUNT_TYPE_RAMFS,
	MOUNT_TYPE_IMAGE,
	MOUNT_TYPE_DEVPTS,
	MOUNT_TYPE_GLOB,
} MountType;

/* podman's words: bind volume tmpfs ramfs image devpts glob. */
const char *mount_type_to_string(MountType type);

typedef struct MountRequest {
	MountType type;
	char *source;      /* bind: absolute path; glob: absolute pattern; volume: name, NULL for an
			      anonymous one; image: reference */
	char *destination; /* absolute, cleaned; NULL for a glob whose files keep their places */
	bool read_only, read_write;
	bool nosuid, nodev,
		noexec;    /* after podman's defaults (nosuid, nodev) and the user's words */
	bool nodev_given;  /* the user said dev or nodev */
	bool recursive;    /* rbind (the default for a bind) */
	char *propagation; /* private rprivate slave rslave shared rshared unbindable runbindable;
			      NULL: rprivate */
	char relabel;      /* 'z', 'Z' or 0 */
	bool overlay;      /* :O */
	char *upper_dir, *work_dir; /* with overlay: absolute paths of the user's; NULL: ours */
	bool chown;                 /* :U */
	bool no_copy;               /* volume, tmpfs: starts empty */
	bool idmap;
	IdMap idmap_uids, idmap_gids; /* inside: ids of the files; no rows: the container's maps */
	bool idmap_relative_uids;     /* "@": outside is an id of the container */
	bool idmap_relative_gids;
	char *subpath;       /* volume, image: relative, no ".."; NULL: all of it */
	uint64_t size_bytes; /* tmpfs; 0: the kernel's default */
	uint64_t max_inodes; /* tmpfs; 0: the kernel's default */
	unsigned mode;       /* tmpfs, ramfs: 01777 unless given; devpts: 0620 */
	bool mode_given;
	bool no_swap;     /* tmpfs */
	int64_t uid, gid; /* tmpfs, devpts; -1: not given */
	unsigned max;     /* devpts: number of terminals; 0: the kernel's default */
} MountRequest;

/* --volume [SRC:]DST[:OPT,OPT...], --tmpfs DST[:OPT,OPT...], --mount type=TYPE,KEY=VALUE,...;
 * ERROR_INVALID names the text. */
MountRequest *spec_parse_volume(const char *text, GError **err);
MountRequest *spec_parse_tmpfs(const char *text, GError **err);
MountRequest *spec_parse_mount(const char *text, GError **err);
void mount_request_free(MountRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MountRequest, mount_request_free)

/* A relative host path ("./x:/y", "src=x") made absolute with directory, everything else as it is.
 * Front ends call them before a spec is validated and stored, because the parsers refuse relative
 * sources: nobody knows later where the caller stood. Free with g_free. */
char *spec_absolute_volume(const char *text, const char *directory);
char *spec_absolute_mount(const char *text, const char *directory);

/* Where a word may stand; for mount_words.c and its one caller. */
typedef enum MountPlace {
	PLACE_VOLUME = 1 << 0, /* --volume */
	PLACE_TMPFS = 1 << 1,  /* --tmpfs */
	PLACE_MOUNT = 1 << 2,  /* --mount type=bind; the next types are the next bits */
} MountPlace;

/* One word KEY or KEY=VALUE (value NULL: none) at its place: (PLACE_MOUNT << type) for --mount. */
bool mount_request_read_word(
	MountRequest *request, unsigned place, const char *key, const char *value, GError **err);
