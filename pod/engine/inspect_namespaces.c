/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces for inspect. See inspect_namespaces.h. */
#include "engine/inspect_namespaces.h"

#include "base/cleanup.h"
#include "engine/resolve.h"
#include "model/namespace_mode.h"

#include <sched.h>
#include <string.h>

/* A mode that was not given is the pod's, as podman shows it by the infra's id, or usual. */
static void put_mode(json_t *object, const char *key, const char *text, const char *usual,
	const Pod *pod, bool shared) {
	NamespaceMode mode;

	if (!spec_parse_namespace(text, &mode, NULL))
		return;
	if ((mode.kind == NAMESPACE_DEFAULT && shared) || mode.kind == NAMESPACE_POD) {
		const char *infra =
			pod && pod->definition->infra_id ? pod->definition->infra_id : "";
		g_autofree char *value = g_strconcat("container:", infra, NULL);
		json_put_string(object, key, value);
		return;
	}
	json_put_string(object, key, mode.kind == NAMESPACE_DEFAULT ? usual : text);
}

/* INSIDE:OUTSIDE:COUNT, one string a row. */
static json_t *map_rows(const char *text) {
	json_t *list = json_array();
	IdMap map = {0};

	if (text && id_map_from_text(text, &map, NULL)) {
		for (size_t i = 0; i < map.n; i++) {
			g_autofree char *row = g_strdup_printf(
				"%" G_GUINT32_FORMAT ":%" G_GUINT32_FORMAT ":%" G_GUINT32_FORMAT,
				map.rows[i].inside, map.rows[i].outside, map.rows[i].count);
			json_array_append_new(list, json_string(row));
		}
	}
	id_map_clear(&map);
	return list;
}

static void put_user(
	const ContainerDefinition *definition, const Pod *pod, bool shared, json_t *object) {
	const char *uids = definition->uid_map, *gids = definition->gid_map;
	const char *mode = definition->spec->user_ns;
	bool joins = mode && strchr(mode, ':') &&
		     (g_str_has_prefix(mode, "container:") || g_str_has_prefix(mode, "ns:"));

	if (shared) {
		g_autofree char *infra = g_strconcat("container:", pod->definition->infra_id, NULL);
		json_put_string(object, "UsernsMode", infra);
		uids = pod->definition->uid_map;
		gids = pod->definition->gid_map;
	} else {
		json_put_string(object, "UsernsMode", joins ? mode : uids ? "private" : "");
	}
	if (!uids)
		return;
	json_t *maps = json_object();
	json_object_set_new(maps, "UidMap", map_rows(uids));
	json_object_set_new(maps, "GidMap", map_rows(gids));
	json_object_set_new(object, "IDMappings", maps);
}

void inspect_container_namespaces(const Container *container, const Pod *pod, json_t *object) {
	const ContainerSpec *spec = container->definition->spec;
	PodNamespaces of_pod = {0};
	const struct {
		const char *key, *text, *usual;
		int flag;
	} modes[] = {{"IpcMode", spec->ipc_mode, "shareable", CLONE_NEWIPC},
		{"PidMode", spec->pid_mode, "private", CLONE_NEWPID},
		{"UTSMode", spec->uts_mode, "private", CLONE_NEWUTS},
		{"CgroupMode", spec->cgroup_ns, "private", CLONE_NEWCGROUP}};

	if (pod && !resolve_pod_namespaces(pod->definition, &of_pod, NULL))
		return;
	array_foreach (row, modes)
		put_mode(object, row->key, row->text, row->usual, pod, of_pod.shared & row->flag);
	put_user(container->definition, pod, of_pod.shared & CLONE_NEWUSER, object);
}

json_t *inspect_shared_namespaces(const Pod *pod) {
	static const struct {
		int flag;
		const char *name;
	} names[] = {{CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWNET, "net"},
		{CLONE_NEWPID, "pid"}, {CLONE_NEWUSER, "user"}, {CLONE_NEWUTS, "uts"}};
	PodNamespaces namespaces = {0};
	json_t *list = json_array();

	if (resolve_pod_namespaces(pod->definition, &namespaces, NULL))
		array_foreach (row, names)
			if (namespaces.shared & row->flag)
				json_array_append_new(list, json_string(row->name));
	return list;
}
