/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the container sees: its root file system, the generated files, the user's mounts. */
#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "engine/resource.h"

#include <fcntl.h>
#include <sched.h>
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
	if (spec->rootfs && strcmp(colon, ":O") != 0)
		return fail(err, ERROR_UNSUPPORTED,
			"cannot use root file system \"%s\": the only option is \":O\"",
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
	/* the upper directory is the root directory that the container sees: as in its image */
	size_t n_layers = g_strv_length(rootfs->lower_dirs);
	return fd_mkdir_parents(AT_FDCWD, rootfs->work_dir, 0700, err) &&
	       fd_make_dir_like(rootfs->upper_dir, rootfs->lower_dirs[n_layers - 1], err);
}

static bool add_bind(RuntimeConfig *config, const MountRequest *request, GError **err) {
	if (request->type != MOUNT_TYPE_BIND || request->overlay || request->chown ||
		request->idmap)
		return fail(err, ERROR_UNSUPPORTED, "mount \"%s\" is not supported yet",
			request->destination);
	RuntimeMount *mount = runtime_mount_new(MOUNT_BIND, request->source, request->destination);
	mount->read_only = request->read_only;
	mount->nosuid = request->nosuid;
	mount->nodev = request->nodev;
	mount->noexec = request->noexec;
	mount->recursive = request->recursive;
	mount->propagation = g_strdup(request->propagation);
	runtime_config_add_mount(config, mount);
	return true;
}

static bool add_request(RuntimeConfig *config, const MountRequest *request, GError **err) {
	if (request->type != MOUNT_TYPE_TMPFS)
		return add_bind(config, request, err);
	RuntimeMount *mount = runtime_mount_new(MOUNT_TMPFS, NULL, request->destination);
	mount->read_only = request->read_only;
	mount->nosuid = request->nosuid;
	mount->nodev = request->nodev;
	mount->noexec = request->noexec;
	mount->size_bytes = request->size_bytes;
	mount->mode = request->mode;
	mount->copy_up = !request->no_copy;
	runtime_config_add_mount(config, mount);
	return true;
}

static bool add_list(RuntimeConfig *config, char *const *list,
	MountRequest *(*parse)(const char *text, GError **err), GError **err) {
	for (; list && *list; list++) {
		g_autoptr(MountRequest) request = parse(*list, err);
		if (!request || !add_request(config, request, err))
			return false;
	}
	return true;
}

bool resolve_user_mounts(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;

	if (input->pod &&
		!add_list(config, input->pod->definition->spec->volumes, spec_parse_volume, err))
		return false;
	return add_list(config, spec->volumes, spec_parse_volume, err) &&
	       add_list(config, spec->mounts, spec_parse_mount, err) &&
	       add_list(config, spec->tmpfs, spec_parse_tmpfs, err);
}

static bool has_mount(const RuntimeConfig *config, const char *destination) {
	for (size_t i = 0; i < config->n_mounts; i++)
		if (strcmp(config->mounts[i]->destination, destination) == 0)
			return true;
	return false;
}

/* --read-only: places that programs expect to be able to write, as podman. */
static void add_read_only_tmpfs(const ContainerSpec *spec, RuntimeConfig *config) {
	static const char *const places[] = {"/tmp", "/var/tmp", "/run"};

	if (!spec->read_only || spec->read_only_tmpfs == 0)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
		if (has_mount(config, places[i]))
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
	if (!resolve_rootfs(input, config, err) || !resolve_user_mounts(input, config, err))
		return false;
	add_read_only_tmpfs(spec, config);
	if (!resource_write_files(input, json_get_string(network, "IPAddress", NULL),
		    json_get_string(network, "Gateway", NULL), &dir, err))
		return false;
	resource_add_mounts(input, dir, config);
	return true;
}
