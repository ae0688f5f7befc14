/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes through every parser of a single option's value. What comes out is checked for what the
 * rest of the tree relies on: clean absolute paths, addresses without a line break, counts above 0.
 */
#include "model/device_request.h"
#include "model/names.h"
#include "model/spec_parse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path) {
	g_assert_true(*path == '/' && path[1]);
	g_assert_null(strstr(path, "/../"));
	g_assert_null(strstr(path, "//"));
}

static void check_port(const char *text) {
	PortMapping mapping;

	if (!spec_parse_port(text, &mapping, NULL))
		return;
	g_assert_cmpuint(mapping.count, >=, 1);
	g_assert_cmpuint(mapping.container_port + mapping.count - 1, <=, 65535);
	g_assert_cmpuint(mapping.host_port + mapping.count - 1, <=, 65535);
	port_mapping_clear(&mapping);
}

static void check_mounts(const char *text) {
	g_autoptr(MountRequest) volume = spec_parse_volume(text, NULL);
	g_autoptr(MountRequest) tmpfs = spec_parse_tmpfs(text, NULL);
	g_autoptr(MountRequest) mount = spec_parse_mount(text, NULL);
	g_autofree char *absolute = spec_absolute_volume(text, "/cwd");
	g_autofree char *absolute_mount = spec_absolute_mount(text, "/cwd");

	if (volume)
		check_path(volume->destination);
	if (tmpfs)
		check_path(tmpfs->destination);
	if (mount && mount->type != MOUNT_TYPE_GLOB)
		check_path(mount->destination);
}

static void check_device(const char *text) {
	g_autoptr(DeviceRequest) device = spec_parse_device(text, NULL);
	DeviceRule rule;

	if (device) {
		check_path(device->destination);
		g_assert_cmpint(device->use, >, 0);
	}
	if (spec_parse_device_rule(text, &rule, NULL))
		g_assert_true(rule.major >= -1 && rule.minor >= -1 && rule.use > 0);
}

static void check_network(const char *text) {
	g_autoptr(NetworkRequest) request = spec_parse_network(text, NULL);
	g_auto(GStrv) names = NULL;
	g_autofree char *address = NULL, *ip = NULL, *mac = NULL;

	ip = spec_parse_ip(text, "test", NULL);
	mac = spec_parse_mac(text, NULL);
	g_assert_true(!mac || strlen(mac) == 17);
	if (spec_parse_add_host(text, &names, &address, NULL)) {
		g_assert_cmpuint(g_strv_length(names), >=, 1);
		for (char **name = names; *name; name++)
			g_assert_true(**name && !strpbrk(*name, " \t\n#"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_strndup((const char *)data, size);
	RestartPolicy policy;
	unsigned retries;
	int number;
	uint64_t soft, hard;

	check_port(text);
	check_mounts(text);
	check_device(text);
	check_network(text);
	spec_parse_restart(text, &policy, &retries, NULL);
	spec_parse_share(text, &number, NULL);
	if (spec_parse_ulimit(text, &number, &soft, &hard, NULL))
		g_assert_cmpuint(soft, <=, hard);
	spec_env_name_ok(text);
	name_check(text, "name", NULL);
	hostname_check(text, NULL);
	return 0;
}
