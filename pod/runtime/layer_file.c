/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of an image that is mounted nowhere: each layer is a root of its own, so no link of one
 * leads to the host. A link from one layer to a file in another finds nothing; for what is read
 * this way (a zone, a hosts file) that is good enough.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Where the file is open, or -1: *ret_deleted when a layer says that it is gone. */
static int open_in_layer(const char *layer, const char *path, bool *ret_deleted) {
	struct stat info;
	_cleanup_close_ int root_fd = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int point_fd = root_fd < 0 ? -1 : rootfs_open(root_fd, path, O_PATH);

	if (point_fd < 0 || fstat(point_fd, &info) < 0)
		return -1;
	*ret_deleted = S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0);
	/* opening what is no file could wait for ever, or do something; the caller refuses it */
	if (!*ret_deleted && !S_ISREG(info.st_mode))
		return steal_fd(&point_fd);
	return *ret_deleted ? -1 : rootfs_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

bool runtime_read_layer_file(char *const *layers, const char *path, size_t limit, char **ret_text,
	size_t *ret_size, GError **err) {
	struct stat info;
	bool deleted = false;

	*ret_text = NULL;
	for (size_t i = g_strv_length((char **)(uintptr_t)layers); i-- > 0 && !deleted;) {
		_cleanup_close_ int fd = open_in_layer(layers[i], path, &deleted);

		if (fd < 0)
			continue;
		if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
			return fail(err, ERROR_INVALID, "\"%s\" of the image is not a file", path);
		return fd_read_all(fd, path, limit, ret_text, ret_size, err);
	}
	return true;
}
