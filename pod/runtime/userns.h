/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User namespaces: made by a child that lives for the writing of its maps, entered by the first
 * process. podctl itself never enters one.
 */
#pragma once

#include "base/idrange.h"

/* A user namespace with these maps, written by the caller, who is its parent's root. The
 * descriptor is all that holds it. -1 on error. */
int userns_make(const IdMap *uids, const IdMap *gids, GError **err);
