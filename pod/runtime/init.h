/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container's first process carries from its birth to its execve. Everything that needs the
 * host's view (paths, layers, bind sources, the host's /dev/null) was opened by the launcher
 * before the birth, as detached mounts; after the pivot nothing of the host is reachable.
 */
#pragma once

#include "base/cleanup.h"
#include "runtime/accounts.h"
#include "runtime/config.h"
#include "runtime/process.h"
#include "runtime/seccomp.h"

typedef struct InitContext {
	const RuntimeConfig *config;
	int channel; /* to the launcher: sync.h */

	/* Prepared by the launcher. -1: none. */
	int root_fd;      /* the root file system, a detached mount */
	int *mount_fds;   /* one for each of config->mounts; -1 for a tmpfs */
	int notify_fd;    /* detached bind of config->notify_socket_dir */
	int null_fd;      /* detached bind of the host's /dev/null */
	int cgroup_fd;    /* detached bind of the host's cgroup2, without a cgroup namespace */
	int host_shm_fd;  /* detached bind of the host's /dev/shm, with the host's IPC namespace */
	int *join_fds;    /* pidfds and namespaces, one for each of config->joins; NULL: none */
	int user_fd;      /* the user namespace to be born in */
	IdMap uids, gids; /* its maps */
	int host_proc_fd; /* user namespace in the host's PID namespace: bind of the host's /proc */
	int host_sys_fd;  /* user namespace in a foreign network namespace: bind of /sys */
	int host_dev_fd;  /* user namespace: /dev, whose nodes only the host's root can make */
	int stdin_fd, stdout_fd, stderr_fd;
	int program_fd;  /* podctl-exec or podctl-init, see process.h */
	int *passed_fds; /* one for each of config->descriptors */
	AccountsFile passwd, group;
	SeccompFilter filter;

	/* Found on the way by the first process. */
	int shm_fd;       /* the pod's /dev/shm, detached */
	int proc_fd;      /* a procfs of our own that is mounted nowhere: the trusted one */
	int full_proc_fd; /* with --security-opt proc-opts=subset=pid: one that has /proc/sys */
	int dev_fd;       /* the tmpfs at /dev */
	int devpts_fd;    /* the devpts at /dev/pts */
	int console_fd;   /* pty master, on its way to the launcher */
	int terminal_fd;  /* its other end, the future stdio */
	ProcessUser user;
} InitContext;

/* Releases what the launcher prepared. */
void init_context_clear(InitContext *context);

/* In the first process: walks the step table, waits at the barrier, executes the program. Never
 * returns. */
_Noreturn void init_run(InitContext *context);
