/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving up privileges. See confine.h. */
#include "unpack/confine.h"

#include "unpack/syscall_filter.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#ifndef SYS_landlock_create_ruleset
#	define SYS_landlock_create_ruleset 444
#	define SYS_landlock_add_rule       445
#	define SYS_landlock_restrict_self  446
#endif

/* The kernel's structures by value: the headers of the build machine may be older than its kernel.
 */
struct LandlockRuleset {
	uint64_t handled_fs;
	uint64_t handled_net; /* ABI 4 */
	uint64_t scoped;      /* ABI 6 */
};

struct LandlockPath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static int landlock_abi(void) {
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* VERSION */);
}

/* All file rights that this ABI knows: 13 in the first, then REFER, TRUNCATE, IOCTL_DEV. */
static uint64_t landlock_fs_rights(int abi) {
	unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : 14;

	return (UINT64_C(1) << bits) - 1;
}

/* False when Landlock is not there, or too old to allow a hard link between two directories. */
static bool restrict_by_landlock(int dir_fd) {
	int abi = landlock_abi();

	if (abi < 2)
		return false;
	struct LandlockRuleset ruleset = {
		.handled_fs = landlock_fs_rights(abi),
		.handled_net = abi >= 4 ? 3 : 0,
		.scoped = abi >= 6 ? 3 : 0,
	};
	struct LandlockPath rule = {.allowed = ruleset.handled_fs, .fd = dir_fd};
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	return fd >= 0 && syscall(SYS_landlock_add_rule, fd, 1 /* PATH_BENEATH */, &rule, 0) == 0 &&
	       syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}

static bool restrict_by_chroot(int dir_fd) {
	return fchdir(dir_fd) == 0 && chroot(".") == 0 && chdir("/") == 0;
}

static const struct {
	int resource;
	rlim_t value;
} limits[] = {
	{RLIMIT_CORE, 0},
	{RLIMIT_CPU, 3600},
	{RLIMIT_NOFILE, 1024},
	{RLIMIT_FSIZE, LIMIT_BYTES},
#if !IS_SANITIZED
	{RLIMIT_AS, (rlim_t)512 << 20},
#endif
};

static bool set_limits(Failure *failure) {
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct rlimit old, limit = {limits[i].value, limits[i].value};
		if (getrlimit((__rlimit_resource_t)limits[i].resource, &old) == 0 &&
			old.rlim_max < limit.rlim_max)
			limit.rlim_cur = limit.rlim_max = old.rlim_max;
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
			return failure_errno(failure, errno, "cannot limit resources");
	}
	/* a file that grows too large is an error of write, with a line of text */
	signal(SIGXFSZ, SIG_IGN);
	return true;
}

#define KEPT_CAPABILITIES                                                                 \
	(1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER | 1U << CAP_FSETID | \
		1U << CAP_MKNOD | 1U << CAP_SETFCAP)

/* Whiteouts are mknod, file capabilities are an attribute: nothing here needs CAP_SYS_ADMIN. */
static bool drop_capabilities(Failure *failure) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return failure_errno(failure, errno, "cannot read capabilities");
	data[0].permitted &= KEPT_CAPABILITIES;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){0};
	if (syscall(SYS_capset, &header, data) < 0)
		return failure_errno(failure, errno, "cannot drop capabilities");
	return true;
}

static void close_others(int dir_fd) {
	if (dir_fd > 3)
		syscall(SYS_close_range, 3U, (unsigned)dir_fd - 1, 0);
	syscall(SYS_close_range, (unsigned)dir_fd + 1, ~0U, 0);
}

bool confine_process(int dir_fd, Failure *failure) {
	close_others(dir_fd);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failure_errno(failure, errno, "cannot give up privileges");
	/* without the right to make one, the filter still refuses every socket */
	(void)unshare(CLONE_NEWNET);
	if (!set_limits(failure))
		return false;
	/* the rule is made of the descriptor, so it holds below the new root too */
	bool rooted = restrict_by_chroot(dir_fd);
	bool locked = restrict_by_landlock(dir_fd);
	if (!rooted && !locked)
		return failure_set(failure, "cannot confine the unpacker: no Landlock (Linux "
					    "5.19), no right to chroot");
	return drop_capabilities(failure) && syscall_filter_install(failure);
}
