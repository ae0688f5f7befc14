/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the user asked for: one ContainerSpec or PodSpec, whichever front end it came through
 * (argv, Quadlet's argv, later YAML). Values are kept as the user wrote them; spec_parse.h reads
 * one value's small syntax, spec_validate() reads them all, engine/resolve.c turns them into facts.
 * Plain structs with visible fields; lists are NULL-terminated and NULL when empty. Unset is NULL,
 * SPEC_UNSET for integers and tristates.
 *
 * Adding a field: a member here, a row in spec_fields.c (storage, freeing), a row in the option
 * table cli/spec_options.c, its meaning in engine/resolve.c. The unit test of spec_fields fails
 * for a member without a row.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

#define SPEC_UNSET (-1)

/* Limits of a cgroup: a container's, a pod's, or what `update` changes. */
typedef struct LimitSpec {
	char *blkio_weight;          /* 10 to 1000 */
	char **blkio_weight_devices; /* PATH:WEIGHT */
	char *cpu_period;            /* microseconds */
	char *cpu_quota;
	char *cpu_shares;
	char *cpus; /* 1.5 */
	char *cpuset_cpus;
	char *cpuset_mems;
	char **device_read_bps; /* PATH:RATE */
	char **device_read_iops;
	char **device_write_bps;
	char **device_write_iops;
	char *memory; /* size */
	char *memory_reservation;
	char *memory_swap; /* memory and swap together; "-1": no bound */
	char *pids_limit;  /* -1 or 0: none; NULL: 2048 where there is a pids controller */
} LimitSpec;

typedef struct ContainerSpec {
	/* identity */
	char *name;
	char *image;   /* reference, or the path when rootfs is set */
	bool rootfs;   /* --rootfs: image is a directory, "PATH:O" for an overlay over it */
	char *pod;     /* name or id; "new:NAME" makes one */
	char **labels; /* K=V */
	char **label_files;
	char **annotations; /* K=V */
	char *cidfile;
	char *pidfile;        /* of the container's first process */
	char *conmon_pidfile; /* of the supervisor */
	bool replace;
	bool remove;       /* --rm */
	bool remove_image; /* --rmi: with the container goes its image, if nobody else has it */
	char *pull;        /* always missing never newer */
	char **requires;   /* containers that are started first */
	char *init_ctr;    /* once always: runs before the pod's other members */

	/* process */
	char **command;   /* words after the image */
	char *entrypoint; /* NULL: the image's; "": none; a JSON array or one word */
	char **env;       /* K=V, K, K* */
	char **env_files;
	char **unset_env;
	bool unset_env_all;
	bool env_host;    /* the caller's whole environment */
	char **env_merge; /* K=V with ${K} of the image's value */
	int http_proxy;   /* tristate: pass the caller's proxy variables; unset: yes */
	char **host_env;  /* what the two took from the caller when the container was made */
	char *user;       /* UID[:GID], names allowed */
	char **group_add;
	char *workdir;
	char *umask;
	bool interactive;
	bool tty;
	char *stop_signal;
	int stop_timeout; /* seconds; SPEC_UNSET: 10 */
	int timeout;      /* seconds until the container is killed; SPEC_UNSET or 0: none */
	char **ulimits;   /* NAME=SOFT[:HARD] */
	char *oom_score_adj;
	bool init;       /* --init: a small init process reaps and forwards signals */
	char *init_path; /* the program for it; NULL: podctl's own */
	char *timezone;  /* --tz: "local" or a name below the zone directory */
	char *personality;
	int preserve_fds;   /* N descriptors from 3 on; SPEC_UNSET: none */
	char **preserve_fd; /* numbers */
	char *systemd;      /* true false always; NULL: true, which looks at the command */
	int passwd;         /* tristate: add the user to /etc/passwd; unset: yes */
	char *passwd_entry; /* the line for it */
	char *group_entry;
	char **host_users; /* names of the host added to /etc/passwd */
	char **attach;     /* stdin stdout stderr */

	/* sandbox */
	char **cap_add;
	char **cap_drop;
	char **security_opt;
	bool privileged;
	bool read_only;
	int read_only_tmpfs;        /* tristate */
	char **sysctls;             /* K=V */
	char **device_cgroup_rules; /* "c 1:3 rwm" */
	char *pid_mode;             /* NULL, private, host, container:NAME, ns:PATH */
	char *ipc_mode;             /* the same, none, shareable */
	char *uts_mode;
	char *cgroup_ns; /* private host container: ns: */
	char *user_ns;   /* host auto[:...] keep-id[:...] nomap private container: ns: */
	char **uid_maps; /* INSIDE:OUTSIDE[:COUNT] */
	char **gid_maps;
	char *subuid_name;
	char *subgid_name;

	/* storage */
	char **volumes; /* [SRC:]DST[:OPTIONS] */
	char **mounts;  /* type=...,src=...,dst=... */
	char **tmpfs;   /* DST[:OPTIONS] */
	char *shm_size;
	char **devices;         /* HOST[:INSIDE[:rwm]] */
	char *image_volume;     /* anonymous bind tmpfs ignore */
	char *shm_size_systemd; /* size of the tmpfs mounts of systemd mode */
	char **chroot_dirs;     /* directories that get the generated files too */

	/* limits */
	LimitSpec limits;
	char **cgroup_conf; /* KEY=VALUE, written as it is */
	char *cgroup_parent;

	/* network */
	char **networks;
	char **publish;
	char **expose;
	char *hostname;
	char **add_hosts; /* NAME:IP */
	char **dns;
	char **dns_options;
	char **dns_searches;
	bool no_hosts;
	char *hosts_file; /* base of /etc/hosts: a path, "image", "none" */
	bool no_hostname; /* leave /etc/hostname as the image has it */
	char *ip;
	char *mac_address;

	/* supervision */
	char *restart;  /* no always unless-stopped on-failure[:N] */
	char *sdnotify; /* conmon container ignore */
	char *log_driver;
	char **log_opts; /* K=V */
	char *cgroups;   /* enabled disabled no-conmon split */
} ContainerSpec;

typedef struct PodSpec {
	char *name;
	char **labels;
	char *hostname;
	char *share; /* "net,ipc,uts", "none", "+pid" */
	bool infra;  /* --infra=false: a pod that is only a name */
	char *infra_name;
	char *exit_policy; /* continue stop */
	char *restart;
	bool replace;
	char *pod_id_file;
	char *infra_pidfile; /* --infra-conmon-pidfile: pid of the pod's first process */
	char **publish;
	char **networks;
	char **add_hosts;
	char **dns;
	char **dns_options;
	char **dns_searches;
	bool no_hosts;
	char *ip;
	char *mac_address;
	char **volumes; /* go to every member */
	char **sysctls;
	char *shm_size;
	char **security_opt;
	char **label_files;
	char *hosts_file;
	bool no_hostname;
	char **devices;
	char *pid_mode;
	char *uts_mode;
	char *user_ns;
	char **uid_maps;
	char **gid_maps;
	char *subuid_name;
	char *subgid_name;
	LimitSpec limits;
	char *cgroup_parent;
} PodSpec;

/* A new spec with every field at its unset value; infra is true. */
ContainerSpec *container_spec_new(void);
PodSpec *pod_spec_new(void);
void container_spec_free(ContainerSpec *spec);
void pod_spec_free(PodSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ContainerSpec, container_spec_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PodSpec, pod_spec_free)

/* Reads every value that has a syntax; ERROR_INVALID names the option and the value. Contradictions
 * between options are found here too (--publish with --pod, --rm with --restart=always ...). */
bool container_spec_validate(const ContainerSpec *spec, GError **err);
bool pod_spec_validate(const PodSpec *spec, GError **err);
