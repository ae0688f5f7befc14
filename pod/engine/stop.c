/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending containers. Nobody holds a container's lock while waiting for its end: the cleanup that
 * the supervisor becomes needs it.
 */
#include "engine/stop.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "engine/resolve.h"
#include "engine/volume.h"
#include "model/handoff.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
	THAW_TIMEOUT_USEC = 1000000,
	KILL_TIMEOUT_USEC = 10000000,    /* from SIGKILL to the end: only a stuck kernel needs it */
	CLEANUP_TIMEOUT_USEC = 30000000, /* from the end to the supervisor's own */
};

uint64_t stop_deadline(const Container *container, int timeout_sec) {
	int seconds = timeout_sec != SPEC_UNSET ? timeout_sec
						: resolve_stop_timeout(container->definition->spec);

	if (seconds < 0)
		return USEC_INFINITY;
	return proc_now_monotonic() + (uint64_t)seconds * USEC_PER_SEC;
}

static bool write_exit_status(StoreObject *object, int status, GError **err) {
	char text[16];
	int size = snprintf(text, sizeof text, "%d\n", status);

	return fd_write_file(object->run_fd, EXIT_STATUS_FILE, text, (size_t)size, 0600, err);
}

static void thaw(const char *cgroup) {
	g_autoptr(GError) error = NULL;

	if (cgroup && !runtime_cgroup_freeze(cgroup, false, THAW_TIMEOUT_USEC, &error))
		log_debug("%s, continuing", error->message);
}

bool stop_begin(Container *container, GError **err) {
	g_autoptr(GError) ended = NULL;

	if (!container_is_running(container) && !container_is_supervised(container))
		return true;
	if (!container_lock(container, err))
		return false;
	bool good = store_mark(container->object, HANDOFF_STOP_FILE, true, err);
	if (good && container_is_running(container)) {
		ContainerState *state = container->state;
		bool paused = container_is_paused(container);
		state->status = CONTAINER_STOPPING;
		state->stop_requested = true;
		good = container_save_state(container, err);
		if (good && !proc_signal(state->init,
				    state->stop_signal ? state->stop_signal : SIGTERM, &ended))
			log_debug("%s, continuing", ended->message);
		/* the signal waits for it; what cannot be thawed is killed at the deadline */
		if (good && paused)
			thaw(state->cgroup);
	} else if (good && container_is_supervised(container)) {
		/* between two runs: the supervisor waits out its delay and must not */
		proc_signal(container->state->supervisor, SIGTERM, NULL);
	}
	store_unlock(container->object);
	return good;
}

bool stop_restarts(Container *container, GError **err) {
	if (container_is_running(container) || !container_is_supervised(container))
		return true;
	if (!container_lock(container, err))
		return false;
	bool good = true;
	if (!container_is_running(container) && container_is_supervised(container)) {
		good = store_mark(container->object, HANDOFF_STOP_FILE, true, err);
		proc_signal(container->state->supervisor, SIGTERM, NULL);
	}
	store_unlock(container->object);
	return good;
}

/* The supervisor is gone and nobody else will: do what it would have done. */
static bool clean_up_for_supervisor(Engine *engine, Container *container, GError **err) {
	g_autoptr(GError) error = NULL;
	bool removed;

	if (!container_lock(container, &error)) {
		if (error_is(error, ERROR_NOT_FOUND))
			return true;
		g_propagate_error(err, g_steal_pointer(&error));
		return false;
	}
	bool good = !container_is_pending(container) || container_is_running(container) ||
		    finish_container(engine, container, SPEC_UNSET, false, &removed, err);
	store_unlock(container->object);
	return good;
}

/* Time left until a deadline. */
static uint64_t time_left(uint64_t deadline_usec) {
	uint64_t now = proc_now_monotonic();

	if (deadline_usec == USEC_INFINITY)
		return USEC_INFINITY;
	return deadline_usec > now ? deadline_usec - now : 0;
}

bool stop_finish(Engine *engine, Container *container, uint64_t deadline_usec, GError **err) {
	const ContainerState *state = container->state;

	if (container_is_running(container) &&
		!proc_wait_end(state->init, time_left(deadline_usec))) {
		log_debug("container \"%s\" ignores its stop signal: SIGKILL",
			container->definition->name);
		proc_signal(state->init, SIGKILL, NULL);
		if (!proc_wait_end(state->init, KILL_TIMEOUT_USEC))
			return fail(err, ERROR_TIMEOUT,
				"cannot stop container \"%s\": process %d does not end",
				container->definition->name, (int)state->init.pid);
	}
	/* our own process (exec'd cleanup) may be the one that asks: it cannot wait for itself */
	if (state->supervisor.pid != getpid() &&
		!proc_wait_end(state->supervisor, CLEANUP_TIMEOUT_USEC))
		return fail(err, ERROR_TIMEOUT,
			"container \"%s\" has ended, but its supervisor %d does not",
			container->definition->name, (int)state->supervisor.pid);
	return clean_up_for_supervisor(engine, container, err);
}

bool finish_container(Engine *engine, Container *container, int exit_status, bool oom_killed,
	bool *ret_removed, GError **err) {
	ContainerState *state = container->state;
	StoreObject *object = container->object;

	*ret_removed = false;
	if (!undo_journal(engine, object, err))
		return false;
	state->status = CONTAINER_EXITED;
	state->exit_code = exit_status == SPEC_UNSET ? EXIT_UNKNOWN : exit_status;
	state->oom_killed = oom_killed;
	state->finished_usec = proc_now_realtime();
	state->init = (ProcId){0};
	json_decref(state->network);
	state->network = NULL;
	if (!container_save_state(container, err) ||
		!write_exit_status(object, state->exit_code, err))
		return false;
	if (object->persistent) {
		json_auto_t *record = container_state_to_json(state);
		if (!store_write(object, "exit", record, err))
			return false;
	}
	if (!container->definition->spec->remove)
		return true;
	*ret_removed = true;
	volumes_remove_anonymous(engine, container->definition);
	if (!store_remove(object, err))
		return false;
	id_file_remove(container->definition);
	return true;
}

/* --rmi: an image that somebody else uses stays. */
static void remove_image(Engine *engine, const ContainerDefinition *definition) {
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) lines = NULL;
	const char *image = definition->image_name ? definition->image_name : definition->image_id;

	if (definition->image_id && !engine_image_remove(engine, image, false, &lines, &error) &&
		!error_is(error, ERROR_IN_USE))
		log_warning("%s, ignoring", error->message);
}

bool engine_container_cleanup(Engine *engine, const char *name, int exit_status, bool oom_killed,
	int front_fd, int *ret_status, GError **err) {
	g_autoptr(GError) error = NULL;
	g_autoptr(Container) container = container_open(engine, name, &error);
	int32_t told = exit_status == SPEC_UNSET ? EXIT_UNKNOWN : exit_status;
	g_autofree char *pod_id = NULL;
	bool removed = false, asked = false;

	*ret_status = told;
	if (container && container_lock(container, &error)) {
		pod_id = g_strdup(container->definition->pod_id);
		asked = store_is_marked(container->object, HANDOFF_STOP_FILE) &&
			!store_is_marked(container->object, KILLED_MARK);
		if (!container_is_running(container))
			finish_container(
				engine, container, exit_status, oom_killed, &removed, &error);
		store_unlock(container->object);
	}
	if (front_fd >= 0)
		fd_send(front_fd, &told, sizeof told, -1, NULL);
	if (asked)
		*ret_status = 0;
	/* a container that somebody removed meanwhile needs nothing more */
	if (error_is(error, ERROR_NOT_FOUND))
		g_clear_error(&error);
	if (removed && container->definition->spec->remove_image)
		remove_image(engine, container->definition);
	if (!error && pod_id && !container->definition->spec->init_ctr)
		pod_apply_exit_policy(engine, pod_id, &error);
	if (!error)
		return true;
	g_propagate_error(err, g_steal_pointer(&error));
	return false;
}

bool engine_wait_foreground(
	Engine *engine, const char *container, int exit_fd, int *ret_status, GError **err) {
	union {
		HandoffEnd end;
		int32_t status;
	} message;
	int ignored;
	ssize_t size = fd_receive(exit_fd, &message, sizeof message, NULL, err);

	if (size < 0)
		return false;
	if (size == sizeof message.status) { /* the cleanup command has done it already */
		*ret_status = message.status;
		return true;
	}
	if (size != sizeof message.end)
		return fail(err, ERROR_FAILED,
			"the container's supervisor ended without telling the exit status");
	*ret_status = message.end.exit_status;
	return engine_container_cleanup(engine, container, message.end.exit_status,
		       message.end.oom_killed, -1, &ignored, err) &&
	       fd_send(exit_fd, "", 1, -1, err);
}

bool engine_container_stop(Engine *engine, const char *name, int timeout_sec, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container)
		return false;
	uint64_t deadline = stop_deadline(container, timeout_sec);
	return stop_begin(container, err) && stop_finish(engine, container, deadline, err);
}

bool engine_container_kill(Engine *engine, const char *name, int signal_number, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container)
		return false;
	if (!container_is_running(container))
		return fail(err, ERROR_STATE, "cannot kill container \"%s\": it is not running",
			container->definition->name);
	/* as with podman, the user's deadly signal is no reason for a restart */
	if (signal_number == SIGKILL || signal_number == SIGTERM) {
		if (!store_mark(container->object, KILLED_MARK, true, err) ||
			!store_mark(container->object, HANDOFF_STOP_FILE, true, err))
			return false;
	}
	return proc_signal(container->state->init, signal_number, err);
}

/* Waits until the container's supervisor has ended; a restart in place gives the container a new
 * first process, which is then waited for. The handle follows. */
static void wait_for_end(Engine *engine, Container **container) {
	enum { LOOK_AGAIN_USEC = 20000 };

	for (;;) {
		const ContainerState *state = (*container)->state;
		proc_wait_end(state->init, USEC_INFINITY);
		if (proc_wait_end(state->supervisor, LOOK_AGAIN_USEC))
			return;
		Container *again = container_open(engine, (*container)->definition->id, NULL);
		if (!again)
			continue;
		container_free(*container);
		*container = again;
	}
}

bool engine_container_wait(Engine *engine, const char *name, int *ret_status, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);
	char text[16] = "";

	if (!container)
		return false;
	/* opened now: with --rm the file has no name any more when the container has ended */
	_cleanup_close_ int fd = fd_open_file(container->object->run_fd, EXIT_STATUS_FILE, NULL);
	wait_for_end(engine, &container);
	*ret_status = container->state->exit_code;
	if (fd >= 0 && pread(fd, text, sizeof text - 1, 0) > 0)
		*ret_status = (int)g_ascii_strtoll(text, NULL, 10);
	return true;
}
