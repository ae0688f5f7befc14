/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RuntimeConfig: what the kernel will do. Absolute paths, numbers and flags; no names, no images,
 * no defaults. engine/resolve.c is its only producer, runtime_create() its only consumer.
 */
#pragma once

#include "base/json.h"
#include "base/proc.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum RootfsKind {
	ROOTFS_OVERLAY,   /* lower_dirs, upper_dir, work_dir */
	ROOTFS_DIRECTORY, /* path, bound as it is (writable unless read_only) */
} RootfsKind;

typedef struct RuntimeRootfs {
	RootfsKind kind;
	char *path;        /* ROOTFS_DIRECTORY */
	char **lower_dirs; /* lowest first */
	char *upper_dir;
	char *work_dir;
	bool volatile_upper; /* nothing is synced: the upper layer does not outlive the boot */
	bool read_only;
} RuntimeRootfs;

typedef enum MountKind {
	MOUNT_BIND,  /* source: an absolute host path, file or directory */
	MOUNT_TMPFS, /* fresh */
} MountKind;

/* A mount the user or the engine asked for. /proc, /sys, /dev, /dev/pts, /dev/shm, /dev/mqueue and
 * /sys/fs/cgroup are the runtime's own and come from its table. */
typedef struct RuntimeMount {
	MountKind kind;
	char *source;
	char *destination; /* absolute, inside the container */
	bool read_only, nosuid, nodev, noexec;
	bool recursive;
	char *propagation;   /* NULL: rprivate */
	uint64_t size_bytes; /* tmpfs; 0: the kernel's default */
	unsigned mode;       /* tmpfs */
	bool copy_up;        /* tmpfs: starts with what the image has there */
	bool optional; /* a generated file: skipped when the root file system cannot hold it */
} RuntimeMount;

typedef struct RuntimeRlimit {
	int resource;
	uint64_t soft, hard; /* UINT64_MAX: no limit */
	bool as_far; /* a default: where it is not permitted, the hard limit that there is */
} RuntimeRlimit;

/* One value written into the container's cgroup before its first process is born. */
typedef struct RuntimeLimit {
	char *option;     /* what the user asked, for errors: "--memory" */
	char *controller; /* that the file belongs to: "memory"; NULL: a file of every cgroup */
	char *file;       /* "memory.max" */
	char *value;
	bool optional; /* a default: left out where the controller is missing */
} RuntimeLimit;

typedef enum DeviceAccess { /* the kernel's BPF_DEVCG_ACC_* */
	DEVICE_MKNOD = 1 << 0,
	DEVICE_READ = 1 << 1,
	DEVICE_WRITE = 1 << 2,
} DeviceAccess;

/* A rule of the cgroup's device program. The last one that matches decides, after the defaults of
 * security.md A05.5; an allowing rule matches when it has every access that is asked for, a
 * denying one when it has any. */
typedef struct RuntimeDeviceRule {
	char type;        /* 'c', 'b', 'a': both */
	int major, minor; /* -1: any */
	int access;       /* DeviceAccess bits */
	bool allow;
} RuntimeDeviceRule;

typedef enum SeccompKind {
	SECCOMP_PROFILE, /* seccomp_profile: absolute path of a JSON profile */
	SECCOMP_UNCONFINED,
} SeccompKind;

typedef struct RuntimeConfig {
	char *id;

	/* namespaces: CLONE_NEW* bits. In neither set: the host's. */
	int new_namespaces;
	int join_namespaces; /* from join, by one setns on its pidfd */
	ProcId join;
	char *hostname; /* set when CLONE_NEWUTS is new; NULL: leave */

	RuntimeRootfs rootfs;
	RuntimeMount **mounts; /* NULL-terminated, in order */
	size_t n_mounts;
	uint64_t shm_size_bytes; /* /dev/shm when the IPC namespace is new; joined otherwise */
	char **masked_paths;     /* absolute; files and directories that may be missing */
	char **read_only_paths;

	char **argv; /* argv[0] is looked up in the container's PATH unless it has a slash */
	char **env;
	char *cwd;
	bool make_cwd; /* make it when missing: the image's, not the user's (podman's rule) */
	char *user;    /* "", "UID[:GID]" or names, resolved in the container's /etc/passwd */
	gid_t *additional_gids;
	size_t n_additional_gids;
	char **additional_groups; /* --group-add: names or numbers, resolved inside */

	uint64_t capabilities; /* bounding set; uid 0 gets it as permitted and effective too */
	uint64_t ambient_capabilities; /* those a non-root user keeps (explicitly added) */
	bool privileged;               /* no masks, no seccomp, rw /sys */
	bool no_new_privs;
	SeccompKind seccomp;
	char *seccomp_profile;
	char *seccomp_cache_dir; /* 0700, made when missing */

	char **sysctls; /* K=V, already checked against the namespaces */
	RuntimeRlimit *rlimits;
	size_t n_rlimits;
	unsigned umask;
	int oom_score_adj;         /* INT32_MIN: unchanged */
	unsigned long personality; /* of personality(2); 0: PER_LINUX */

	char *cgroup; /* absolute cgroup2 directory, made and entered at birth; NULL: the caller's
		       */

	RuntimeLimit *limits; /* in the order they are written; runtime_config_add_limit() */
	size_t n_limits;
	RuntimeDeviceRule *device_rules; /* beside the defaults; runtime_config_add_device_rule() */
	size_t n_device_rules;
	bool needs_cgroup; /* something above is worth nothing without one */

	bool terminal;           /* a pty in the container's /dev/pts is its stdio */
	int stdin_fd;            /* without terminal: passed in; -1: /dev/null */
	char **listen_fds_env;   /* reserved for socket activation; NULL */
	char *notify_socket_dir; /* host directory with the socket "notify"; bound read-only at
				    /run/notify and announced by NOTIFY_SOCKET; NULL: none */
} RuntimeConfig;

RuntimeConfig *runtime_config_new(void);
void runtime_config_free(RuntimeConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RuntimeConfig, runtime_config_free)

RuntimeMount *runtime_mount_new(MountKind kind, const char *source, const char *destination);
void runtime_config_add_mount(RuntimeConfig *config, RuntimeMount *mount); /* takes it */

/* Appends copies. option, controller, file and value as in RuntimeLimit. */
void runtime_config_add_limit(RuntimeConfig *config, const char *option, const char *controller,
	const char *file, const char *value);
void runtime_config_add_device_rule(RuntimeConfig *config, RuntimeDeviceRule rule);

/* For --log-level debug and the state directory: everything above. Environment values are left
 * out. A new reference. */
json_t *runtime_config_to_json(const RuntimeConfig *config);
