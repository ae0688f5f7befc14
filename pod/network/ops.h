/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the module podctl-network.so exports: one struct, network_ops. The door (network.c) loads it
 * on the first call that needs libnl or libnftables, so that nothing else pays for them (D18).
 */
#pragma once

#include "base/log.h"
#include "network/network.h"

typedef struct NetworkOps {
	/* The module has its own copy of base: its messages go where the program's go. */
	void (*set_log)(LogLevel level, LogSink sink);
	bool (*attach)(const NetworkAttach *attach, NetworkResult *ret_result, GError **err);
	bool (*detach)(const char *state_dir, const char *owner_id, GError **err);
	bool (*release)(const char *state_dir, const char *owner_id, GError **err);
	bool (*sweep)(const char *state_dir, GError **err);
} NetworkOps;

#define NETWORK_MODULE "podctl-network"
#define NETWORK_SYMBOL "network_ops"
