/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mounted into a container. See mount_list.h. */
#include "engine/mount_list.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

static bool has_destination(const GPtrArray *list, const char *destination) {
	for (guint i = 0; i < list->len; i++) {
		const MountRequest *request = g_ptr_array_index(list, i);
		if (g_strcmp0(request->destination, destination) == 0)
			return true;
	}
	return false;
}

static bool add_texts(GPtrArray *list, char *const *texts,
	MountRequest *(*parse)(const char *text, GError **err), bool weak, GError **err) {
	for (; texts && *texts; texts++) {
		g_autoptr(MountRequest) request = parse(*texts, err);
		if (!request)
			return false;
		if (!weak || !has_destination(list, request->destination))
			g_ptr_array_add(list, g_steal_pointer(&request));
	}
	return true;
}

/* An image must not put anything over what the runtime mounts (security.md B2-02). */
static bool check_image_volume(const char *path, GError **err) {
	static const char *const places[] = {"/proc", "/sys", "/dev"};
	bool good = strcmp(path, "/") != 0;

	array_foreach (place, places) {
		size_t length = strlen(*place);
		if (strncmp(path, *place, length) == 0 &&
			(path[length] == '/' || path[length] == '\0'))
			good = false;
	}
	return good || fail(err, ERROR_INVALID,
			       "the image declares a volume on \"%s\", which is not its own", path);
}

static bool add_image_volumes(
	GPtrArray *list, const char *mode, char *const *volumes, GError **err) {
	if (g_strcmp0(mode, "ignore") == 0)
		return true;
	for (; volumes && *volumes; volumes++) {
		g_autofree char *absolute = g_strconcat("/", *volumes, NULL);
		g_autofree char *path = str_clean_path(absolute);
		g_autoptr(GError) error = NULL;

		if (has_destination(list, path))
			continue;
		if (!check_image_volume(path, err))
			return false;
		/* not the parser's syntax: a path may have any character */
		g_autoptr(MountRequest) request = g_strcmp0(mode, "tmpfs") == 0
							  ? spec_parse_tmpfs("/x", &error)
							  : spec_parse_volume("/x", &error);
		g_free(request->destination);
		request->destination = g_steal_pointer(&path);
		g_ptr_array_add(list, g_steal_pointer(&request));
	}
	return true;
}

GPtrArray *mount_list(
	const ContainerSpec *spec, const PodSpec *pod, char *const *image_volumes, GError **err) {
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)mount_request_free);

	if (!add_texts(list, spec->volumes, spec_parse_volume, false, err) ||
		!add_texts(list, spec->mounts, spec_parse_mount, false, err) ||
		!add_texts(list, spec->tmpfs, spec_parse_tmpfs, false, err) ||
		(pod && !add_texts(list, pod->volumes, spec_parse_volume, true, err)) ||
		!add_image_volumes(list, spec->image_volume, image_volumes, err))
		return NULL;
	return g_steal_pointer(&list);
}
