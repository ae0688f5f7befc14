/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists: what `ps` and `pod ps` show. Readers take no lock (D7): an object that goes while it is
 * looked at is left out. */
#include "engine/query.h"

#include "base/log.h"
#include "base/parse.h"
#include "model/names.h"
#include "network/network.h"
#include "runtime/runtime.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

char *query_time(uint64_t usec) {
	if (!usec)
		return g_strdup("0001-01-01T00:00:00Z");
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc((int64_t)(usec / USEC_PER_SEC));
	g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
	return g_strdup_printf("%s.%06uZ", seconds, (unsigned)(usec % USEC_PER_SEC));
}

json_t *query_ports(const json_t *network) {
	NetworkResult result = {0};
	json_t *ports = json_array();

	if (!network || !network_result_from_json(network, &result))
		return ports;
	for (size_t i = 0; i < result.n_ports; i++) {
		const PortMapping *mapping = &result.ports[i];
		json_t *port = json_object();
		json_put_string(
			port, "host_ip", mapping->host_address ? mapping->host_address : "");
		json_put_int(port, "container_port", mapping->container_port);
		json_put_int(port, "host_port", mapping->host_port);
		json_put_int(port, "range", mapping->count);
		json_put_string(port, "protocol", port_protocol_to_string(mapping->protocol));
		json_array_append_new(ports, port);
	}
	network_result_clear(&result);
	return ports;
}

/* "Up 5 seconds" is the CLI's business; these are the facts it is made of. */
static void put_times(json_t *row, const Container *container) {
	const ContainerState *state = container->state;

	json_put_int(row, "Created", (int64_t)(container->definition->created_usec / USEC_PER_SEC));
	json_put_int(row, "StartedAt", (int64_t)(state->started_usec / USEC_PER_SEC));
	json_put_int(row, "ExitedAt", (int64_t)(state->finished_usec / USEC_PER_SEC));
	json_put_int(row, "_created_usec", (int64_t)container->definition->created_usec);
	json_put_int(row, "_started_usec", (int64_t)state->started_usec);
	json_put_int(row, "_finished_usec", (int64_t)state->finished_usec);
}

static json_t *names_of(const char *name) {
	json_t *names = json_array();

	json_array_append_new(names, json_string(name));
	return names;
}

static void put_network(json_t *row, const json_t *network) {
	json_t *networks = json_array();
	const char *name;
	json_t *details;

	json_object_foreach (json_object_get(network, "Networks"), name, details)
		json_array_append_new(networks, json_string(name));
	json_object_set_new(row, "Networks", networks);
	json_object_set_new(row, "Ports", query_ports(network));
}

/* The command of the record: what the user gave; the image's own needs the image. */
static json_t *container_row(const Container *container, bool running, const Pod *pod) {
	const ContainerDefinition *definition = container->definition;
	const ContainerState *state = container->state;
	ContainerStatus status = container_status_given(container, running);
	json_t *row = json_object();

	json_put_bool(row, "AutoRemove", definition->spec->remove);
	json_object_set_new(row, "Command", json_from_strv(definition->spec->command));
	put_times(row, container);
	json_put_bool(row, "Exited", status == CONTAINER_EXITED);
	json_put_int(row, "ExitCode", running ? 0 : state->exit_code);
	json_put_string(row, "Id", definition->id);
	json_put_string(row, "Image", definition->image_name);
	json_put_string(row, "ImageID", definition->image_id ? definition->image_id : "");
	json_put_bool(row, "IsInfra", false);
	json_object_set_new(row, "Labels", query_labels(definition->spec->labels));
	json_object_set_new(row, "Mounts", query_mount_points(container));
	json_object_set_new(row, "Names", names_of(definition->name));
	json_put_int(row, "Pid", running ? state->init.pid : 0);
	json_put_string(row, "Pod", definition->pod_id ? definition->pod_id : "");
	json_put_string(row, "PodName", pod ? pod->definition->name : "");
	put_network(row, pod ? pod->state->network : running ? state->network : NULL);
	json_put_int(row, "Restarts", state->restart_count);
	json_put_string(row, "State", container_status_to_string(status));
	return row;
}

char *query_infra_name(const Pod *pod) {
	const char *asked = pod->definition->spec->infra_name;

	return asked ? g_strdup(asked)
		     : g_strdup_printf("%.*s-infra", ID_SHORT_LENGTH, pod->definition->id);
}

static json_t *infra_row(const Pod *pod) {
	const PodDefinition *definition = pod->definition;
	bool running = pod_is_running(pod);
	g_autofree char *name = query_infra_name(pod);
	json_t *row = json_object();

	json_put_bool(row, "AutoRemove", false);
	json_object_set_new(row, "Command", json_array());
	json_put_int(row, "Created", (int64_t)(definition->created_usec / USEC_PER_SEC));
	json_put_int(row, "StartedAt", (int64_t)(pod->state->started_usec / USEC_PER_SEC));
	json_put_int(row, "_created_usec", (int64_t)definition->created_usec);
	json_put_int(row, "_started_usec", (int64_t)pod->state->started_usec);
	json_put_int(row, "_finished_usec", 0);
	json_put_bool(row, "Exited", !running && pod->state->started_usec != 0);
	json_put_int(row, "ExitCode", 0);
	json_put_string(row, "Id", definition->infra_id);
	json_put_string(row, "Image", "");
	json_put_string(row, "ImageID", "");
	json_put_bool(row, "IsInfra", true);
	json_object_set_new(row, "Labels", json_object());
	json_object_set_new(row, "Mounts", json_array());
	json_object_set_new(row, "Names", names_of(name));
	json_put_int(row, "Pid", running ? pod->state->infra.pid : 0);
	json_put_string(row, "Pod", definition->id);
	json_put_string(row, "PodName", definition->name);
	put_network(row, pod->state->network);
	json_put_int(row, "Restarts", 0);
	json_put_string(row, "State",
		running                    ? "running"
		: pod->state->started_usec ? "exited"
					   : "created");
	return row;
}

/* All pods by id, so that each is read once. */
static GHashTable *load_pods(Engine *engine, GError **err) {
	g_auto(GStrv) ids = store_list(engine->store, STORE_POD, err);

	if (!ids)
		return NULL;
	GHashTable *pods =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)pod_free);
	for (char **id = ids; *id; id++) {
		Pod *pod = pod_open_id(engine, *id, NULL);
		if (pod)
			g_hash_table_insert(pods, pod->definition->id, pod);
	}
	return pods;
}

static int compare_rows(const void *a, const void *b) {
	int64_t x = json_get_int(*(json_t *const *)a, "_created_usec", 0);
	int64_t y = json_get_int(*(json_t *const *)b, "_created_usec", 0);

	return x < y ? -1 : x > y;
}

/* Order is that of creation, whatever the directory said. */
static json_t *sorted_rows(GPtrArray *rows) {
	json_t *array = json_array();

	g_ptr_array_sort(rows, compare_rows);
	for (unsigned i = 0; i < rows->len; i++)
		json_array_append_new(array, g_ptr_array_index(rows, i));
	return array;
}

json_t *engine_query_containers(Engine *engine, bool all, bool all_infra, GError **err) {
	g_autoptr(GHashTable) pods = load_pods(engine, err);
	g_auto(GStrv) ids = pods ? store_list(engine->store, STORE_CONTAINER, err) : NULL;
	g_autoptr(GPtrArray) rows = g_ptr_array_new();
	GHashTableIter iterator;
	Pod *pod;

	if (!ids)
		return NULL;
	for (char **id = ids; *id; id++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Container) container = container_open_id(engine, *id, &error);
		if (error_is(error, ERROR_CORRUPT))
			log_warning("container %s: %s, ignoring", *id, error->message);
		bool running = container && container_is_running(container);
		if (!container || (!all && !running))
			continue;
		pod = container->definition->pod_id
			      ? g_hash_table_lookup(pods, container->definition->pod_id)
			      : NULL;
		g_ptr_array_add(rows, container_row(container, running, pod));
	}
	/* order comes from sorting, not from the table */
	g_hash_table_iter_init(&iterator, pods);
	while (all_infra && g_hash_table_iter_next(&iterator, NULL, (void **)&pod))
		if (pod->definition->spec->infra && (all || pod_is_running(pod)))
			g_ptr_array_add(rows, infra_row(pod));
	return sorted_rows(rows);
}

const char *query_pod_status(const Pod *pod, const GPtrArray *members) {
	unsigned running = 0, created = 0, paused = 0, total = members->len;

	for (unsigned i = 0; i < members->len; i++) {
		ContainerStatus status = container_status_now(g_ptr_array_index(members, i));
		running += status == CONTAINER_RUNNING || status == CONTAINER_STOPPING;
		paused += status == CONTAINER_PAUSED;
		created += status == CONTAINER_CREATED;
	}
	/* the infra process has nothing to freeze */
	if (paused == total && total)
		return "Paused";
	if (pod->definition->spec->infra) {
		total++;
		running += pod_is_running(pod);
		created += !pod_is_running(pod) && pod->state->started_usec == 0;
	}
	if (running == total && total)
		return "Running";
	if (running || paused)
		return "Degraded";
	if (created == total)
		return "Created";
	return "Exited";
}

static json_t *pod_container(const char *id, const char *name, const char *status, int restarts) {
	json_t *object = json_object();

	json_put_string(object, "Id", id);
	json_put_string(object, "Names", name);
	json_put_string(object, "Status", status);
	json_put_int(object, "RestartCount", restarts);
	return object;
}

static json_t *pod_row(const Pod *pod, const GPtrArray *members) {
	const PodDefinition *definition = pod->definition;
	json_t *row = json_object(), *containers = json_array();
	g_autofree char *created = query_time(definition->created_usec);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	json_put_string(row, "Cgroup", pod->state->cgroup ? pod->state->cgroup : "");
	if (definition->spec->infra) {
		json_t *infra = infra_row(pod);
		json_array_append_new(containers,
			pod_container(definition->infra_id,
				json_string_value(
					json_array_get(json_object_get(infra, "Names"), 0)),
				json_get_string(infra, "State", ""), 0));
		json_decref(infra);
	}
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		json_array_append_new(containers,
			pod_container(member->definition->id, member->definition->name,
				container_status_to_string(container_status_now(member)),
				member->state->restart_count));
	}
	json_object_set_new(row, "Containers", containers);
	json_put_string(row, "Created", created);
	json_put_int(row, "_created_usec", (int64_t)definition->created_usec);
	json_put_string(row, "Id", definition->id);
	json_put_string(row, "InfraId", definition->infra_id ? definition->infra_id : "");
	json_put_string(row, "Name", definition->name);
	json_put_string(row, "Namespace", "");
	put_network(row, pod->state->network);
	json_put_string(row, "Status", query_pod_status(pod, members));
	json_object_set_new(row, "Labels", query_labels(definition->spec->labels));
	return row;
}

json_t *engine_query_pods(Engine *engine, GError **err) {
	g_auto(GStrv) ids = store_list(engine->store, STORE_POD, err);
	g_autoptr(GPtrArray) rows = g_ptr_array_new();

	if (!ids)
		return NULL;
	for (char **id = ids; *id; id++) {
		g_autoptr(Pod) pod = pod_open_id(engine, *id, NULL);
		g_autoptr(GPtrArray) members = pod ? pod_members(engine, *id, NULL) : NULL;
		if (members)
			g_ptr_array_add(rows, pod_row(pod, members));
	}
	return sorted_rows(rows);
}

bool engine_container_log(Engine *engine, const char *name, char **ret_id, char **ret_driver,
	char **ret_path, bool *ret_running, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container)
		return false;
	*ret_id = g_strdup(container->definition->id);
	*ret_driver =
		g_strdup(container->state->log_driver ? container->state->log_driver : "none");
	*ret_path = g_strdup(container->state->log_path);
	*ret_running = container_is_running(container) || container_is_supervised(container);
	return true;
}

pid_t *engine_container_pids(Engine *engine, const char *name, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container)
		return NULL;
	if (!container_is_running(container)) {
		fail(err, ERROR_STATE,
			"cannot list the processes of container \"%s\": it is not running",
			container->definition->name);
		return NULL;
	}
	return runtime_pids(container->state->init, container->state->cgroup, err);
}
