/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Relative paths of a spec. See spec_paths.h. */
#include "cli/spec_paths.h"

#include "base/str.h"
#include "model/spec_parse.h"

#include <string.h>

static void make_absolute(char **list, char *(*absolute)(const char *, const char *)) {
	g_autofree char *directory = g_get_current_dir();

	for (; list && *list; list++) {
		char *replaced = absolute(*list, directory);
		g_free(*list);
		*list = replaced;
	}
}

static void make_path_absolute(char **path) {
	if (!*path || !**path || g_path_is_absolute(*path))
		return;
	char *absolute = g_canonicalize_filename(*path, NULL);
	g_free(*path);
	*path = absolute;
}

/* The value of one KEY=PATH option, if it is a path. words: values that are none. */
static void make_values_absolute(char **options, const char *key, const char *const *words) {
	for (; options && *options; options++) {
		if (!g_str_has_prefix(*options, key))
			continue;
		g_autofree char *value = g_strdup(*options + strlen(key));
		if (str_in_list(value, words))
			continue;
		make_path_absolute(&value);
		g_free(*options);
		*options = g_strconcat(key, value, NULL);
	}
}

/* Security options and the log's path are looked at when the container starts, which may be from
 * elsewhere. */
static const char *const seccomp_words[] = {"unconfined", "podman", "", NULL};
static const char *const no_words[] = {"", NULL};

void spec_paths_container(ContainerSpec *spec) {
	make_absolute(spec->volumes, spec_absolute_volume);
	make_absolute(spec->mounts, spec_absolute_mount);
	make_path_absolute(&spec->cidfile);
	make_path_absolute(&spec->pidfile);
	make_path_absolute(&spec->conmon_pidfile);
	make_values_absolute(spec->security_opt, "seccomp=", seccomp_words);
	make_values_absolute(spec->log_opts, "path=", no_words);
	if (spec->rootfs)
		make_path_absolute(&spec->image);
}

void spec_paths_pod(PodSpec *spec) {
	make_absolute(spec->volumes, spec_absolute_volume);
	make_path_absolute(&spec->infra_pidfile);
	make_values_absolute(spec->security_opt, "seccomp=", seccomp_words);
}
