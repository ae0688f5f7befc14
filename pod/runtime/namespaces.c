/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces of the first process. See namespaces.h. */
#include "runtime/namespaces.h"
#include "runtime/join.h"
#include "runtime/mounts.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>

/* With the IPC namespace comes the pod's /dev/shm, which lives in the infra's mount namespace.
 * Standing there also makes our own namespace cheap: its mount table has two entries to copy where
 * the host's has dozens. */
static bool joins_mounts(const RuntimeConfig *config) {
	return config->join_namespaces & CLONE_NEWIPC;
}

int namespaces_at_birth(const RuntimeConfig *config) {
	int flags = config->new_namespaces & ~CLONE_NEWCGROUP;

	return joins_mounts(config) ? flags & ~CLONE_NEWNS : flags | CLONE_NEWNS;
}

/* -1 without a word when the target has no such tmpfs: then the container gets its own. */
static int take_shm(void) {
	struct statfs found;
	_cleanup_close_ int fd = sys_openat2(AT_FDCWD, "/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	if (fd < 0 || fstatfs(fd, &found) < 0 || found.f_type != TMPFS_MAGIC)
		return -1;
	return mounts_clone(
		fd, "", false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

bool namespaces_make_private(GError **err) {
	struct mount_attr private = {.propagation = MS_PRIVATE};

	if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private) < 0)
		return fail_errno(err, errno, "cannot make the mounts private");
	return true;
}

bool namespaces_enter(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	int join = config->join_namespaces & ~(CLONE_NEWPID | CLONE_NEWNS);
	int leave = config->new_namespaces & CLONE_NEWCGROUP;

	if (joins_mounts(config)) {
		join |= CLONE_NEWNS;
		leave |= CLONE_NEWNS;
	}
	if (join) {
		int r = join_enter(context->join_fd, join);
		if (r < 0)
			return fail_errno(err, -r, "cannot join the namespaces of process %d",
				config->join.pid);
	}
	if (joins_mounts(config))
		context->shm_fd = take_shm();
	/* The cgroup namespace's root is the cgroup we stand in, so this must come after entering
	 * it: clone3 with CLONE_NEWCGROUP would take the caller's. */
	if (leave && unshare(leave) < 0)
		return fail_errno(err, errno, "cannot make new namespaces");
	return namespaces_make_private(err);
}

static bool raise_loopback(GError **err) {
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return fail_errno(err, errno, "cannot bring the loopback interface up");
	return true;
}

bool namespaces_furnish(int new_namespaces, const char *hostname, GError **err) {
	if (new_namespaces & CLONE_NEWUTS && hostname &&
		sethostname(hostname, strlen(hostname)) < 0)
		return fail_errno(err, errno, "cannot set the host name \"%s\"", hostname);
	return !(new_namespaces & CLONE_NEWNET) || raise_loopback(err);
}
