/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines in the container's /etc/passwd and /etc/group for those who are not in the image: the user
 * of the process, users of the host. The image's files stay as they are; copies with the new lines
 * lie in the run directory and are mounted over them (security.md A15.5).
 */
#pragma once

#include "runtime/process.h"

/* A file of the run directory, as the launcher opened it. */
typedef struct AccountsFile {
	int write_fd; /* -1: nothing is to be added */
	int mount_fd; /* the same file as a detached mount */
} AccountsFile;

#define ACCOUNTS_FILE_NONE ((AccountsFile){-1, -1})

/* Launcher: makes the file (path NULL: none) and a detached mount of it. */
bool accounts_prepare(const char *path, AccountsFile *ret_file, GError **err);
void accounts_clear(AccountsFile *file);

typedef struct AccountsRequest {
	const char *user;         /* as process_find_user had it */
	const char *passwd_entry; /* NULL: podman's line; $USERNAME $UID $GID $NAME $HOME */
	const char *group_entry;  /* NULL: podman's line; $GROUPNAME $GID $USERLIST */
	const char *home;
	char *const *host_users; /* whole lines of passwd, checked */
} AccountsRequest;

/* What the image's file becomes; NULL: nothing is missing in it. Free with g_free. */
char *accounts_passwd_text(
	const char *present, const AccountsRequest *request, const ProcessUser *user);
char *accounts_group_text(
	const char *present, const AccountsRequest *request, const ProcessUser *user);

/* First process, after the user is known: mounts the copies when a line is missing and the image
 * has such a file. */
bool accounts_apply(int root_fd, const AccountsRequest *request, const ProcessUser *user,
	const AccountsFile *passwd, const AccountsFile *group, GError **err);
