/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.container -> NAME.service: one container, started by "run". */
#include "cmdline.h"
#include "common.h"
#include "graph.h"
#include "keys.h"
#include "mount_key.h"

#include <string.h>

static bool emit_cgroups(Conversion *c, const KeyRow *row, GError **err G_GNUC_UNUSED) {
	const char *mode = keys_string(c->unit, row->key);

	if (mode)
		common_emit(c, row->option, mode, NULL);
	else
		common_emit(c, "--cgroups=split", NULL);
	return true;
}

/* Who says that the service is ready; a oneshot service stays in the foreground instead. */
static bool emit_notify(Conversion *c, const KeyRow *row, GError **err) {
	const char *notify = keys_string(c->unit, row->key);
	const char *word = "--sdnotify=conmon";

	if (!common_service_type(c, err))
		return false;
	if (c->oneshot)
		return true;
	if (notify && g_ascii_strcasecmp(notify, "healthy") == 0)
		word = "--sdnotify=healthy";
	else if (notify && unit_value_is_true(notify))
		word = "--sdnotify=container";
	common_emit(c, word, "-d", NULL);
	return true;
}

/* A device behind a dash is left out when the machine does not have it. */
static bool emit_devices(Conversion *c, const KeyRow *row, GError **err G_GNUC_UNUSED) {
	g_autoptr(GPtrArray) words = keys_words(c->unit, row->key, WORDS_PLAIN);

	for (guint i = 0; i < words->len; i++) {
		const char *word = g_ptr_array_index(words, i);
		if (*word == '-') {
			word++;
			g_autofree char *host = g_strndup(word, strcspn(word, ":"));
			if (access(host, F_OK) < 0)
				continue;
		}
		common_emit(c, row->option, word, NULL);
	}
	return true;
}

static bool emit_volatile_tmp(Conversion *c, const KeyRow *row, GError **err G_GNUC_UNUSED) {
	if (keys_tristate(c->unit, row->key) == 1 && keys_tristate(c->unit, "ReadOnly") != 1)
		common_emit(c, row->option, "/tmp:rw,size=512M,mode=1777", NULL);
	return true;
}

static bool emit_user(Conversion *c, const KeyRow *row, GError **err) {
	const char *user = keys_string(c->unit, "User");
	const char *group = keys_string(c->unit, "Group");

	if (group && !user)
		return unit_fail(c->unit, section_last(c->unit->section, "Group"), err,
			ERROR_INVALID, "Group=%s needs User=", group);
	if (user && group)
		user = unit_file_concat(c->unit->file, user, ":", group, NULL);
	if (user)
		common_emit(c, row->option, user, NULL);
	return true;
}

/* NUMBER[-NUMBER][/udp|/tcp] */
static bool is_port(const char *text) {
	static const char digits[] = "0123456789";
	size_t length = strspn(text, digits);

	if (length == 0)
		return false;
	text += length;
	if (*text == '-') {
		length = strspn(++text, digits);
		if (length == 0)
			return false;
		text += length;
	}
	return !*text || strcmp(text, "/udp") == 0 || strcmp(text, "/tcp") == 0;
}

static bool emit_expose(Conversion *c, const KeyRow *row, GError **err) {
	g_autoptr(GPtrArray) lines = section_lines(c->unit->section, row->key);

	for (guint i = 0; i < lines->len; i++) {
		const UnitLine *line = g_ptr_array_index(lines, i);
		if (!is_port(line->value))
			return unit_fail(c->unit, line, err, ERROR_INVALID,
				"%s=%s: not a port, a range or one of them with /tcp or /udp",
				row->key, line->value);
		common_emit(c, row->option, line->value, NULL);
	}
	return true;
}

/* The member comes and goes with its pod, and starts with it unless told otherwise. */
static bool emit_pod(Conversion *c, const KeyRow *row, GError **err) {
	const UnitLine *line = section_last(c->unit->section, row->key);
	const char *name = keys_string(c->unit, row->key);
	UnitFile *file = c->unit->file;

	if (!name)
		return true;
	if (!common_has_suffix(name, ".pod"))
		return unit_fail(c->unit, line, err, ERROR_INVALID,
			"Pod=%s must be the name of a .pod file", name);
	Unit *pod = graph_find(c, line, name, true, err);
	if (!pod)
		return false;
	common_emit(c, row->option, pod->own_name, NULL);
	const char *service = unit_file_concat(file, pod->service, ".service", NULL);
	unit_file_add(file, "Unit", "BindsTo", service);
	unit_file_add(file, "Unit", "After", service);
	if (unit_is_template(c->unit) || keys_tristate(c->unit, "StartWithPod") == 0)
		return true;
	if (!pod->members)
		pod->members = g_ptr_array_new();
	g_ptr_array_add(pod->members, (void *)c->unit->service);
	return true;
}

static bool emit_operand(
	Conversion *c, const KeyRow *row G_GNUC_UNUSED, GError **err G_GNUC_UNUSED) {
	if (!keys_string(c->unit, "Image"))
		common_emit(c, "--rootfs", NULL);
	common_emit(c, c->operand, NULL);
	return true;
}

static const KeyRow rows[] = {
	{NULL, KEY_FIXED, "run"},
	{"ContainerName", KEY_ALWAYS, "--name", .call = common_emit_own_name},
	{NULL, KEY_FIXED, "--replace"},
	{NULL, KEY_FIXED, "--rm"},
	{"LogDriver", KEY_TEXT, "--log-driver"},
	{"LogOpt", KEY_WORDS, "--log-opt"},
	{"CgroupsMode", KEY_ALWAYS, "--cgroups", .call = emit_cgroups},
	{"Entrypoint", KEY_TEXT, NULL, "--entrypoint="},
	{"Timezone", KEY_STRING, "--tz"},
	{"PidsLimit", KEY_STRING, "--pids-limit"},
	{"ShmSize", KEY_STRING, "--shm-size"},
	{"WorkingDir", KEY_STRING, "--workdir"},
	{"IP", KEY_STRING, "--ip"},
	{"IP6", KEY_STRING, "--ip6"},
	{"HostName", KEY_STRING, "--hostname"},
	{"StopSignal", KEY_STRING, "--stop-signal"},
	{"StopTimeout", KEY_STRING, "--stop-timeout"},
	{"Pull", KEY_STRING, "--pull"},
	{"Memory", KEY_STRING, "--memory"},
	{"Retry", KEY_STRING, "--retry"},
	{"RetryDelay", KEY_STRING, "--retry-delay"},
	{"NetworkAlias", KEY_LINES, "--network-alias"},
	{"Ulimit", KEY_LINES, "--ulimit"},
	{"DNS", KEY_LINES, "--dns"},
	{"DNSOption", KEY_LINES, "--dns-option"},
	{"DNSSearch", KEY_LINES, "--dns-search"},
	{"GroupAdd", KEY_LINES, "--group-add"},
	{"AddHost", KEY_LINES, "--add-host"},
	{"Tmpfs", KEY_LINES, "--tmpfs"},
	{"RunInit", KEY_BOOL, "--init"},
	{"EnvironmentHost", KEY_BOOL, "--env-host"},
	{"HttpProxy", KEY_BOOL, "--http-proxy"},
	{"ReadOnlyTmpfs", KEY_BOOL, "--read-only-tmpfs"},
	{"Network", KEY_CALL, "--network", .call = common_emit_network},
	{"Notify", KEY_ALWAYS, .call = emit_notify},
	{"NoNewPrivileges", KEY_FLAG, "--security-opt=no-new-privileges"},
	{"SecurityLabelDisable", KEY_FLAG, "--security-opt", "label=disable"},
	{"SecurityLabelNested", KEY_FLAG, "--security-opt", "label=nested"},
	{"SecurityLabelType", KEY_STRING, "--security-opt", "label=type:"},
	{"SecurityLabelFileType", KEY_STRING, "--security-opt", "label=filetype:"},
	{"SecurityLabelLevel", KEY_STRING, "--security-opt", "label=level:"},
	{"AppArmor", KEY_STRING, "--security-opt", "apparmor="},
	{"AddDevice", KEY_CALL, "--device", .call = emit_devices},
	{"SeccompProfile", KEY_TEXT, "--security-opt", "seccomp="},
	/* Drops first: "drop all, add one" must not drop the one again. */
	{"DropCapability", KEY_WORDS, "--cap-drop", .flags = KEY_LOWER},
	{"AddCapability", KEY_WORDS, "--cap-add", .flags = KEY_LOWER},
	{"Sysctl", KEY_WORDS, "--sysctl"},
	{"ReadOnly", KEY_BOOL, "--read-only"},
	{"VolatileTmp", KEY_CALL, "--tmpfs", .call = emit_volatile_tmp},
	{"User", KEY_ALWAYS, "--user", .call = emit_user},
	{"Group", KEY_READ},
	{"UserNS", KEY_STRING, "--userns"},
	{"UIDMap", KEY_WORDS, "--uidmap"},
	{"GIDMap", KEY_WORDS, "--gidmap"},
	{"SubUIDMap", KEY_STRING, "--subuidname"},
	{"SubGIDMap", KEY_STRING, "--subgidname"},
	{"RemapUsers", KEY_ALWAYS, .flags = 1, .call = common_emit_remap},
	{"RemapUid", KEY_READ},
	{"RemapGid", KEY_READ},
	{"RemapUidSize", KEY_READ},
	{"Volume", KEY_CALL, "-v", .call = common_emit_volume},
	{"AutoUpdate", KEY_STRING, "--label", "io.containers.autoupdate="},
	{"ExposeHostPort", KEY_CALL, "--expose", .call = emit_expose},
	{"PublishPort", KEY_LINES, "--publish"},
	{"Environment", KEY_PAIRS, "--env"},
	{"Label", KEY_PAIRS, "--label"},
	{"Annotation", KEY_PAIRS, "--annotation"},
	{"Mask", KEY_ARGS, "--security-opt", "mask="},
	{"Unmask", KEY_ARGS, "--security-opt", "unmask="},
	{"EnvironmentFile", KEY_ARGS, "--env-file", .flags = KEY_PATH},
	{"Secret", KEY_ARGS, "--secret"},
	{"Mount", KEY_CALL, "--mount", .call = mount_key_emit},
	{"HealthCmd", KEY_STRING, "--health-cmd"},
	{"HealthInterval", KEY_STRING, "--health-interval"},
	{"HealthOnFailure", KEY_STRING, "--health-on-failure"},
	{"HealthLogDestination", KEY_STRING, "--health-log-destination"},
	{"HealthMaxLogCount", KEY_STRING, "--health-max-log-count"},
	{"HealthMaxLogSize", KEY_STRING, "--health-max-log-size"},
	{"HealthRetries", KEY_STRING, "--health-retries"},
	{"HealthStartPeriod", KEY_STRING, "--health-start-period"},
	{"HealthTimeout", KEY_STRING, "--health-timeout"},
	{"HealthStartupCmd", KEY_STRING, "--health-startup-cmd"},
	{"HealthStartupInterval", KEY_STRING, "--health-startup-interval"},
	{"HealthStartupRetries", KEY_STRING, "--health-startup-retries"},
	{"HealthStartupSuccess", KEY_STRING, "--health-startup-success"},
	{"HealthStartupTimeout", KEY_STRING, "--health-startup-timeout"},
	{"Pod", KEY_CALL, "--pod", .call = emit_pod},
	{"PodmanArgs", KEY_ARGS},
	{"Image", KEY_ALWAYS, .call = emit_operand},
	{"Rootfs", KEY_READ},
	{"Exec", KEY_COMMAND},
	{"ServiceName", KEY_READ},
	{"StartWithPod", KEY_READ},
	{"ReloadCmd", KEY_READ},
	{"ReloadSignal", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

/* Replaces %N by the service name; NULL if another specifier is left, which only systemd knows. */
static const char *expand_name(Unit *unit) {
	g_autoptr(GString) name = g_string_new(unit->own_name);

	g_string_replace(name, "%N", unit->service, 0);
	return strchr(name->str, '%') ? NULL : unit_file_intern(unit->file, name->str);
}

static void prepare(Unit *unit) {
	const char *name = keys_string(unit, "ContainerName");

	if (!name)
		name = strchr(unit->base, '@') ? "systemd-%p_%i" : "systemd-%N";
	unit->own_name = name;
	unit->resource = expand_name(unit);
}

static bool find_operand(Conversion *c, GError **err) {
	const char *image = keys_string(c->unit, "Image");
	const char *rootfs = keys_string(c->unit, "Rootfs");

	if (!image && !rootfs)
		return unit_fail(c->unit, section_last(c->unit->section, "Image"), err,
			ERROR_INVALID, "needs Image= or Rootfs= in [Container]");
	if (image && rootfs)
		return unit_fail(c->unit, section_last(c->unit->section, "Rootfs"), err,
			ERROR_INVALID, "Image= and Rootfs= cannot be used together");
	common_check_image(c->unit, "Image");
	c->operand = rootfs ? rootfs
			    : common_resolve_image(
				      c, section_last(c->unit->section, "Image"), image, err);
	return c->operand != NULL;
}

static bool add_reload(Conversion *c, GError **err) {
	const Unit *unit = c->unit;
	const UnitLine *command = section_last(unit->section, "ReloadCmd");
	const char *signal = keys_string(unit, "ReloadSignal");
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	if (command)
		keys_split(unit, command, WORDS_ESCAPED, words);
	if (words->len && signal)
		return unit_fail(unit, section_last(unit->section, "ReloadSignal"), err,
			ERROR_INVALID, "ReloadCmd= and ReloadSignal= cannot be used together");
	if (words->len)
		cmdline_add(c, "ExecReload", "", words, "exec", unit->own_name, NULL);
	else if (signal)
		cmdline_add(c, "ExecReload", "", NULL, "kill", "--signal", signal, unit->own_name,
			NULL);
	return true;
}

static bool convert(Conversion *c, GError **err) {
	const char *name = c->unit->own_name;
	UnitFile *file = c->unit->file;

	if (!find_operand(c, err))
		return false;
	unit_file_add(file, "Service", "Environment", GENERATOR_UNIT_ENV);
	if (!common_kill_mode(c, err))
		return false;
	cmdline_add(c, "ExecStop", "", NULL, "rm", "-v", "-f", "-i", name, NULL);
	cmdline_add(c, "ExecStopPost", "-", NULL, "rm", "-v", "-f", "-i", name, NULL);
	if (!add_reload(c, err))
		return false;
	unit_file_add(file, "Service", "Delegate", "yes");
	cmdline_begin(c);
	if (!keys_emit(c, err))
		return false;
	common_service_default(c, "SyslogIdentifier", "%N");
	cmdline_add_built(c, "ExecStart");
	return true;
}

const UnitType unit_type_container = {
	.extension = ".container",
	.group = "Container",
	.renamed = "X-Container",
	.suffix = "",
	.order = 4,
	.needs_key = true,
	.rows = rows,
	.n_rows = ARRAY_LENGTH(rows),
	.prepare = prepare,
	.convert = convert,
};
