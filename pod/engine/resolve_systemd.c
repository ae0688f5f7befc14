/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --systemd: what a systemd inside a container expects of it. When that is so, and what it is, is
 * podman's. */
#include "base/parse.h"
#include "base/str.h"
#include "engine/resolve.h"

#include <string.h>

static bool is_systemd_program(char *const *argv) {
	static const char *const programs[] = {
		"/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init", NULL};

	if (!argv || !argv[0])
		return false;
	/* as an image built from text has it: a shell that is given the command */
	if (strcmp(argv[0], "/bin/sh") == 0 && argv[1] && strcmp(argv[1], "-c") == 0 && argv[2])
		argv += 2;
	g_autofree char *base = g_path_get_basename(argv[0]);
	return str_in_list(argv[0], programs) || strcmp(base, "systemd") == 0;
}

bool resolve_is_systemd(const ContainerSpec *spec, char *const *argv) {
	bool truth = true;

	if (spec->systemd && g_ascii_strcasecmp(spec->systemd, "always") == 0)
		return true;
	if (spec->systemd && *spec->systemd && (!parse_bool(spec->systemd, &truth) || !truth))
		return false;
	return is_systemd_program(argv);
}

static bool has_mount(const RuntimeConfig *config, const char *destination) {
	for (size_t i = 0; i < config->n_mounts; i++)
		if (strcmp(config->mounts[i]->destination, destination) == 0)
			return true;
	return false;
}

bool resolve_systemd_mounts(const ContainerSpec *spec, RuntimeConfig *config, GError **err) {
	static const char *const places[] = {"/run", "/run/lock", "/tmp", "/var/log/journal"};
	uint64_t size = 0;
	size_t first = 0;

	if (!resolve_is_systemd(spec, config->argv))
		return true;
	if (spec->shm_size_systemd && !parse_size(spec->shm_size_systemd, &size))
		return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--shm-size-systemd\"",
			spec->shm_size_systemd);
	config->cgroup_writable = true;
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		if (has_mount(config, places[i]))
			continue;
		RuntimeMount *mount = runtime_mount_new(MOUNT_TMPFS, NULL, places[i]);
		mount->nosuid = mount->nodev = true;
		mount->mode = strcmp(places[i], "/tmp") == 0 ? 01777 : 0755;
		mount->size_bytes = size;
		mount->copy_up = true;
		runtime_config_add_mount(config, mount);
		/* below the user's own: a volume on /run/x is to be seen */
		memmove(config->mounts + first + 1, config->mounts + first,
			(config->n_mounts - 1 - first) * sizeof *config->mounts);
		config->mounts[first++] = mount;
	}
	return true;
}
