/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The members of the specs as rows, and the walks over rows. See spec_fields.h. A key is the name
 * of its member. */
#include "model/spec_fields.h"

#include <string.h>

#define CONTAINER(member, kind) \
	{ #member, kind, offsetof(ContainerSpec, member) }
#define POD(member, kind) \
	{ #member, kind, offsetof(PodSpec, member) }
#define LIMITS(spec)                                                                            \
	spec(limits.blkio_weight, FIELD_STRING), spec(limits.blkio_weight_devices, FIELD_LIST), \
		spec(limits.cpu_period, FIELD_STRING), spec(limits.cpu_quota, FIELD_STRING),    \
		spec(limits.cpu_shares, FIELD_STRING), spec(limits.cpus, FIELD_STRING),         \
		spec(limits.cpuset_cpus, FIELD_STRING), spec(limits.cpuset_mems, FIELD_STRING), \
		spec(limits.device_read_bps, FIELD_LIST),                                       \
		spec(limits.device_read_iops, FIELD_LIST),                                      \
		spec(limits.device_write_bps, FIELD_LIST),                                      \
		spec(limits.device_write_iops, FIELD_LIST), spec(limits.memory, FIELD_STRING),  \
		spec(limits.memory_reservation, FIELD_STRING),                                  \
		spec(limits.memory_swap, FIELD_STRING), spec(limits.pids_limit, FIELD_STRING)

/* clang-format off */
const FieldRow container_spec_fields[] = {
	/* identity */
	CONTAINER(name, FIELD_STRING),
	CONTAINER(image, FIELD_STRING),
	CONTAINER(rootfs, FIELD_BOOL),
	CONTAINER(pod, FIELD_STRING),
	CONTAINER(labels, FIELD_LIST),
	CONTAINER(label_files, FIELD_LIST),
	CONTAINER(annotations, FIELD_LIST),
	CONTAINER(cidfile, FIELD_STRING),
	CONTAINER(pidfile, FIELD_STRING),
	CONTAINER(conmon_pidfile, FIELD_STRING),
	CONTAINER(replace, FIELD_BOOL),
	CONTAINER(remove, FIELD_BOOL),
	CONTAINER(remove_image, FIELD_BOOL),
	CONTAINER(pull, FIELD_STRING),
	CONTAINER(requires, FIELD_LIST),
	CONTAINER(init_ctr, FIELD_STRING),
	/* process */
	CONTAINER(command, FIELD_LIST),
	CONTAINER(entrypoint, FIELD_STRING),
	CONTAINER(env, FIELD_LIST),
	CONTAINER(env_files, FIELD_LIST),
	CONTAINER(unset_env, FIELD_LIST),
	CONTAINER(unset_env_all, FIELD_BOOL),
	CONTAINER(env_host, FIELD_BOOL),
	CONTAINER(env_merge, FIELD_LIST),
	CONTAINER(http_proxy, FIELD_INT),
	CONTAINER(host_env, FIELD_LIST),
	CONTAINER(user, FIELD_STRING),
	CONTAINER(group_add, FIELD_LIST),
	CONTAINER(workdir, FIELD_STRING),
	CONTAINER(umask, FIELD_STRING),
	CONTAINER(interactive, FIELD_BOOL),
	CONTAINER(tty, FIELD_BOOL),
	CONTAINER(stop_signal, FIELD_STRING),
	CONTAINER(stop_timeout, FIELD_INT),
	CONTAINER(timeout, FIELD_INT),
	CONTAINER(ulimits, FIELD_LIST),
	CONTAINER(oom_score_adj, FIELD_STRING),
	CONTAINER(init, FIELD_BOOL),
	CONTAINER(init_path, FIELD_STRING),
	CONTAINER(timezone, FIELD_STRING),
	CONTAINER(personality, FIELD_STRING),
	CONTAINER(preserve_fds, FIELD_INT),
	CONTAINER(preserve_fd, FIELD_LIST),
	CONTAINER(systemd, FIELD_STRING),
	CONTAINER(passwd, FIELD_INT),
	CONTAINER(passwd_entry, FIELD_STRING),
	CONTAINER(group_entry, FIELD_STRING),
	CONTAINER(host_users, FIELD_LIST),
	CONTAINER(attach, FIELD_LIST),
	/* sandbox */
	CONTAINER(cap_add, FIELD_LIST),
	CONTAINER(cap_drop, FIELD_LIST),
	CONTAINER(security_opt, FIELD_LIST),
	CONTAINER(privileged, FIELD_BOOL),
	CONTAINER(read_only, FIELD_BOOL),
	CONTAINER(read_only_tmpfs, FIELD_INT),
	CONTAINER(sysctls, FIELD_LIST),
	CONTAINER(device_cgroup_rules, FIELD_LIST),
	CONTAINER(pid_mode, FIELD_STRING),
	CONTAINER(ipc_mode, FIELD_STRING),
	CONTAINER(uts_mode, FIELD_STRING),
	CONTAINER(cgroup_ns, FIELD_STRING),
	CONTAINER(user_ns, FIELD_STRING),
	CONTAINER(uid_maps, FIELD_LIST),
	CONTAINER(gid_maps, FIELD_LIST),
	CONTAINER(subuid_name, FIELD_STRING),
	CONTAINER(subgid_name, FIELD_STRING),
	/* storage */
	CONTAINER(volumes, FIELD_LIST),
	CONTAINER(mounts, FIELD_LIST),
	CONTAINER(tmpfs, FIELD_LIST),
	CONTAINER(shm_size, FIELD_STRING),
	CONTAINER(devices, FIELD_LIST),
	CONTAINER(image_volume, FIELD_STRING),
	CONTAINER(shm_size_systemd, FIELD_STRING),
	CONTAINER(chroot_dirs, FIELD_LIST),
	/* limits */
	LIMITS(CONTAINER),
	CONTAINER(cgroup_conf, FIELD_LIST),
	CONTAINER(cgroup_parent, FIELD_STRING),
	/* network */
	CONTAINER(networks, FIELD_LIST),
	CONTAINER(publish, FIELD_LIST),
	CONTAINER(expose, FIELD_LIST),
	CONTAINER(hostname, FIELD_STRING),
	CONTAINER(add_hosts, FIELD_LIST),
	CONTAINER(dns, FIELD_LIST),
	CONTAINER(dns_options, FIELD_LIST),
	CONTAINER(dns_searches, FIELD_LIST),
	CONTAINER(no_hosts, FIELD_BOOL),
	CONTAINER(hosts_file, FIELD_STRING),
	CONTAINER(no_hostname, FIELD_BOOL),
	CONTAINER(ip, FIELD_STRING),
	CONTAINER(mac_address, FIELD_STRING),
	/* supervision */
	CONTAINER(restart, FIELD_STRING),
	CONTAINER(sdnotify, FIELD_STRING),
	CONTAINER(log_driver, FIELD_STRING),
	CONTAINER(log_opts, FIELD_LIST),
	CONTAINER(cgroups, FIELD_STRING),
	{NULL},
};

const FieldRow pod_spec_fields[] = {
	POD(name, FIELD_STRING),
	POD(labels, FIELD_LIST),
	POD(hostname, FIELD_STRING),
	POD(share, FIELD_STRING),
	POD(infra, FIELD_BOOL),
	POD(infra_name, FIELD_STRING),
	POD(exit_policy, FIELD_STRING),
	POD(restart, FIELD_STRING),
	POD(replace, FIELD_BOOL),
	POD(pod_id_file, FIELD_STRING),
	POD(infra_pidfile, FIELD_STRING),
	POD(publish, FIELD_LIST),
	POD(networks, FIELD_LIST),
	POD(add_hosts, FIELD_LIST),
	POD(dns, FIELD_LIST),
	POD(dns_options, FIELD_LIST),
	POD(dns_searches, FIELD_LIST),
	POD(no_hosts, FIELD_BOOL),
	POD(ip, FIELD_STRING),
	POD(mac_address, FIELD_STRING),
	POD(volumes, FIELD_LIST),
	POD(sysctls, FIELD_LIST),
	POD(shm_size, FIELD_STRING),
	POD(security_opt, FIELD_LIST),
	POD(label_files, FIELD_LIST),
	POD(hosts_file, FIELD_STRING),
	POD(no_hostname, FIELD_BOOL),
	POD(devices, FIELD_LIST),
	POD(pid_mode, FIELD_STRING),
	POD(uts_mode, FIELD_STRING),
	POD(user_ns, FIELD_STRING),
	POD(uid_maps, FIELD_LIST),
	POD(gid_maps, FIELD_LIST),
	POD(subuid_name, FIELD_STRING),
	POD(subgid_name, FIELD_STRING),
	LIMITS(POD),
	POD(cgroup_parent, FIELD_STRING),
	{NULL},
};
/* clang-format on */

json_t *fields_to_json(const FieldRow *rows, const void *object) {
	json_t *json = json_object();

	for (const FieldRow *row = rows; row->key; row++) {
		const void *field = (const char *)object + row->offset;
		switch (row->kind) {
		case FIELD_STRING:
			json_put_string(json, row->key, *(char *const *)field);
			break;
		case FIELD_LIST:
			json_put_strv(json, row->key, *(char **const *)field);
			break;
		case FIELD_BOOL:
			json_put_bool(json, row->key, *(const bool *)field);
			break;
		case FIELD_INT:
			json_put_int(json, row->key, *(const int *)field);
			break;
		case FIELD_UINT64:
			json_put_int(json, row->key, (int64_t) * (const uint64_t *)field);
			break;
		}
	}
	return json;
}

static void replace_list(char ***field, const json_t *json, const char *key) {
	char **list = json_get_strv(json, key);

	g_strfreev(*field);
	*field = *list ? list : NULL;
	if (!*list)
		g_strfreev(list);
}

void fields_from_json(const FieldRow *rows, void *object, const json_t *json) {
	for (const FieldRow *row = rows; row->key; row++) {
		void *field = (char *)object + row->offset;
		const json_t *member = json_object_get(json, row->key);
		if (!member)
			continue;
		switch (row->kind) {
		case FIELD_STRING:
			if (json_is_string(member)) {
				g_free(*(char **)field);
				*(char **)field = g_strdup(json_string_value(member));
			}
			break;
		case FIELD_LIST:
			if (json_is_array(member))
				replace_list(field, json, row->key);
			break;
		case FIELD_BOOL:
			if (json_is_boolean(member))
				*(bool *)field = json_is_true(member);
			break;
		case FIELD_INT:
			if (json_is_integer(member))
				*(int *)field = (int)json_integer_value(member);
			break;
		case FIELD_UINT64:
			if (json_is_integer(member))
				*(uint64_t *)field = (uint64_t)json_integer_value(member);
			break;
		}
	}
}

static bool is_set(const FieldRow *row, const void *field) {
	switch (row->kind) {
	case FIELD_STRING:
	case FIELD_LIST:
		return *(void *const *)field != NULL;
	case FIELD_BOOL:
		return *(const bool *)field;
	case FIELD_INT:
		return *(const int *)field != SPEC_UNSET;
	case FIELD_UINT64:
		return *(const uint64_t *)field != 0;
	}
	return false;
}

void fields_merge(const FieldRow *rows, void *target, const void *changes) {
	json_auto_t *json = fields_to_json(rows, changes);

	for (const FieldRow *row = rows; row->key; row++)
		if (!is_set(row, (const char *)changes + row->offset))
			json_object_del(json, row->key);
	fields_from_json(rows, target, json);
}

void fields_clear(const FieldRow *rows, void *object) {
	for (const FieldRow *row = rows; row->key; row++) {
		void *field = (char *)object + row->offset;
		if (row->kind == FIELD_STRING)
			g_clear_pointer((char **)field, g_free);
		else if (row->kind == FIELD_LIST)
			g_clear_pointer((char ***)field, g_strfreev);
	}
}
