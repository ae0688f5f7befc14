/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the container sees: its root file system, the generated files, the user's mounts. */
#include "base/fd.h"
#include "base/parse.h"
#include "engine/resource.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool resolve_rootfs(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const Container *container = input->container;
	const ContainerSpec *spec = container->definition->spec;
	RuntimeRootfs *rootfs = &config->rootfs;
	const char *colon = spec->rootfs ? strrchr(spec->image, ':') : NULL;

	rootfs->read_only = spec->read_only;
	if (spec->rootfs && !colon) {
		rootfs->kind = ROOTFS_DIRECTORY;
		rootfs->path = g_strdup(spec->image);
		return true;
	}
	if (spec->rootfs && strcmp(colon, ":idmap") == 0) {
		rootfs->kind = ROOTFS_DIRECTORY;
		rootfs->path = g_strndup(spec->image, (size_t)(colon - spec->image));
		rootfs->map_ids = true;
		return true;
	}
	if (spec->rootfs && strcmp(colon, ":O") != 0)
		return fail(err, ERROR_UNSUPPORTED,
			"cannot use root file system \"%s\": the options are \":O\" and \":idmap\"",
			spec->image);
	g_autofree char *data = store_data_path(container->object, err);
	if (!data)
		return false;
	rootfs->kind = ROOTFS_OVERLAY;
	if (spec->rootfs) {
		rootfs->lower_dirs = g_new0(char *, 2);
		rootfs->lower_dirs[0] = g_strndup(spec->image, (size_t)(colon - spec->image));
	} else {
		rootfs->lower_dirs = g_strdupv(input->image->layers);
	}
	rootfs->upper_dir = g_build_filename(data, "upper", NULL);
	rootfs->work_dir = g_build_filename(data, "work", NULL);
	rootfs->volatile_upper = !container->object->persistent;
	return true;
}

/* The upper directory is the root directory that the container sees: as in its image. */
bool resolve_upper(RuntimeRootfs *rootfs, GError **err) {
	if (!rootfs->upper_dir)
		return true;
	size_t n_layers = g_strv_length(rootfs->lower_dirs);
	rootfs->fresh_upper = true;
	return fd_mkdir_parents(AT_FDCWD, rootfs->work_dir, 0700, err) &&
	       fd_make_dir_like(rootfs->upper_dir, rootfs->lower_dirs[n_layers - 1], err);
}

/* --read-only: places that programs expect to be able to write, as podman. */
static void add_read_only_tmpfs(const ContainerSpec *spec, RuntimeConfig *config) {
	static const char *const places[] = {"/tmp", "/var/tmp", "/run"};

	config->read_only_dev = spec->read_only && spec->read_only_tmpfs == 0;
	if (!spec->read_only || spec->read_only_tmpfs == 0)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
		if (runtime_config_has_mount(config, places[i]))
			continue;
		RuntimeMount *mount = runtime_mount_new(MOUNT_TMPFS, NULL, places[i]);
		mount->nosuid = mount->nodev = true;
		mount->mode = strcmp(places[i], "/run") == 0 ? 0755 : 01777;
		mount->copy_up = true;
		runtime_config_add_mount(config, mount);
	}
}

bool resolve_mounts(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	const json_t *network = input->pod ? input->pod->state->network : NULL;
	g_autofree char *dir = NULL;

	config->shm_size_bytes = DEFAULT_SHM_BYTES;
	if (spec->shm_size && !parse_size(spec->shm_size, &config->shm_size_bytes))
		return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--shm-size\"",
			spec->shm_size);
	if (!resolve_rootfs(input, config, err) || !resolve_upper(&config->rootfs, err) ||
		!resolve_user_mounts(input, config, err))
		return false;
	if (!resolve_systemd_mounts(spec, config, err))
		return false;
	add_read_only_tmpfs(spec, config);
	/* before the generated files, which lie in the directories of others */
	resolve_sort_mounts(config);
	if (!resource_write_files(input, json_get_string(network, "IPAddress", NULL),
		    json_get_string(network, "Gateway", NULL), &dir, err))
		return false;
	resource_add_mounts(input, dir, config);
	return true;
}
