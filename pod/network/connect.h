/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaching and detaching an owner: the order in which things are claimed, made and undone. These
 * are the functions of the door, network.h, under the room's own names. */
#pragma once

#include "network/network.h"

bool connect_attach(const NetworkAttach *attach, NetworkResult *ret_result, GError **err);
bool connect_detach(const char *state_dir, const char *owner_id, GError **err);
bool connect_release(const char *state_dir, const char *owner_id, GError **err);
bool connect_sweep(const char *state_dir, GError **err);
