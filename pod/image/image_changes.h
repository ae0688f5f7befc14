/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dockerfile instructions that set an image's configuration, as podman import --change takes. */
#pragma once

#include "base/error.h"

#include <jansson.h>

/* Applies one instruction, "KEY VALUE" or "KEY=VALUE", to the "config" object of an image
 * configuration: CMD ENTRYPOINT ENV EXPOSE LABEL STOPSIGNAL USER VOLUME WORKDIR. Values are those
 * of a Dockerfile, without its variables: CMD, ENTRYPOINT and VOLUME take a JSON array or plain
 * text. ERROR_INVALID and ERROR_UNSUPPORTED name the instruction. */
bool image_change_apply(json_t *config, const char *change, GError **err);
