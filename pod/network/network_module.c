/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one symbol of the module podctl-network.so. */
#include "network/connect.h"
#include "network/ops.h"

extern const NetworkOps network_ops;

static void set_log(LogLevel level, LogSink sink) {
	log_set_level(level);
	log_set_sink(sink);
}

const NetworkOps network_ops = {
	.set_log = set_log,
	.attach = connect_attach,
	.detach = connect_detach,
	.release = connect_release,
	.sweep = connect_sweep,
};
