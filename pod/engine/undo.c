/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoing what was done to the host (D7). Every change outside an object's own directories is
 * written to its journal first; whoever finds the journal of a dead object walks it backwards. All
 * steps are idempotent, so a walk that was killed is simply walked again.
 */
#include "base/fd.h"
#include "base/log.h"
#include "engine/handle.h"
#include "network/network.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { CGROUP_KILL_TIMEOUT_USEC = 5000000, SWEEP_DELAY_USEC = 1000000 };

static bool add_entry(StoreObject *object, const char *what, const char *value, GError **err) {
	json_auto_t *entry = json_object();

	json_put_string(entry, "what", what);
	json_put_string(entry, "value", value);
	return store_journal_add(object, entry, err);
}

bool journal_cgroup(StoreObject *object, const char *path, GError **err) {
	return add_entry(object, "cgroup", path, err);
}

bool journal_network(StoreObject *object, const char *owner_id, GError **err) {
	return add_entry(object, "network", owner_id, err);
}

static bool undo_entry(Engine *engine, const json_t *entry, GError **err) {
	const char *what = json_get_string(entry, "what", "");
	const char *value = json_get_string(entry, "value", "");

	if (strcmp(what, "network") == 0) {
		g_autofree char *dir = engine_run_dir(engine, "network");
		engine->changed_network = true;
		return network_release(dir, value, err);
	}
	if (strcmp(what, "cgroup") == 0)
		return runtime_cgroup_kill(value, CGROUP_KILL_TIMEOUT_USEC, err) &&
		       runtime_cgroup_remove(value, err);
	log_warning("unknown journal entry \"%s\", ignoring", what);
	return true;
}

/* An idle bridge stays for a moment: a container that starts right after finds it standing, and
 * nobody waits for the kernel to take it down. One sweeper at a time is enough. */
static _Noreturn void run_sweeper(const char *dir) {
	_cleanup_close_ int lock_fd = fd_make_dir(AT_FDCWD, dir, 0700, NULL);

	if (fd_null_stdio(true, NULL) && lock_fd >= 0 && fd_try_lock(lock_fd)) {
		g_usleep(SWEEP_DELAY_USEC);
		network_sweep(dir, NULL);
	}
	_exit(0);
}

bool engine_settle(Engine *engine, bool background, GError **err) {
	g_autofree char *dir = engine_run_dir(engine, "network");

	if (engine->recovers && !engine_recover(engine, err))
		return false;
	if (!engine->changed_network || !network_has_idle(dir))
		return true;
	/* what systemd runs is killed with its unit: there the sweep cannot be left to a child */
	if (!background || engine->unit || engine->notify_socket)
		return network_sweep(dir, err);
	pid_t pid = proc_fork_session(true, err);
	if (pid == 0)
		run_sweeper(dir);
	return pid > 0;
}

bool undo_journal(Engine *engine, StoreObject *object, GError **err) {
	json_auto_t *entries = store_journal_read(object, err);

	if (!entries)
		return false;
	for (size_t i = json_array_size(entries); i > 0; i--)
		if (!undo_entry(engine, json_array_get(entries, i - 1), err))
			return false;
	return json_array_size(entries) == 0 || store_journal_clear(object, err);
}
