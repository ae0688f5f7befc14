/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what the user asked to what the kernel will do. Private to the room. */
#pragma once

#include "engine/handle.h"
#include "model/spec_parse.h"
#include "network/network.h"
#include "runtime/runtime.h"

/* What a container's own network is to be; members of a pod have none. */
typedef struct NetworkPlan {
	NetworkRequest *request; /* NULL: none of its own */
	PortMapping *ports;
	size_t n_ports;
} NetworkPlan;

void network_plan_clear(NetworkPlan *plan);

/* Parses the network and port options of a container or pod; refuses what is not there yet. */
bool resolve_network(char *const *networks, char *const *publish, const char *ip, const char *mac,
	NetworkPlan *ret_plan, GError **err);

/* Connects a process's network namespace, which is the owner's; the journal of the owner, a pod or
 * a container, comes first. *ret_result: network_result_clear. */
bool network_plan_connect(Engine *engine, StoreObject *owner, const char *owner_id, ProcId target,
	const NetworkPlan *plan, NetworkResult *ret_result, GError **err);

typedef struct ResolveInput {
	Engine *engine;
	const Container *container;
	const ImageConfig *image; /* NULL with --rootfs */
	const Pod *pod;           /* NULL outside a pod; its infra process runs */
	NetworkMode network_mode; /* NETWORK_POD for a member of a pod with a shared network */
	ProcId join_network;      /* process of --network=container:X */
	const char *network_path; /* of --network=ns:PATH */
} ResolveInput;

/* Defaults that more than one place needs. */
enum { DEFAULT_SHM_BYTES = 64 << 20 };
/* In every network namespace of podctl's own, as podman: ping works for everybody inside. */
#define DEFAULT_NET_SYSCTL "net.ipv4.ping_group_range=0 0"
/* Seconds from the stop signal to SIGKILL. */
int resolve_stop_timeout(const ContainerSpec *spec);

/* What the members of a pod share (CLONE_NEW* bits) and where from: made by the infra, a file, or
 * else the host's. Paths are borrowed. */
typedef struct PodNamespaces {
	int shared, made;
	const char *pid_path, *uts_path;
} PodNamespaces;
bool resolve_pod_namespaces(
	const PodDefinition *definition, PodNamespaces *ret_result, GError **err);

/* Reads the maps of a definition; both may be NULL, then nothing is changed. */
bool resolve_maps(
	const char *uid_text, const char *gid_text, IdMap *uids, IdMap *gids, GError **err);

/* Done when a container is made: names of containers whose namespaces it joins become ids, so that
 * a later container of that name is not meant. ERROR_NOT_FOUND when there is none. */
bool resolve_freeze_namespaces(Engine *engine, ContainerSpec *spec, GError **err);

/* Refuses sysctls that cannot be the container's, as far as that is known when it is made: what it
 * joins is looked at when it starts. */
bool resolve_check_sysctls(const ContainerSpec *spec, GError **err);

/* The host name that the container sees: its own, its pod's, or the host's. Free with g_free. */
char *resolve_hostname(const Container *container, const Pod *pod);

/* --restart: the container's, else its pod's, which --rm keeps away as it would its own. */
const char *resolve_restart(const ContainerSpec *spec, const Pod *pod);

/* Refuses what resolve_config could not translate, before anything is made. input: container with
 * a definition, image; no pod. */
bool resolve_check(const ResolveInput *input, GError **err);

/* The whole translation; the result lacks only the cgroup, which is decided at launch. */
RuntimeConfig *resolve_config(const ResolveInput *input, GError **err);

/* The process and sandbox of a container that exists (exec, inspect): from the record, not from the
 * caller. */
RuntimeConfig *resolve_existing(Engine *engine, const Container *container, GError **err);

/* The parts, one file each. */
bool resolve_namespaces(const ResolveInput *input, RuntimeConfig *config, GError **err);
bool resolve_process(const ResolveInput *input, RuntimeConfig *config, GError **err);
bool resolve_sandbox(const ResolveInput *input, RuntimeConfig *config, GError **err);
bool resolve_mounts(const ResolveInput *input, RuntimeConfig *config, GError **err);
/* The root file system alone: what it is made of; and the making of its own directories. */
bool resolve_rootfs(const ResolveInput *input, RuntimeConfig *config, GError **err);
bool resolve_upper(RuntimeRootfs *rootfs, GError **err);
/* The user's part of the mounts alone: it touches no disk. */
bool resolve_user_mounts(const ResolveInput *input, RuntimeConfig *config, GError **err);
/* After the mounts. */
bool resolve_devices(const ResolveInput *input, RuntimeConfig *config, GError **err);
/* A mount comes after the one it lies in; otherwise in the user's order. */
void resolve_sort_mounts(RuntimeConfig *config);

/* Resource limits, kernel parameters and the limits of the cgroup. */
bool resolve_limits(const ResolveInput *input, RuntimeConfig *config, GError **err);
/* The limits of spec alone, a container's or a pod's: appended to config->limits. update: also "no
 * bound" is written out, for a cgroup that may have one. */
bool resolve_limit_spec(const LimitSpec *spec, bool update, RuntimeConfig *config, GError **err);

/* What a start would find out too late, before anything is made; network is the mode asked for. */
bool resolve_early(const ResolveInput *input, NetworkMode network, GError **err);
bool resolve_early_pod(Engine *engine, const PodSpec *spec, GError **err);

bool resolve_accounts(const ResolveInput *input, RuntimeConfig *config, GError **err);
/* Lines of passwd for --hostuser; ret_lines may be NULL: only whether they are there. */
bool resolve_host_users(const ContainerSpec *spec, char ***ret_lines, GError **err);

/* True if the container is to be made as systemd wants it: --systemd and the command. */
bool resolve_is_systemd(const ContainerSpec *spec, char *const *argv);
/* Its tmpfs mounts, below the user's; nothing for another container. */
bool resolve_systemd_mounts(const ContainerSpec *spec, RuntimeConfig *config, GError **err);

/* Replaces K, K* and env files in spec->env by K=V from this process's environment, so that the
 * definition does not depend on it later. Done when a container is made. */
bool resolve_environment(char ***env, char *const *env_files, GError **err);

/* Fills spec->host_env with what --env-host and --http-proxy take from this process's environment.
 * Done when a container is made. */
void resolve_host_env(ContainerSpec *spec);

/* True for what an image may set: NAME=VALUE. A name alone would ask for the caller's variable
 * (security.md B8-01). */
bool env_image_entry_ok(const char *entry);

/* --env-merge: assignment with ${NAME} and $NAME in its value replaced by values of env, unset ones
 * by nothing. Free with g_free. */
char *env_expand(const char *assignment, char *const *env);

/* Puts the lines of label files in front of the labels; a label given by itself wins. */
bool resolve_labels(char ***labels, char *const *label_files, GError **err);

/* Puts an image's labels in front: a container has them too, as with podman. */
void inherit_labels(char ***labels, char *const *inherited);

/* Sets NAME=VALUE in a list (NULL-terminated, may be NULL), replacing an earlier one. */
void env_put(char ***env, const char *assignment);
/* Value of NAME in a list, or NULL. */
const char *env_get(char *const *env, const char *name);
