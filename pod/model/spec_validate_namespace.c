/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which namespace modes an option takes, and which go together, as podman has it. See
 * namespace_mode.h. */
#include "base/cleanup.h"
#include "model/namespace_mode.h"
#include "model/spec_parse.h"
#include "model/spec_validate_parts.h"

#include <sched.h>
#include <string.h>

#define KIND(kind) (1u << (kind))

enum {
	ANY = KIND(NAMESPACE_DEFAULT) | KIND(NAMESPACE_PRIVATE) | KIND(NAMESPACE_HOST) |
	      KIND(NAMESPACE_PATH),
	JOINS = KIND(NAMESPACE_CONTAINER) | KIND(NAMESPACE_POD),
	IPC = KIND(NAMESPACE_SHAREABLE) | KIND(NAMESPACE_NONE),
};

typedef struct ModeCheck {
	const char *option, *value;
	unsigned kinds;
} ModeCheck;

static bool check_mode(const ModeCheck *check, NamespaceMode *ret_mode, GError **err) {
	if (!spec_parse_namespace(check->value, ret_mode, err))
		return fail_prefix(err, "--%s", check->option);
	return (check->kinds & KIND(ret_mode->kind)) ||
	       fail(err, ERROR_INVALID, "--%s: bad value \"%s\"", check->option, check->value);
}

/* The options of one user namespace, a container's or a pod's. */
typedef struct UserOptions {
	const char *user_ns;
	char *const *uid_maps, *const *gid_maps;
	const char *subuid_name, *subgid_name;
} UserOptions;

static bool is_name(const char *name) {
	return *name && !strpbrk(name, ":\n/ \t");
}

static bool check_maps(const UserOptions *options, GError **err) {
	const struct {
		const char *option;
		char *const *rows;
		bool group;
	} lists[] = {{"uidmap", options->uid_maps, false}, {"gidmap", options->gid_maps, true}};
	const struct {
		const char *option, *name;
	} names[] = {{"subuidname", options->subuid_name}, {"subgidname", options->subgid_name}};
	bool named = options->subuid_name || options->subgid_name;

	array_foreach (row, names)
		if (row->name && !is_name(row->name))
			return fail(err, ERROR_INVALID, "--%s: bad value \"%s\": it is no name",
				row->option, row->name);
	array_foreach (list, lists) {
		IdMap map = {0};
		uint32_t outside;

		/* what "+" extends is known only when the file has been read */
		if (named)
			id_map_append(&map, 0, 1, 1);
		bool good = spec_parse_id_map(list->rows, list->group, &map, err) &&
			    (map.n == 0 || named || id_map_check(&map, "the list", err));
		if (good && map.n > 0 && !named && !id_map_to_outside(&map, 0, &outside))
			good = fail(err, ERROR_UNSUPPORTED,
				"bad value \"%s\": no row maps id 0, and a container without "
				"root is not supported",
				list->rows[0]);
		id_map_clear(&map);
		if (!good)
			return fail_prefix(err, "--%s", list->option);
	}
	return true;
}

static bool check_auto_maps(const UserNsRequest *request, GError **err) {
	return (request->uid_map.n == 0 || id_map_check(&request->uid_map, "uidmapping", err)) &&
	       (request->gid_map.n == 0 || id_map_check(&request->gid_map, "gidmapping", err));
}

static bool check_user(const UserOptions *options, UserNsRequest *request, GError **err) {
	const char *mapping = options->uid_maps      ? "uidmap"
			      : options->gid_maps    ? "gidmap"
			      : options->subuid_name ? "subuidname"
			      : options->subgid_name ? "subgidname"
						     : NULL;

	if (!check_maps(options, err))
		return false;
	if (!spec_parse_userns(options->user_ns, request, err))
		return fail_prefix(err, "--userns");
	if (request->kind == USERNS_NOMAP)
		return fail(err, ERROR_UNSUPPORTED,
			"--userns=nomap is only for users who are not root");
	if (mapping && options->user_ns && request->kind != USERNS_PRIVATE)
		return fail(err, ERROR_INVALID, "--userns=%s conflicts with --%s", options->user_ns,
			mapping);
	if (request->kind == USERNS_PRIVATE && !mapping)
		return fail(err, ERROR_INVALID,
			"--userns=private needs at least one id map: --uidmap, --gidmap, "
			"--subuidname or --subgidname");
	return check_auto_maps(request, err) || fail_prefix(err, "--userns=%s", options->user_ns);
}

static bool check_with_pod(const ContainerSpec *spec, bool user, GError **err) {
	bool member = spec->pod != NULL;

	if (member && user && !g_str_has_prefix(spec->pod, "new:"))
		return fail(err, ERROR_INVALID,
			"--%s cannot be used with --pod: it must be given when the pod is created",
			spec->user_ns       ? "userns"
			: spec->uid_maps    ? "uidmap"
			: spec->gid_maps    ? "gidmap"
			: spec->subuid_name ? "subuidname"
					    : "subgidname");
	return true;
}

bool container_spec_validate_namespaces(const ContainerSpec *spec, GError **err) {
	const ModeCheck modes[] = {
		{"pid", spec->pid_mode, ANY | JOINS},
		{"ipc", spec->ipc_mode, ANY | JOINS | IPC},
		{"uts", spec->uts_mode, ANY | JOINS},
		{"cgroupns", spec->cgroup_ns, ANY | JOINS},
	};
	const UserOptions user = {spec->user_ns, spec->uid_maps, spec->gid_maps, spec->subuid_name,
		spec->subgid_name};
	UserNsRequest request = {0};
	bool mapped = spec->uid_maps || spec->gid_maps || spec->subuid_name || spec->subgid_name;

	array_foreach (check, modes) {
		NamespaceMode mode;

		if (!check_mode(check, &mode, err))
			return false;
		if (mode.kind == NAMESPACE_POD && !spec->pod)
			return fail(err, ERROR_INVALID, "--%s=pod needs --pod", check->option);
		if (mode.kind == NAMESPACE_NONE && spec->shm_size)
			return fail(err, ERROR_INVALID,
				"--shm-size conflicts with --ipc=none, which has no /dev/shm");
		if (strcmp(check->option, "uts") == 0 && spec->hostname &&
			(mode.kind == NAMESPACE_HOST || mode.kind == NAMESPACE_CONTAINER ||
				mode.kind == NAMESPACE_POD || mode.kind == NAMESPACE_PATH))
			return fail(err, ERROR_INVALID, "--hostname conflicts with --uts=%s",
				check->value);
	}
	bool good = check_user(&user, &request, err) &&
		    check_with_pod(spec, mapped || request.kind != USERNS_HOST, err);
	userns_request_clear(&request);
	return good;
}

bool pod_spec_validate_namespaces(const PodSpec *spec, GError **err) {
	const ModeCheck modes[] = {
		{"pid", spec->pid_mode, ANY},
		{"uts", spec->uts_mode, ANY},
	};
	const UserOptions user = {spec->user_ns, spec->uid_maps, spec->gid_maps, spec->subuid_name,
		spec->subgid_name};
	const int flags[] = {CLONE_NEWPID, CLONE_NEWUTS};
	UserNsRequest request = {0};
	NamespaceMode mode;
	int shared = 0;

	if (!spec_parse_share(spec->share, &shared, err))
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
		if (!check_mode(&modes[i], &mode, err))
			return false;
		if (mode.kind != NAMESPACE_DEFAULT && !(shared & flags[i]))
			return fail(err, ERROR_INVALID,
				"--%s=%s needs a pod that shares that namespace: --share +%s",
				modes[i].option, modes[i].value, modes[i].option);
	}
	if (spec->hostname && (mode.kind == NAMESPACE_HOST || mode.kind == NAMESPACE_PATH))
		return fail(
			err, ERROR_INVALID, "--hostname conflicts with --uts=%s", spec->uts_mode);
	bool good = check_user(&user, &request, err);
	if (good && (request.kind == USERNS_CONTAINER || request.kind == USERNS_PATH))
		good = fail(err, ERROR_INVALID,
			"--userns: bad value \"%s\" for a pod: it owns its user namespace",
			spec->user_ns);
	userns_request_clear(&request);
	return good;
}
