/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The syntax of --pid, --ipc, --uts, --cgroupns, --userns and of id maps. Which words an option
 * takes, and which go together, is for spec_validate_namespace.c.
 */
#pragma once

#include "base/idrange.h"

#include <stdbool.h>

typedef enum NamespaceKind {
	NAMESPACE_DEFAULT, /* not given, or "" */
	NAMESPACE_PRIVATE,
	NAMESPACE_SHAREABLE, /* ipc: private, and others may join */
	NAMESPACE_NONE,      /* ipc: private, without /dev/shm */
	NAMESPACE_HOST,
	NAMESPACE_POD,
	NAMESPACE_CONTAINER, /* value: name or id */
	NAMESPACE_PATH,      /* value: absolute path */
} NamespaceKind;

typedef struct NamespaceMode {
	NamespaceKind kind;
	const char *value; /* points into the text */
} NamespaceMode;

/* text may be NULL. */
bool spec_parse_namespace(const char *text, NamespaceMode *ret_mode, GError **err);

typedef enum UserNsKind {
	USERNS_HOST, /* also when nothing is given */
	USERNS_PRIVATE,
	USERNS_AUTO,
	USERNS_KEEP_ID,
	USERNS_NOMAP,
	USERNS_CONTAINER,
	USERNS_PATH,
} UserNsKind;

typedef struct UserNsRequest {
	UserNsKind kind;
	char *value;               /* container or path */
	uint32_t size;             /* auto; 0: as many as the image needs */
	IdMap uid_map, gid_map;    /* auto: these must be in the map */
	bool uid_given, gid_given; /* keep-id */
	uint32_t uid, gid;
} UserNsRequest;

/* host, private, nomap, keep-id[:uid=N,gid=N], auto[:size=N,uidmapping=M,gidmapping=M],
 * container:NAME, ns:PATH. text may be NULL. Clear it after success. */
bool spec_parse_userns(const char *text, UserNsRequest *ret_request, GError **err);
void userns_request_clear(UserNsRequest *request);

/* The rows of --uidmap (group false) or --gidmap: [FLAGS]INSIDE:[@]OUTSIDE[:COUNT], put on top of
 * map. Flags: "+" replaces what is there already, "u" and "g" keep a row out of the other map when
 * that is made from the same rows. For root "@" changes nothing: what is outside is the host. */
bool spec_parse_id_map(char *const *rows, bool group, IdMap *map, GError **err);

/* Puts a row on top: what it touches, inside or outside, goes from the others. */
void id_map_override(IdMap *map, uint32_t inside, uint32_t outside, uint32_t count);
