/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The launcher's side of the user's mounts: every source is opened on the host before any tree that
 * a container controls is attached, as a detached mount with its final attributes (security.md
 * A07.3).
 */
#pragma once

#include "runtime/init.h"

/* Opens the sources of all mounts into context->mount_fds (-1 for one that is made in the
 * container), fills volumes that are empty, changes owners where that was asked for. The root file
 * system and the user namespace are prepared. */
bool mount_sources_open(InitContext *context, GError **err);

/* Refuses a destination at or below /proc that is not on the short list of files that tools emulate
 * (security.md A06.5). */
bool mount_sources_check_destination(const char *destination, GError **err);
