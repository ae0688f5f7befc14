/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-pause: the infra container of a pod (D5). It owns the pod's namespaces by being alive,
 * reaps what is reparented to it when it is pid 1, and ends on SIGTERM or SIGINT. It locks itself
 * in: after the first few calls nothing but waiting for a signal and exiting is allowed.
 *
 * Usage: podctl-pause [TITLE]. TITLE is only there for ps.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#	define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#	define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#	define NATIVE_ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#	define NATIVE_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#	define NATIVE_ARCH AUDIT_ARCH_S390X
#elif defined(__i386__)
#	define NATIVE_ARCH AUDIT_ARCH_I386
#elif defined(__arm__)
#	define NATIVE_ARCH AUDIT_ARCH_ARM
#else
#	error "no seccomp architecture for podctl-pause here"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* Equal: the next instruction but one decides; otherwise go on. */
#define ALLOW(call)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* Nothing that opens, maps, sends or traces. Another call means that somebody else runs in here. */
static void lock_in(void) {
	static const struct sock_filter filter[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW(SYS_rt_sigtimedwait),
#ifdef SYS_rt_sigtimedwait_time64
		ALLOW(SYS_rt_sigtimedwait_time64),
#endif
		ALLOW(SYS_restart_syscall),
		ALLOW(SYS_exit_group),
		ALLOW(SYS_exit),
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = (struct sock_filter *)filter,
	};

	/* A kernel without seccomp is no reason not to hold a pod. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int main(void) {
	sigset_t end;

	/* Started through a descriptor, some kernels call us by its number. */
	(void)prctl(PR_SET_NAME, "podctl-pause", 0, 0, 0);

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	/* Blocked, so that they are kept for us although pid 1 has no handler for them. */
	sigprocmask(SIG_SETMASK, &end, NULL);
	/* An ignored SIGCHLD makes the kernel reap our children by itself; no zombie ever. */
	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		if (!sigismember(&end, signal_number))
			(void)signal(signal_number, SIG_IGN);
	lock_in();

	/* EINTR: stopped and continued, or frozen and thawed. */
	while (sigwaitinfo(&end, NULL) < 0)
		if (errno != EINTR)
			return 1;
	return 0;
}
