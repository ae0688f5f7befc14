/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Door of the image room: the images that are on this machine. Foreign bytes come in by skopeo and
 * by podctl-unpack, are checked against their digests, and are kept as an OCI blob store plus one
 * unpacked directory a layer. A look-up reads one symbolic link and one small record and takes no
 * lock. Nothing from an image is configuration for the host: every field below is data.
 */
#pragma once

#include "base/error.h"

#include <glib.h>
#include <stdint.h>

typedef struct ImageStore ImageStore;

/* Opens the store. state_path is a persistent directory (/var/lib/podctl/images), made 0700 by the
 * first write; run_path is a volatile one for the lock (/run/podctl/images). Nothing is touched
 * here; a store that is not there yet is an empty one. Both paths must be absolute. */
ImageStore *image_store_open(const char *state_path, const char *run_path, GError **err);
void image_store_free(ImageStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageStore, image_store_free)

/* One image. Lists are NULL-terminated and never NULL; texts may be NULL unless said otherwise. */
typedef struct ImageConfig {
	char *id;        /* 64 hex digits: the digest of the configuration; never NULL */
	char *digest;    /* "sha256:HEX" of the manifest; never NULL */
	char *name;      /* the stored name that image_lookup matched; NULL for a look-up by id */
	char **names;    /* all stored names, sorted: only from image_inspect and image_list */
	char **layers;   /* absolute directories, lowest first, ready for an overlay's lowerdir */
	char **diff_ids; /* "sha256:HEX" of every layer, lowest first (for inspect) */
	char **entrypoint;
	char **command;
	char **env; /* NAME=VALUE only: what was not that has been dropped */
	char *user;
	char *working_dir;
	char *stop_signal;
	char *architecture;
	char *os;
	char *author;
	char *comment;
	char **volumes;       /* paths, sorted */
	char **exposed_ports; /* "80/tcp", sorted */
	char **labels;        /* KEY=VALUE, sorted by key */
	char *healthcheck; /* JSON text as in the image ({"Test":["CMD",...],"Interval":ns,...}) */
	uint64_t size_bytes;  /* of the unpacked layers */
	uint64_t created_sec; /* since 1970 */
} ImageConfig;

void image_config_free(ImageConfig *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageConfig, image_config_free)

/* Finds an image as podman does: a name with tag ("latest" when there is none), tried as it is,
 * then below localhost/ and below the library of the default registry, then as the end of any
 * stored name; NAME@sha256:HEX by the digest of the manifest; sha256:HEX or the first three or more
 * digits of an id. Names win over ids. ERROR_NOT_FOUND says how to load an image, ERROR_INVALID is
 * a bad reference or an ambiguous one. Fills all but names. */
ImageConfig *image_lookup(ImageStore *store, const char *reference, GError **err);

/* image_lookup, names filled too. */
ImageConfig *image_inspect(ImageStore *store, const char *reference, GError **err);

/* The image's configuration as it came (JSON with "history", ...); free with g_free. id is 64 hex
 * digits, as in ImageConfig. */
char *image_read_raw_config(ImageStore *store, const char *id, GError **err);

/* All images (ImageConfig, free function set), newest first. */
GPtrArray *image_list(ImageStore *store, GError **err);

/* Loads every image of an OCI layout directory, an oci-archive or a docker-archive (plain or
 * compressed; told apart by content). *ret_names: the stored names, or "sha256:ID" for an image
 * without one (char *, free function set). ERROR_CORRUPT for bytes that are no image. */
bool image_load(ImageStore *store, const char *path, GPtrArray **ret_names, GError **err);

/* Makes an image of one layer out of a root file system's tar ("-": standard input; plain, gzip,
 * xz, zstd or bzip2). reference names it and may be NULL; changes are Dockerfile instructions as
 * for podman import --change (CMD ENTRYPOINT ENV EXPOSE LABEL STOPSIGNAL USER VOLUME WORKDIR) and
 * may be NULL; message becomes the comment and may be NULL. *ret_id is the new image's id. */
bool image_import(ImageStore *store, const char *tar_path, const char *reference,
	const char *const *changes, const char *message, char **ret_id, GError **err);

/* What a new image is made of. */
typedef struct ImageCommit {
	const char *base_id;          /* image to start from */
	bool squash;                  /* only its configuration: the layer holds everything */
	const char *reference;        /* name; NULL: none */
	const char *author, *message; /* may be NULL */
	char *const
		*settings; /* instructions as for image_import, from the container; may be NULL */
	char *const *changes; /* the user's, which win; may be NULL */
	/* Writes the layer, a gzip-compressed tar, to fd. ret_diff: hex SHA-256 of the plain tar.
	 */
	bool (*write_layer)(int fd, void *data, char ret_diff[65], GError **err);
	void *data;
} ImageCommit;

/* Adds an image: the base and one layer. *ret_id: free with g_free. */
bool image_commit(ImageStore *store, const ImageCommit *commit, char **ret_id, GError **err);

/* Gives an image one more name; the name is taken from another image that has it. */
bool image_tag(ImageStore *store, const char *reference, const char *new_name, GError **err);

/* Takes one name away; the image stays. */
bool image_untag(ImageStore *store, const char *reference, GError **err);

/* What image_remove did: "Untagged: NAME" and "Deleted: ID" lines are made from it. */
typedef struct ImageRemoval {
	char **untagged; /* names */
	char *deleted;   /* id, or NULL when the image has other names and stays */
} ImageRemoval;

void image_removal_free(ImageRemoval *removal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageRemoval, image_removal_free)

/* Removes a name, and with the last one the image, its layers and blobs that no other image uses.
 * used_ids (NULL-terminated, may be NULL) are the ids of images that containers are made from:
 * such an image is not deleted (ERROR_IN_USE), forced or not; the caller removes the containers
 * first. By id: all names go, with more than one only when forced (ERROR_IN_USE). */
ImageRemoval *image_remove(ImageStore *store, const char *reference, bool force,
	const char *const *used_ids, GError **err);
