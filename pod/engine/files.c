/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's file system for somebody outside. See files.h. */
#include "engine/files.h"

#include "base/fd.h"
#include "base/str.h"
#include "model/namespace_mode.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FREEZE_TIMEOUT_USEC = 10000000 };

void files_clear(Files *files) {
	if (files->frozen)
		runtime_cgroup_freeze(
			files->container->state->cgroup, false, FREEZE_TIMEOUT_USEC, NULL);
	if (files->container && files->container->object->lock_fd >= 0)
		store_unlock(files->container->object);
	container_free(files->container);
	image_config_free(files->image);
	pod_free(files->pod);
	runtime_config_free(files->config);
	id_map_clear(&files->uids);
	id_map_clear(&files->gids);
	*files = (Files){0};
}

static bool load_parts(Files *files, GError **err) {
	const ContainerDefinition *definition = files->container->definition;

	if (definition->image_id) {
		ImageStore *images = engine_images(files->engine, err);
		files->image = images ? image_lookup(images, definition->image_id, err) : NULL;
		if (!files->image)
			return false;
	}
	if (definition->pod_id)
		files->pod = pod_open(files->engine, definition->pod_id, err);
	return !definition->pod_id || files->pod;
}

/* The maps of a container that does not run. */
static bool load_maps(Files *files, GError **err) {
	const ContainerDefinition *definition = files->container->definition;
	const PodDefinition *pod = files->pod ? files->pod->definition : NULL;
	UserNsRequest request;

	if (definition->uid_map)
		return resolve_maps(
			definition->uid_map, definition->gid_map, &files->uids, &files->gids, err);
	if (pod && pod->spec->infra && pod->uid_map)
		return resolve_maps(pod->uid_map, pod->gid_map, &files->uids, &files->gids, err);
	if (!spec_parse_userns(definition->spec->user_ns, &request, err))
		return false;
	bool joins = request.kind == USERNS_CONTAINER || request.kind == USERNS_PATH;
	userns_request_clear(&request);
	return !joins ||
	       fail(err, ERROR_STATE,
		       "cannot use the files of container \"%s\" while it does not run: its "
		       "user namespace is another one's",
		       definition->name);
}

/* Only described: what a running container has on disk stays as it is. */
static bool load_config(Files *files, GError **err) {
	const Container described = {
		.definition = files->container->definition, .state = files->container->state};
	ResolveInput input = {.engine = files->engine,
		.container = files->container,
		.image = files->image,
		.pod = files->pod};

	files->config = runtime_config_new();
	if (!resolve_rootfs(&input, files->config, err))
		return false;
	RuntimeRootfs *rootfs = &files->config->rootfs;
	if (rootfs->upper_dir && access(rootfs->upper_dir, F_OK) < 0 && !resolve_upper(rootfs, err))
		return false;
	if (container_is_running(files->container))
		input.container = &described;
	return resolve_user_mounts(&input, files->config, err) &&
	       resolve_process(&input, files->config, err);
}

static bool load(Files *files, GError **err) {
	if (!load_parts(files, err) || !load_config(files, err))
		return false;
	if (!container_is_running(files->container))
		return load_maps(files, err);
	_cleanup_close_ int root_fd =
		runtime_open_root(files->container->state->init, &files->uids, &files->gids, err);
	return root_fd >= 0;
}

bool files_open(
	Engine *engine, const char *name_or_id, bool keep_lock, Files *ret_files, GError **err) {
	Files files = {.engine = engine};

	if (!engine_require_root(err))
		return false;
	files.container = container_open(engine, name_or_id, err);
	/* nobody may remove it, or start it, while its directories are looked for */
	if (!files.container || !container_lock(files.container, err) || !load(&files, err)) {
		files_clear(&files);
		return false;
	}
	if (!keep_lock)
		store_unlock(files.container->object);
	*ret_files = files;
	return true;
}

int files_open_rootfs(const Files *files, GError **err) {
	RuntimeRootfs rootfs = files->config->rootfs;

	rootfs.look_only = rootfs.upper_dir != NULL;
	return runtime_open_rootfs(&rootfs, &files->uids, &files->gids, err);
}

bool files_freeze(Files *files, GError **err) {
	const ContainerState *state = files->container->state;

	if (!container_is_running(files->container) || container_is_paused(files->container))
		return true;
	if (!state->cgroup)
		return fail(err, ERROR_UNSUPPORTED,
			"cannot use \"--pause\": container \"%s\" has no cgroup",
			files->container->definition->name);
	if (!runtime_cgroup_freeze(state->cgroup, true, FREEZE_TIMEOUT_USEC, err))
		return false;
	files->frozen = true;
	return true;
}

/* --- paths ------------------------------------------------------------------------------------ */

/* The mount that the path is on: the one with the longest destination above it. */
static const RuntimeMount *find_mount(
	const RuntimeConfig *config, const char *clean, size_t *ret_length) {
	const RuntimeMount *found = NULL;

	*ret_length = 0;
	for (size_t i = 0; i < config->n_mounts; i++) {
		const RuntimeMount *mount = config->mounts[i];
		g_autofree char *destination = str_clean_path(mount->destination);
		size_t length = strcmp(destination, "/") == 0 ? 0 : strlen(destination);
		if (strncmp(clean, destination, length) == 0 &&
			(clean[length] == '/' || clean[length] == '\0') && length >= *ret_length) {
			found = mount;
			*ret_length = length;
		}
	}
	return found;
}

/* What the end of a path says about a directory is not to be lost by cleaning. */
static const char *path_end(const char *path) {
	if (strcmp(path, ".") == 0 || g_str_has_suffix(path, "/."))
		return "/.";
	return g_str_has_suffix(path, "/") ? "/" : "";
}

static bool is_usable(const RuntimeMount *mount) {
	return mount->kind == MOUNT_BIND && mount->source && !mount->subpath &&
	       (!mount->map_ids || mount->uid_map.n == 0);
}

/* A stopped container's mounts are not there: a host directory is used itself, the rest refused. */
static bool find_on_mount(Files *files, const RuntimeMount *mount, const char *path,
	const char *rest, bool write, int *ret_root_fd, char **ret_path, GError **err) {
	_cleanup_close_ int fd = -1;

	if (is_usable(mount)) {
		fd = open(mount->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno != ENOTDIR)
			return fail_errno(err, errno, "cannot open \"%s\"", mount->source);
	}
	if (fd < 0)
		return fail(err, ERROR_STATE,
			"cannot use \"%s\": what is mounted on \"%s\" is there only while the "
			"container runs",
			path, mount->destination);
	if (write && mount->read_only)
		return fail(err, ERROR_INVALID, "cannot copy to \"%s\": \"%s\" is read-only", path,
			mount->destination);
	files->plain_ids = mount->map_ids;
	*ret_path = g_strconcat("/", rest, path_end(path), NULL);
	*ret_root_fd = steal_fd(&fd);
	return true;
}

bool files_find_place(Files *files, const char *path, bool write, int *ret_root_fd, char **ret_path,
	GError **err) {
	g_autofree char *absolute = g_strconcat("/", path, NULL);
	g_autofree char *clean = str_clean_path(absolute);
	size_t length;

	if (container_is_running(files->container)) {
		IdMap uids, gids;
		*ret_root_fd = runtime_open_root(files->container->state->init, &uids, &gids, err);
		if (*ret_root_fd < 0)
			return false;
		id_map_clear(&uids);
		id_map_clear(&gids);
		*ret_path = g_steal_pointer(&absolute);
		return true;
	}
	const RuntimeMount *mount = find_mount(files->config, clean, &length);
	if (mount)
		return find_on_mount(
			files, mount, path, clean + length, write, ret_root_fd, ret_path, err);
	*ret_root_fd =
		write ? runtime_open_rootfs(&files->config->rootfs, &files->uids, &files->gids, err)
		      : files_open_rootfs(files, err);
	if (*ret_root_fd < 0)
		return false;
	*ret_path = g_steal_pointer(&absolute);
	return true;
}
