/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RuntimeConfig: what the kernel will do. Absolute paths, numbers and flags; no names, no images,
 * no defaults. engine/resolve.c is its only producer, runtime_create() its only consumer.
 */
#pragma once

#include "base/idrange.h"
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
	bool devices; /* device nodes in it work: the cgroup's device program is what denies */
	bool volatile_upper; /* nothing is synced: the upper layer does not outlive the boot */
	bool fresh_upper;    /* made just now: its owner is not yet that of the user namespace */
	bool map_ids;        /* ROOTFS_DIRECTORY: through the user namespace's map */
	bool read_only;
	bool look_only; /* nothing is written: others may use the upper layer meanwhile */
} RuntimeRootfs;

typedef enum MountKind {
	MOUNT_BIND,    /* source: an absolute host path, file or directory */
	MOUNT_TMPFS,   /* fresh */
	MOUNT_RAMFS,   /* fresh, never swapped out */
	MOUNT_DEVPTS,  /* fresh */
	MOUNT_OVERLAY, /* layers: an image's, or a directory below a fresh upper one */
} MountKind;

/* A mount the user or the engine asked for. /proc, /sys, /dev, /dev/pts, /dev/shm, /dev/mqueue and
 * /sys/fs/cgroup are the runtime's own and come from its table; one with such a destination takes
 * the place of the runtime's, one on /dev the place of all below it. */
typedef struct RuntimeMount {
	MountKind kind;
	char *source;
	RuntimeRootfs *layers; /* MOUNT_OVERLAY; owned */
	char *subpath; /* bind, overlay: only this part, looked up inside the source; NULL: all */
	char *destination; /* absolute, inside the container */
	bool read_only, nosuid, nodev, noexec;
	bool recursive;
	char *propagation; /* NULL: rprivate */
	bool map_ids;      /* bind: ids through these maps; no rows: the user namespace's */
	IdMap uid_map, gid_map;
	bool map_relative_uids, map_relative_gids; /* outside is an id of the container */
	bool chown;          /* everything in it is given to the container's user */
	bool copy_up;        /* tmpfs, bind: while it is empty it takes what the image has there */
	uint64_t size_bytes; /* tmpfs; 0: the kernel's default */
	uint64_t max_inodes; /* tmpfs; 0: the kernel's default */
	bool no_swap;        /* tmpfs */
	unsigned mode;       /* tmpfs, ramfs, devpts */
	bool mode_given;     /* copy_up leaves it alone */
	int64_t uid, gid;    /* tmpfs, devpts; -1: the container's root */
	unsigned max;        /* devpts: number of terminals; 0: the kernel's default */
	bool optional; /* a generated file: skipped when the root file system cannot hold it */
} RuntimeMount;

/* A node in the runtime's own /dev. */
typedef struct RuntimeDevice {
	char *destination; /* relative to /dev */
	mode_t mode;       /* with S_IFCHR or S_IFBLK */
	unsigned major, minor;
	uid_t uid;
	gid_t gid;
} RuntimeDevice;

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
	bool or_next;  /* where the kernel has no such file, the next limit stands for it */
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

/* A descriptor of the launcher for the container's process. */
typedef struct RuntimeDescriptor {
	int from;
	int to; /* the number that it is to have, above 2 */
} RuntimeDescriptor;

/* Lines that are added to the container's account files (runtime/accounts.h). */
typedef struct RuntimeAccounts {
	char *passwd_file, *group_file; /* host files to fill and mount; NULL: nothing is added */
	char *passwd_entry, *group_entry;
	char **host_users; /* lines for passwd */
} RuntimeAccounts;

typedef enum SeccompKind {
	SECCOMP_PROFILE, /* seccomp_profile: absolute path of a JSON profile */
	SECCOMP_UNCONFINED,
} SeccompKind;

/* Namespaces (CLONE_NEW* bits) of a process, or of a file that stands for one of them. */
typedef struct RuntimeJoin {
	int namespaces;
	ProcId process; /* pid 0: path */
	char *path;
	bool infra; /* the process is a pod's first one */
} RuntimeJoin;

typedef struct RuntimeConfig {
	char *id;

	/* namespaces: CLONE_NEW* bits. In neither set: the host's. */
	int new_namespaces;
	int join_namespaces; /* those of all joins together */
	RuntimeJoin *joins;  /* runtime_config_add_join() */
	size_t n_joins;
	IdMap uid_map, gid_map; /* of a new user namespace; both map id 0 inside */
	char *hostname;         /* set when CLONE_NEWUTS is new; NULL: leave */

	RuntimeRootfs rootfs;
	RuntimeMount **mounts; /* NULL-terminated, in order */
	size_t n_mounts;
	RuntimeDevice *devices; /* runtime_config_add_device() */
	size_t n_devices;
	bool read_only_dev;      /* /dev and /dev/shm too */
	uint64_t shm_size_bytes; /* /dev/shm when the IPC namespace is new; joined otherwise */
	bool no_shm;             /* nothing is mounted on /dev/shm */
	char **masked_paths;     /* absolute; files and directories that may be missing */
	char **read_only_paths;

	bool init;   /* podctl-init starts argv and stays the first process */
	char **argv; /* argv[0] is looked up in the container's PATH unless it has a slash */
	char **env;
	char *cwd;
	bool make_cwd; /* make it when missing: the image's, not the user's (podman's rule) */
	char *user;    /* "", "UID[:GID]" or names, resolved in the container's /etc/passwd */
	gid_t *additional_gids;
	size_t n_additional_gids;
	char **additional_groups; /* --group-add: names or numbers, resolved inside */
	RuntimeAccounts accounts;

	uint64_t capabilities; /* bounding set; uid 0 gets it as permitted and effective too */
	uint64_t ambient_capabilities; /* those a non-root user keeps (explicitly added) */
	bool cgroup_writable;          /* its own cgroup2, where it has a cgroup of its own */
	char **proc_options;           /* of the container's /proc: "hidepid=2" */
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

	bool terminal; /* a pty in the container's /dev/pts is its stdio */
	int stdin_fd;  /* without terminal: passed in; -1: /dev/null */
	RuntimeDescriptor *descriptors;
	size_t n_descriptors;
	char **listen_fds_env;   /* LISTEN_FDS=N and LISTEN_FDNAMES=...; LISTEN_PID is added */
	char *notify_socket_dir; /* host directory with the socket "notify"; bound read-only at
				    /run/notify and announced by NOTIFY_SOCKET; NULL: none */
} RuntimeConfig;

RuntimeConfig *runtime_config_new(void);
void runtime_config_free(RuntimeConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RuntimeConfig, runtime_config_free)

RuntimeMount *runtime_mount_new(MountKind kind, const char *source, const char *destination);
void runtime_config_add_mount(RuntimeConfig *config, RuntimeMount *mount); /* takes it */
/* True if a mount has exactly this destination. */
bool runtime_config_has_mount(const RuntimeConfig *config, const char *destination);
/* Copies; a device that is there already under this destination is replaced. */
void runtime_config_add_device(RuntimeConfig *config, const RuntimeDevice *device);

/* Appends copies. option, controller, file and value as in RuntimeLimit; the result is valid until
 * the next call. */
RuntimeLimit *runtime_config_add_limit(RuntimeConfig *config, const char *option,
	const char *controller, const char *file, const char *value);
void runtime_config_add_device_rule(RuntimeConfig *config, RuntimeDeviceRule rule);

/* Adds to what is joined. A process that is there already only gets the further bits. path is
 * copied. */
void runtime_config_add_join(RuntimeConfig *config, const RuntimeJoin *join);

/* For --log-level debug and the state directory: everything above. Environment values are left
 * out. A new reference. */
json_t *runtime_config_to_json(const RuntimeConfig *config);
