/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program and who runs it: user look-up in the container's own files (never through libc's
 * name services, which would load the container's libraries), working directory, look-up of the
 * program in PATH, execve.
 */
#pragma once

#include "base/error.h"
#include "runtime/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct ProcessUser {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* the primary one included (security.md B4-03) */
	size_t n_groups;
	char *home; /* "/" when unknown */
	char *name; /* NULL when unknown */
} ProcessUser;

void process_user_clear(ProcessUser *user);

/* user: "", "U", "U:G", ":G"; digits are ids, never names, and a name begins with a letter or "_":
 * "+1" or "0x0" is nobody, whatever passwd says (security.md B4-04). passwd and group: contents of
 * the files, or NULL. Numeric users need no entry. groups: further groups by name or number. */
bool process_parse_user(const char *user, const char *passwd, const char *group,
	char *const *groups, const gid_t *gids, size_t n_gids, ProcessUser *ret_user, GError **err);

/* The same with the files of the container below root_fd, each at most 1 MiB. */
bool process_find_user(int root_fd, const char *user, char *const *groups, const gid_t *gids,
	size_t n_gids, ProcessUser *ret_user, GError **err);

/* Reads /etc/passwd or /etc/group of the container: at most 1 MiB and 65536 lines, a plain file.
 * *ret_text is NULL when there is none; free with g_free. */
bool process_read_account_file(int root_fd, const char *path, char **ret_text, GError **err);

/* Enters the working directory and proves that it is inside the root (security.md A11.5). With
 * owner, a missing directory is made and given to that user. */
bool process_enter_cwd(int root_fd, const char *cwd, const ProcessUser *owner, GError **err);

/* As it would be for the caller in its present root: the path of the program. NULL with
 * ERROR_COMMAND_NOT_FOUND or ERROR_COMMAND_NOT_EXECUTABLE. path_list: value of PATH or NULL. */
char *process_find_program(const char *name, const char *path_list, GError **err);

/* A copy of env with HOME (from the user) and further assignments where env has no such name. */
char **process_make_env(char *const *env, const ProcessUser *user, const char *notify_socket);

/* Value of NAME in a NULL-terminated environment, or NULL. */
const char *process_env_value(char *const *env, const char *name);

/* Opens a program of podctl's own for a process that is going into a container: on a detached
 * read-only mount, so that nobody can write its file through /proc/PID/exe (A18). -1 on error. */
int process_open_program(const char *path, GError **err);

/* What process_execute needs: podctl-exec, opened as above, and the channel to the launcher. */
typedef struct ProcessExec {
	int program_fd;
	int channel;
} ProcessExec;

/* Looks the program up and executes it by way of podctl-exec; returns only on failure. A failure
 * of the last execve itself goes through the channel. */
bool process_execute(const ProcessExec *exec, char *const *argv, char *const *env, GError **err);

/* Closes every descriptor above 2 but those of the program itself and its passed ones. */
void process_close_for_program(
	const ProcessExec *exec, const RuntimeDescriptor *passed, size_t n_passed);

/* Closes every descriptor above 2 that is not in keep; -1 in it is ignored. */
void process_close_others(const int *keep, size_t n);
