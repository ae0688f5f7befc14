/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Relative paths of a spec. See spec_paths.h. */
#include "cli/spec_paths.h"

#include "model/spec_parse.h"

static void make_absolute(char **list, char *(*absolute)(const char *, const char *)) {
	g_autofree char *directory = g_get_current_dir();

	for (; list && *list; list++) {
		char *replaced = absolute(*list, directory);
		g_free(*list);
		*list = replaced;
	}
}

void spec_paths_container(ContainerSpec *spec) {
	make_absolute(spec->volumes, spec_absolute_volume);
	make_absolute(spec->mounts, spec_absolute_mount);
	if (spec->rootfs && spec->image && !g_path_is_absolute(spec->image)) {
		char *path = g_canonicalize_filename(spec->image, NULL);
		g_free(spec->image);
		spec->image = path;
	}
}

void spec_paths_pod(PodSpec *spec) {
	make_absolute(spec->volumes, spec_absolute_volume);
}
