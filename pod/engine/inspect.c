/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One object in full: what `inspect` and `info` show, with podman's field names. */
#include "engine/query.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "engine/inspect_limits.h"
#include "engine/inspect_namespaces.h"
#include "engine/resolve.h"
#include "model/names.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void put_text(json_t *object, const char *key, const char *text) {
	json_put_string(object, key, text ? text : "");
}

static void put_time(json_t *object, const char *key, uint64_t usec) {
	g_autofree char *text = query_time(usec);

	json_put_string(object, key, text);
}

static json_t *inspect_state(const Container *container) {
	const ContainerState *state = container->state;
	ContainerStatus status = container_status_now(container);
	bool running = container_is_running(container);
	json_t *object = json_object();

	json_put_string(object, "Status", container_status_to_string(status));
	json_put_bool(object, "Running", running);
	json_put_bool(object, "Paused", running && status == CONTAINER_PAUSED);
	json_put_bool(object, "Restarting", !running && container_is_supervised(container));
	json_put_bool(object, "OOMKilled", state->oom_killed);
	json_put_bool(object, "Dead", false);
	json_put_int(object, "Pid", running ? state->init.pid : 0);
	json_put_int(object, "ConmonPid",
		container_is_supervised(container) ? state->supervisor.pid : 0);
	json_put_int(object, "ExitCode", running ? 0 : state->exit_code);
	put_text(object, "Error", state->error);
	put_time(object, "StartedAt", state->started_usec);
	put_time(object, "FinishedAt", state->finished_usec);
	put_text(object, "CgroupPath", state->cgroup);
	json_put_bool(object, "StoppedByUser", state->stop_requested);
	return object;
}

/* --expose as podman shows it: {"80/tcp": {}}. */
static json_t *exposed_ports(char *const *expose) {
	json_t *object = json_object();

	for (; expose && *expose; expose++) {
		PortMapping mapping = {0};
		if (!spec_parse_port(*expose, &mapping, NULL))
			continue;
		for (unsigned i = 0; i < mapping.count; i++) {
			g_autofree char *key = g_strdup_printf("%u/%s", mapping.container_port + i,
				port_protocol_to_string(mapping.protocol));
			json_object_set_new(object, key, json_object());
		}
		port_mapping_clear(&mapping);
	}
	return object;
}

/* How many of the last words are the command, the user's or the image's; those before them are the
 * entry point. */
static size_t command_length(Engine *engine, const Container *container) {
	const ContainerDefinition *definition = container->definition;

	if (definition->spec->command && definition->spec->command[0])
		return g_strv_length(definition->spec->command);
	if (definition->spec->entrypoint || !definition->image_id)
		return 0;
	ImageStore *images = engine_images(engine, NULL);
	g_autoptr(ImageConfig) image =
		images ? image_lookup(images, definition->image_id, NULL) : NULL;
	return image && image->command ? g_strv_length(image->command) : 0;
}

/* podman's lists: null when empty. */
static json_t *words_or_null(char *const *words, size_t n) {
	json_t *list = n > 0 ? json_array() : json_null();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(words[i]));
	return list;
}

static void put_command(
	json_t *object, Engine *engine, const Container *container, const RuntimeConfig *config) {
	size_t total = g_strv_length(config->argv);
	size_t n_command = MIN(command_length(engine, container), total);

	json_object_set_new(
		object, "Cmd", words_or_null(config->argv + (total - n_command), n_command));
	json_object_set_new(object, "Entrypoint", words_or_null(config->argv, total - n_command));
}

static json_t *inspect_config(
	Engine *engine, const Container *container, const Pod *pod, const RuntimeConfig *config) {
	const ContainerSpec *spec = container->definition->spec;
	g_autofree char *hostname = resolve_hostname(container, pod);
	json_t *object = json_object();

	put_text(object, "Hostname", hostname);
	json_object_set_new(object, "ExposedPorts", exposed_ports(spec->expose));
	put_text(object, "User", config->user);
	json_object_set_new(object, "Env", json_from_strv(config->env));
	put_command(object, engine, container, config);
	put_text(object, "Image", container->definition->image_name);
	put_text(object, "WorkingDir", config->cwd);
	json_object_set_new(object, "Labels", query_labels(spec->labels));
	json_object_set_new(object, "Annotations", query_labels(spec->annotations));
	put_text(object, "StopSignal",
		container->state->stop_signal ? signal_to_string(container->state->stop_signal)
					      : spec->stop_signal);
	json_put_int(object, "StopTimeout", resolve_stop_timeout(spec));
	json_put_int(object, "Timeout", spec->timeout > 0 ? spec->timeout : 0);
	g_autofree char *umask_text = g_strdup_printf("%04o", config->umask);
	put_text(object, "Umask", umask_text);
	put_text(object, "Timezone", spec->timezone);
	json_put_bool(object, "Passwd", spec->passwd != 0);
	json_put_bool(object, "SystemdMode", resolve_is_systemd(spec, config->argv));
	json_put_bool(object, "Tty", spec->tty);
	json_put_bool(object, "OpenStdin", spec->interactive);
	put_text(object, "sdNotifyMode", spec->sdnotify ? spec->sdnotify : "conmon");
	put_text(object, "sdNotifySocket", "");
	json_object_set_new(
		object, "CreateCommand", json_from_strv(container->definition->create_command));
	return object;
}

static json_t *capability_names(uint64_t bits) {
	json_t *names = json_array();

	for (int bit = 0; bit < 64; bit++) {
		const char *name = (bits >> bit) & 1 ? runtime_capability_to_string(bit) : NULL;
		if (name)
			json_array_append_new(names, json_string(name));
	}
	return names;
}

static json_t *restart_policy(const ContainerSpec *spec, const Pod *pod) {
	g_auto(GStrv) parts = g_strsplit(resolve_restart(spec, pod), ":", 2);
	json_t *object = json_object();

	json_put_string(object, "Name", parts[0]);
	json_put_int(
		object, "MaximumRetryCount", parts[1] ? g_ascii_strtoll(parts[1], NULL, 10) : 0);
	return object;
}

/* podman's names: RLIMIT_NOFILE. What was not asked for is the default and not listed. */
static json_t *inspect_ulimits(const ContainerSpec *spec) {
	json_t *list = json_array();

	for (char **text = spec->ulimits; text && *text; text++) {
		uint64_t soft, hard;
		int resource;

		if (!spec_parse_ulimit(*text, &resource, &soft, &hard, NULL) || resource < 0)
			continue;
		g_autofree char *name = g_strndup(*text, strcspn(*text, "="));
		g_autofree char *upper = g_ascii_strup(name, -1);
		g_autofree char *full = g_strconcat("RLIMIT_", upper, NULL);
		json_t *row = json_object();
		json_put_string(row, "Name", full);
		json_put_int(row, "Soft", (int64_t)soft);
		json_put_int(row, "Hard", (int64_t)hard);
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *inspect_host_config(const Container *container, const Pod *pod) {
	const ContainerSpec *spec = container->definition->spec;
	json_t *object = json_object(), *log = json_object();

	json_object_set_new(object, "Binds", json_from_strv(spec->volumes));
	json_object_set_new(object, "Devices", query_devices(spec->devices));
	put_text(log, "Type", container->state->log_driver);
	put_text(log, "Path", container->state->log_path);
	json_object_set_new(object, "LogConfig", log);
	json_put_string(object, "NetworkMode",
		container->definition->pod_id         ? "pod"
		: spec->networks && spec->networks[0] ? spec->networks[0]
						      : "bridge");
	json_object_set_new(object, "RestartPolicy", restart_policy(spec, pod));
	json_put_bool(object, "AutoRemove", spec->remove);
	json_object_set_new(object, "CapAdd", json_from_strv(spec->cap_add));
	json_object_set_new(object, "CapDrop", json_from_strv(spec->cap_drop));
	json_object_set_new(object, "Dns", json_from_strv(spec->dns));
	json_object_set_new(object, "ExtraHosts", json_from_strv(spec->add_hosts));
	json_object_set_new(object, "GroupAdd", json_from_strv(spec->group_add));
	json_put_bool(object, "Init", spec->init);
	put_text(object, "InitPath", spec->init_path);
	put_text(object, "ContainerIDFile", spec->cidfile);
	json_object_set_new(object, "Ulimits", inspect_ulimits(spec));
	int score = 0;
	if (spec->oom_score_adj)
		parse_int(spec->oom_score_adj, -1000, 1000, &score);
	json_put_int(object, "OomScoreAdj", score);
	json_put_bool(object, "Privileged", spec->privileged);
	json_put_bool(object, "ReadonlyRootfs", spec->read_only);
	json_object_set_new(object, "SecurityOpt", json_from_strv(spec->security_opt));
	json_object_set_new(object, "Tmpfs", query_labels(spec->tmpfs));
	put_text(object, "Cgroups", spec->cgroups ? spec->cgroups : "default");
	inspect_container_namespaces(container, pod, object);
	inspect_container_limits(spec, object);
	return object;
}

/* The network room's record is podman's NetworkSettings already. */
static json_t *network_settings(const json_t *network) {
	json_t *object = network ? json_deep_copy(network) : json_object();

	/* templates ask for it in containers that do not run as well */
	if (!json_object_get(object, "Ports"))
		json_object_set_new(object, "Ports", json_object());
	return object;
}

static void put_file(json_t *object, const char *key, const char *data, const char *name) {
	g_autofree char *path = g_build_filename(data, "files", name, NULL);

	json_put_string(object, key, path);
}

/* The infra container is a process and a part of its pod's record (D5), but it has a name and an
 * id of its own. NULL without error: no pod has such a one. */
static Pod *find_infra(Engine *engine, const char *name) {
	g_auto(GStrv) ids = store_list(engine->store, STORE_POD, NULL);

	for (char **id = ids; id && *id; id++) {
		g_autoptr(Pod) pod = pod_open_id(engine, *id, NULL);
		if (!pod || !pod->definition->infra_id)
			continue;
		g_autofree char *infra_name = query_infra_name(pod);
		if (strcmp(infra_name, name) == 0 ||
			(strlen(name) >= ID_SHORT_LENGTH &&
				g_str_has_prefix(pod->definition->infra_id, name)))
			return g_steal_pointer(&pod);
	}
	return NULL;
}

static json_t *inspect_infra(const Pod *pod) {
	json_t *object = json_object(), *state = json_object();
	g_autofree char *name = query_infra_name(pod);
	bool running = pod_is_running(pod);

	json_put_string(object, "Id", pod->definition->infra_id);
	put_time(object, "Created", pod->definition->created_usec);
	json_put_string(object, "Path", "podctl-pause");
	json_put_string(state, "Status",
		running                    ? "running"
		: pod->state->started_usec ? "exited"
					   : "created");
	json_put_bool(state, "Running", running);
	json_put_int(state, "Pid", running ? pod->state->infra.pid : 0);
	put_time(state, "StartedAt", pod->state->started_usec);
	put_text(state, "CgroupPath", pod->state->cgroup);
	json_object_set_new(object, "State", state);
	json_put_string(object, "Pod", pod->definition->id);
	json_put_string(object, "Name", name);
	json_object_set_new(object, "NetworkSettings", network_settings(pod->state->network));
	json_put_bool(object, "IsInfra", true);
	return object;
}

json_t *engine_inspect_container(Engine *engine, const char *name, GError **err) {
	g_autoptr(GError) error = NULL;
	g_autoptr(Container) container = container_open(engine, name, &error);
	g_autoptr(Pod) infra_of =
		error_is(error, ERROR_NOT_FOUND) ? find_infra(engine, name) : NULL;

	if (infra_of)
		return inspect_infra(infra_of);
	if (error) {
		g_propagate_error(err, g_steal_pointer(&error));
		return NULL;
	}
	g_autoptr(RuntimeConfig) config = resolve_existing(engine, container, err);
	if (!config)
		return NULL;
	const ContainerDefinition *definition = container->definition;
	g_autofree char *data = store_data_location(container->object);
	json_t *object = json_object();
	json_put_string(object, "Id", definition->id);
	put_time(object, "Created", definition->created_usec);
	json_put_string(object, "Path", config->argv[0]);
	json_object_set_new(object, "Args", json_from_strv(config->argv + 1));
	json_object_set_new(object, "State", inspect_state(container));
	put_text(object, "Image", definition->image_id);
	put_text(object, "ImageName", definition->image_name);
	put_text(object, "Rootfs", definition->spec->rootfs ? definition->image_name : "");
	put_text(object, "Pod", definition->pod_id);
	put_file(object, "ResolvConfPath", data, "resolv.conf");
	put_file(object, "HostnamePath", data, "hostname");
	put_file(object, "HostsPath", data, "hosts");
	json_put_string(object, "OCIRuntime", "podctl");
	json_put_string(object, "Name", definition->name);
	json_put_int(object, "RestartCount", container->state->restart_count);
	json_put_string(object, "Driver", "overlay");
	json_object_set_new(object, "EffectiveCaps", capability_names(config->capabilities));
	json_object_set_new(object, "BoundingCaps", capability_names(config->capabilities));
	g_autoptr(Pod) pod = definition->pod_id ? pod_open(engine, definition->pod_id, NULL) : NULL;
	json_object_set_new(object, "Mounts",
		query_mounts(engine, container, pod ? pod->definition->spec : NULL));
	json_t *network = network_settings(pod ? pod->state->network : container->state->network);
	json_object_set_new(object, "NetworkSettings", network);
	json_put_bool(object, "IsInfra", false);
	put_text(object, "SystemdUnit", definition->unit);
	json_object_set_new(object, "Config", inspect_config(engine, container, pod, config));
	json_t *host_config = inspect_host_config(container, pod);
	json_object_set(host_config, "PortBindings", json_object_get(network, "Ports"));
	json_object_set_new(object, "HostConfig", host_config);
	return object;
}

static json_t *pod_inspect_members(const GPtrArray *members) {
	json_t *list = json_array();

	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		json_t *object = json_object();
		json_put_string(object, "Id", member->definition->id);
		json_put_string(object, "Name", member->definition->name);
		json_put_string(
			object, "State", container_status_to_string(container_status_now(member)));
		json_array_append_new(list, object);
	}
	return list;
}

json_t *engine_inspect_pod(Engine *engine, const char *name, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);
	g_autoptr(GPtrArray) members = pod ? pod_members(engine, pod->definition->id, err) : NULL;

	if (!members)
		return NULL;
	const PodDefinition *definition = pod->definition;
	json_t *object = json_object(), *infra = json_object();
	json_put_string(object, "Id", definition->id);
	json_put_string(object, "Name", definition->name);
	put_time(object, "Created", definition->created_usec);
	json_object_set_new(object, "CreateCommand", json_from_strv(definition->create_command));
	json_put_string(object, "ExitPolicy",
		definition->spec->exit_policy ? definition->spec->exit_policy : "continue");
	json_put_string(object, "State", query_pod_status(pod, members));
	json_put_string(object, "Hostname",
		definition->spec->hostname ? definition->spec->hostname : definition->name);
	json_object_set_new(object, "Labels", query_labels(definition->spec->labels));
	put_text(object, "CgroupPath", pod->state->cgroup);
	inspect_pod_limits(definition->spec, object);
	json_put_bool(object, "CreateInfra", definition->spec->infra);
	put_text(object, "InfraContainerID", definition->infra_id);
	json_put_int(object, "InfraPid", pod_is_running(pod) ? pod->state->infra.pid : 0);
	json_t *settings = network_settings(pod->state->network);
	json_object_set(infra, "PortBindings", json_object_get(settings, "Ports"));
	json_put_bool(infra, "HostNetwork",
		definition->spec->networks && strcmp(definition->spec->networks[0], "host") == 0);
	json_object_set_new(infra, "Networks", json_from_strv(definition->spec->networks));
	json_object_set_new(object, "InfraConfig", infra);
	json_object_set_new(object, "NetworkSettings", settings);
	json_object_set_new(object, "SharedNamespaces", inspect_shared_namespaces(pod));
	json_put_int(object, "NumContainers", members->len + definition->spec->infra);
	json_object_set_new(object, "Containers", pod_inspect_members(members));
	put_text(object, "SystemdUnit", definition->unit);
	return object;
}

static json_t *count_containers(Engine *engine) {
	g_auto(GStrv) ids = engine_container_ids(engine, NULL);
	json_t *object = json_object();
	int total = 0, running = 0;

	for (char **id = ids; id && *id; id++) {
		g_autoptr(Container) container = container_open_id(engine, *id, NULL);
		total += container != NULL;
		running += container && container_is_running(container);
	}
	json_put_int(object, "number", total);
	json_put_int(object, "running", running);
	json_put_int(object, "stopped", total - running);
	return object;
}

json_t *engine_info(Engine *engine, GError **err) {
	json_t *object = json_object(), *host = json_object(), *store = json_object();
	json_t *version = json_object();
	struct utsname names;

	(void)err;
	uname(&names);
	json_put_string(host, "arch", names.machine);
	json_put_string(host, "kernel", names.release);
	json_put_string(host, "hostname", names.nodename);
	json_put_int(host, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	json_put_int(host, "memTotal",
		(int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE));
	json_put_string(host, "ociRuntime", "podctl");
	json_put_string(host, "os", "linux");
	json_object_set_new(object, "host", host);
	json_put_string(store, "graphRoot", engine->state_path);
	json_put_string(store, "runRoot", engine->run_path);
	json_put_string(store, "graphDriverName", "overlay");
	json_object_set_new(store, "containerStore", count_containers(engine));
	json_object_set_new(object, "store", store);
	json_put_string(version, "Version", PODCTL_VERSION);
	json_object_set_new(object, "version", version);
	return object;
}
