/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The launcher (D3): a forked podctl that makes the container and then becomes its supervisor.
 * Private to the room.
 */
#pragma once

#include "engine/resolve.h"

/* Starts the container in a launcher process; returns when its program runs and systemd has been
 * told. The container must be locked and not running; its pod, if any, is started first. */
bool launch_container(
	Engine *engine, Container *container, EngineForeground *foreground, GError **err);

/* The same in this very process, which becomes the launcher: does not return on success. front
 * is kept for the cleanup command; -1: none. */
bool launch_in_place(Engine *engine, Container *container, const EngineFront *front, GError **err);
