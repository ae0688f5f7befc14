/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rules for names in an archive, as pure text: what a name may be, and which names are
 * whiteouts (OCI image specification, "Whiteouts"). No file system here.
 */
#pragma once

#include "unpack/scope.h"

/* Makes a member's name relative and plain: leading slashes, "." components and double slashes go.
 * The root itself gives "". A ".." component, an empty name, and anything beyond the bounds is
 * refused. */
bool layer_path_clean(const char *raw, char ret_path[LIMIT_PATH + 1], Failure *failure);

typedef enum LayerPathKind {
	LAYER_PATH_PLAIN,
	LAYER_PATH_WHITEOUT, /* DIR/.wh.NAME: hides DIR/NAME of the layers below */
	LAYER_PATH_OPAQUE,   /* DIR/.wh..wh..opq: hides all that is in DIR below */
} LayerPathKind;

/* Tells what a clean path stands for and rewrites it: a whiteout becomes the path it hides, an
 * opaque marker its directory. A ".wh." name that is neither, or one in the middle of a path, is
 * refused. */
bool layer_path_classify(char *path, LayerPathKind *ret_kind, Failure *failure);

/* Splits a clean, non-empty path at its last slash: *ret_name points into it, the directory part
 * ("" for the root) is copied. */
void layer_path_split(const char *path, char ret_directory[LIMIT_PATH + 1], const char **ret_name);
