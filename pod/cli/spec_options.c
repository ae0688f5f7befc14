/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The option tables of containers and pods. A row that stores has a field in the spec; a row that
 * refuses says why, so that a script or a Quadlet file learns which option is in the way instead of
 * being told "unknown". List or CSV follows podman: what it splits at commas is CSV here.
 */
#include "cli/spec_options.h"

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "model/spec.h"

#include <fcntl.h>
#include <string.h>

#define NO_PULL    "images are not pulled yet, load them with \"podctl image load\""
#define NO_DEVICE  "name the nodes with --device"
#define NO_VOLUME  "name the volumes with --volume"
#define NO_NETWORK "networks other than the default one are not there yet"
#define NO_INIT    "init containers are not there yet"

static bool parse_pull(void *target, const OptionRow *row, const char *value, GError **err) {
	static const char *const offered[] = {"missing", "never", "false", NULL};
	static const char *const refused[] = {"always", "newer", "true", NULL};
	char **field = (char **)((char *)target + row->offset);

	if (str_in_list(value, refused))
		return fail(err, ERROR_UNSUPPORTED, "option \"--pull=%s\" is not supported: %s",
			value, NO_PULL);
	if (!str_in_list(value, offered))
		return fail(err, ERROR_INVALID,
			"invalid value \"%s\" for \"--pull\": use missing or never", value);
	g_free(*field);
	*field = g_strdup(strcmp(value, "false") == 0 ? "never" : value);
	return true;
}

/* An option whose "off" is what podctl does anyway, as files written for podman carry it. */
static bool refuse_true(
	G_GNUC_UNUSED void *target, const OptionRow *row, const char *value, GError **err) {
	bool truth;

	if (!parse_bool(value, &truth))
		return fail(
			err, ERROR_INVALID, "invalid value \"%s\" for \"--%s\"", value, row->name);
	if (truth)
		return fail(err, ERROR_UNSUPPORTED, "option \"--%s\" is not supported: %s",
			row->name, row->help);
	return true;
}

static bool parse_systemd(void *target, const OptionRow *row, const char *value, GError **err) {
	char **field = (char **)((char *)target + row->offset);
	bool truth;

	if (g_ascii_strcasecmp(value, "always") != 0 && !parse_bool(value, &truth))
		return fail(err, ERROR_INVALID,
			"invalid value \"%s\" for \"--systemd\": use true, false or always", value);
	g_free(*field);
	*field = g_strdup(value);
	return true;
}

static bool parse_seccomp_policy(
	G_GNUC_UNUSED void *target, const OptionRow *row, const char *value, GError **err) {
	if (strcmp(value, "default") == 0 || !*value)
		return true;
	if (strcmp(value, "image") == 0)
		return fail(err, ERROR_UNSUPPORTED,
			"option \"--%s=image\" is not supported: an image does not choose its own "
			"filter, use --security-opt seccomp=FILE",
			row->name);
	return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--%s\": use default", value,
		row->name);
}

static bool parse_pod_id_file(void *target, const OptionRow *row, const char *value, GError **err) {
	char **field = (char **)((char *)target + row->offset);
	g_autofree char *text = NULL;

	if (!fd_read_file(AT_FDCWD, value, 4096, &text, NULL, err))
		return fail_prefix(err, "cannot read the pod id of \"--%s\"", row->name);
	g_free(*field);
	*field = g_strdup(g_strstrip(text));
	return true;
}

#define FIELD(member) offsetof(ContainerSpec, member)
#define LIMIT(member) offsetof(ContainerSpec, limits.member)

/* clang-format off */
const OptionRow container_spec_options[] = {
	/* identity */
	{"annotation", 0, OPTION_LIST, FIELD(annotations), "KEY=VALUE", "Add an annotation"},
	{"cidfile", 0, OPTION_STRING, FIELD(cidfile), "FILE", "Write the container's id to a file"},
	{"conmon-pidfile", 0, OPTION_STRING, FIELD(conmon_pidfile), "FILE", "Write the process id of the supervisor to a file"},
	{"init-ctr", 0, OPTION_STRING, FIELD(init_ctr), "KIND", "Run before the pod's other members: once or always"},
	{"label", 'l', OPTION_LIST, FIELD(labels), "KEY=VALUE", "Set a label"},
	{"label-file", 0, OPTION_LIST, FIELD(label_files), "FILE", "Read labels from a file"},
	{"name", 0, OPTION_STRING, FIELD(name), "NAME", "Name of the container"},
	{"pidfile", 0, OPTION_STRING, FIELD(pidfile), "FILE", "Write the process id of the container to a file"},
	{"pod", 0, OPTION_STRING, FIELD(pod), "POD", "Put the container into a pod; new:NAME makes one"},
	{"pod-id-file", 0, OPTION_CALL, FIELD(pod), "FILE", "Put the container into the pod whose id the file has", parse_pod_id_file},
	{"pull", 0, OPTION_CALL, FIELD(pull), "POLICY", "Whether to look for the image elsewhere: missing or never", parse_pull},
	{"replace", 0, OPTION_BOOL, FIELD(replace), NULL, "Remove a container of the same name first"},
	{"requires", 0, OPTION_CSV, FIELD(requires), "CONTAINER", "Start these containers first"},
	{"rm", 0, OPTION_BOOL, FIELD(remove), NULL, "Remove the container when it has ended"},
	{"rmi", 0, OPTION_BOOL, FIELD(remove_image), NULL, "Remove the image with the container; implies --rm"},
	{"rootfs", 0, OPTION_BOOL, FIELD(rootfs), NULL, "The first argument is a directory, not an image"},

	/* process */
	{"attach", 'a', OPTION_CSV, FIELD(attach), "STREAM", "Show only these in the foreground: stdin, stdout, stderr"},
	{"entrypoint", 0, OPTION_STRING, FIELD(entrypoint), "COMMAND", "Replace the image's entry point"},
	{"env", 'e', OPTION_LIST, FIELD(env), "KEY[=VALUE]", "Set an environment variable, or pass the caller's"},
	{"env-file", 0, OPTION_LIST, FIELD(env_files), "FILE", "Read environment variables from a file"},
	{"env-host", 0, OPTION_BOOL, FIELD(env_host), NULL, "Pass the caller's whole environment"},
	{"env-merge", 0, OPTION_LIST, FIELD(env_merge), "KEY=VALUE", "Set a variable from the image's, as ${KEY}"},
	{"group-add", 0, OPTION_CSV, FIELD(group_add), "GROUP", "Add a supplementary group"},
	{"group-entry", 0, OPTION_STRING, FIELD(group_entry), "ENTRY", "The line that is added to /etc/group"},
	{"hostuser", 0, OPTION_LIST, FIELD(host_users), "USER", "Add a user of the host to /etc/passwd"},
	{"http-proxy", 0, OPTION_TRISTATE, FIELD(http_proxy), NULL, "Pass the caller's proxy variables (default)"},
	{"init", 0, OPTION_BOOL, FIELD(init), NULL, "An init process starts the command, passes signals on and reaps"},
	{"init-path", 0, OPTION_STRING, FIELD(init_path), "FILE", "Another program of the host as that init process"},
	{"interactive", 'i', OPTION_BOOL, FIELD(interactive), NULL, "Keep standard input open"},
	{"oom-score-adj", 0, OPTION_STRING, FIELD(oom_score_adj), "N", "How ready the kernel is to kill it (-1000 to 1000)"},
	{"passwd", 0, OPTION_TRISTATE, FIELD(passwd), NULL, "Add a user without a name to /etc/passwd (default)"},
	{"passwd-entry", 0, OPTION_STRING, FIELD(passwd_entry), "ENTRY", "The line that is added to /etc/passwd"},
	{"personality", 0, OPTION_STRING, FIELD(personality), "PERSONA", "Execution domain: LINUX or LINUX32"},
	{"preserve-fd", 0, OPTION_CSV, FIELD(preserve_fd), "FD", "Pass this descriptor on"},
	{"preserve-fds", 0, OPTION_INT, FIELD(preserve_fds), "N", "Pass N descriptors on, from 3"},
	{"stop-signal", 0, OPTION_STRING, FIELD(stop_signal), "SIGNAL", "Signal that asks the container to end"},
	{"stop-timeout", 0, OPTION_INT, FIELD(stop_timeout), "SECONDS", "Time between the stop signal and SIGKILL"},
	{"systemd", 0, OPTION_CALL, FIELD(systemd), "MODE", "Prepare for systemd inside: true (by the command), false, always", parse_systemd, "true"},
	{"timeout", 0, OPTION_INT, FIELD(timeout), "SECONDS", "Longest time the container may run; 0 is for ever"},
	{"tty", 't', OPTION_BOOL, FIELD(tty), NULL, "Give the container a terminal"},
	{"tz", 0, OPTION_STRING, FIELD(timezone), "ZONE", "Time zone: a name such as Europe/Vienna, or local"},
	{"timezone", 0, OPTION_STRING, FIELD(timezone), "ZONE", "The same as --tz", .hidden = true},
	{"ulimit", 0, OPTION_CSV, FIELD(ulimits), "NAME=SOFT[:HARD]", "Set a resource limit of the process"},
	{"umask", 0, OPTION_STRING, FIELD(umask), "MODE", "File mode mask"},
	{"unsetenv", 0, OPTION_LIST, FIELD(unset_env), "KEY", "Remove an environment variable of the image"},
	{"unsetenv-all", 0, OPTION_BOOL, FIELD(unset_env_all), NULL, "Remove all environment variables of the image"},
	{"user", 'u', OPTION_STRING, FIELD(user), "USER[:GROUP]", "User of the process, by name or number"},
	{"workdir", 'w', OPTION_STRING, FIELD(workdir), "DIR", "Working directory"},

	/* sandbox */
	{"cap-add", 0, OPTION_CSV, FIELD(cap_add), "CAPABILITY", "Add a capability"},
	{"cap-drop", 0, OPTION_CSV, FIELD(cap_drop), "CAPABILITY", "Drop a capability"},
	{"ipc", 0, OPTION_STRING, FIELD(ipc_mode), "MODE", "IPC namespace: private, shareable, none, host, pod, container:NAME, ns:PATH"},
	{"pid", 0, OPTION_STRING, FIELD(pid_mode), "MODE", "PID namespace: private, host, pod, container:NAME, ns:PATH"},
	{"privileged", 0, OPTION_BOOL, FIELD(privileged), NULL, "All capabilities, no seccomp filter, no masked paths"},
	{"read-only", 0, OPTION_BOOL, FIELD(read_only), NULL, "Mount the root file system read-only"},
	{"read-only-tmpfs", 0, OPTION_TRISTATE, FIELD(read_only_tmpfs), NULL, "With --read-only: writable /dev, /run, /tmp, /var/tmp (default)"},
	{"seccomp-policy", 0, OPTION_CALL, 0, "POLICY", "Where the filter comes from: default", parse_seccomp_policy},
	{"security-opt", 0, OPTION_LIST, FIELD(security_opt), "OPTION", "Set a security option"},
	{"sysctl", 0, OPTION_CSV, FIELD(sysctls), "KEY=VALUE", "Set a kernel parameter of the container's namespaces"},
	{"uts", 0, OPTION_STRING, FIELD(uts_mode), "MODE", "UTS namespace: private, host, pod, container:NAME, ns:PATH"},
	{"cgroupns", 0, OPTION_STRING, FIELD(cgroup_ns), "MODE", "cgroup namespace: private, host, pod, container:NAME, ns:PATH"},
	{"userns", 0, OPTION_STRING, FIELD(user_ns), "MODE", "User namespace: host, auto, keep-id, private, container:NAME, ns:PATH"},
	{"uidmap", 0, OPTION_CSV, FIELD(uid_maps), "INSIDE:OUTSIDE[:COUNT]", "Map user ids in a user namespace"},
	{"gidmap", 0, OPTION_CSV, FIELD(gid_maps), "INSIDE:OUTSIDE[:COUNT]", "Map group ids in a user namespace"},
	{"subuidname", 0, OPTION_STRING, FIELD(subuid_name), "NAME", "Map the user ids that /etc/subuid has for a name"},
	{"subgidname", 0, OPTION_STRING, FIELD(subgid_name), "NAME", "Map the group ids that /etc/subgid has for a name"},

	/* storage */
	{"device", 0, OPTION_LIST, FIELD(devices), "HOST[:INSIDE][:rwm]", "Show a device of the host, or a directory of them"},
	{"device-cgroup-rule", 0, OPTION_LIST, FIELD(device_cgroup_rules), "TYPE MAJOR:MINOR ACCESS", "Allow devices by number"},
	{"image-volume", 0, OPTION_STRING, FIELD(image_volume), "MODE", "Volumes that the image declares: anonymous, tmpfs or ignore"},
	{"mount", 0, OPTION_LIST, FIELD(mounts), "type=TYPE,...", "Mount a bind, volume, tmpfs, ramfs, image, devpts or glob, in words"},
	{"chrootdirs", 0, OPTION_CSV, FIELD(chroot_dirs), "DIR", "Put the generated files below this directory too"},
	{"shm-size", 0, OPTION_STRING, FIELD(shm_size), "SIZE", "Size of /dev/shm"},
	{"shm-size-systemd", 0, OPTION_STRING, FIELD(shm_size_systemd), "SIZE", "Size of each tmpfs of systemd mode"},
	{"tmpfs", 0, OPTION_LIST, FIELD(tmpfs), "DIR[:OPTIONS]", "Mount a tmpfs"},
	{"volume", 'v', OPTION_LIST, FIELD(volumes), "[SOURCE:]DIR[:OPTIONS]", "Mount a directory of the host, a volume, or a fresh volume"},

	/* network */
	{"add-host", 0, OPTION_CSV, FIELD(add_hosts), "NAME:ADDRESS", "Add a line to /etc/hosts"},
	{"dns", 0, OPTION_CSV, FIELD(dns), "ADDRESS", "Name server"},
	{"dns-option", 0, OPTION_CSV, FIELD(dns_options), "OPTION", "Option of the resolver"},
	{"dns-opt", 0, OPTION_CSV, FIELD(dns_options), "OPTION", "The same as --dns-option", .hidden = true},
	{"dns-search", 0, OPTION_CSV, FIELD(dns_searches), "DOMAIN", "Search domain"},
	{"expose", 0, OPTION_CSV, FIELD(expose), "PORT", "Note a port that the container listens on"},
	{"hostname", 'h', OPTION_STRING, FIELD(hostname), "NAME", "Host name"},
	{"hosts-file", 0, OPTION_STRING, FIELD(hosts_file), "FILE", "Start /etc/hosts with these lines: a path, image or none"},
	{"ip", 0, OPTION_STRING, FIELD(ip), "ADDRESS", "IPv4 address"},
	{"mac-address", 0, OPTION_STRING, FIELD(mac_address), "ADDRESS", "MAC address"},
	{"network", 0, OPTION_LIST, FIELD(networks), "MODE", "bridge, none, host"},
	{"net", 0, OPTION_LIST, FIELD(networks), "MODE", "The same as --network", .hidden = true},
	{"no-hostname", 0, OPTION_BOOL, FIELD(no_hostname), NULL, "Leave /etc/hostname as the image has it"},
	{"no-hosts", 0, OPTION_BOOL, FIELD(no_hosts), NULL, "Leave /etc/hosts as the image has it"},
	{"publish", 'p', OPTION_CSV, FIELD(publish), "[[ADDRESS:]PORT:]PORT[/PROTOCOL]", "Publish a port on the host"},

	/* limits */
	LIMIT_OPTION_ROWS(LIMIT),
	{"cgroup-conf", 0, OPTION_CSV, FIELD(cgroup_conf), "KEY=VALUE", "Write a file of the cgroup, such as memory.oom.group=1"},
	{"cgroup-parent", 0, OPTION_STRING, FIELD(cgroup_parent), "PARENT", "Where in the cgroup tree: a slice, or a path without systemd"},

	/* supervision */
	{"cgroups", 0, OPTION_STRING, FIELD(cgroups), "MODE", "enabled, disabled, no-conmon, split"},
	{"log-driver", 0, OPTION_STRING, FIELD(log_driver), "DRIVER", "journald, k8s-file, none"},
	{"log-opt", 0, OPTION_LIST, FIELD(log_opts), "KEY=VALUE", "Option of the log driver"},
	{"restart", 0, OPTION_STRING, FIELD(restart), "POLICY", "no, on-failure[:N], always, unless-stopped"},
	{"sdnotify", 0, OPTION_STRING, FIELD(sdnotify), "MODE", "Who tells systemd: conmon, container, ignore"},

	/* off is what podctl does */
	{"disable-content-trust", 0, OPTION_REFUSED_BOOL, 0, NULL, "a word of another program without a meaning here"},
	{"oom-kill-disable", 0, OPTION_CALL, 0, NULL, "cgroup v2 has no such switch", refuse_true, "true", true},
	{"publish-all", 'P', OPTION_CALL, 0, NULL, "name the ports with --publish", refuse_true, "true", true},

	/* refused */
	REFUSED_LIMIT_ROWS,
	{"intel-rdt-closid", 0, OPTION_REFUSED, 0, NULL, "cache allocation is not offered"},
	{"rdt-class", 0, OPTION_REFUSED, 0, NULL, "cache allocation is not offered"},
	{"arch", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"authfile", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"cert-dir", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"creds", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"decryption-key", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"gpus", 0, OPTION_REFUSED, 0, NULL, NO_DEVICE},
	REFUSED_HEALTH_ROWS,
	{"healthcheck-command", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH},
	{"healthcheck-interval", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH},
	{"healthcheck-retries", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH},
	{"healthcheck-start-period", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH},
	{"healthcheck-timeout", 0, OPTION_REFUSED, 0, NULL, NO_HEALTH},
	{"ip6", 0, OPTION_REFUSED, 0, NULL, NO_NETWORK},
	{"link-local-ip", 0, OPTION_REFUSED, 0, NULL, NO_NETWORK},
	{"network-alias", 0, OPTION_REFUSED, 0, NULL, NO_NETWORK},
	{"os", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"override-arch", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"override-os", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"override-variant", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"platform", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"retry", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"retry-delay", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"secret", 0, OPTION_REFUSED, 0, NULL, "secrets are not there yet"},
	{"signature-policy", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"storage-opt", 0, OPTION_REFUSED, 0, NULL, "not there yet"},
	{"tls-verify", 0, OPTION_REFUSED_BOOL, 0, NULL, NO_PULL},
	{"variant", 0, OPTION_REFUSED, 0, NULL, NO_PULL},
	{"volumes-from", 0, OPTION_REFUSED, 0, NULL, NO_VOLUME},
	{NULL},
};
/* clang-format on */

#undef FIELD
#undef LIMIT
#define FIELD(member) offsetof(PodSpec, member)
#define LIMIT(member) offsetof(PodSpec, limits.member)

/* clang-format off */
const OptionRow pod_spec_options[] = {
	{"add-host", 0, OPTION_CSV, FIELD(add_hosts), "NAME:ADDRESS", "Add a line to /etc/hosts"},
	{"dns", 0, OPTION_CSV, FIELD(dns), "ADDRESS", "Name server"},
	{"dns-option", 0, OPTION_CSV, FIELD(dns_options), "OPTION", "Option of the resolver"},
	{"dns-opt", 0, OPTION_CSV, FIELD(dns_options), "OPTION", "The same as --dns-option", .hidden = true},
	{"dns-search", 0, OPTION_CSV, FIELD(dns_searches), "DOMAIN", "Search domain"},
	{"device", 0, OPTION_LIST, FIELD(devices), "HOST[:INSIDE][:rwm]", "Show a device of the host to every member"},
	{"exit-policy", 0, OPTION_STRING, FIELD(exit_policy), "POLICY", "When the last member ends: continue or stop"},
	{"hostname", 'h', OPTION_STRING, FIELD(hostname), "NAME", "Host name of the pod"},
	{"hosts-file", 0, OPTION_STRING, FIELD(hosts_file), "FILE", "Start /etc/hosts with these lines: a path, image or none"},
	{"infra", 0, OPTION_BOOL, FIELD(infra), NULL, "Make an infra container (default)"},
	{"infra-conmon-pidfile", 0, OPTION_STRING, FIELD(infra_pidfile), "FILE", "Write the process id of the infra container to a file"},
	{"infra-name", 0, OPTION_STRING, FIELD(infra_name), "NAME", "Name of the infra container"},
	{"ip", 0, OPTION_STRING, FIELD(ip), "ADDRESS", "IPv4 address"},
	{"label", 'l', OPTION_LIST, FIELD(labels), "KEY=VALUE", "Set a label"},
	{"label-file", 0, OPTION_LIST, FIELD(label_files), "FILE", "Read labels from a file"},
	{"mac-address", 0, OPTION_STRING, FIELD(mac_address), "ADDRESS", "MAC address"},
	{"name", 'n', OPTION_STRING, FIELD(name), "NAME", "Name of the pod"},
	{"network", 0, OPTION_LIST, FIELD(networks), "MODE", "bridge, none, host"},
	{"net", 0, OPTION_LIST, FIELD(networks), "MODE", "The same as --network", .hidden = true},
	{"no-hostname", 0, OPTION_BOOL, FIELD(no_hostname), NULL, "Leave /etc/hostname as the images have it"},
	{"no-hosts", 0, OPTION_BOOL, FIELD(no_hosts), NULL, "Leave /etc/hosts as the images have it"},
	{"pod-id-file", 0, OPTION_STRING, FIELD(pod_id_file), "FILE", "Write the pod's id to a file"},
	{"publish", 'p', OPTION_CSV, FIELD(publish), "[[ADDRESS:]PORT:]PORT[/PROTOCOL]", "Publish a port on the host"},
	{"replace", 0, OPTION_BOOL, FIELD(replace), NULL, "Remove a pod of the same name first"},
	{"restart", 0, OPTION_STRING, FIELD(restart), "POLICY", "Restart policy of members that have none"},
	{"security-opt", 0, OPTION_LIST, FIELD(security_opt), "OPTION", "Set a security option of every member"},
	{"share", 0, OPTION_STRING, FIELD(share), "NAMESPACES", "Namespaces that members share: net, ipc, uts, pid, cgroup, user, none; +x and -x change the default"},
	{"shm-size", 0, OPTION_STRING, FIELD(shm_size), "SIZE", "Size of /dev/shm"},
	{"sysctl", 0, OPTION_CSV, FIELD(sysctls), "KEY=VALUE", "Set a kernel parameter of the pod's namespaces"},
	{"volume", 'v', OPTION_LIST, FIELD(volumes), "[SOURCE:]DIR[:OPTIONS]", "Mount a directory of the host or a volume into every member"},

	LIMIT_OPTION_ROWS(LIMIT),
	{"cgroup-parent", 0, OPTION_STRING, FIELD(cgroup_parent), "PARENT", "Where in the cgroup tree: a slice, or a path without systemd"},

	{"share-parent", 0, OPTION_REFUSED_BOOL, 0, NULL, "members always share the pod's cgroup"},
	{"pid", 0, OPTION_STRING, FIELD(pid_mode), "MODE", "PID namespace of the pod: private, host, ns:PATH"},
	{"uts", 0, OPTION_STRING, FIELD(uts_mode), "MODE", "UTS namespace of the pod: private, host, ns:PATH"},
	{"userns", 0, OPTION_STRING, FIELD(user_ns), "MODE", "User namespace of the pod: host, auto, keep-id, private"},
	{"uidmap", 0, OPTION_CSV, FIELD(uid_maps), "INSIDE:OUTSIDE[:COUNT]", "Map user ids in a user namespace"},
	{"gidmap", 0, OPTION_CSV, FIELD(gid_maps), "INSIDE:OUTSIDE[:COUNT]", "Map group ids in a user namespace"},
	{"subuidname", 0, OPTION_STRING, FIELD(subuid_name), "NAME", "Map the user ids that /etc/subuid has for a name"},
	{"subgidname", 0, OPTION_STRING, FIELD(subgid_name), "NAME", "Map the group ids that /etc/subgid has for a name"},

	{"gpus", 0, OPTION_REFUSED, 0, NULL, NO_DEVICE},
	{"infra-command", 0, OPTION_REFUSED, 0, NULL, "the infra container is podctl-pause"},
	{"infra-image", 0, OPTION_REFUSED, 0, NULL, "the infra container needs no image"},
	{"ip6", 0, OPTION_REFUSED, 0, NULL, NO_NETWORK},
	{"network-alias", 0, OPTION_REFUSED, 0, NULL, NO_NETWORK},
	{"volumes-from", 0, OPTION_REFUSED, 0, NULL, NO_VOLUME},
	{NULL},
};
/* clang-format on */
