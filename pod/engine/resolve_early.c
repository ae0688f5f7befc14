/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only a start would find out otherwise: sources that are not there, kernel parameters that
 * are not the container's, time zones. Nothing has been made yet when this refuses. */
#include "engine/resource.h"
#include "model/mount_request.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static bool check_source(const MountRequest *request, GError **err) {
	if (!request)
		return false;
	if (request->type != MOUNT_TYPE_BIND || !request->source || request->source[0] != '/' ||
		access(request->source, F_OK) == 0)
		return true;
	return fail_errno(
		err, errno, "cannot mount \"%s\" on \"%s\"", request->source, request->destination);
}

static bool check_sources(
	char *const *texts, MountRequest *(*parse)(const char *text, GError **err), GError **err) {
	for (; texts && *texts; texts++) {
		g_autoptr(MountRequest) request = parse(*texts, err);
		if (!check_source(request, err))
			return false;
	}
	return true;
}

static bool is_host(const char *mode) {
	return mode && strcmp(mode, "host") == 0;
}

/* With a pod, or the namespace of somebody else, the start looks again. */
static bool check_sysctls(const ContainerSpec *spec, NetworkMode network, GError **err) {
	int namespaces = (network == NETWORK_HOST && !spec->pod ? 0 : CLONE_NEWNET) |
			 (is_host(spec->ipc_mode) ? 0 : CLONE_NEWIPC) |
			 (is_host(spec->uts_mode) ? 0 : CLONE_NEWUTS);

	for (char **sysctl = spec->sysctls; sysctl && *sysctl; sysctl++)
		if (!runtime_sysctl_check(*sysctl, namespaces, err))
			return fail_prefix(err, "--sysctl");
	return true;
}

bool resolve_early(const ResolveInput *input, NetworkMode network, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	g_autofree char *zone = NULL;
	size_t size;

	return resolve_host_users(spec, NULL, err) && check_sysctls(spec, network, err) &&
	       resource_read_timezone(input, &zone, &size, err) &&
	       check_sources(spec->volumes, spec_parse_volume, err) &&
	       check_sources(spec->mounts, spec_parse_mount, err);
}

bool resolve_early_pod(Engine *engine, const PodSpec *spec, GError **err) {
	g_autoptr(ContainerSpec) member = container_spec_new();
	ContainerDefinition definition = {.spec = member};
	const Container container = {.definition = &definition};
	const ResolveInput input = {.engine = engine, .container = &container};
	g_autoptr(RuntimeConfig) config = runtime_config_new();

	/* as every member is going to have them */
	member->security_opt = g_strdupv(spec->security_opt);
	member->devices = g_strdupv(spec->devices);
	return resolve_sandbox(&input, config, err) && resolve_devices(&input, config, err) &&
	       check_sources(spec->volumes, spec_parse_volume, err);
}
