/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device nodes. Made in a tmpfs that is mounted nowhere yet, so no name in it can be a trap. */
#include "runtime/devices.h"
#include "base/cleanup.h"
#include "runtime/mounts.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <string.h>
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

static bool give(int fd, const char *name, uid_t uid, gid_t gid) {
	return (uid == 0 && gid == 0) || fchownat(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool make_defaults(int fd, bool console, uid_t uid, gid_t gid) {
	array_foreach (node, nodes)
		if (mknodat(fd, node->name, S_IFCHR | 0666, makedev(node->major, node->minor)) <
				0 ||
			!give(fd, node->name, uid, gid))
			return false;
	array_foreach (link, links)
		if (symlinkat(link->target, fd, link->name) < 0 || !give(fd, link->name, uid, gid))
			return false;
	array_foreach (folder, folders)
		if (mkdirat(fd, folder->name, folder->mode) < 0 ||
			!give(fd, folder->name, uid, gid))
			return false;
	return !console ||
	       (mknodat(fd, "console", S_IFREG | 0600, 0) == 0 && give(fd, "console", uid, gid));
}

/* The directory that path lies in, made with its parents; *ret_name is the last component. -1 with
 * errno. */
static int make_parents(int fd, char *path, uid_t uid, gid_t gid, const char **ret_name) {
	_cleanup_close_ int parent = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	char *name = path;

	for (char *slash; parent >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
		*slash = '\0';
		bool made = mkdirat(parent, name, 0755) == 0;
		int next = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next >= 0 && made && !give(parent, name, uid, gid))
			close_fd_ptr(&next);
		close_fd_ptr(&parent);
		parent = next;
	}
	*ret_name = name;
	return steal_fd(&parent);
}

/* What is there under this name gives way, as podman has it: a node of the user's choice may stand
 * for a default one. */
static bool make_device(int fd, const RuntimeDevice *device, uid_t uid, gid_t gid) {
	g_autofree char *path = g_strdup(device->destination);
	const char *name;
	_cleanup_close_ int parent = make_parents(fd, path, uid, gid, &name);

	if (parent < 0 || (unlinkat(parent, name, 0) < 0 && errno != ENOENT))
		return false;
	/* ids that the container does not have belong to nobody in it */
	return mknodat(parent, name, device->mode, makedev(device->major, device->minor)) == 0 &&
	       fchownat(parent, name, uid ? uid : device->uid, gid ? gid : device->gid,
		       AT_SYMLINK_NOFOLLOW) == 0;
}

int devices_make(const RuntimeConfig *config, uid_t uid, gid_t gid) {
	_cleanup_close_ int fd = mounts_new_tmpfs(UINT64_C(65536) * 1024, 0755,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME);
	mode_t saved = umask(0);
	bool done = fd >= 0 && (give(fd, ".", uid, gid)) &&
		    make_defaults(fd, config->terminal, uid, gid);

	for (size_t i = 0; done && i < config->n_devices; i++)
		done = make_device(fd, &config->devices[i], uid, gid);
	int problem = errno;
	umask(saved);
	errno = problem;
	return done ? steal_fd(&fd) : -1;
}
