/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --device, --device-cgroup-rule, and what --privileged shows. Devices are never taken from an
 * image. */
#include "base/log.h"
#include "engine/resolve.h"
#include "model/device_request.h"

/* The letters of the option as the kernel's bits. */
static int access_of(int use) {
	return (use & USE_READ ? DEVICE_READ : 0) | (use & USE_WRITE ? DEVICE_WRITE : 0) |
	       (use & USE_MKNOD ? DEVICE_MKNOD : 0);
}

static bool add_devices(RuntimeConfig *config, char *const *list, GError **err) {
	for (; list && *list; list++) {
		g_autoptr(DeviceRequest) request = spec_parse_device(*list, err);
		if (!request || !runtime_device_find(config, request->source, request->destination,
					access_of(request->use), err))
			return false;
	}
	return true;
}

/* Once, when the container is made. */
static void warn_of_disks(const RuntimeConfig *config) {
	for (size_t i = 0; i < config->n_device_rules; i++)
		if (config->device_rules[i].type == 'b')
			log_warning("block device %d:%d: the container can change what is on it",
				config->device_rules[i].major, config->device_rules[i].minor);
}

bool resolve_devices(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	char *const *of_pod = input->pod ? input->pod->definition->spec->devices : NULL;

	/* the nodes of a /dev of the user's own are there, or are not */
	if (spec->privileged && !runtime_config_has_mount(config, "/dev") &&
		!runtime_device_find_all(config, err))
		return false;
	if (!add_devices(config, of_pod, err) || !add_devices(config, spec->devices, err))
		return false;
	if (!input->container->object)
		warn_of_disks(config);
	for (char **text = spec->device_cgroup_rules; text && *text; text++) {
		DeviceRule rule;
		if (!spec_parse_device_rule(*text, &rule, err))
			return false;
		runtime_config_add_device_rule(config, (RuntimeDeviceRule){.type = rule.type,
							       .major = rule.major,
							       .minor = rule.minor,
							       .access = access_of(rule.use),
							       .allow = true});
	}
	return true;
}
