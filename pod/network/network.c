/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The door. What needs a library is in the module; see ops.h. */
#include "network/network.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/module.h"
#include "network/ops.h"

#include <fcntl.h>
#include <sys/stat.h>

static void forward_log(LogLevel level, const char *text) {
	log_message(level, "%s", text);
}

static const NetworkOps *load_ops(GError **err) {
	const NetworkOps *ops = module_symbol(NETWORK_MODULE, NETWORK_SYMBOL, err);

	if (ops)
		ops->set_log(log_get_level(), forward_log);
	return ops;
}

bool network_attach(const NetworkAttach *attach, NetworkResult *ret_result, GError **err) {
	const NetworkOps *ops = load_ops(err);

	return ops && ops->attach(attach, ret_result, err);
}

/* The record is written before anything is made: no record, nothing to undo. */
static bool is_known(const char *state_dir, const char *owner_id) {
	g_autofree char *record = g_build_filename(state_dir, "owners", owner_id, NULL);
	struct stat st;

	return lstat(record, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* A bridge without a lease: somebody was killed before the sweep. */
bool network_has_idle(const char *state_dir) {
	g_autofree char *networks = g_build_filename(state_dir, "networks", NULL);
	g_auto(GStrv) names = fd_list_dir(AT_FDCWD, networks, NULL);

	for (char **name = names; name && *name; name++) {
		if (**name == '.') /* being written */
			continue;
		g_autofree char *path = g_build_filename(state_dir, "leases", *name, NULL);
		g_auto(GStrv) leases = fd_list_dir(AT_FDCWD, path, NULL);
		if (!leases || !leases[0])
			return true;
	}
	return false;
}

bool network_detach(const char *state_dir, const char *owner_id, GError **err) {
	bool known = is_known(state_dir, owner_id);

	if (!known && !network_has_idle(state_dir))
		return true;
	const NetworkOps *ops = load_ops(err);
	return ops && ops->detach(state_dir, owner_id, err);
}

bool network_release(const char *state_dir, const char *owner_id, GError **err) {
	if (!is_known(state_dir, owner_id))
		return true;
	const NetworkOps *ops = load_ops(err);
	return ops && ops->release(state_dir, owner_id, err);
}

bool network_sweep(const char *state_dir, GError **err) {
	if (!network_has_idle(state_dir))
		return true;
	const NetworkOps *ops = load_ops(err);
	return ops && ops->sweep(state_dir, err);
}
