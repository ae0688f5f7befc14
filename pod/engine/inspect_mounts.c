/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts and devices as podman's inspect shows them. */
#include "engine/mount_list.h"
#include "engine/query.h"
#include "engine/volume.h"
#include "model/device_request.h"
#include "model/names.h"

#include <string.h>

static void add_word(json_t *list, bool given, const char *word) {
	if (given)
		json_array_append_new(list, json_string(word));
}

static json_t *mount_to_json(const MountRequest *request, const char *name, const char *source) {
	json_t *object = json_object(), *options = json_array();
	bool volume = request->type == MOUNT_TYPE_VOLUME;

	json_put_string(object, "Type", mount_type_to_string(request->type));
	if (volume)
		json_put_string(object, "Name", name);
	json_put_string(object, "Source", source);
	json_put_string(object, "Destination", request->destination);
	json_put_string(object, "Driver", volume ? "local" : "");
	json_put_string(object, "Mode", "");
	add_word(options, request->nosuid, "nosuid");
	add_word(options, request->nodev, "nodev");
	add_word(options, request->noexec, "noexec");
	add_word(options, request->type == MOUNT_TYPE_BIND, request->recursive ? "rbind" : "bind");
	add_word(options, request->chown, "U");
	add_word(options, request->idmap, "idmap");
	add_word(options, request->overlay, "O");
	json_object_set_new(object, "Options", options);
	json_put_bool(object, "RW",
		request->type == MOUNT_TYPE_IMAGE ? request->read_write : !request->read_only);
	json_put_string(
		object, "Propagation", request->propagation ? request->propagation : "rprivate");
	json_put_string(object, "SubPath", request->subpath);
	return object;
}

/* The anonymous volumes by what the definition notes, those of the image included. */
static void add_anonymous(Engine *engine, const ContainerDefinition *definition, json_t *list) {
	for (char **note = definition->anonymous_volumes; note && *note; note++) {
		if (strlen(*note) <= ID_LENGTH)
			continue;
		g_autofree char *name = g_strndup(*note, ID_LENGTH);
		const char *destination = *note + ID_LENGTH + 1;
		g_autofree char *path =
			volumes_anonymous_path(engine, definition, destination, NULL);
		g_autoptr(MountRequest) request = spec_parse_volume("/x", NULL);

		g_free(request->destination);
		request->destination = g_strdup(destination);
		json_array_append_new(list, mount_to_json(request, name, path ? path : ""));
	}
}

static bool is_shown(const MountRequest *request) {
	return request->type == MOUNT_TYPE_BIND || request->type == MOUNT_TYPE_IMAGE ||
	       (request->type == MOUNT_TYPE_VOLUME && request->source);
}

json_t *query_mounts(Engine *engine, const Container *container, const PodSpec *pod) {
	const ContainerDefinition *definition = container->definition;
	g_autoptr(GPtrArray) requests = mount_list(definition->spec, pod, NULL, NULL);
	json_t *list = json_array();

	for (guint i = 0; requests && i < requests->len; i++) {
		const MountRequest *request = g_ptr_array_index(requests, i);
		g_autoptr(Volume) volume = is_shown(request) && request->type == MOUNT_TYPE_VOLUME
						   ? volume_open(engine, request->source, NULL)
						   : NULL;
		g_autofree char *path = volume ? volume_path(volume, NULL) : NULL;

		if (is_shown(request))
			json_array_append_new(list, mount_to_json(request, request->source,
							    path ? path : request->source));
	}
	add_anonymous(engine, definition, list);
	return list;
}

json_t *query_mount_points(const Container *container) {
	const ContainerDefinition *definition = container->definition;
	g_autoptr(GPtrArray) requests = mount_list(definition->spec, NULL, NULL, NULL);
	json_t *list = json_array();

	for (guint i = 0; requests && i < requests->len; i++) {
		const MountRequest *request = g_ptr_array_index(requests, i);
		if (is_shown(request))
			json_array_append_new(list, json_string(request->destination));
	}
	for (char **note = definition->anonymous_volumes; note && *note; note++)
		if (strlen(*note) > ID_LENGTH)
			json_array_append_new(list, json_string(*note + ID_LENGTH + 1));
	return list;
}

json_t *query_devices(char *const *devices) {
	json_t *list = json_array();

	for (; devices && *devices; devices++) {
		g_autoptr(DeviceRequest) request = spec_parse_device(*devices, NULL);
		char letters[4] = "", *end = letters;

		if (!request)
			continue;
		if (request->use & USE_READ)
			*end++ = 'r';
		if (request->use & USE_WRITE)
			*end++ = 'w';
		if (request->use & USE_MKNOD)
			*end++ = 'm';
		json_t *object = json_object();
		json_put_string(object, "PathOnHost", request->source);
		json_put_string(object, "PathInContainer", request->destination);
		json_put_string(object, "CgroupPermissions", letters);
		json_array_append_new(list, object);
	}
	return list;
}
