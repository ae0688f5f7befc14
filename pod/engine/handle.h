/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine's own vocabulary: the engine itself, and handles that tie a store object to its
 * definition and state. Private to the room.
 */
#pragma once

#include "engine/engine.h"
#include "image/image.h"
#include "runtime/runtime.h"
#include "store/store.h"

#define LOCK_TIMEOUT_USEC (60 * UINT64_C(1000000))

/* What engine_pass_descriptors was given. */
typedef struct Passing {
	RuntimeDescriptor *rows;
	size_t n;
	char **listen_env;
	char *container; /* id of who gets them; NULL: the next that is made, or exec */
} Passing;

void passing_clear(Passing *passing);
/* Moves nothing: the configuration of that container alone gets copies of the rows. */
void passing_give(const Engine *engine, const char *container, RuntimeConfig *config);

/* --cidfile: path may be NULL. Removing takes only a file that has this container's id. */
bool id_file_write(const char *path, const char *id, GError **err);
void id_file_remove(const ContainerDefinition *definition);

struct Engine {
	char *state_path;
	char *run_path;
	char **create_command;
	char *notify_socket;
	char *unit;
	Store *store;
	ImageStore *images; /* opened on first use */
	Passing passing;
	bool recovers;        /* engine_recover() was called: engine_settle() looks again */
	bool changed_network; /* something may be left to sweep: engine_settle() */
};

/* The image store, opened on first use; NULL on error. */
ImageStore *engine_images(Engine *engine, GError **err);

/* ERROR_UNSUPPORTED with the reason while the caller is not root. */
bool engine_require_root(GError **err);

/* Directory of a room below the run directory ("network", "seccomp"); free with g_free. */
char *engine_run_dir(const Engine *engine, const char *room);

typedef struct Container {
	StoreObject *object;
	ContainerDefinition *definition;
	ContainerState *state;
} Container;

void container_free(Container *container);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Container, container_free)

/* Opens a container for reading, by name, id or id prefix. */
Container *container_open(Engine *engine, const char *name_or_id, GError **err);
/* The same by a full id, without looking for names: lists use it. */
Container *container_open_id(Engine *engine, const char *id, GError **err);

/* Takes the lock and reads the state again, because it may have changed while waiting. */
bool container_lock(Container *container, GError **err);
bool container_save_state(Container *container, GError **err);

/* The status of an end that nobody saw: the supervisor was killed, or the power went. */
#define EXIT_UNKNOWN 255

/* On a start: what a container that outlives the boot is after it when nobody records its end. */
bool container_save_lost_end(const Container *container, GError **err);

/* True while its first process runs. */
bool container_is_running(const Container *container);
/* True while its supervisor (or the cleanup it became) runs. */
bool container_is_supervised(const Container *container);

/* True if the record says that it was started and nothing has been heard of its end. */
bool container_is_pending(const Container *container);
/* True if it is frozen. */
bool container_is_paused(const Container *container);
/* ERROR_STATE unless it runs and is not paused; action is what cannot be done ("exec in"). */
bool container_require_running(const Container *container, const char *action, GError **err);

/* "running" and so on, from the record and from the process table: a record that says running
 * while the process is gone is a container whose supervisor cleans up ("stopping"), or, without
 * one, an exited container. */
ContainerStatus container_status_now(const Container *container);
/* The same for a caller who has just asked container_is_running(). */
ContainerStatus container_status_given(const Container *container, bool running);

typedef struct Pod {
	StoreObject *object;
	PodDefinition *definition;
	PodState *state;
} Pod;

void pod_free(Pod *pod);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pod, pod_free)

Pod *pod_open(Engine *engine, const char *name_or_id, GError **err);
Pod *pod_open_id(Engine *engine, const char *id, GError **err);
bool pod_lock(Pod *pod, GError **err);
bool pod_save_state(Pod *pod, GError **err);
bool pod_is_running(const Pod *pod);

/* Handles of all members of a pod (infra has none), in order of creation; free with
 * g_ptr_array_unref. */
GPtrArray *pod_members(Engine *engine, const char *pod_id, GError **err);

/* Makes the pod's infra process and network if it does not run. The pod must be locked. */
bool pod_start_infra(Engine *engine, Pod *pod, GError **err);

/* Stops the pod if its exit policy asks for it and no member runs any more. */
bool pod_apply_exit_policy(Engine *engine, const char *pod_id, GError **err);

/* Publishes an object under *name, or, when that is NULL, under a name made up, which is then in
 * *name (free with g_free) and in the definition. ERROR_EXISTS when a name that was asked for is in
 * use. */
bool publish_named(StoreObject *object, json_t *definition, char **name, GError **err);

/* Undoes what the object's journal says was done to the host: cgroups, network. Idempotent. */
bool undo_journal(Engine *engine, StoreObject *object, GError **err);
bool journal_cgroup(StoreObject *object, const char *path, GError **err);
bool journal_network(StoreObject *object, const char *owner_id, GError **err);

/* `rm --force` of an object whose record is damaged: kills by cgroup, undoes the journal, removes
 * what is left. */
bool remove_damaged(Engine *engine, StoreKind kind, const char *name, GError **err);
