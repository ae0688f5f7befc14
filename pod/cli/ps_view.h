/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's container and pod objects as the columns of ps and pod ps. */
#pragma once

#include "base/json.h"

/* A new array of rows with the fields that templates of ps use (ID, Names, Status ...). */
json_t *ps_view_containers(const json_t *containers, bool no_trunc);

/* The same for pods. */
json_t *ps_view_pods(const json_t *pods, bool no_trunc);

/* Fills in the texts that podman's JSON has and the engine leaves to people's eyes (Status,
 * CreatedAt), and removes members whose name starts with '_'. */
void ps_view_finish_json(json_t *objects);
