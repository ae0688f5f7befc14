/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The door of the runtime: processes in namespaces. It knows absolute facts only; no images, no
 * names, no store. Everything that is made here belongs to a process or to a cgroup directory:
 * nothing enters the host's mount table (D6), so nothing is left when the processes are gone.
 */
#pragma once

#include "runtime/config.h"

/* A container's first process, made but waiting at the start barrier. It dies when barrier_fd is
 * closed before runtime_start, so a launcher that is killed leaves nothing. */
typedef struct RuntimeChild {
	ProcId process;
	int pidfd;
	int barrier_fd; /* -1 after runtime_start */
	int stdout_fd;  /* read ends; -1 with a terminal */
	int stderr_fd;
	int console_fd; /* pty master; -1 without a terminal */
} RuntimeChild;

#define RUNTIME_CHILD_NONE           \
	((RuntimeChild){.pidfd = -1, \
		.barrier_fd = -1,    \
		.stdout_fd = -1,     \
		.stderr_fd = -1,     \
		.console_fd = -1})
void runtime_child_clear(RuntimeChild *child);

/* Adds a device of the host, or all in a directory: nodes for our own /dev, a mount for a
 * destination elsewhere, a rule for the cgroup. Links to it are followed. access: DeviceAccess
 * bits. */
bool runtime_device_find(RuntimeConfig *config, const char *source, const char *destination,
	int access, GError **err);
/* All that the host has below /dev, for a privileged container: no rules. */
bool runtime_device_find_all(RuntimeConfig *config, GError **err);

/* Refuses a mount that no container can have, whatever is on disk: a destination in /proc, an owner
 * to be changed where that would cost the host. */
bool runtime_mount_check(const RuntimeMount *mount, GError **err);

/* Makes the cgroup (if any), the namespaces and the root file system, and stops at the barrier:
 * the caller may now set up the network of the new namespace. Errors are the first process's own
 * words ("cannot mount ..."). On failure nothing is left. The caller must be single-threaded and
 * becomes the parent. */
bool runtime_create(const RuntimeConfig *config, RuntimeChild *ret_child, GError **err);

/* Lets the first process go and waits until execve has succeeded or failed
 * (ERROR_COMMAND_NOT_FOUND, ERROR_COMMAND_NOT_EXECUTABLE; the process is reaped then). */
bool runtime_start(RuntimeChild *child, GError **err);

/* The pod's first process (podctl-pause) with new NET, IPC, UTS, MNT, PID namespaces as asked,
 * user 65534, no capabilities, an empty root, the loopback interface up. It waits at the barrier,
 * so that it dies with a caller who is killed before it is on record; runtime_start lets it go, and
 * from then on it outlives the caller (reparented when the caller ends). */
typedef struct RuntimeInfra {
	const char *pause_path; /* program to run */
	int namespaces;         /* CLONE_NEW* bits to make; NEWNS and NEWPID are always made */
	IdMap uid_map, gid_map; /* borrowed; not empty: all of them in a new user namespace */
	const char *hostname;
	uint64_t shm_size_bytes;
	char **sysctls;
	const char *cgroup;
	const char *pod_cgroup;     /* parent of cgroup, which has the pod's limits; NULL: none */
	const RuntimeLimit *limits; /* of pod_cgroup */
	size_t n_limits;
	const char *title; /* argv[1]: shown in ps */
} RuntimeInfra;
bool runtime_create_infra(const RuntimeInfra *infra, RuntimeChild *ret_child, GError **err);

/* Another process in a running container (exec, exec health probes). */
typedef struct RuntimeExec {
	ProcId target; /* the container's first process */
	char **argv;
	char **env;
	const char *cwd; /* NULL: "/" */
	const char *user;
	char **additional_groups;
	uint64_t capabilities, ambient_capabilities;
	bool no_new_privs;
	SeccompKind seccomp;
	const char *seccomp_profile, *seccomp_cache_dir;
	unsigned umask;
	const char *cgroup;
	unsigned long personality;
	const gid_t *additional_gids;
	size_t n_additional_gids;
	const RuntimeDescriptor *descriptors;
	size_t n_descriptors;
	bool terminal;
	unsigned rows, columns; /* of the terminal; 0: unknown */
	int stdin_fd, stdout_fd,
		stderr_fd; /* without terminal: handed to the process as they are */
} RuntimeExec;

/* Starts it; on return it has exec'd. ret_child has process, pidfd and console_fd. The process is
 * the caller's child (so the caller reaps its status). */
bool runtime_exec(const RuntimeExec *exec, RuntimeChild *ret_child, GError **err);

/* Sets the window size of a pty, given its master; one that is closed already is fine. */
void runtime_terminal_resize(int console_fd, unsigned rows, unsigned columns);

/* Signals every process of the cgroup (cgroup.kill for SIGKILL) and waits until it is empty, at
 * most timeout_usec. A missing cgroup is fine. */
bool runtime_cgroup_kill(const char *cgroup, uint64_t timeout_usec, GError **err);

/* Removes the cgroup with its children, deepest first; a missing one is fine. */
bool runtime_cgroup_remove(const char *cgroup, GError **err);

typedef enum CgroupMode {
	CGROUP_NONE,   /* no cgroup2 that we may write: cgroups are not used */
	CGROUP_SPLIT,  /* below the caller's own delegated cgroup */
	CGROUP_SCOPE,  /* a transient scope over D-Bus (needs systemd) */
	CGROUP_DIRECT, /* a plain directory below the cgroup2 mount */
} CgroupMode;

/* Where a container or pod would like to be. */
typedef struct CgroupRequest {
	const char *id;
	bool split;                /* --cgroups=split: below the caller's own cgroup */
	bool stay;                 /* the caller itself goes back to where it was */
	const char *pod_cgroup;    /* of the pod whose member this is; NULL: none */
	const char *cgroup_parent; /* a slice, or an absolute path below the mount; NULL: none */
} CgroupRequest;

typedef struct CgroupPlan {
	CgroupMode mode;
	char *payload;    /* absolute directory for the container; NULL with CGROUP_NONE */
	char *supervisor; /* where launcher and supervisor have moved; NULL: they stay */
	char *scope;      /* name of the scope that was made */
	char *origin;     /* where the caller was, if it is to go back */
} CgroupPlan;

/* Decides and prepares: for SPLIT makes "supervisor" and "payload-ID" below the caller's cgroup
 * and moves the caller to the former; for DIRECT chooses a path below podctl/ on the cgroup2
 * mount, wherever that is, or below cgroup_parent. On a machine without systemd and without a
 * writable cgroup2, mode is CGROUP_NONE and that is not an error. A cgroup_parent that cannot be
 * had is one. */
bool runtime_cgroup_plan(const CgroupRequest *request, CgroupPlan *ret_plan, GError **err);
/* Once a process lives in the payload: takes the caller back to where it was, if it is to stay. */
bool runtime_cgroup_return(const CgroupPlan *plan, GError **err);
void runtime_cgroup_plan_clear(CgroupPlan *plan);

/* Writes limits into a cgroup that is there, enabling controllers down to it. ERROR_UNSUPPORTED
 * names the option and the controller that is missing. */
bool runtime_cgroup_limit(const char *cgroup, const RuntimeLimit *limits, size_t n, GError **err);

/* True if the machine's cgroup2 offers the controller ("pids") at its mount. */
bool runtime_cgroup_has_controller(const char *controller);

/* "8:0" of a block device, as io.max wants it. Free with g_free. */
bool runtime_block_device(const char *path, char **ret_numbers, GError **err);

/* Stops or resumes every process of the cgroup and waits until the kernel says so, at most
 * timeout_usec (ERROR_TIMEOUT). A cgroup that is gone is ERROR_NOT_FOUND. */
bool runtime_cgroup_freeze(const char *cgroup, bool frozen, uint64_t timeout_usec, GError **err);

#define CGROUP_STAT_UNKNOWN UINT64_MAX

/* What a cgroup has used; a number that its controllers do not give is CGROUP_STAT_UNKNOWN. */
typedef struct CgroupStats {
	uint64_t cpu_usec;
	uint64_t memory_bytes, memory_limit_bytes;
	uint64_t pids;
	uint64_t block_input_bytes, block_output_bytes;
} CgroupStats;

/* False, with everything unknown, without the cgroup (it may be NULL). */
bool runtime_cgroup_stats(const char *cgroup, CgroupStats *ret_stats);

/* Bytes through all interfaces but the loopback of the process's network namespace. False when it
 * is the caller's own, or the process has ended. */
bool runtime_network_stats(ProcId process, uint64_t *ret_input, uint64_t *ret_output);

/* Pids in a cgroup, -1-terminated; free with g_free. A missing cgroup gives an empty list. */
pid_t *runtime_cgroup_pids(const char *cgroup, GError **err);

/* Processes of a container: those of its cgroup (with children), or without one those of its pid
 * namespace; in the host's, only the first process. -1-terminated; free with g_free. */
pid_t *runtime_pids(ProcId init, const char *cgroup, GError **err);

/* Compiles a profile, as a start would, and keeps the filter in the cache. */
bool runtime_seccomp_check(
	const char *profile, const char *cache_dir, uint64_t capabilities, GError **err);

/* Reads a file as a container with these directories (lowest first) would find it, links resolved
 * inside each of them. *ret_text is NULL when there is none; what is no file is ERROR_INVALID. Free
 * with g_free; *ret_size may be NULL. */
bool runtime_read_layer_file(char *const *layers, const char *path, size_t limit, char **ret_text,
	size_t *ret_size, GError **err);

/* The root directory of a running container, as its first process sees it, with all mounts, and
 * the maps of its user namespace (no rows: ids are the same on both sides; id_map_clear). Names
 * below it are the container's: only to be opened with RESOLVE_IN_ROOT or O_NOFOLLOW. ERROR_STATE
 * when it is not running. -1 on error. */
int runtime_open_root(ProcId init, IdMap *ret_uids, IdMap *ret_gids, GError **err);

/* The root file system of a container that does not run: a detached mount that dies with the
 * descriptor; with look_only set in rootfs it may be running after all. uids and gids: maps of its
 * user namespace, or without rows. -1 on error. */
int runtime_open_rootfs(
	const RuntimeRootfs *rootfs, const IdMap *uids, const IdMap *gids, GError **err);

/* The ids of a user of the container, looked up in its own files below root_fd. */
bool runtime_find_user(int root_fd, const char *user, uid_t *ret_uid, gid_t *ret_gid, GError **err);

/* podman's 11 default capabilities as a bit set; all capabilities of the caller's bounding set. */
uint64_t runtime_capabilities_default(void);
uint64_t runtime_capabilities_all(void);

/* "CAP_NET_RAW", "net_raw" -> bit number; -1 when unknown. */
int runtime_capability_from_string(const char *name);
/* "CAP_NET_RAW"; NULL when the bit has no name. */
const char *runtime_capability_to_string(int capability);

/* podman's masked and read-only paths plus ours (security.md A04). NULL-terminated, static. */
const char *const *runtime_masked_paths(void);
const char *const *runtime_read_only_paths(void);

/* True if the kernel lets a sysctl be set per container given these new (or pod-shared)
 * namespaces; otherwise ERROR_INVALID says why (security.md A08). */
bool runtime_sysctl_check(const char *assignment, int namespaces, GError **err);
