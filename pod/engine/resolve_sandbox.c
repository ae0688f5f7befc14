/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process may do: capabilities, seccomp, masks. Names from images never widen it. */
#include "base/module.h"
#include "base/options.h"
#include "base/parse.h"
#include "engine/resolve.h"

#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

/* Bits of a capability list; "all" sets *ret_all. A name given that the caller lacks is an error.
 */
static bool parse_capabilities(
	char *const *names, const char *option, uint64_t *ret_bits, bool *ret_all, GError **err) {
	uint64_t bits = 0;
	bool all = false;

	for (; names && *names; names++) {
		if (g_ascii_strcasecmp(*names, "all") == 0) {
			all = true;
			continue;
		}
		int capability = runtime_capability_from_string(*names);
		if (capability < 0)
			return fail(err, ERROR_INVALID, "unknown capability \"%s\" in \"--%s\"",
				*names, option);
		bits |= UINT64_C(1) << capability;
	}
	*ret_bits = bits;
	*ret_all = all;
	return true;
}

static bool resolve_capabilities(const ContainerSpec *spec, RuntimeConfig *config, GError **err) {
	uint64_t added, dropped, ours = runtime_capabilities_all();
	bool add_all, drop_all;

	if (!parse_capabilities(spec->cap_add, "cap-add", &added, &add_all, err) ||
		!parse_capabilities(spec->cap_drop, "cap-drop", &dropped, &drop_all, err))
		return false;
	if (add_all && drop_all)
		return fail(err, ERROR_INVALID, "cannot both add and drop all capabilities");
	if (added & dropped)
		return fail(err, ERROR_INVALID, "capability \"%s\" is both added and dropped",
			runtime_capability_to_string(__builtin_ctzll(added & dropped)));
	if (added & ~ours)
		return fail(err, ERROR_INVALID,
			"cannot add capability \"%s\": podctl itself does not have it",
			runtime_capability_to_string(__builtin_ctzll(added & ~ours)));
	uint64_t base = spec->privileged || add_all ? ours : runtime_capabilities_default() & ours;
	config->capabilities = ((drop_all ? 0 : base) | added) & ~dropped;
	config->ambient_capabilities = add_all ? ours & ~dropped : added;
	return true;
}

typedef struct Masking {
	char **masked;   /* added by mask= */
	char **unmasked; /* patterns of unmask= */
	bool none;       /* unmask=ALL */
} Masking;

static void masking_clear(Masking *masking) {
	g_strfreev(masking->masked);
	g_strfreev(masking->unmasked);
}

static bool append_paths(char ***list, const char *paths, const char *option, GError **err) {
	g_auto(GStrv) parts = g_strsplit(paths, ":", -1);

	for (char **part = parts; *part; part++) {
		if (**part != '/')
			return fail(err, ERROR_INVALID,
				"\"%s\" in \"--security-opt %s\" is not absolute", *part, option);
		options_append(list, *part);
	}
	return true;
}

static bool security_no_new_privs(const char *option, RuntimeConfig *config, GError **err) {
	const char *value = option + strlen("no-new-privileges");

	if (!*value) {
		config->no_new_privs = true;
		return true;
	}
	if (!strchr("=:", *value) || !parse_bool(value + 1, &config->no_new_privs))
		return fail(err, ERROR_INVALID, "invalid value in \"--security-opt %s\"", option);
	return true;
}

static bool security_seccomp(const char *value, RuntimeConfig *config) {
	g_free(config->seccomp_profile);
	config->seccomp_profile = NULL;
	config->seccomp = SECCOMP_PROFILE;
	if (strcmp(value, "unconfined") == 0)
		config->seccomp = SECCOMP_UNCONFINED;
	else if (strcmp(value, "podman") == 0)
		config->seccomp_profile = g_strdup("/usr/share/containers/seccomp.json");
	else if (*value)
		config->seccomp_profile = g_canonicalize_filename(value, NULL);
	return true;
}

/* Asking for confinement that the kernel cannot give is never passed over (security.md A13). */
static bool security_label(const char *option, GError **err) {
	static const char *const keys[] = {
		"disable", "nested", "type:", "level:", "user:", "role:", "filetype:"};
	const char *value = option + strlen("label=");
	bool known = false;

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
		known = known || g_str_has_prefix(value, keys[i]);
	if (!known)
		return fail(err, ERROR_INVALID, "unknown \"--security-opt %s\"", option);
	if (access("/sys/fs/selinux/enforce", F_OK) != 0)
		return fail(err, ERROR_UNSUPPORTED,
			"\"--security-opt %s\" is not supported here: the kernel has no SELinux "
			"policy loaded",
			option);
	return fail(err, ERROR_UNSUPPORTED, "\"--security-opt %s\" is not supported yet", option);
}

static bool security_apparmor(const char *option, GError **err) {
	g_autofree char *enabled = NULL;

	if (!g_file_get_contents("/sys/module/apparmor/parameters/enabled", &enabled, NULL, NULL) ||
		enabled[0] != 'Y')
		return fail(err, ERROR_UNSUPPORTED,
			"\"--security-opt %s\" is not supported here: the kernel has no AppArmor",
			option);
	return fail(err, ERROR_UNSUPPORTED, "\"--security-opt %s\" is not supported yet", option);
}

static bool security_option(
	const char *option, RuntimeConfig *config, Masking *masking, GError **err) {
	if (g_str_has_prefix(option, "no-new-privileges"))
		return security_no_new_privs(option, config, err);
	if (g_str_has_prefix(option, "seccomp="))
		return security_seccomp(option + strlen("seccomp="), config);
	if (g_str_has_prefix(option, "mask="))
		return append_paths(&masking->masked, option + strlen("mask="), "mask=", err);
	if (g_ascii_strcasecmp(option, "unmask=ALL") == 0 ||
		strcmp(option, "systempaths=unconfined") == 0) {
		masking->none = true;
		return true;
	}
	if (g_str_has_prefix(option, "proc-opts=")) {
		g_strfreev(config->proc_options);
		config->proc_options = NULL;
		return spec_parse_proc_options(
			option + strlen("proc-opts="), &config->proc_options, err);
	}
	if (g_str_has_prefix(option, "unmask="))
		return append_paths(&masking->unmasked, option + strlen("unmask="), "unmask=", err);
	/* no label is set by podctl yet, so "disable" asks for what is the case */
	if (strcmp(option, "label=disable") == 0 || strcmp(option, "apparmor=unconfined") == 0)
		return true;
	if (g_str_has_prefix(option, "label="))
		return security_label(option, err);
	if (g_str_has_prefix(option, "apparmor="))
		return security_apparmor(option, err);
	return fail(err, ERROR_INVALID, "unknown \"--security-opt %s\"", option);
}

static bool is_unmasked(const Masking *masking, const char *path) {
	for (char **pattern = masking->unmasked; pattern && *pattern; pattern++)
		if (fnmatch(*pattern, path, FNM_PATHNAME) == 0)
			return true;
	return masking->none;
}

static void resolve_masks(const Masking *masking, RuntimeConfig *config) {
	for (const char *const *path = runtime_masked_paths(); *path; path++)
		if (!is_unmasked(masking, *path))
			options_append(&config->masked_paths, *path);
	for (char **path = masking->masked; path && *path; path++)
		options_append(&config->masked_paths, *path);
	for (const char *const *path = runtime_read_only_paths(); *path; path++)
		if (!is_unmasked(masking, *path))
			options_append(&config->read_only_paths, *path);
}

bool resolve_sandbox(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	Masking masking = {0};
	bool good = true;

	config->privileged = spec->privileged;
	config->seccomp = spec->privileged ? SECCOMP_UNCONFINED : SECCOMP_PROFILE;
	/* a pod's security options hold for every member; the member's own come last and win */
	char *const *lists[] = {
		input->pod ? input->pod->definition->spec->security_opt : NULL, spec->security_opt};
	for (size_t i = 0; i < 2; i++)
		for (char *const *option = lists[i]; good && option && *option; option++)
			good = security_option(*option, config, &masking, err);
	if (good && !spec->privileged)
		resolve_masks(&masking, config);
	if (is_unmasked(&masking, "/sys/fs/cgroup"))
		config->cgroup_writable = true;
	masking_clear(&masking);
	if (!good || !resolve_capabilities(spec, config, err))
		return false;
	bool own_profile = config->seccomp == SECCOMP_PROFILE && config->seccomp_profile;
	if (config->seccomp == SECCOMP_PROFILE && !config->seccomp_profile)
		config->seccomp_profile = module_data_path("seccomp.json");
	config->seccomp_cache_dir = engine_run_dir(input->engine, "seccomp");
	/* the user's own profile is tried before anything is made */
	if (own_profile && !input->container->object)
		return runtime_seccomp_check(config->seccomp_profile, config->seccomp_cache_dir,
			config->capabilities, err);
	return true;
}
