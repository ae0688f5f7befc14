/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a spec can be carried out at all: every value through its parser, then the options
 * against each other. Where podman refuses, this refuses. See spec.h. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "model/device_request.h"
#include "model/limits.h"
#include "model/names.h"
#include "model/namespace_mode.h"
#include "model/spec.h"
#include "model/spec_parse.h"
#include "model/spec_validate_parts.h"

#include <sched.h>
#include <string.h>

typedef bool (*ValueCheck)(const char *value, GError **err);

/* One option that is a list or a string, and the reader of its values. */
typedef struct ListCheck {
	const char *option;
	char *const *values; /* NULL: none */
	ValueCheck check;
} ListCheck;

typedef struct WordCheck {
	const char *option;
	const char *value;              /* NULL: not given */
	const char *const *words;       /* NULL-terminated */
	const char *const *unsupported; /* podman has them; NULL: none */
} WordCheck;

static bool fail_value(GError **err, const char *value, const char *reason) {
	return fail(err, ERROR_INVALID, "bad value \"%s\": %s", value, reason);
}

static bool check_port(const char *value, GError **err) {
	PortMapping mapping;

	if (!spec_parse_port(value, &mapping, err))
		return false;
	port_mapping_clear(&mapping);
	return true;
}

static bool check_expose(const char *value, GError **err) {
	if (strchr(value, ':'))
		return fail_value(err, value, "a port or range without addresses is needed");
	return check_port(value, err);
}

static bool check_network(const char *value, GError **err) {
	g_autoptr(NetworkRequest) request = spec_parse_network(value, err);

	return request != NULL;
}

static bool check_add_host(const char *value, GError **err) {
	g_auto(GStrv) names = NULL;
	g_autofree char *address = NULL;

	return spec_parse_add_host(value, &names, &address, err);
}

/* "none" asks for no resolv.conf at all. */
static bool check_dns(const char *value, GError **err) {
	g_autofree char *address = NULL;

	if (strcmp(value, "none") == 0)
		return true;
	address = spec_parse_ip(value, "a name server", err);
	return address != NULL;
}

static bool check_volume(const char *value, GError **err) {
	g_autoptr(MountRequest) request = spec_parse_volume(value, err);

	return request != NULL;
}

static bool check_tmpfs(const char *value, GError **err) {
	g_autoptr(MountRequest) request = spec_parse_tmpfs(value, err);

	return request != NULL;
}

static bool check_mount(const char *value, GError **err) {
	g_autoptr(MountRequest) request = spec_parse_mount(value, err);

	return request != NULL;
}

static bool check_device(const char *value, GError **err) {
	g_autoptr(DeviceRequest) request = spec_parse_device(value, err);

	return request != NULL;
}

static bool check_device_rule(const char *value, GError **err) {
	DeviceRule rule;

	return spec_parse_device_rule(value, &rule, err);
}

static bool check_ulimit(const char *value, GError **err) {
	uint64_t soft, hard;
	int resource;

	return spec_parse_ulimit(value, &resource, &soft, &hard, err);
}

static bool check_restart(const char *value, GError **err) {
	RestartPolicy policy;
	unsigned retries;

	return spec_parse_restart(value, &policy, &retries, err);
}

static bool check_share(const char *value, GError **err) {
	int flags;

	return spec_parse_share(value, &flags, err);
}

static bool check_pair(const char *value, GError **err) {
	return strchr(value + (*value != '\0'), '=') || fail_value(err, value, "it is KEY=VALUE");
}

/* What is written to resolv.conf: nothing that could be a line or comment of its own. */
static bool check_word(const char *value, GError **err) {
	size_t length = strlen(value);

	if (length == 0 || length > 256)
		return fail_value(err, value, "it has 1 to 256 characters");
	for (const char *p = value; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("._:-", *p))
			return fail_value(err, value, "it has letters, digits and \"._:-\" only");
	return true;
}

static bool check_key(const char *value, GError **err) {
	return (*value && *value != '=') || fail_value(err, value, "it has no key");
}

static bool check_env(const char *value, GError **err) {
	return spec_env_name_ok(value) || fail_value(err, value, "it has no usable name");
}

static bool check_security(const char *value, GError **err) {
	static const char *const keys[] = {"no-new-privileges", "seccomp", "mask", "unmask",
		"label", "apparmor", "proc-opts", "systempaths", NULL};
	g_autofree char *key = g_strndup(value, strcspn(value, "=:"));

	return str_in_list(key, keys) || fail_value(err, value, "unknown security option");
}

static bool check_signal(const char *value, GError **err) {
	int number;

	return parse_signal(value, &number) || fail_value(err, value, "unknown signal");
}

static bool check_size(const char *value, GError **err) {
	uint64_t bytes;

	return parse_size(value, &bytes) || fail_value(err, value, "it is a size such as 64m");
}

static bool check_umask(const char *value, GError **err) {
	unsigned mode;

	return (parse_mode(value, &mode) && mode <= 0777) ||
	       fail_value(err, value, "it is octal, up to 0777");
}

static bool check_oom_score(const char *value, GError **err) {
	int score;

	return parse_int(value, -1000, 1000, &score) ||
	       fail_value(err, value, "it is a number within -1000 to 1000");
}

static bool check_absolute(const char *value, GError **err) {
	return *value == '/' || fail_value(err, value, "it is not an absolute path");
}

static bool check_ip(const char *value, GError **err) {
	g_autofree char *address = spec_parse_ip(value, "the container", err);

	return address != NULL;
}

static bool check_mac(const char *value, GError **err) {
	g_autofree char *mac = spec_parse_mac(value, err);

	return mac != NULL;
}

static bool check_container_name(const char *value, GError **err) {
	return name_check(value, "container name", err);
}

static bool check_pod_name(const char *value, GError **err) {
	const char *name = g_str_has_prefix(value, "new:") ? value + 4 : value;

	return name_check(name, "pod name", err);
}

static bool run_checks(const ListCheck *checks, size_t n, GError **err) {
	for (size_t i = 0; i < n; i++)
		for (char *const *value = checks[i].values; value && *value; value++)
			if (!checks[i].check(*value, err))
				return fail_prefix(err, "--%s", checks[i].option);
	return true;
}

static bool run_word_checks(const WordCheck *checks, size_t n, GError **err) {
	for (size_t i = 0; i < n; i++) {
		const WordCheck *row = &checks[i];
		if (!row->value || str_in_list(row->value, row->words))
			continue;
		g_autofree char *word = g_strndup(row->value, strcspn(row->value, ":"));
		if (row->unsupported && str_in_list(word, row->unsupported))
			return fail(err, ERROR_UNSUPPORTED, "--%s=%s is not supported", row->option,
				row->value);
		g_autofree char *known = g_strjoinv(", ", (char **)(uintptr_t)row->words);
		return fail(err, ERROR_INVALID, "bad value \"%s\" for --%s: it is one of %s",
			row->value, row->option, known);
	}
	return true;
}

/* A single string as a list of one; the compound literal lives as long as its block. */
#define ONE(text)  ((char *const[]){(text), NULL})
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool check_cgroup_conf(const char *value, GError **err) {
	g_autofree char *key = NULL, *text = NULL;

	return limits_parse_conf(value, &key, &text, err);
}

static bool check_container_values(const ContainerSpec *spec, GError **err) {
	const ListCheck checks[] = {
		{"name", ONE(spec->name), check_container_name},
		{"pod", ONE(spec->pod), check_pod_name},
		{"label", spec->labels, check_key},
		{"annotation", spec->annotations, check_pair},
		{"env", spec->env, check_env},
		{"workdir", ONE(spec->workdir), check_absolute},
		{"umask", ONE(spec->umask), check_umask},
		{"stop-signal", ONE(spec->stop_signal), check_signal},
		{"ulimit", spec->ulimits, check_ulimit},
		{"oom-score-adj", ONE(spec->oom_score_adj), check_oom_score},
		{"security-opt", spec->security_opt, check_security},
		{"sysctl", spec->sysctls, check_pair},
		{"volume", spec->volumes, check_volume},
		{"mount", spec->mounts, check_mount},
		{"tmpfs", spec->tmpfs, check_tmpfs},
		{"device", spec->devices, check_device},
		{"device-cgroup-rule", spec->device_cgroup_rules, check_device_rule},
		{"shm-size", ONE(spec->shm_size), check_size},
		{"network", spec->networks, check_network},
		{"publish", spec->publish, check_port},
		{"expose", spec->expose, check_expose},
		{"hostname", ONE(spec->hostname), hostname_check},
		{"add-host", spec->add_hosts, check_add_host},
		{"dns", spec->dns, check_dns},
		{"dns-option", spec->dns_options, check_word},
		{"dns-search", spec->dns_searches, check_word},
		{"ip", ONE(spec->ip), check_ip},
		{"mac-address", ONE(spec->mac_address), check_mac},
		{"restart", ONE(spec->restart), check_restart},
		{"log-opt", spec->log_opts, check_pair},
		{"cgroup-conf", spec->cgroup_conf, check_cgroup_conf},
		{"cgroup-parent", ONE(spec->cgroup_parent), limits_check_parent},
	};
	const WordCheck words[] = {
		{"image-volume", spec->image_volume, WORDS("anonymous", "bind", "tmpfs", "ignore"),
			NULL},
		{"pull", spec->pull, WORDS("always", "missing", "never", "newer"), NULL},
		{"sdnotify", spec->sdnotify, WORDS("conmon", "container", "ignore"),
			WORDS("healthy")},
		{"log-driver", spec->log_driver, WORDS("k8s-file", "json-file", "journald", "none"),
			WORDS("passthrough", "passthrough-tty")},
		{"cgroups", spec->cgroups, WORDS("enabled", "disabled", "no-conmon", "split"),
			NULL},
	};

	return run_checks(checks, ARRAY_LENGTH(checks), err) &&
	       run_word_checks(words, ARRAY_LENGTH(words), err);
}

/* The networks an option list asks for must fit together, and with the other network options.
 * podman's rules: one address needs one network, and modes do not mix with networks. */
static bool check_networks(char *const *networks, const char *ip, const char *mac, bool published,
	bool hosts, GError **err) {
	size_t n = 0;
	NetworkMode mode = NETWORK_BRIDGE;

	for (; networks && networks[n]; n++) {
		g_autoptr(NetworkRequest) request = spec_parse_network(networks[n], err);
		if (!request)
			return false;
		mode = request->mode;
		if (mode != NETWORK_BRIDGE && (n > 0 || networks[n + 1]))
			return fail(err, ERROR_INVALID,
				"--network=%s cannot be combined with another network",
				networks[n]);
	}
	const char *address_option = ip ? "ip" : mac ? "mac-address" : NULL;
	if (address_option && n > 1)
		return fail(err, ERROR_INVALID,
			"--%s can only be set for a single network; use --network NAME:%s=...",
			address_option, ip ? "ip" : "mac");
	if (address_option && mode != NETWORK_BRIDGE)
		return fail(err, ERROR_INVALID, "--%s conflicts with --network=%s", address_option,
			networks[0]);
	if (published && (mode == NETWORK_CONTAINER || mode == NETWORK_NAMESPACE))
		return fail(err, ERROR_INVALID,
			"--publish conflicts with --network=%s: ports belong to whoever made the "
			"network namespace",
			networks[0]);
	if (hosts && mode == NETWORK_CONTAINER)
		return fail(err, ERROR_INVALID,
			"--add-host conflicts with --network=%s: the file is shared", networks[0]);
	return true;
}

/* A member has its pod's network and host name. "new:NAME" makes the pod out of these options. */
static bool check_membership(const ContainerSpec *spec, GError **err) {
	const struct {
		const char *option;
		bool given;
	} of_the_pod[] = {
		{"network", spec->networks != NULL},
		{"publish", spec->publish != NULL},
		{"add-host", spec->add_hosts != NULL},
		{"dns", spec->dns != NULL},
		{"dns-option", spec->dns_options != NULL},
		{"dns-search", spec->dns_searches != NULL},
		{"ip", spec->ip != NULL},
		{"mac-address", spec->mac_address != NULL},
		{"hostname", spec->hostname != NULL},
		{"hosts-file", spec->hosts_file != NULL},
		{"no-hostname", spec->no_hostname},
	};

	if (!spec->pod || g_str_has_prefix(spec->pod, "new:"))
		return true;
	array_foreach (row, of_the_pod)
		if (row->given)
			return fail(err, ERROR_INVALID,
				"--%s cannot be used with --pod: it must be given when the pod is "
				"created",
				row->option);
	return true;
}

/* Two mounts on one path: the first would never be seen. */
static bool add_destinations(GHashTable *seen, bool own_ids, char *const *list,
	MountRequest *(*parse)(const char *text, GError **err), GError **err) {
	for (; list && *list; list++) {
		g_autoptr(MountRequest) request = parse(*list, err);
		if (!request)
			return false;
		if (request->idmap && request->idmap_uids.n == 0 && !own_ids)
			return fail(err, ERROR_INVALID,
				"option \"idmap\" of mount \"%s\" needs maps, or a container with "
				"a "
				"user namespace",
				*list);
		/* where a glob leads is known when the container starts */
		if (request->type != MOUNT_TYPE_GLOB &&
			!g_hash_table_add(seen, g_strdup(request->destination)))
			return fail(err, ERROR_INVALID, "two mounts have the destination \"%s\"",
				request->destination);
	}
	return true;
}

static bool check_destinations(const ContainerSpec *spec, GError **err) {
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	bool own_ids = spec->pod || spec->uid_maps || spec->gid_maps || spec->subuid_name ||
		       (spec->user_ns && strcmp(spec->user_ns, "host") != 0);

	return add_destinations(seen, own_ids, spec->volumes, spec_parse_volume, err) &&
	       add_destinations(seen, own_ids, spec->mounts, spec_parse_mount, err) &&
	       add_destinations(seen, own_ids, spec->tmpfs, spec_parse_tmpfs, err);
}

static bool check_container_together(const ContainerSpec *spec, GError **err) {
	RestartPolicy policy = RESTART_NO;
	unsigned retries;

	if (!spec->image || !*spec->image)
		return fail(err, ERROR_INVALID, "%s is needed",
			spec->rootfs ? "the path of a root file system" : "an image");
	if (spec->rootfs && spec->pull)
		return fail(err, ERROR_INVALID, "--pull conflicts with --rootfs");
	if (spec->replace && !spec->name)
		return fail(err, ERROR_INVALID, "--replace needs --name");
	if (spec->restart && !spec_parse_restart(spec->restart, &policy, &retries, err))
		return false;
	if (spec->remove && policy != RESTART_NO)
		return fail(err, ERROR_INVALID, "--rm conflicts with --restart=%s", spec->restart);
	if (spec->no_hosts && spec->add_hosts)
		return fail(err, ERROR_INVALID, "--no-hosts conflicts with --add-host");
	if (spec->stop_timeout < SPEC_UNSET)
		return fail(err, ERROR_INVALID, "bad value \"%d\" for --stop-timeout",
			spec->stop_timeout);
	if (spec->timeout < SPEC_UNSET)
		return fail(err, ERROR_INVALID, "bad value \"%d\" for --timeout", spec->timeout);
	return true;
}

/* What a cgroup is needed for, without one; and two places at once. */
static bool check_cgroups(const ContainerSpec *spec, GError **err) {
	bool disabled = g_strcmp0(spec->cgroups, "disabled") == 0;
	bool split = g_strcmp0(spec->cgroups, "split") == 0;
	const char *limit = limits_first_option(&spec->limits);

	if (disabled && (limit || spec->cgroup_conf))
		return fail(err, ERROR_INVALID, "%s conflicts with --cgroups=disabled",
			limit ? limit : "--cgroup-conf");
	if ((disabled || split) && spec->cgroup_parent)
		return fail(err, ERROR_INVALID, "--cgroup-parent conflicts with --cgroups=%s",
			spec->cgroups);
	if (spec->pod && spec->cgroup_parent)
		return fail(err, ERROR_INVALID,
			"--cgroup-parent cannot be used with --pod: it must be given when the pod "
			"is created");
	return true;
}

bool container_spec_validate(const ContainerSpec *spec, GError **err) {
	return check_container_values(spec, err) && limits_check(&spec->limits, err) &&
	       check_cgroups(spec, err) && container_spec_validate_namespaces(spec, err) &&
	       check_container_together(spec, err) && container_spec_validate_process(spec, err) &&
	       check_membership(spec, err) &&
	       check_networks(spec->networks, spec->ip, spec->mac_address, spec->publish != NULL,
		       spec->add_hosts != NULL, err) &&
	       check_destinations(spec, err);
}

static bool check_pod_values(const PodSpec *spec, GError **err) {
	const ListCheck checks[] = {
		{"name", ONE(spec->name), check_pod_name},
		{"label", spec->labels, check_key},
		{"hostname", ONE(spec->hostname), hostname_check},
		{"share", ONE(spec->share), check_share},
		{"infra-name", ONE(spec->infra_name), check_container_name},
		{"restart", ONE(spec->restart), check_restart},
		{"publish", spec->publish, check_port},
		{"network", spec->networks, check_network},
		{"add-host", spec->add_hosts, check_add_host},
		{"dns", spec->dns, check_dns},
		{"dns-option", spec->dns_options, check_word},
		{"dns-search", spec->dns_searches, check_word},
		{"ip", ONE(spec->ip), check_ip},
		{"mac-address", ONE(spec->mac_address), check_mac},
		{"volume", spec->volumes, check_volume},
		{"sysctl", spec->sysctls, check_pair},
		{"device", spec->devices, check_device},
		{"shm-size", ONE(spec->shm_size), check_size},
		{"security-opt", spec->security_opt, check_security},
		{"cgroup-parent", ONE(spec->cgroup_parent), limits_check_parent},
	};
	const WordCheck words[] = {
		{"exit-policy", spec->exit_policy, WORDS("continue", "stop"), NULL},
	};

	return run_checks(checks, ARRAY_LENGTH(checks), err) &&
	       run_word_checks(words, ARRAY_LENGTH(words), err);
}

/* What only an infra container can carry: members of such a pod do not look at it. */
static bool check_without_infra(const PodSpec *spec, int shared, GError **err) {
	const struct {
		const char *option;
		bool given;
	} of_infra[] = {
		{"share", spec->share != NULL && shared != 0},
		{"infra-name", spec->infra_name != NULL},
		{"pid", spec->pid_mode != NULL},
		{"uts", spec->uts_mode != NULL},
		{"userns", spec->user_ns != NULL},
		{"uidmap", spec->uid_maps != NULL},
		{"gidmap", spec->gid_maps != NULL},
		{"subuidname", spec->subuid_name != NULL},
		{"subgidname", spec->subgid_name != NULL},
		{"infra-conmon-pidfile", spec->infra_pidfile != NULL},
		{"publish", spec->publish != NULL},
		{"network", spec->networks != NULL},
		{"add-host", spec->add_hosts != NULL},
		{"dns", spec->dns != NULL},
		{"dns-option", spec->dns_options != NULL},
		{"dns-search", spec->dns_searches != NULL},
		{"ip", spec->ip != NULL},
		{"mac-address", spec->mac_address != NULL},
		{"hostname", spec->hostname != NULL},
		{"no-hosts", spec->no_hosts},
		{"restart", spec->restart != NULL},
		{"volume", spec->volumes != NULL},
		{"sysctl", spec->sysctls != NULL},
		{"device", spec->devices != NULL},
		{"shm-size", spec->shm_size != NULL},
		{"security-opt", spec->security_opt != NULL},
		{"cgroup-parent", spec->cgroup_parent != NULL},
	};

	const char *limit = limits_first_option(&spec->limits);
	if (limit)
		return fail(err, ERROR_INVALID, "%s conflicts with --infra=false", limit);
	array_foreach (row, of_infra)
		if (row->given)
			return fail(err, ERROR_INVALID, "--%s conflicts with --infra=false",
				row->option);
	return true;
}

static bool check_pod_together(const PodSpec *spec, GError **err) {
	int shared;

	if (!spec_parse_share(spec->share, &shared, err))
		return false;
	if (!spec->infra && !check_without_infra(spec, shared, err))
		return false;
	if (spec->replace && !spec->name)
		return fail(err, ERROR_INVALID, "--replace needs --name");
	if (spec->no_hosts && spec->add_hosts)
		return fail(err, ERROR_INVALID, "--no-hosts conflicts with --add-host");
	if (spec->infra && spec->publish && !(shared & CLONE_NEWNET))
		return fail(err, ERROR_INVALID,
			"--publish needs a pod that shares its network namespace");
	return true;
}

bool pod_spec_validate(const PodSpec *spec, GError **err) {
	return check_pod_values(spec, err) && limits_check(&spec->limits, err) &&
	       check_pod_together(spec, err) && pod_spec_validate_namespaces(spec, err) &&
	       pod_spec_validate_process(spec, err) &&
	       check_networks(spec->networks, spec->ip, spec->mac_address, spec->publish != NULL,
		       spec->add_hosts != NULL, err);
}
