/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scopes for things that must be given back. Every owned descriptor, stream or directory in the
 * tree is declared with one of these attributes; ownership moves with steal_fd() or
 * g_steal_pointer(). There is no goto in this code base because of this file.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

/* Closes *fd unless it is negative; errno is kept, so it may run after a failed call. */
static inline void close_fd_ptr(int *fd) {
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
		*fd = -1;
	}
}

static inline void close_dir_ptr(DIR **dir) {
	if (*dir) {
		int saved = errno;
		closedir(*dir);
		errno = saved;
	}
}

static inline void close_file_ptr(FILE **file) {
	if (*file)
		fclose(*file);
}

#define _cleanup_close_    __attribute__((cleanup(close_fd_ptr)))
#define _cleanup_closedir_ __attribute__((cleanup(close_dir_ptr)))
#define _cleanup_fclose_   __attribute__((cleanup(close_file_ptr)))

/* Hands the descriptor over: returns it and leaves -1 behind. */
static inline int steal_fd(int *fd) {
	int taken = *fd;
	*fd = -1;
	return taken;
}

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Walks a static table: `const struct Row *row` is declared by the macro. */
#define array_foreach(row, array)                                                              \
	for (const __typeof__((array)[0]) *row = (array); row < (array) + ARRAY_LENGTH(array); \
		row++)
