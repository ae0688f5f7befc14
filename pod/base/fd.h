/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files, directories and descriptors. Every function works relative to a directory descriptor
 * (AT_FDCWD where a trusted absolute path is meant) and opens with close-on-exec.
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens a directory O_PATH-free (so it can be read), O_NOFOLLOW on the last component. -1 on error.
 */
int fd_open_dir(int dir_fd, const char *path, GError **err);

/* Opens a file for reading, O_NOFOLLOW; -1 on error. */
int fd_open_file(int dir_fd, const char *path, GError **err);

/* A file that nobody else can have put there, or made a second name of: regular, the caller's own,
 * with one name; no link, no FIFO, no device. ERROR_INVALID says which it is. A missing one is fine
 * for fd_check_own_file and ERROR_NOT_FOUND for fd_open_own_file, which opens for reading, without
 * touching anything else. */
bool fd_check_own_file(int dir_fd, const char *path, GError **err);
int fd_open_own_file(int dir_fd, const char *path, GError **err);

/* Makes path and its missing parents, each with mode; an existing directory is fine. */
bool fd_mkdir_parents(int dir_fd, const char *path, mode_t mode, GError **err);

/* Makes the directory with its parents and opens it. -1 on error. */
int fd_make_dir(int dir_fd, const char *path, mode_t mode, GError **err);

/* Makes a directory (an existing one is fine) with the owner and mode of another one, whatever the
 * umask says. */
bool fd_make_dir_like(const char *path, const char *like, GError **err);

/* Reads a regular file whole, NUL-terminated; at most limit bytes, more is ERROR_CORRUPT.
 * A missing file is ERROR_NOT_FOUND. *ret_size may be NULL. The caller frees *ret_text. */
bool fd_read_file(int dir_fd, const char *path, size_t limit, char **ret_text, size_t *ret_size,
	GError **err);

/* Reads fd to its end, as fd_read_file. what names it in the error. */
bool fd_read_all(
	int fd, const char *what, size_t limit, char **ret_text, size_t *ret_size, GError **err);

typedef enum FdReplaceFlags {
	FD_REPLACE_PLAIN = 0,
	FD_REPLACE_SYNC = 1 << 0, /* fsync the file and its directory: survives a power cut */
} FdReplaceFlags;

/* Replaces name in dir_fd: writes a temporary file beside it (O_EXCL), optionally syncs, renames.
 * Readers see the old or the new bytes, never a mixture. */
bool fd_replace_file(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
	FdReplaceFlags flags, GError **err);

/* Writes all bytes, restarting after short writes and EINTR. what names the target in the error. */
bool fd_write_all(int fd, const void *data, size_t size, const char *what, GError **err);

/* Removes name and all below it; never follows symbolic links, never leaves the file system it
 * starts on, however deep it is. A missing name is fine. */
bool fd_remove_tree(int dir_fd, const char *name, GError **err);

/* Sets *ret_mounted if something is mounted on or below path (absolute, clean) where this process
 * sees it. */
bool fd_has_mounts(const char *path, bool *ret_mounted, GError **err);

/* Sorted names in a directory without "." and ".."; a missing directory gives an empty list.
 * NULL on error; free with g_strfreev. */
char **fd_list_dir(int dir_fd, const char *path, GError **err);

/* dup3 of fd onto exactly target, without close-on-exec. fd == target clears the flag. */
bool fd_place(int fd, int target, GError **err);

/* True if fd is open. */
bool fd_is_open(int fd);

/* Makes sure 0, 1 and 2 are open (on /dev/null), so that no later open lands there. */
bool fd_ensure_stdio(GError **err);

/* Writes the file in place (created with mode when missing): for files that are bind mounted, whose
 * inode must stay. */
bool fd_write_file(
	int dir_fd, const char *name, const void *data, size_t size, mode_t mode, GError **err);

/* An anonymous file with these bytes, positioned at its start; -1 on error. */
int fd_memory_file(const char *name, const void *data, size_t size, GError **err);

/* A connected pair of sequenced-packet sockets, and a pipe (read end first). */
bool fd_socket_pair(int ret_fds[2], GError **err);
bool fd_pipe(int ret_fds[2], GError **err);

/* True if this process now holds the exclusive flock of the open file; never waits. */
bool fd_try_lock(int fd);

/* Moves *fd to a number >= lowest (close-on-exec), closing the old one. A negative fd stays. */
bool fd_lift(int *fd, int lowest, GError **err);

/* A datagram socket bound to path (an old one there is replaced) with the given mode; -1 on error.
 */
int fd_bind_datagram(const char *path, mode_t mode, GError **err);

/* Points 0, 1 and 2 (2 only when with_stderr) at /dev/null. */
bool fd_null_stdio(bool with_stderr, GError **err);

/* Sends one message, with a descriptor when passed_fd >= 0; fd_receive takes both: the number of
 * bytes, 0 at the end, -1 on error. *ret_fd (may be NULL: a descriptor is closed) is -1 when none
 * came. */
bool fd_send(int socket_fd, const void *data, size_t size, int passed_fd, GError **err);
ssize_t fd_receive(int socket_fd, void *data, size_t size, int *ret_fd, GError **err);
