/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The door of the engine: what can be done to pods and containers. It decides; the rooms below do.
 * It never prints and never parses argv. Names are names, full ids or unambiguous id prefixes.
 */
#pragma once

#include "base/json.h"
#include "model/spec.h"
#include "model/state.h"

typedef struct Engine Engine;

typedef struct EngineOptions {
	const char *state_path;      /* --root; NULL: the default for this user */
	const char *run_path;        /* --runroot; NULL: the default for this user */
	char *const *create_command; /* argv of this call, kept in definitions */
	const char *notify_socket;   /* $NOTIFY_SOCKET or NULL */
	const char *unit;            /* $PODMAN_SYSTEMD_UNIT or NULL */
} EngineOptions;

Engine *engine_open(const EngineOptions *options, GError **err);
void engine_free(Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Engine, engine_free)

/* Finishes or undoes what killed calls have left half-done; cheap when there is nothing. Making and
 * removing do it, now and once more in engine_settle: somebody may have been at work on it still.
 */
bool engine_recover(Engine *engine, GError **err);

/* To be called once, after the user has the answer: does what could wait (an idle bridge goes).
 * background: in a process of its own, a second later. */
bool engine_settle(Engine *engine, bool background, GError **err);

/* --- pods ------------------------------------------------------------------------------------ */

/* Makes a pod (name generated when spec has none) with its infra container; *ret_id is the full
 * id. ERROR_EXISTS when the name is in use and spec->replace is not set. */
bool engine_pod_create(Engine *engine, PodSpec *spec, char **ret_id, GError **err);

/* Starts the infra process, its network, then every member that is not running. */
bool engine_pod_start(Engine *engine, const char *pod, GError **err);

/* timeout_sec: before SIGKILL; SPEC_UNSET: each member's own. */
bool engine_pod_stop(Engine *engine, const char *pod, int timeout_sec, GError **err);
bool engine_pod_restart(Engine *engine, const char *pod, GError **err);
bool engine_pod_kill(Engine *engine, const char *pod, int signal_number, GError **err);
/* Freezes (paused) or thaws every member that runs. */
bool engine_pod_pause(Engine *engine, const char *pod, bool paused, GError **err);

/* force: stop members first. Without it a pod with running members is ERROR_IN_USE. */
bool engine_pod_remove(Engine *engine, const char *pod, bool force, int timeout_sec, GError **err);

/* Makes a pod as another one was asked for, with copies of its members; see engine_container_clone.
 * Nothing of it is left on failure. */
bool engine_pod_clone(
	Engine *engine, const char *pod, const PodSpec *changes, char **ret_id, GError **err);

/* Full ids of all pods; free with g_strfreev. */
char **engine_pod_ids(Engine *engine, GError **err);
/* Full id; ERROR_NOT_FOUND. Free with g_free. */
char *engine_pod_find(Engine *engine, const char *pod, GError **err);
/* Container ids of a pod's members, infra excluded. */
char **engine_pod_members(Engine *engine, const char *pod, GError **err);

/* --- containers ------------------------------------------------------------------------------ */

/* Makes a container; *ret_id is the full id. The image must be there. */
bool engine_container_create(Engine *engine, ContainerSpec *spec, char **ret_id, GError **err);

/* How a foreground start is wired; zero-initialised with fds -1 for a detached one. */
typedef struct EngineForeground {
	bool attach; /* copy the container's output to out_fd and err_fd */
	int in_fd;   /* container's stdin (--interactive); -1: /dev/null */
	int out_fd, err_fd;
	unsigned rows, columns; /* of a terminal at its start; 0: unknown */
	int ret_console_fd;     /* out: pty master for --tty, or -1; the caller owns it */
	int ret_exit_fd;        /* out: give it to engine_wait_foreground; the caller owns it */
} EngineForeground;

/* Starts a container and its pod if need be. Returns when its program runs. foreground NULL:
 * detached; a container that runs already is fine then, and ERROR_STATE otherwise. */
bool engine_container_start(
	Engine *engine, const char *container, EngineForeground *foreground, GError **err);

/* Waits for the end of a foreground container and cleans up behind it, which the supervisor leaves
 * to this process: its exit status (128+N for a signal). */
bool engine_wait_foreground(
	Engine *engine, const char *container, int exit_fd, int *ret_status, GError **err);

/* When exit_fd is readable: after a restart the pty master of the new run (the caller owns it),
 * else -1: the container has ended. */
int engine_foreground_console(int exit_fd);

/* Leaves a foreground container running: when this returns, nothing is copied to the caller's
 * output any more. exit_fd is only to be closed then. */
void engine_leave_foreground(int exit_fd);

/* Somebody at a running container's output and input, beside its front process if it has one. What
 * goes through the socket is in model/handoff.h (AttachKind). */
typedef struct EngineAttachment EngineAttachment;
EngineAttachment *engine_attach(
	Engine *engine, const char *container, bool output, bool errors, GError **err);
void engine_attachment_free(EngineAttachment *attachment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineAttachment, engine_attachment_free)
int engine_attachment_socket(const EngineAttachment *attachment); /* stays the attachment's */
/* Whether the container reads what is sent; whether it has a terminal. */
bool engine_attachment_has_input(const EngineAttachment *attachment);
bool engine_attachment_has_console(const EngineAttachment *attachment);
/* After the container's end: waits until it is cleaned up. *ret_status: its exit status. */
bool engine_attachment_wait(const EngineAttachment *attachment, int *ret_status, GError **err);

/* Stop signal, then SIGKILL after the timeout; a container that is not running is fine. */
bool engine_container_stop(Engine *engine, const char *container, int timeout_sec, GError **err);
bool engine_container_restart(Engine *engine, const char *container, int timeout_sec, GError **err);
bool engine_container_kill(Engine *engine, const char *container, int signal_number, GError **err);
/* Freezes (paused) or thaws a container that runs; ERROR_STATE when it is so already,
 * ERROR_UNSUPPORTED without a cgroup. */
bool engine_container_pause(Engine *engine, const char *container, bool paused, GError **err);
/* Changes limits and the restart policy: at once where it runs, and for its next start. Of changes
 * only what is set counts. */
bool engine_container_update(
	Engine *engine, const char *container, const ContainerSpec *changes, GError **err);
/* volumes: its anonymous ones go too, as they always do with --rm. */
bool engine_container_remove(Engine *engine, const char *container, bool force, bool volumes,
	int timeout_sec, GError **err);

/* Gives it another name; ERROR_EXISTS when somebody has that. */
bool engine_container_rename(Engine *engine, const char *container, const char *name, GError **err);

/* Makes a container as another one was asked for, with the fields that changes has set instead;
 * without a name it is called NAME-clone. It is not started. */
bool engine_container_clone(Engine *engine, const char *container, const ContainerSpec *changes,
	char **ret_id, GError **err);

/* Waits until it is not running; *ret_status is its exit code. */
bool engine_container_wait(Engine *engine, const char *container, int *ret_status, GError **err);

char **engine_container_ids(Engine *engine, GError **err);
char *engine_container_find(Engine *engine, const char *container, GError **err);

/* Descriptors of this process that a container's process is given under their numbers. */
typedef struct EngineDescriptors {
	int preserve_count;       /* from 3 on; not positive: none */
	char *const *preserve;    /* further numbers; NULL: none */
	unsigned listen_count;    /* opened by socket activation, from 3 on */
	const char *listen_names; /* $LISTEN_FDNAMES, or NULL */
} EngineDescriptors;

/* To be called before: the next container that is made, or the next exec, gets them.
 * ERROR_INVALID names one that is not open. */
bool engine_pass_descriptors(Engine *engine, const EngineDescriptors *descriptors, GError **err);

typedef struct EngineExec {
	char **argv;
	char **env; /* K=V added to the container's own */
	char **env_files;
	const char *user;    /* NULL: the container's */
	const char *workdir; /* NULL: the container's */
	bool tty;
	bool interactive;
	bool privileged;
	int in_fd, out_fd, err_fd;
	unsigned rows, columns; /* of the terminal at its start; 0: unknown */
} EngineExec;

/* Starts a process in a running container. ret_console_fd: pty master with tty, else -1. The
 * process is the caller's child: reap it with proc_reap. */
bool engine_exec(Engine *engine, const char *container, const EngineExec *exec, pid_t *ret_pid,
	int *ret_console_fd, GError **err);

/* The same for a process that nobody waits for: it goes on by itself, its output goes nowhere, and
 * it ends with the container. *ret_id is made up as podman does; free with g_free. */
bool engine_exec_detached(
	Engine *engine, const char *container, const EngineExec *exec, char **ret_id, GError **err);

/* Leaves a process of engine_exec, which has a terminal, to itself; the caller is to end. */
bool engine_exec_leave(ProcId process, int console_fd, GError **err);

/* --- for podctl itself ----------------------------------------------------------------------- */

/* `podctl cleanup`: what the supervisor becomes. Stores the exit status, undoes the journal,
 * applies --rm and the pod's exit policy, tells the front process (descriptor front_fd or -1).
 * exit_status SPEC_UNSET: unknown. *ret_status is what the process should exit with: the
 * container's status, or 0 when the stop was asked for (systemd must not call it a failure). */
bool engine_container_cleanup(Engine *engine, const char *container, int exit_status,
	bool oom_killed, int front_fd, int *ret_status, GError **err);

/* Descriptors that the front process of a foreground run left to the container's processes; -1:
 * there is none. */
typedef struct EngineFront {
	int fd; /* whom to tell of the end */
	int out_fd, err_fd;
} EngineFront;

/* `podctl relaunch`: the supervisor's process becomes the launcher of the next run and does not
 * return; when there is to be no next run, or it cannot be had, this is the cleanup. */
bool engine_container_relaunch(Engine *engine, const char *container, int exit_status,
	bool oom_killed, const EngineFront *front, GError **err);

/* --- queries (podman's field names; new references) ------------------------------------------ */

/* Array, one object a container as `podman ps --format json` has it, plus members that the
 * templates need: "_created_usec", "_started_usec", "_finished_usec". all: also those not running.
 * infra containers are left out unless all_infra. */
json_t *engine_query_containers(Engine *engine, bool all, bool all_infra, GError **err);
json_t *engine_query_pods(Engine *engine, GError **err);
json_t *engine_inspect_container(Engine *engine, const char *container, GError **err);
json_t *engine_inspect_pod(Engine *engine, const char *pod, GError **err);
json_t *engine_info(Engine *engine, GError **err);

/* Where a container's log is: driver "journald" (match CONTAINER_ID_FULL) or "k8s-file" with a
 * path. Strings are freed with g_free. */
bool engine_container_log(Engine *engine, const char *container, char **ret_id, char **ret_driver,
	char **ret_path, bool *ret_running, GError **err);

/* What a container uses at this moment, in plain numbers; the members that cannot be had (a
 * controller is missing, it does not run) are left out: "Id", "Name", "Pod", "PodName", "Running",
 * "cpu_nsec", "started_usec", "memory_bytes", "memory_limit_bytes", "net_input_bytes",
 * "net_output_bytes", "block_input_bytes", "block_output_bytes", "pids", "_now_usec" (realtime). A
 * new reference; NULL with ERROR_NOT_FOUND. No lock is taken. */
json_t *engine_container_stats(Engine *engine, const char *container, GError **err);
/* The same for all of a pod together: its cgroup's numbers where it has one, else its members'
 * sums. */
json_t *engine_pod_stats(Engine *engine, const char *pod, GError **err);

/* Processes of a container (host pids, -1-terminated; free with g_free). */
pid_t *engine_container_pids(Engine *engine, const char *container, GError **err);

/* --- files of containers --------------------------------------------------------------------- */

/* cp: one side is a container, the other one a container, the host (container NULL) or a tar
 * stream (descriptor >= 0). */
typedef struct EngineCopy {
	const char *source_container, *source;
	const char *target_container, *target;
	int in_fd, out_fd; /* tar to read instead of the source, to write instead of the target */
	int archive; /* 1: keep what gives rights; 0: keep owners; SPEC_UNSET: podman's default */
	bool overwrite;
	bool pause;
} EngineCopy;

/* Copies. *ret_skipped: how many sockets, devices and attributes were left behind. */
bool engine_copy(Engine *engine, const EngineCopy *copy, uint64_t *ret_skipped, GError **err);

/* Writes a container's file system, without its volumes, as tar. */
bool engine_export(Engine *engine, const char *container, int out_fd, GError **err);

typedef struct EngineChange {
	char kind; /* 'A' added, 'C' changed, 'D' deleted */
	char *path;
} EngineChange;

/* What a container has changed in its image, by path; ends with path NULL. */
EngineChange *engine_container_changes(Engine *engine, const char *container, GError **err);
void engine_changes_free(EngineChange *changes);

typedef struct EngineCommit {
	const char *reference; /* NULL: no name */
	const char *author, *message;
	char *const *changes; /* as for engine_image_import */
	bool include_volumes;
	bool pause;
	bool squash;
} EngineCommit;

/* Makes an image out of a container. *ret_id: free with g_free. */
bool engine_commit(Engine *engine, const char *container, const EngineCommit *commit, char **ret_id,
	GError **err);

/* --- volumes (podman's field names; new references) ------------------------------------------ */

/* Makes a volume; name NULL: one is made up. labels: K=V or NULL. ignore: one that is there is
 * fine. *ret_name: free with g_free. */
bool engine_volume_create(Engine *engine, const char *name, char *const *labels, bool ignore,
	char **ret_name, GError **err);
/* Array; beside podman's members "_created_usec". */
json_t *engine_query_volumes(Engine *engine, GError **err);
json_t *engine_inspect_volume(Engine *engine, const char *name, GError **err);
/* Whether a container, running or not, has it. name: the whole name. */
bool engine_volume_is_used(Engine *engine, const char *name, bool *ret_used, GError **err);
/* ERROR_IN_USE when a container has it and force is not set (forced, those containers go first).
 * timeout_sec: before their SIGKILL; SPEC_UNSET: their own. */
bool engine_volume_remove(
	Engine *engine, const char *name, bool force, int timeout_sec, GError **err);

/* --- images (podman's field names; new references) ------------------------------------------- */

json_t *engine_query_images(Engine *engine, GError **err);
json_t *engine_inspect_image(Engine *engine, const char *image, GError **err);
bool engine_image_exists(Engine *engine, const char *image);
bool engine_image_load(Engine *engine, const char *path, char ***ret_names, GError **err);
bool engine_image_import(Engine *engine, const char *path, const char *reference, char **changes,
	const char *message, char **ret_id, GError **err);
bool engine_image_tag(Engine *engine, const char *image, const char *new_name, GError **err);
bool engine_image_untag(Engine *engine, const char *image, GError **err);
/* ERROR_IN_USE when a container uses it and force is not set (forced, those containers go first).
 * Lines as podman prints them: "Untagged: ..." and "Deleted: ...". */
bool engine_image_remove(
	Engine *engine, const char *image, bool force, char ***ret_lines, GError **err);
