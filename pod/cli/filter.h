/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --filter KEY=VALUE on the objects of ps and pod ps. */
#pragma once

#include "base/json.h"

/* Removes the objects that do not pass. Several values of one key: any of them, for labels all of
 * them; several keys: all of them. pods: objects are pods. ERROR_INVALID for an unknown key or a
 * bad value. filters may be NULL. */
bool filter_objects(json_t *objects, char *const *filters, bool pods, GError **err);
