/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making, freeing and showing a RuntimeConfig. */
#include "runtime/config.h"
#include "runtime/runtime.h"
#include "runtime/syscalls.h"

#include <glib.h>

RuntimeConfig *runtime_config_new(void) {
	RuntimeConfig *config = g_new0(RuntimeConfig, 1);

	config->umask = 0022;
	config->oom_score_adj = INT32_MIN;
	config->stdin_fd = -1;
	return config;
}

static void clear_rootfs(RuntimeRootfs *rootfs) {
	g_free(rootfs->path);
	g_strfreev(rootfs->lower_dirs);
	g_free(rootfs->upper_dir);
	g_free(rootfs->work_dir);
}

static void free_mount(RuntimeMount *mount) {
	if (!mount)
		return;
	g_free(mount->source);
	if (mount->layers)
		clear_rootfs(mount->layers);
	g_free(mount->layers);
	g_free(mount->subpath);
	g_free(mount->destination);
	g_free(mount->propagation);
	id_map_clear(&mount->uid_map);
	id_map_clear(&mount->gid_map);
	g_free(mount);
}

static void clear_limit(RuntimeLimit *limit) {
	g_free(limit->option);
	g_free(limit->controller);
	g_free(limit->file);
	g_free(limit->value);
}

void runtime_config_free(RuntimeConfig *config) {
	if (!config)
		return;
	g_free(config->id);
	g_free(config->hostname);
	for (size_t i = 0; i < config->n_joins; i++)
		g_free(config->joins[i].path);
	g_free(config->joins);
	id_map_clear(&config->uid_map);
	id_map_clear(&config->gid_map);
	clear_rootfs(&config->rootfs);
	for (size_t i = 0; i < config->n_mounts; i++)
		free_mount(config->mounts[i]);
	g_free(config->mounts);
	for (size_t i = 0; i < config->n_devices; i++)
		g_free(config->devices[i].destination);
	g_free(config->devices);
	g_strfreev(config->masked_paths);
	g_strfreev(config->read_only_paths);
	g_strfreev(config->argv);
	g_strfreev(config->env);
	g_free(config->cwd);
	g_free(config->user);
	g_free(config->additional_gids);
	g_strfreev(config->additional_groups);
	g_free(config->seccomp_profile);
	g_free(config->seccomp_cache_dir);
	g_strfreev(config->sysctls);
	g_free(config->rlimits);
	g_free(config->cgroup);
	for (size_t i = 0; i < config->n_limits; i++)
		clear_limit(&config->limits[i]);
	g_free(config->limits);
	g_free(config->device_rules);
	g_free(config->descriptors);
	g_strfreev(config->listen_fds_env);
	g_strfreev(config->proc_options);
	g_free(config->accounts.passwd_file);
	g_free(config->accounts.group_file);
	g_free(config->accounts.passwd_entry);
	g_free(config->accounts.group_entry);
	g_strfreev(config->accounts.host_users);
	g_free(config->notify_socket_dir);
	g_free(config);
}

RuntimeMount *runtime_mount_new(MountKind kind, const char *source, const char *destination) {
	RuntimeMount *mount = g_new0(RuntimeMount, 1);

	mount->kind = kind;
	mount->source = g_strdup(source);
	mount->destination = g_strdup(destination);
	mount->nosuid = mount->nodev = true;
	mount->recursive = kind == MOUNT_BIND;
	mount->mode = 01777;
	mount->uid = mount->gid = -1;
	return mount;
}

void runtime_config_add_mount(RuntimeConfig *config, RuntimeMount *mount) {
	config->mounts = g_renew(RuntimeMount *, config->mounts, config->n_mounts + 2);
	config->mounts[config->n_mounts++] = mount;
	config->mounts[config->n_mounts] = NULL;
}

void runtime_config_add_join(RuntimeConfig *config, const RuntimeJoin *join) {
	config->join_namespaces |= join->namespaces;
	for (size_t i = 0; i < config->n_joins && join->process.pid > 0; i++) {
		if (config->joins[i].process.pid != join->process.pid)
			continue;
		config->joins[i].namespaces |= join->namespaces;
		return;
	}
	config->joins = g_renew(RuntimeJoin, config->joins, config->n_joins + 1);
	config->joins[config->n_joins] = *join;
	config->joins[config->n_joins++].path = g_strdup(join->path);
}

bool runtime_config_has_mount(const RuntimeConfig *config, const char *destination) {
	for (size_t i = 0; i < config->n_mounts; i++)
		if (g_strcmp0(config->mounts[i]->destination, destination) == 0)
			return true;
	return false;
}

void runtime_config_add_device(RuntimeConfig *config, const RuntimeDevice *device) {
	RuntimeDevice *place = NULL;

	for (size_t i = 0; i < config->n_devices && !place; i++)
		if (g_strcmp0(config->devices[i].destination, device->destination) == 0)
			place = &config->devices[i];
	if (!place) {
		config->devices = g_renew(RuntimeDevice, config->devices, config->n_devices + 1);
		place = &config->devices[config->n_devices++];
	} else {
		g_free(place->destination);
	}
	*place = *device;
	place->destination = g_strdup(device->destination);
}

RuntimeLimit *runtime_config_add_limit(RuntimeConfig *config, const char *option,
	const char *controller, const char *file, const char *value) {
	config->limits = g_renew(RuntimeLimit, config->limits, config->n_limits + 1);
	config->limits[config->n_limits++] = (RuntimeLimit){.option = g_strdup(option),
		.controller = g_strdup(controller),
		.file = g_strdup(file),
		.value = g_strdup(value)};
	return &config->limits[config->n_limits - 1];
}

void runtime_config_add_device_rule(RuntimeConfig *config, RuntimeDeviceRule rule) {
	config->device_rules =
		g_renew(RuntimeDeviceRule, config->device_rules, config->n_device_rules + 1);
	config->device_rules[config->n_device_rules++] = rule;
}

static json_t *namespaces_to_json(int namespaces) {
	static const struct {
		int flag;
		const char *name;
	} names[] = {{CLONE_NEWNS, "mount"}, {CLONE_NEWPID, "pid"}, {CLONE_NEWNET, "network"},
		{CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"}, {CLONE_NEWCGROUP, "cgroup"},
		{CLONE_NEWUSER, "user"}};
	json_t *list = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (namespaces & names[i].flag)
			json_array_append_new(list, json_string(names[i].name));
	return list;
}

static json_t *joins_to_json(const RuntimeConfig *config) {
	json_t *list = json_array();

	for (size_t i = 0; i < config->n_joins; i++) {
		const RuntimeJoin *join = &config->joins[i];
		json_t *object = json_object();

		json_object_set_new(object, "namespaces", namespaces_to_json(join->namespaces));
		if (join->process.pid > 0)
			json_put_int(object, "pid", join->process.pid);
		json_put_string(object, "path", join->path);
		json_array_append_new(list, object);
	}
	return list;
}

static void put_map(json_t *object, const char *key, const IdMap *map) {
	g_autofree char *text = map->n ? id_map_to_text(map) : NULL;

	json_put_string(object, key, text);
}

static json_t *rootfs_to_json(const RuntimeRootfs *rootfs) {
	json_t *object = json_object();

	json_put_string(object, "path", rootfs->path);
	json_put_strv(object, "lowerDirs", rootfs->lower_dirs);
	json_put_string(object, "upperDir", rootfs->upper_dir);
	json_put_string(object, "workDir", rootfs->work_dir);
	json_put_bool(object, "volatile", rootfs->volatile_upper);
	json_put_bool(object, "devices", rootfs->devices);
	json_put_bool(object, "readOnly", rootfs->read_only);
	json_put_bool(object, "mapIds", rootfs->map_ids);
	return object;
}

static json_t *mount_to_json(const RuntimeMount *mount) {
	static const char *const kinds[] = {[MOUNT_BIND] = "bind",
		[MOUNT_TMPFS] = "tmpfs",
		[MOUNT_RAMFS] = "ramfs",
		[MOUNT_DEVPTS] = "devpts",
		[MOUNT_OVERLAY] = "overlay"};
	json_t *object = json_object();

	json_put_string(object, "type", kinds[mount->kind]);
	json_put_string(object, "source", mount->source);
	if (mount->layers)
		json_object_set_new(object, "layers", rootfs_to_json(mount->layers));
	json_put_string(object, "subpath", mount->subpath);
	json_put_string(object, "destination", mount->destination);
	json_put_bool(object, "readOnly", mount->read_only);
	json_put_bool(object, "nosuid", mount->nosuid);
	json_put_bool(object, "nodev", mount->nodev);
	json_put_bool(object, "noexec", mount->noexec);
	json_put_bool(object, "recursive", mount->recursive);
	json_put_string(object, "propagation", mount->propagation);
	json_put_bool(object, "mapIds", mount->map_ids);
	json_put_bool(object, "chown", mount->chown);
	json_put_bool(object, "copyUp", mount->copy_up);
	if (mount->kind != MOUNT_BIND && mount->kind != MOUNT_OVERLAY) {
		json_put_int(object, "sizeBytes", (int64_t)mount->size_bytes);
		json_put_int(object, "maxInodes", (int64_t)mount->max_inodes);
		json_put_bool(object, "noSwap", mount->no_swap);
		json_put_int(object, "mode", mount->mode);
		json_put_int(object, "uid", mount->uid);
		json_put_int(object, "gid", mount->gid);
		json_put_int(object, "max", mount->max);
	}
	json_put_bool(object, "optional", mount->optional);
	return object;
}

static json_t *devices_to_json(const RuntimeConfig *config) {
	json_t *list = json_array();

	for (size_t i = 0; i < config->n_devices; i++) {
		const RuntimeDevice *device = &config->devices[i];
		json_t *object = json_object();
		json_put_string(object, "destination", device->destination);
		json_put_int(object, "mode", device->mode);
		json_put_int(object, "major", device->major);
		json_put_int(object, "minor", device->minor);
		json_put_int(object, "uid", device->uid);
		json_put_int(object, "gid", device->gid);
		json_array_append_new(list, object);
	}
	return list;
}

/* Names only: values may be secrets. */
static json_t *env_names_to_json(char *const *env) {
	json_t *list = json_array();

	for (; env && *env; env++)
		json_array_append_new(list, json_stringn(*env, strcspn(*env, "=")));
	return list;
}

static json_t *capabilities_to_json(uint64_t set) {
	json_t *list = json_array();

	for (int bit = 0; bit < 64; bit++)
		if (set & UINT64_C(1) << bit && runtime_capability_to_string(bit))
			json_array_append_new(list, json_string(runtime_capability_to_string(bit)));
	return list;
}

static json_t *process_to_json(const RuntimeConfig *config) {
	json_t *object = json_object(), *limits = json_array();

	json_put_bool(object, "init", config->init);
	json_put_strv(object, "argv", config->argv);
	json_object_set_new(object, "env", env_names_to_json(config->env));
	json_put_string(object, "cwd", config->cwd);
	json_put_bool(object, "makeCwd", config->make_cwd);
	json_put_string(object, "user", config->user);
	json_put_strv(object, "additionalGroups", config->additional_groups);
	json_object_set_new(object, "capabilities", capabilities_to_json(config->capabilities));
	json_object_set_new(
		object, "ambientCapabilities", capabilities_to_json(config->ambient_capabilities));
	json_put_bool(object, "privileged", config->privileged);
	json_put_bool(object, "noNewPrivs", config->no_new_privs);
	json_put_string(object, "seccompProfile",
		config->seccomp == SECCOMP_PROFILE ? config->seccomp_profile : "unconfined");
	for (size_t i = 0; i < config->n_rlimits; i++)
		json_array_append_new(
			limits, json_pack("{s:i,s:I,s:I}", "resource", config->rlimits[i].resource,
					"soft", (json_int_t)config->rlimits[i].soft, "hard",
					(json_int_t)config->rlimits[i].hard));
	json_object_set_new(object, "rlimits", limits);
	json_put_int(object, "umask", config->umask);
	if (config->oom_score_adj != INT32_MIN)
		json_put_int(object, "oomScoreAdj", config->oom_score_adj);
	json_put_int(object, "personality", (int64_t)config->personality);
	json_put_bool(object, "terminal", config->terminal);
	json_t *numbers = json_array();
	for (size_t i = 0; i < config->n_descriptors; i++)
		json_array_append_new(numbers, json_integer(config->descriptors[i].to));
	json_object_set_new(object, "descriptors", numbers);
	return object;
}

static json_t *limits_to_json(const RuntimeConfig *config) {
	json_t *list = json_array();

	for (size_t i = 0; i < config->n_limits; i++) {
		const RuntimeLimit *limit = &config->limits[i];
		json_t *object = json_object();
		json_put_string(object, "option", limit->option);
		json_put_string(object, "controller", limit->controller);
		json_put_string(object, "file", limit->file);
		json_put_string(object, "value", limit->value);
		json_put_bool(object, "optional", limit->optional);
		json_put_bool(object, "orNext", limit->or_next);
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *device_rules_to_json(const RuntimeConfig *config) {
	json_t *list = json_array();

	for (size_t i = 0; i < config->n_device_rules; i++) {
		const RuntimeDeviceRule *rule = &config->device_rules[i];
		const char type[] = {rule->type, '\0'};
		json_t *object = json_object();
		json_put_string(object, "type", type);
		json_put_int(object, "major", rule->major);
		json_put_int(object, "minor", rule->minor);
		json_put_int(object, "access", rule->access);
		json_put_bool(object, "allow", rule->allow);
		json_array_append_new(list, object);
	}
	return list;
}

json_t *runtime_config_to_json(const RuntimeConfig *config) {
	json_t *object = json_object(), *mounts = json_array();

	json_put_string(object, "id", config->id);
	json_object_set_new(object, "newNamespaces", namespaces_to_json(config->new_namespaces));
	json_object_set_new(object, "joinNamespaces", namespaces_to_json(config->join_namespaces));
	json_object_set_new(object, "joins", joins_to_json(config));
	put_map(object, "uidMap", &config->uid_map);
	put_map(object, "gidMap", &config->gid_map);
	json_put_string(object, "hostname", config->hostname);
	json_object_set_new(object, "rootfs", rootfs_to_json(&config->rootfs));
	for (size_t i = 0; i < config->n_mounts; i++)
		json_array_append_new(mounts, mount_to_json(config->mounts[i]));
	json_object_set_new(object, "mounts", mounts);
	json_object_set_new(object, "devices", devices_to_json(config));
	json_put_bool(object, "readOnlyDev", config->read_only_dev);
	json_put_int(object, "shmSizeBytes", (int64_t)config->shm_size_bytes);
	json_put_bool(object, "noShm", config->no_shm);
	json_put_strv(object, "maskedPaths", config->masked_paths);
	json_put_strv(object, "readOnlyPaths", config->read_only_paths);
	json_put_bool(object, "cgroupWritable", config->cgroup_writable);
	json_put_strv(object, "procOptions", config->proc_options);
	json_put_string(object, "passwdFile", config->accounts.passwd_file);
	json_put_string(object, "groupFile", config->accounts.group_file);
	json_put_strv(object, "sysctls", config->sysctls);
	json_object_set_new(object, "process", process_to_json(config));
	json_put_string(object, "cgroup", config->cgroup);
	json_object_set_new(object, "limits", limits_to_json(config));
	json_object_set_new(object, "deviceRules", device_rules_to_json(config));
	json_put_bool(object, "needsCgroup", config->needs_cgroup);
	json_put_string(object, "notifySocketDir", config->notify_socket_dir);
	return object;
}
