/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Birth, namespaces and identity of a process in a container. See join.h. */
#include "runtime/join.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

/* setns(CLONE_NEWPID) changes only where children are born, so the parent of a process in another
 * PID namespace need not be in it. */
pid_t join_clone(int target_pidfd, int cgroup_fd, uint64_t flags, int *ret_pidfd) {
	int pidfd = -1, own_ns = -1;
	CloneArgs args = {.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD};

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	if (target_pidfd >= 0) {
		own_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
		if (own_ns < 0)
			return -errno;
		if (setns(target_pidfd, CLONE_NEWPID) < 0) {
			int error = errno;
			close(own_ns);
			return -error;
		}
	}
	pid_t pid = sys_clone3(&args);
	int error = errno;

	if (pid == 0) {
		if (own_ns >= 0)
			close(own_ns);
		return 0;
	}
	if (own_ns >= 0) {
		/* Our own namespace is always a legal target of setns. */
		(void)!setns(own_ns, CLONE_NEWPID);
		close(own_ns);
	}
	if (pid < 0)
		return -error;
	if (ret_pidfd)
		*ret_pidfd = pidfd;
	else
		close(pidfd);
	return pid;
}

int join_enter(int target_pidfd, int namespaces) {
	return setns(target_pidfd, namespaces) < 0 ? -errno : 0;
}

int join_detach(void) {
	sigset_t none;

	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	if (setsid() < 0 && errno != EPERM)
		return -errno;
	for (int number = 1; number <= 64; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int install_filter(const JoinIdentity *identity) {
	struct sock_fprog program = {.len = (unsigned short)identity->n_filter,
		.filter = (struct sock_filter *)identity->filter};

	if (!identity->filter)
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, identity->filter_flags, &program) < 0
		       ? -errno
		       : 0;
}

/* Drops every bit that is not wanted and learns how many capabilities the kernel has: bits above
 * the last one answer EINVAL (security.md A01.5). */
static int drop_bounding(uint64_t wanted, uint64_t *ret_known) {
	uint64_t known = 0;

	for (int bit = 0; bit < 64; bit++) {
		int have = prctl(PR_CAPBSET_READ, bit, 0, 0, 0);

		if (have < 0)
			break;
		known |= UINT64_C(1) << bit;
		if (have && !(wanted & UINT64_C(1) << bit) &&
			prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) < 0)
			return -errno;
	}
	*ret_known = known;
	return 0;
}

static struct __user_cap_header_struct capability_header(void) {
	return (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
}

static uint64_t current_permitted(void) {
	struct __user_cap_header_struct header = capability_header();
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return UINT64_MAX; /* a filter may forbid it: capset itself then decides */
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

static int set_capabilities(uint64_t permitted, uint64_t inheritable) {
	struct __user_cap_header_struct header = capability_header();
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)permitted, (uint32_t)permitted, (uint32_t)inheritable},
		{(uint32_t)(permitted >> 32), (uint32_t)(permitted >> 32),
			(uint32_t)(inheritable >> 32)},
	};

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int raise_ambient(uint64_t ambient) {
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	for (int bit = 0; bit < 64; bit++)
		if (ambient & UINT64_C(1) << bit &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0) < 0)
			return -errno;
	return 0;
}

/* The raw calls: single-threaded, and libc's versions would need its thread list. */
static int set_ids(const JoinIdentity *identity) {
	if (syscall(SYS_setgroups, identity->n_groups, identity->groups) < 0)
		return -errno;
	if (syscall(SYS_setresgid, identity->gid, identity->gid, identity->gid) < 0)
		return -errno;
	if (syscall(SYS_setresuid, identity->uid, identity->uid, identity->uid) < 0)
		return -errno;
	return 0;
}

static int fail_step(int error, const char *step, const char **ret_step) {
	*ret_step = step;
	return error;
}

/* A call may claim success and have done less (an old kernel, a filter of whoever started us): what
 * the process has become is asked again, and anything more than was wanted ends the start
 * (security.md A01.3). What a strict profile does not let us ask has succeeded. */
static int verify(const JoinIdentity *identity, uint64_t known, uint64_t wanted) {
	struct __user_cap_header_struct header = capability_header();
	struct __user_cap_data_struct data[2] = {{0}};
	uint64_t inheritable = identity->uid == 0 ? 0 : wanted;
	uid_t uids[3];
	gid_t gids[3];

	for (int bit = 0; bit < 64; bit++)
		if (known & ~identity->bounding & UINT64_C(1) << bit &&
			prctl(PR_CAPBSET_READ, bit, 0, 0, 0) == 1)
			return -EPERM;
	if (syscall(SYS_capget, &header, data) == 0)
		for (int i = 0; i < 2; i++)
			if (data[i].permitted != (uint32_t)(wanted >> 32 * i) ||
				data[i].effective != (uint32_t)(wanted >> 32 * i) ||
				data[i].inheritable != (uint32_t)(inheritable >> 32 * i))
				return -EPERM;
	if (syscall(SYS_getresuid, &uids[0], &uids[1], &uids[2]) == 0)
		for (int i = 0; i < 3; i++)
			if (uids[i] != identity->uid)
				return -EPERM;
	if (syscall(SYS_getresgid, &gids[0], &gids[1], &gids[2]) == 0)
		for (int i = 0; i < 3; i++)
			if (gids[i] != identity->gid)
				return -EPERM;
	/* A primary group that is missing here would be one as well (B4-03). */
	long n_groups = syscall(SYS_getgroups, 0, NULL);
	if (n_groups >= 0 && n_groups != (long)identity->n_groups)
		return -EPERM;
	if (identity->no_new_privs && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		return -EPERM;
	if (!identity->no_new_privs && identity->filter && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0)
		return -EPERM;
	return 0;
}

int join_become(const JoinIdentity *identity, const char **ret_step) {
	uint64_t known = 0, wanted;
	int r;

	if (!identity->no_new_privs && (r = install_filter(identity)) < 0)
		return fail_step(r, "cannot load the seccomp filter", ret_step);
	if ((r = drop_bounding(identity->bounding, &known)) < 0)
		return fail_step(r, "cannot drop capabilities", ret_step);
	wanted = (identity->uid == 0 ? identity->bounding : identity->ambient) & known &
		 current_permitted();
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fail_step(-errno, "cannot keep capabilities", ret_step);
	if ((r = set_ids(identity)) < 0)
		return fail_step(r, "cannot change the user", ret_step);
	if ((r = set_capabilities(wanted, identity->uid == 0 ? 0 : wanted)) < 0)
		return fail_step(r, "cannot set capabilities", ret_step);
	if ((r = raise_ambient(identity->uid == 0 ? 0 : wanted)) < 0)
		return fail_step(r, "cannot set ambient capabilities", ret_step);
	/* Changing the user sets this to fs.suid_dumpable, which need not be 0 (A17.2). */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fail_step(-errno, "cannot become unreadable", ret_step);
	if (identity->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_step(-errno, "cannot set no_new_privs", ret_step);
	/* Before the filter that would forbid the questions, where it goes in last. */
	if ((r = verify(identity, known, wanted)) < 0)
		return fail_step(r, "the process has other rights than it should", ret_step);
	if (identity->no_new_privs && (r = install_filter(identity)) < 0)
		return fail_step(r, "cannot load the seccomp filter", ret_step);
	return 0;
}
