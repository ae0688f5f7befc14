/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Becoming a process of a container: born into its PID namespace and cgroup, entering its other
 * namespaces, taking on an identity. Libc only: used by the runtime and compiled into the static
 * supervisor for its probes. Results are 0 (or a pid) or a negative errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sock_filter;

/* As fork(), but the child is born in the PID namespace of target_pidfd (-1: the caller's) and in
 * the cgroup directory cgroup_fd (-1: the caller's); flags are further CLONE_NEW* bits. The caller
 * is the parent and stays in its own PID namespace. *ret_pidfd (may be NULL) is close-on-exec. */
pid_t join_clone(int target_pidfd, int cgroup_fd, uint64_t flags, int *ret_pidfd);

/* In the child: enters the namespaces (CLONE_NEW* bits, without PID) of target_pidfd by
 * one setns. With CLONE_NEWUSER it is nobody until it has become root there. With CLONE_NEWNS root
 * and working directory become the container's. */
int join_enter(int target_pidfd, int namespaces);

/* Makes the caller unreadable for others until its execve, its own session and process group,
 * default dispositions and an empty mask for all signals. kill(0) of the payload would otherwise
 * reach the caller's process group outside (security.md A17.1). */
int join_detach(void);

/* Who the process is to be. */
typedef struct JoinIdentity {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* all supplementary groups, the primary one included */
	size_t n_groups;
	uint64_t bounding; /* capabilities; uid 0 gets them as permitted and effective too */
	uint64_t ambient;  /* what another uid keeps */
	bool no_new_privs;
	const struct sock_filter *filter; /* NULL: no seccomp */
	size_t n_filter;
	uint32_t filter_flags; /* SECCOMP_FILTER_FLAG_* */
} JoinIdentity;

/* Takes the identity on, in the order of security.md A01.3 and A02.9: without no_new_privs the
 * filter goes in first (it needs CAP_SYS_ADMIN), with it last. Capabilities that the caller lacks
 * or the kernel does not know are left out. In the end the kernel is asked what the process has
 * become: more than was wanted is a failure. On failure *ret_step says what was being done. */
int join_become(const JoinIdentity *identity, const char **ret_step);
