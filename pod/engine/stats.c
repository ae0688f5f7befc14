/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resource use of containers and pods at one moment. Readers take no lock (D7); what cannot be
 * known is left out. */
#include "engine/resolve.h"

#include "base/parse.h"

typedef struct Usage {
	CgroupStats cgroup;
	uint64_t net_input, net_output; /* CGROUP_STAT_UNKNOWN as in the other */
} Usage;

static void put_known(json_t *object, const char *key, uint64_t value) {
	if (value != CGROUP_STAT_UNKNOWN)
		json_put_int(object, key, (int64_t)value);
}

static void put_usage(json_t *object, const Usage *usage) {
	const CgroupStats *stats = &usage->cgroup;

	if (stats->cpu_usec != CGROUP_STAT_UNKNOWN)
		json_put_int(object, "cpu_nsec", (int64_t)stats->cpu_usec * 1000);
	put_known(object, "memory_bytes", stats->memory_bytes);
	put_known(object, "memory_limit_bytes", stats->memory_limit_bytes);
	put_known(object, "pids", stats->pids);
	put_known(object, "block_input_bytes", stats->block_input_bytes);
	put_known(object, "block_output_bytes", stats->block_output_bytes);
	put_known(object, "net_input_bytes", usage->net_input);
	put_known(object, "net_output_bytes", usage->net_output);
	json_put_int(object, "_now_usec", (int64_t)proc_now_realtime());
}

static void read_network(ProcId process, Usage *usage) {
	usage->net_input = usage->net_output = CGROUP_STAT_UNKNOWN;
	runtime_network_stats(process, &usage->net_input, &usage->net_output);
}

json_t *engine_container_stats(Engine *engine, const char *name, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);
	Usage usage;

	if (!container)
		return NULL;
	const ContainerState *state = container->state;
	const char *pod_id = container->definition->pod_id;
	g_autoptr(Pod) pod = pod_id ? pod_open_id(engine, pod_id, NULL) : NULL;
	bool running = container_is_running(container);
	json_t *object = json_object();
	runtime_cgroup_stats(running ? state->cgroup : NULL, &usage.cgroup);
	read_network(running ? state->init : (ProcId){0}, &usage);
	json_put_string(object, "Id", container->definition->id);
	json_put_string(object, "Name", container->definition->name);
	json_put_string(object, "Pod", pod_id);
	json_put_string(object, "PodName", pod ? pod->definition->name : NULL);
	json_put_bool(object, "Running", running);
	if (running)
		json_put_int(object, "started_usec", (int64_t)state->started_usec);
	put_usage(object, &usage);
	return object;
}

/* Unknown and known together are known: some members have a cgroup, others not. */
static void add_value(uint64_t *sum, uint64_t value) {
	if (value != CGROUP_STAT_UNKNOWN)
		*sum = *sum == CGROUP_STAT_UNKNOWN ? value : *sum + value;
}

/* A member of a pod without a cgroup of its own. The limit is the greatest: it is the machine's
 * where nobody has one. */
static void add_member(CgroupStats *sum, const Container *member) {
	CgroupStats stats;

	if (!container_is_running(member) || !runtime_cgroup_stats(member->state->cgroup, &stats))
		return;
	add_value(&sum->cpu_usec, stats.cpu_usec);
	add_value(&sum->memory_bytes, stats.memory_bytes);
	add_value(&sum->pids, stats.pids);
	add_value(&sum->block_input_bytes, stats.block_input_bytes);
	add_value(&sum->block_output_bytes, stats.block_output_bytes);
	if (stats.memory_limit_bytes != CGROUP_STAT_UNKNOWN &&
		(sum->memory_limit_bytes == CGROUP_STAT_UNKNOWN ||
			sum->memory_limit_bytes < stats.memory_limit_bytes))
		sum->memory_limit_bytes = stats.memory_limit_bytes;
}

json_t *engine_pod_stats(Engine *engine, const char *name, GError **err) {
	g_autoptr(Pod) pod = pod_open(engine, name, err);
	g_autoptr(GPtrArray) members = pod ? pod_members(engine, pod->definition->id, err) : NULL;
	Usage usage;

	if (!members)
		return NULL;
	bool running = pod_is_running(pod);
	json_t *object = json_object();
	if (!runtime_cgroup_stats(running ? pod->state->cgroup : NULL, &usage.cgroup))
		for (unsigned i = 0; i < members->len; i++)
			add_member(&usage.cgroup, g_ptr_array_index(members, i));
	read_network(running ? pod->state->infra : (ProcId){0}, &usage);
	json_put_string(object, "Name", pod->definition->name);
	json_put_string(object, "Pod", pod->definition->id);
	json_put_string(object, "PodName", pod->definition->name);
	json_put_bool(object, "Running", running);
	if (running)
		json_put_int(object, "started_usec", (int64_t)pod->state->started_usec);
	put_usage(object, &usage);
	return object;
}
