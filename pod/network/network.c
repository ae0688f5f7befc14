/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The door. What needs a library is in the module; see ops.h. */
#include "network/network.h"

#include "base/cleanup.h"
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

bool network_detach(const char *state_dir, const char *owner_id, GError **err) {
	/* the record is written before anything is made: no record, nothing to undo */
	g_autofree char *record = g_build_filename(state_dir, "owners", owner_id, NULL);
	struct stat st;

	if (lstat(record, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	const NetworkOps *ops = load_ops(err);
	return ops && ops->detach(state_dir, owner_id, err);
}
