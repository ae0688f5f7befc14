/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.pod -> NAME-pod.service: the pod; its main process is that of the infra container. */
#include "cmdline.h"
#include "common.h"
#include "graph.h"
#include "keys.h"

static bool emit_exit_policy(Conversion *c, const KeyRow *row, GError **err G_GNUC_UNUSED) {
	const char *policy = keys_text(c->unit, row->key);

	common_emit(c, row->option, policy ? policy : "stop", NULL);
	return true;
}

static bool emit_names(Conversion *c, const KeyRow *row, GError **err G_GNUC_UNUSED) {
	const char *name = c->unit->own_name;

	common_emit(c, "--infra-name", unit_file_concat(c->unit->file, name, "-infra", NULL),
		row->option, name, NULL);
	return true;
}

static const KeyRow rows[] = {
	{NULL, KEY_FIXED, "pod"},
	{NULL, KEY_FIXED, "create"},
	{NULL, KEY_FIXED, "--infra-conmon-pidfile=%t/%N.pid"},
	{NULL, KEY_FIXED, "--replace"},
	{"ExitPolicy", KEY_ALWAYS, "--exit-policy", .call = emit_exit_policy},
	{"UserNS", KEY_STRING, "--userns"},
	{"UIDMap", KEY_WORDS, "--uidmap"},
	{"GIDMap", KEY_WORDS, "--gidmap"},
	{"SubUIDMap", KEY_STRING, "--subuidname"},
	{"SubGIDMap", KEY_STRING, "--subgidname"},
	{"RemapUsers", KEY_ALWAYS, .flags = 1, .call = common_emit_remap},
	{"RemapUid", KEY_READ},
	{"RemapGid", KEY_READ},
	{"RemapUidSize", KEY_READ},
	{"PublishPort", KEY_LINES, "--publish"},
	{"Label", KEY_PAIRS, "--label"},
	{"Network", KEY_CALL, "--network", .call = common_emit_network},
	{"IP", KEY_STRING, "--ip"},
	{"IP6", KEY_STRING, "--ip6"},
	{"ShmSize", KEY_STRING, "--shm-size"},
	{"NetworkAlias", KEY_LINES, "--network-alias"},
	{"DNS", KEY_LINES, "--dns"},
	{"DNSOption", KEY_LINES, "--dns-option"},
	{"DNSSearch", KEY_LINES, "--dns-search"},
	{"AddHost", KEY_LINES, "--add-host"},
	{"HostName", KEY_LINES, "--hostname"},
	{"Volume", KEY_CALL, "-v", .call = common_emit_volume},
	{"PodName", KEY_ALWAYS, "--name", .call = emit_names},
	{"PodmanArgs", KEY_ARGS},
	{"StopTimeout", KEY_READ},
	{"ServiceName", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

static void prepare(Unit *unit) {
	const char *name = keys_string(unit, "PodName");

	unit->own_name = name ? name : unit_file_concat(unit->file, "systemd-", unit->base, NULL);
	unit->resource = unit->own_name;
}

static void add_members(Conversion *c) {
	const GPtrArray *members = c->unit->members;
	UnitFile *file = c->unit->file;

	for (guint i = 0; members && i < members->len; i++) {
		const char *service =
			unit_file_concat(file, g_ptr_array_index(members, i), ".service", NULL);
		unit_file_add(file, "Unit", "Wants", service);
		unit_file_add(file, "Unit", "Before", service);
	}
}

static bool convert(Conversion *c, GError **err) {
	UnitFile *file = c->unit->file;
	const char *name = c->unit->own_name;
	const char *timeout = keys_text(c->unit, "StopTimeout");

	add_members(c);
	common_service_default(c, "SyslogIdentifier", "%N");
	cmdline_add(c, "ExecStart", "", NULL, "pod", "start", name, NULL);
	cmdline_add(c, "ExecStop", "", NULL, "pod", "stop", "--ignore",
		unit_file_concat(file, "--time=", timeout ? timeout : "10", NULL), name, NULL);
	cmdline_add(c, "ExecStopPost", "", NULL, "pod", "rm", "--ignore", "--force", name, NULL);
	cmdline_begin(c);
	if (!keys_emit(c, err))
		return false;
	cmdline_add_built(c, "ExecStartPre");
	unit_file_add(file, "Service", "Environment", GENERATOR_UNIT_ENV);
	unit_file_set(file, "Service", "Type", "forking");
	unit_file_set(file, "Service", "PIDFile", "%t/%N.pid");
	common_service_default(c, "Restart", "on-failure");
	/* The pod's own limits, which only these words can bring, need a cgroup below the unit's.
	 */
	if (keys_text(c->unit, "PodmanArgs"))
		common_service_default(c, "Delegate", "yes");
	return true;
}

const UnitType unit_type_pod = {
	.extension = ".pod",
	.group = "Pod",
	.renamed = "X-Pod",
	.suffix = "-pod",
	.order = 5,
	.rows = rows,
	.n_rows = ARRAY_LENGTH(rows),
	.prepare = prepare,
	.convert = convert,
};
