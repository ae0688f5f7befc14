/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that the oldest supported libc has no wrapper for, in one place: the names below
 * are the kernel's, the result is -1 with errno as for every wrapper. Plain C and libc only,
 * because join.c is also compiled into the static supervisor. <sys/mount.h> and <linux/mount.h>
 * cannot be included together with glibc 2.36, so everything about mounts comes from here.
 */
#pragma once

#include <errno.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef MNT_DETACH
#	define MNT_DETACH 2
#endif
#ifndef CLONE_PIDFD
#	define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_NEWCGROUP
#	define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_INTO_CGROUP
#	define CLONE_INTO_CGROUP UINT64_C(0x200000000)
#endif
#ifndef AT_RECURSIVE
#	define AT_RECURSIVE 0x8000
#endif
#ifndef AT_EMPTY_PATH
#	define AT_EMPTY_PATH 0x1000
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#	define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* struct clone_args of the kernel; <linux/sched.h> collides with <sched.h>. */
typedef struct CloneArgs {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
} CloneArgs;

/* As fork(): the child has a copy of the address space. */
static inline pid_t sys_clone3(CloneArgs *args) {
	return (pid_t)syscall(SYS_clone3, args, sizeof(*args));
}

static inline int sys_pidfd_open(pid_t pid) {
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int sys_pidfd_signal(int pidfd, int signal_number) {
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
}

static inline int sys_fsopen(const char *type) {
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int sys_fsconfig_string(int fd, const char *key, const char *value) {
	return (int)syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, key, value, 0);
}

static inline int sys_fsconfig_flag(int fd, const char *key) {
	return (int)syscall(SYS_fsconfig, fd, FSCONFIG_SET_FLAG, key, NULL, 0);
}

static inline int sys_fsconfig_create(int fd) {
	return (int)syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static inline int sys_fsmount(int fd, unsigned attributes) {
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

static inline int sys_open_tree(int dir_fd, const char *path, unsigned flags) {
	return (int)syscall(SYS_open_tree, dir_fd, path, flags);
}

/* Attaches the mount that from_fd stands for onto the object to_fd stands for: no path is looked
 * up, so nothing can be swapped between check and use. */
static inline int sys_move_mount(int from_fd, int to_fd) {
	return (int)syscall(SYS_move_mount, from_fd, "", to_fd, "",
		MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static inline int sys_mount_setattr(
	int dir_fd, const char *path, unsigned flags, struct mount_attr *attributes) {
	return (int)syscall(
		SYS_mount_setattr, dir_fd, path, flags, attributes, sizeof(*attributes));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old) {
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_umount_detach(const char *path) {
	return (int)syscall(SYS_umount2, path, MNT_DETACH);
}

static inline int sys_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t resolve) {
	struct open_how how = {.flags = flags, .resolve = resolve};

	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
	return (int)syscall(SYS_close_range, first, last, flags);
}

static inline int sys_execveat(
	int dir_fd, const char *path, char *const *argv, char *const *env, int flags) {
	return (int)syscall(SYS_execveat, dir_fd, path, argv, env, flags);
}

/* Joins a new (or the so named) session keyring. */
static inline long sys_join_session_keyring(const char *name) {
	return syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, name, 0, 0, 0);
}
