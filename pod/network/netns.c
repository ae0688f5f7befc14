/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network namespaces. See netns.h. */
#include "network/netns.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

int netns_open(ProcId target, GError **err) {
	g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", (int)target.pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT) {
		fail_errno(err, errno, "cannot open \"%s\"", path);
		return -1;
	}
	/* asked after the open: the file belongs to the process that is seen alive now */
	if (fd < 0 || !proc_is_alive(target)) {
		fail(err, ERROR_STATE, "cannot connect process %d: it has ended", (int)target.pid);
		return -1;
	}
	return steal_fd(&fd);
}

int netns_open_self(GError **err) {
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_errno(err, errno, "cannot open \"/proc/self/ns/net\"");
	return fd;
}

bool netns_enter(int netns_fd, GError **err) {
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return fail_errno(err, errno, "cannot enter the network namespace");
	return true;
}

bool netns_write_sysctl(const char *path, const char *value, GError **err) {
	g_autofree char *full = g_strconcat("/proc/sys/net/", path, NULL);
	_cleanup_close_ int fd = open(full, O_RDWR | O_CLOEXEC);
	char now[32] = "";

	/* read first: where /proc/sys is read-only but right, all is well */
	if (fd < 0 && errno == EROFS)
		fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, errno, "cannot write \"%s\"", full);
	ssize_t n = pread(fd, now, sizeof now - 1, 0);
	if (n > 0 && strcmp(g_strchomp(now), value) == 0)
		return true;
	if (pwrite(fd, value, strlen(value), 0) < 0)
		return fail_errno(err, errno, "cannot write \"%s\"", full);
	return true;
}
