/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for podctl-exec: what could a container do with the host's program that runs in it?
 * Says so on its standard output, as one line of words, and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

struct attributes {
	unsigned long long set, clear, propagation, user;
};

static const char *word(long result) {
	return result < 0 ? strerror(errno) : "done";
}

int main(void) {
	struct attributes writable = {.clear = 1}; /* MOUNT_ATTR_RDONLY */
	struct statvfs system;
	struct stat info;
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (own < 0 || fstatvfs(own, &system) < 0 || fstat(own, &info) < 0) {
		printf("unreadable=%s\n", strerror(errno));
		return 0;
	}
	printf("readonly=%d nosuid=%d", !!(system.f_flag & ST_RDONLY),
		!!(system.f_flag & ST_NOSUID));
	printf(" write=\"%s\"", word(open("/proc/self/exe", O_WRONLY | O_CLOEXEC)));
	printf(" truncate=\"%s\"", word(truncate("/proc/self/exe", 0)));
	printf(" chmod=\"%s\"", word(fchmod(own, 0777)));
	printf(" link=\"%s\"",
		word(linkat(AT_FDCWD, "/proc/self/exe", AT_FDCWD, "/tmp/x", AT_SYMLINK_FOLLOW)));
	printf(" remount=\"%s\"", word(syscall(442, own, "", 0x1000, &writable, sizeof(writable))));
	printf(" dumpable=%d\n", prctl(PR_GET_DUMPABLE));
	return 0;
}
