/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts somebody asked for: names of volumes and images become paths. */
#include "base/fd.h"
#include "engine/mount_list.h"
#include "engine/resolve.h"
#include "engine/volume.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

/* While a container is only being checked it has no place on disk, and nothing is looked up. */
static bool only_checks(const ResolveInput *input) {
	return !input->container->object;
}

static RuntimeMount *new_mount(MountKind kind, const char *source, const MountRequest *request) {
	RuntimeMount *mount = runtime_mount_new(kind, source, request->destination);

	mount->read_only = request->read_only;
	mount->nosuid = request->nosuid;
	mount->nodev = request->nodev;
	mount->noexec = request->noexec;
	mount->recursive = request->recursive;
	mount->propagation = g_strdup(request->propagation);
	mount->subpath = g_strdup(request->subpath);
	mount->chown = request->chown;
	return mount;
}

/* Takes the mount, good or not. */
static bool add(RuntimeConfig *config, RuntimeMount *mount, GError **err) {
	runtime_config_add_mount(config, mount);
	return runtime_mount_check(mount, err);
}

/* A fresh pair of directories for the upper layer of one mount: what was written to it goes with
 * the run, as in podman. */
static bool make_upper(const ResolveInput *input, RuntimeConfig *config, RuntimeRootfs *layers,
	const char *like, GError **err) {
	g_autofree char *data = store_data_path(input->container->object, err);
	g_autofree char *name = g_strdup_printf("mount-%zu", config->n_mounts);
	_cleanup_close_ int fd = data ? fd_open_dir(AT_FDCWD, data, err) : -1;

	if (fd < 0 || !fd_remove_tree(fd, name, err))
		return false;
	layers->upper_dir = g_build_filename(data, name, "upper", NULL);
	layers->work_dir = g_build_filename(data, name, "work", NULL);
	layers->volatile_upper = true;
	layers->fresh_upper = true;
	return fd_mkdir_parents(AT_FDCWD, layers->work_dir, 0700, err) &&
	       fd_make_dir_like(layers->upper_dir, like, err);
}

static bool check_relabel(const MountRequest *request, GError **err) {
	/* files carry z and Z wherever they are used; without SELinux there is nothing to label */
	if (request->relabel && access("/sys/fs/selinux/enforce", F_OK) == 0)
		return fail(err, ERROR_UNSUPPORTED,
			"cannot mount \"%s\": the options z and Z are not supported with SELinux "
			"yet",
			request->source ? request->source : request->destination);
	return true;
}

static bool add_overlay(const ResolveInput *input, RuntimeConfig *config, const char *source,
	const MountRequest *request, GError **err) {
	RuntimeMount *mount = new_mount(MOUNT_OVERLAY, source, request);
	RuntimeRootfs *layers = g_new0(RuntimeRootfs, 1);

	mount->layers = layers;
	layers->kind = ROOTFS_OVERLAY;
	layers->lower_dirs = g_new0(char *, 2);
	layers->lower_dirs[0] = g_strdup(source);
	layers->upper_dir = g_strdup(request->upper_dir);
	layers->work_dir = g_strdup(request->work_dir);
	bool good = only_checks(input) || layers->upper_dir ||
		    make_upper(input, config, layers, source, err);
	return add(config, mount, err) && good;
}

/* Nodes that a file system of devices shows are what is asked for there. */
static bool is_device_place(const char *path) {
	return (strcmp(path, "/dev") == 0 || g_str_has_prefix(path, "/dev/")) &&
	       strcmp(path, "/dev/shm") != 0 && !g_str_has_prefix(path, "/dev/shm/");
}

static bool add_bind(const ResolveInput *input, RuntimeConfig *config, const char *source,
	const MountRequest *request, GError **err) {
	if (!check_relabel(request, err))
		return false;
	if (request->overlay)
		return add_overlay(input, config, source, request, err);
	RuntimeMount *mount = new_mount(MOUNT_BIND, source, request);
	if (!request->nodev_given && is_device_place(source))
		mount->nodev = false;
	mount->map_ids = request->idmap;
	id_map_copy(&request->idmap_uids, &mount->uid_map);
	id_map_copy(&request->idmap_gids, &mount->gid_map);
	mount->map_relative_uids = request->idmap_relative_uids;
	mount->map_relative_gids = request->idmap_relative_gids;
	mount->copy_up = request->type == MOUNT_TYPE_VOLUME && !request->no_copy;
	return add(config, mount, err);
}

static bool add_volume(const ResolveInput *input, RuntimeConfig *config,
	const MountRequest *request, GError **err) {
	Engine *engine = input->engine;
	const ContainerDefinition *definition = input->container->definition;
	g_autofree char *path = only_checks(input) ? g_strdup("/volumes/none")
				: request->source  ? volume_ensure(engine, request->source, err)
						   : volumes_anonymous_path(engine, definition,
							     request->destination, err);

	return path && add_bind(input, config, path, request, err);
}

static bool add_image(const ResolveInput *input, RuntimeConfig *config, const MountRequest *request,
	GError **err) {
	ImageStore *images = engine_images(input->engine, err);
	g_autoptr(ImageConfig) image = images ? image_lookup(images, request->source, err) : NULL;

	if (!image)
		return fail_prefix(err, "cannot mount image \"%s\"", request->source);
	RuntimeMount *mount = new_mount(MOUNT_OVERLAY, request->source, request);
	mount->layers = g_new0(RuntimeRootfs, 1);
	mount->layers->kind = ROOTFS_OVERLAY;
	mount->layers->lower_dirs = g_strdupv(image->layers);
	mount->layers->map_ids = true;
	mount->read_only = !request->read_write;
	size_t n = g_strv_length(image->layers);
	bool good = only_checks(input) || !request->read_write || n == 0 ||
		    make_upper(input, config, mount->layers, image->layers[n - 1], err);
	return add(config, mount, err) && good;
}

static bool add_glob(const ResolveInput *input, RuntimeConfig *config, const MountRequest *request,
	GError **err) {
	glob_t found = {0};
	bool good = true;

	if (only_checks(input))
		return true;
	int r = glob(request->source, 0, NULL, &found);
	if (r == GLOB_NOMATCH)
		good = fail(err, ERROR_NOT_FOUND, "no file matches \"%s\"", request->source);
	else if (r != 0)
		good = fail(err, ERROR_FAILED, "cannot look for \"%s\"", request->source);
	for (size_t i = 0; good && i < found.gl_pathc; i++) {
		g_autofree char *name = g_path_get_basename(found.gl_pathv[i]);
		RuntimeMount *mount = new_mount(MOUNT_BIND, found.gl_pathv[i], request);
		g_free(mount->destination);
		mount->destination = request->destination
					     ? g_build_filename(request->destination, name, NULL)
					     : g_strdup(found.gl_pathv[i]);
		bool twice = runtime_config_has_mount(config, mount->destination);
		good = add(config, mount, err);
		if (good && twice)
			good = fail(err, ERROR_INVALID, "two mounts have the destination \"%s\"",
				mount->destination);
	}
	globfree(&found);
	return good;
}

static bool add_fresh(RuntimeConfig *config, const MountRequest *request, GError **err) {
	MountKind kind = request->type == MOUNT_TYPE_RAMFS    ? MOUNT_RAMFS
			 : request->type == MOUNT_TYPE_DEVPTS ? MOUNT_DEVPTS
							      : MOUNT_TMPFS;
	RuntimeMount *mount = new_mount(kind, NULL, request);

	mount->size_bytes = request->size_bytes;
	mount->max_inodes = request->max_inodes;
	mount->no_swap = request->no_swap;
	mount->mode = request->mode;
	mount->mode_given = request->mode_given;
	mount->uid = request->uid;
	mount->gid = request->gid;
	mount->max = request->max;
	mount->copy_up = kind != MOUNT_DEVPTS && !request->no_copy;
	return add(config, mount, err);
}

static bool add_request(const ResolveInput *input, RuntimeConfig *config,
	const MountRequest *request, GError **err) {
	switch (request->type) {
	case MOUNT_TYPE_BIND:
		return add_bind(input, config, request->source, request, err);
	case MOUNT_TYPE_VOLUME:
		return add_volume(input, config, request, err);
	case MOUNT_TYPE_IMAGE:
		return add_image(input, config, request, err);
	case MOUNT_TYPE_GLOB:
		return add_glob(input, config, request, err);
	case MOUNT_TYPE_TMPFS:
	case MOUNT_TYPE_RAMFS:
	case MOUNT_TYPE_DEVPTS:
		return add_fresh(config, request, err);
	}
	return true;
}

bool resolve_user_mounts(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const PodSpec *pod = input->pod ? input->pod->definition->spec : NULL;
	g_autoptr(GPtrArray) list = mount_list(input->container->definition->spec, pod,
		input->image ? input->image->volumes : NULL, err);

	for (guint i = 0; list && i < list->len; i++)
		if (!add_request(input, config, g_ptr_array_index(list, i), err))
			return false;
	return list != NULL;
}

static unsigned depth_of(const char *path) {
	unsigned depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int compare_depth(gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data) {
	unsigned x = depth_of((*(RuntimeMount *const *)a)->destination);
	unsigned y = depth_of((*(RuntimeMount *const *)b)->destination);

	return x < y ? -1 : x > y;
}

void resolve_sort_mounts(RuntimeConfig *config) {
	if (config->n_mounts > 1)
		g_qsort_with_data(config->mounts, (int)config->n_mounts, sizeof(config->mounts[0]),
			compare_depth, NULL);
}
