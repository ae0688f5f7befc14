/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which namespaces are made, which are joined, and whose they are. See resolve.h. */
#include "base/cleanup.h"
#include "engine/resolve.h"
#include "model/namespace_mode.h"

#include <sched.h>
#include <string.h>

static const struct {
	int flag;
	const char *option;
	size_t offset; /* of the container's field */
} modes[] = {
	{CLONE_NEWPID, "pid", offsetof(ContainerSpec, pid_mode)},
	{CLONE_NEWIPC, "ipc", offsetof(ContainerSpec, ipc_mode)},
	{CLONE_NEWUTS, "uts", offsetof(ContainerSpec, uts_mode)},
	{CLONE_NEWCGROUP, "cgroupns", offsetof(ContainerSpec, cgroup_ns)},
};

static char **mode_field(const ContainerSpec *spec, size_t offset) {
	return (char **)((char *)(uintptr_t)spec + offset);
}

/* ---- pods ---- */

static bool pod_mode(const char *text, int flag, PodNamespaces *result, GError **err) {
	NamespaceMode mode;

	if (!(result->shared & flag))
		return true;
	if (!spec_parse_namespace(text, &mode, err))
		return false;
	if (mode.kind == NAMESPACE_PATH)
		*(flag == CLONE_NEWPID ? &result->pid_path : &result->uts_path) = mode.value;
	if (mode.kind != NAMESPACE_PATH && mode.kind != NAMESPACE_HOST)
		result->made |= flag;
	return true;
}

bool resolve_pod_namespaces(
	const PodDefinition *definition, PodNamespaces *ret_result, GError **err) {
	const PodSpec *spec = definition->spec;
	const char *network = spec->networks && spec->networks[0] ? spec->networks[0] : "bridge";
	PodNamespaces result = {0};

	if (!spec->infra) {
		*ret_result = result;
		return true;
	}
	g_autoptr(NetworkRequest) request = spec_parse_network(network, err);
	if (!request || !spec_parse_share(spec->share, &result.shared, err))
		return false;
	/* its user namespace owns the others: a member outside it could do nothing with them */
	result.shared &= ~CLONE_NEWUSER;
	if (definition->uid_map)
		result.shared |= CLONE_NEWUSER;
	result.made = result.shared & (CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_NEWUSER);
	if (!pod_mode(spec->pid_mode, CLONE_NEWPID, &result, err) ||
		!pod_mode(spec->uts_mode, CLONE_NEWUTS, &result, err))
		return false;
	if (request->mode != NETWORK_HOST)
		result.made |= result.shared & CLONE_NEWNET;
	*ret_result = result;
	return true;
}

bool resolve_maps(
	const char *uid_text, const char *gid_text, IdMap *uids, IdMap *gids, GError **err) {
	return !uid_text ||
	       (id_map_from_text(uid_text, uids, err) && id_map_from_text(gid_text, gids, err));
}

/* ---- what a container joins ---- */

/* *ret_process: the first process of a running container. */
static bool find_joined(Engine *engine, const char *option, const char *name, bool ipc,
	ProcId *ret_process, GError **err) {
	g_autoptr(Container) joined = container_open(engine, name, err);
	NamespaceMode mode;

	if (!joined)
		return fail_prefix(err, "--%s=container:%s", option, name);
	if (!container_is_running(joined))
		return fail(err, ERROR_STATE,
			"cannot join the %s namespace of container \"%s\": it is not running",
			option, joined->definition->name);
	if (ipc && spec_parse_namespace(joined->definition->spec->ipc_mode, &mode, NULL) &&
		(mode.kind == NAMESPACE_PRIVATE || mode.kind == NAMESPACE_NONE))
		return fail(err, ERROR_INVALID,
			"cannot join the ipc namespace of container \"%s\": it was made with "
			"--ipc=%s, not shareable",
			joined->definition->name, joined->definition->spec->ipc_mode);
	*ret_process = joined->state->init;
	return true;
}

static bool join_container(const ResolveInput *input, RuntimeConfig *config, const char *option,
	int flag, const char *name, GError **err) {
	RuntimeJoin join = {.namespaces = flag};

	if (!find_joined(input->engine, option, name, flag == CLONE_NEWIPC, &join.process, err))
		return false;
	runtime_config_add_join(config, &join);
	return true;
}

static void join_path(RuntimeConfig *config, int flag, const char *path) {
	runtime_config_add_join(
		config, &(RuntimeJoin){.namespaces = flag, .path = (char *)(uintptr_t)path});
}

static void join_pod(
	const ResolveInput *input, RuntimeConfig *config, const PodNamespaces *pod, int flag) {
	const char *path = flag == CLONE_NEWPID   ? pod->pid_path
			   : flag == CLONE_NEWUTS ? pod->uts_path
						  : NULL;

	if (path)
		join_path(config, flag, path);
	else if (pod->made & flag)
		runtime_config_add_join(config, &(RuntimeJoin){.namespaces = flag,
							.process = input->pod->state->infra,
							.infra = true});
}

static bool apply_mode(const ResolveInput *input, RuntimeConfig *config, const PodNamespaces *pod,
	const char *option, int flag, const char *text, GError **err) {
	NamespaceMode mode;

	if (!spec_parse_namespace(text, &mode, err))
		return fail_prefix(err, "--%s", option);
	switch (mode.kind) {
	case NAMESPACE_DEFAULT:
		if (pod->shared & flag)
			join_pod(input, config, pod, flag);
		else
			config->new_namespaces |= flag;
		return true;
	case NAMESPACE_POD:
		if (!(pod->shared & flag))
			return fail(err, ERROR_INVALID,
				"--%s=pod: the pod does not share that namespace", option);
		join_pod(input, config, pod, flag);
		return true;
	case NAMESPACE_NONE:
		config->no_shm = true;
		config->new_namespaces |= flag;
		return true;
	case NAMESPACE_PRIVATE:
	case NAMESPACE_SHAREABLE:
		config->new_namespaces |= flag;
		return true;
	case NAMESPACE_CONTAINER:
		return join_container(input, config, option, flag, mode.value, err);
	case NAMESPACE_PATH:
		join_path(config, flag, mode.value);
		return true;
	case NAMESPACE_HOST:
		return true;
	}
	return true;
}

static bool apply_user(
	const ResolveInput *input, RuntimeConfig *config, const PodNamespaces *pod, GError **err) {
	const ContainerDefinition *definition = input->container->definition;
	UserNsRequest request;

	if (definition->uid_map) {
		config->new_namespaces |= CLONE_NEWUSER;
		return resolve_maps(definition->uid_map, definition->gid_map, &config->uid_map,
			&config->gid_map, err);
	}
	if (pod->shared & CLONE_NEWUSER) {
		join_pod(input, config, pod, CLONE_NEWUSER);
		return true;
	}
	if (!spec_parse_userns(definition->spec->user_ns, &request, err))
		return false;
	bool good = true;
	if (request.kind == USERNS_CONTAINER)
		good = join_container(input, config, "userns", CLONE_NEWUSER, request.value, err);
	else if (request.kind == USERNS_PATH)
		join_path(config, CLONE_NEWUSER, request.value);
	userns_request_clear(&request);
	return good;
}

static void apply_network(
	const ResolveInput *input, RuntimeConfig *config, const PodNamespaces *pod) {
	switch (input->network_mode) {
	case NETWORK_NONE:
	case NETWORK_BRIDGE:
		config->new_namespaces |= CLONE_NEWNET;
		break;
	case NETWORK_CONTAINER:
		runtime_config_add_join(config,
			&(RuntimeJoin){.namespaces = CLONE_NEWNET, .process = input->join_network});
		break;
	case NETWORK_NAMESPACE:
		join_path(config, CLONE_NEWNET, input->network_path);
		break;
	case NETWORK_POD:
		join_pod(input, config, pod, CLONE_NEWNET);
		break;
	case NETWORK_HOST:
		break;
	}
}

bool resolve_namespaces(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	PodNamespaces pod = {0};

	if (input->pod && !resolve_pod_namespaces(input->pod->definition, &pod, err))
		return false;
	config->new_namespaces = CLONE_NEWNS;
	array_foreach (row, modes)
		if (!apply_mode(input, config, &pod, row->option, row->flag,
			    *mode_field(spec, row->offset), err))
			return false;
	apply_network(input, config, &pod);
	if (!apply_user(input, config, &pod, err))
		return false;
	if (config->new_namespaces & CLONE_NEWUTS)
		config->hostname = resolve_hostname(input->container, input->pod);
	return true;
}

/* ---- when a container is made ---- */

static bool freeze_name(Engine *engine, const char *option, char **field, bool ipc, GError **err) {
	const char *name = *field + strlen("container:");
	g_autofree char *id = store_find(engine->store, STORE_CONTAINER, name, err);
	NamespaceMode mode;

	if (!id)
		return fail_prefix(err, "--%s=%s", option, *field);
	g_autoptr(Container) joined = ipc ? container_open_id(engine, id, err) : NULL;
	if (ipc && !joined)
		return false;
	if (ipc && spec_parse_namespace(joined->definition->spec->ipc_mode, &mode, NULL) &&
		(mode.kind == NAMESPACE_PRIVATE || mode.kind == NAMESPACE_NONE))
		return fail(err, ERROR_INVALID,
			"--ipc=%s: that container has --ipc=%s, which is not shareable", *field,
			joined->definition->spec->ipc_mode);
	g_free(*field);
	*field = g_strconcat("container:", id, NULL);
	return true;
}

bool resolve_freeze_namespaces(Engine *engine, ContainerSpec *spec, GError **err) {
	struct {
		const char *option;
		char **field;
	} fields[] = {{"pid", &spec->pid_mode}, {"ipc", &spec->ipc_mode}, {"uts", &spec->uts_mode},
		{"cgroupns", &spec->cgroup_ns}, {"userns", &spec->user_ns},
		{"network", spec->networks ? &spec->networks[0] : NULL}};

	array_foreach (row, fields) {
		if (!row->field || !*row->field || !g_str_has_prefix(*row->field, "container:"))
			continue;
		if (!freeze_name(
			    engine, row->option, row->field, row->field == &spec->ipc_mode, err))
			return false;
	}
	UserNsRequest request;
	if (!spec_parse_userns(spec->user_ns, &request, err))
		return false;
	/* podman's rule: root's own ids, unless another user is named */
	if (request.kind == USERNS_KEEP_ID && !spec->user)
		spec->user = g_strdup_printf(
			"%" G_GUINT32_FORMAT ":%" G_GUINT32_FORMAT, request.uid, request.gid);
	userns_request_clear(&request);
	return true;
}

bool resolve_check_sysctls(const ContainerSpec *spec, GError **err) {
	const char *network = spec->networks && spec->networks[0] ? spec->networks[0] : "bridge";
	int own = CLONE_NEWNET;
	NamespaceMode mode;

	if (!spec->sysctls)
		return true;
	g_autoptr(NetworkRequest) request = spec_parse_network(network, err);
	if (!request)
		return false;
	if (request->mode == NETWORK_HOST)
		own &= ~CLONE_NEWNET;
	array_foreach (row, modes)
		if (spec_parse_namespace(*mode_field(spec, row->offset), &mode, NULL) &&
			mode.kind != NAMESPACE_HOST)
			own |= row->flag;
	for (char **sysctl = spec->sysctls; *sysctl; sysctl++)
		if (!runtime_sysctl_check(*sysctl, own, err))
			return false;
	return true;
}
