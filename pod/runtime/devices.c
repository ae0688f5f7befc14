/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes. Made in a tmpfs that is mounted nowhere yet, so no name in it can be a trap. */
#include "runtime/devices.h"
#include "base/cleanup.h"
#include "runtime/mounts.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct {
	const char *name;
	unsigned major, minor;
} nodes[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9},
	{"tty", 5, 0}};

static const struct {
	const char *name, *target;
} links[] = {{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"core", "/proc/kcore"}, {"ptmx", "pts/ptmx"}};

static const struct {
	const char *name;
	mode_t mode;
} folders[] = {{"pts", 0755}, {"shm", 01777}, {"mqueue", 0755}};

/* The caller's umask is 0. */
int devices_make_tmpfs(bool console) {
	_cleanup_close_ int fd = mounts_new_tmpfs(UINT64_C(65536) * 1024, 0755,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME);

	if (fd < 0)
		return -1;
	array_foreach (node, nodes)
		if (mknodat(fd, node->name, S_IFCHR | 0666, makedev(node->major, node->minor)) < 0)
			return -1;
	array_foreach (link, links)
		if (symlinkat(link->target, fd, link->name) < 0)
			return -1;
	array_foreach (folder, folders)
		if (mkdirat(fd, folder->name, folder->mode) < 0)
			return -1;
	if (console && mknodat(fd, "console", S_IFREG | 0600, 0) < 0)
		return -1;
	return steal_fd(&fd);
}
