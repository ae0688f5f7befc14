/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of podctl-unpack share: errors as text, descriptors with a scope, and the bounds.
 * The program uses libc and libarchive alone, so it cannot use pod/base.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* Bounds on one archive. An image that needs more is refused. */
#define LIMIT_BYTES       (UINT64_C(64) << 30) /* uncompressed stream, and one file's size */
#define LIMIT_RATIO       1000                 /* uncompressed : compressed ... */
#define LIMIT_RATIO_AFTER (UINT64_C(64) << 20) /* ... once this much came out */
#define LIMIT_ENTRIES     UINT64_C(2000000)
#define LIMIT_PATH        4096
#define LIMIT_COMPONENT   255
#define LIMIT_DEPTH       256
#define LIMIT_XATTRS      64    /* of one entry */
#define LIMIT_XATTR_SIZE  65536 /* the kernel's own */
#define LIMIT_OPAQUE      65536 /* opaque directories of one layer */
#define LIMIT_LATE_TIMES  262144
#define LIMIT_ONLY_SIZE   (UINT64_C(4) << 20) /* a member taken with --only */

/* Why the work stopped: one line without control characters. The first reason set stays. */
typedef struct Failure {
	char text[1024];
} Failure;

/* Sets the reason (unless there is one); always returns false. */
bool failure_set(Failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with ": strerror(errnum)" appended. */
bool failure_errno(Failure *failure, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sanitizers reserve terabytes of address space and make calls of their own. */
#if defined(__SANITIZE_ADDRESS__)
#	define IS_SANITIZED 1
#elif defined(__has_feature)
#	if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#		define IS_SANITIZED 1
#	endif
#endif
#ifndef IS_SANITIZED
#	define IS_SANITIZED 0
#endif

static inline void close_scoped_fd(int *fd) {
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
}

#define _cleanup_close_ __attribute__((cleanup(close_scoped_fd)))
