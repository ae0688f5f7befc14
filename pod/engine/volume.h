/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volumes: directories below the state directory that outlive containers. A volume is made when a
 * container that names it is made; an anonymous one belongs to its container. Private to the room.
 */
#pragma once

#include "engine/handle.h"
#include "model/volume_record.h"

typedef struct Volume {
	StoreObject *object;
	VolumeDefinition *definition;
} Volume;

void volume_free(Volume *volume);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Volume, volume_free)

/* By its name, or an unambiguous beginning of it. ERROR_NOT_FOUND. */
Volume *volume_open(Engine *engine, const char *name, GError **err);

/* Where its files are; made when missing. Free with g_free. */
char *volume_path(const Volume *volume, GError **err);

/* Makes a volume. persistent false: it goes with the boot. ERROR_EXISTS. */
bool volume_make(Engine *engine, const VolumeDefinition *definition, bool persistent, GError **err);

/* The path of a named volume, which is made if it is not there. Free with g_free. */
char *volume_ensure(Engine *engine, const char *name, GError **err);

/* Makes every volume a container needs; the names of the anonymous ones are noted in its
 * definition. On failure none of these is left. pod, image: NULL for none. */
bool volumes_prepare(Engine *engine, ContainerDefinition *definition, const PodSpec *pod,
	const ImageConfig *image, bool persistent, GError **err);

/* Path of the anonymous volume that the container has on destination. Free with g_free. */
char *volumes_anonymous_path(Engine *engine, const ContainerDefinition *definition,
	const char *destination, GError **err);

/* Removes a container's anonymous volumes; what cannot be removed is left with a warning. */
void volumes_remove_anonymous(Engine *engine, const ContainerDefinition *definition);

/* Those of a container that is gone without having been published. */
void volumes_remove_of(Engine *engine, const char *container_id);

/* Full ids of the containers that use a volume; free with g_strfreev. */
char **volume_users(Engine *engine, const char *name, GError **err);
