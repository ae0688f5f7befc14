/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the generated files of a container are mounted. See resource.h. */
#include "base/cleanup.h"
#include "base/str.h"
#include "engine/resource.h"

#include <sched.h>
#include <string.h>

static bool has_mount(const RuntimeConfig *config, const char *destination) {
	for (size_t i = 0; i < config->n_mounts; i++)
		if (strcmp(config->mounts[i]->destination, destination) == 0)
			return true;
	return false;
}

static void add_file(RuntimeConfig *config, const char *source, const char *destination) {
	if (has_mount(config, destination))
		return;
	RuntimeMount *mount = runtime_mount_new(MOUNT_BIND, source, destination);
	mount->nosuid = mount->nodev = mount->noexec = true;
	mount->map_ids = (config->new_namespaces | config->join_namespaces) & CLONE_NEWUSER;
	mount->optional = true;
	runtime_config_add_mount(config, mount);
}

void resource_add_mounts(const ResolveInput *input, const char *dir, RuntimeConfig *config) {
	const ContainerSpec *spec = input->container->definition->spec;
	const PodSpec *pod = input->pod ? input->pod->definition->spec : NULL;
	char *const *dns = pod ? pod->dns : spec->dns;
	const struct {
		const char *file, *destination;
		bool left_out;
	} files[] = {
		{"hosts", "/etc/hosts", spec->no_hosts || (pod && pod->no_hosts)},
		{"resolv.conf", "/etc/resolv.conf",
			dns && str_in_list("none", (const char *const *)dns)},
		{"hostname", "/etc/hostname", spec->no_hostname || (pod && pod->no_hostname)},
		{"localtime", "/etc/localtime", !spec->timezone || strcmp(spec->timezone, "") == 0},
		{"containerenv", "/run/.containerenv", false},
	};

	array_foreach (row, files) {
		g_autofree char *source = g_build_filename(dir, row->file, NULL);

		if (row->left_out || !g_file_test(source, G_FILE_TEST_EXISTS))
			continue;
		add_file(config, source, row->destination);
		for (char **root = spec->chroot_dirs; root && *root; root++) {
			g_autofree char *inside = g_strconcat(*root, row->destination, NULL);
			g_autofree char *clean = str_clean_path(inside);
			add_file(config, source, clean);
		}
	}
}
