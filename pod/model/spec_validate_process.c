/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of spec_validate.c that is about the process, its environment, identity and generated
 * files: values first, then what cannot go together. Where podman refuses, this refuses. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "model/names.h"
#include "model/spec_parse.h"
#include "model/spec_validate_parts.h"

#include <string.h>

enum { DESCRIPTORS_MAX = 1020 };

typedef bool (*ValueCheck)(const char *value, GError **err);

static bool fail_value(GError **err, const char *value, const char *reason) {
	return fail(err, ERROR_INVALID, "bad value \"%s\": %s", value, reason);
}

static bool check_merge(const char *value, GError **err) {
	return (strchr(value, '=') && spec_env_name_ok(value)) ||
	       fail_value(err, value, "it is KEY=VALUE");
}

static bool check_unset(const char *value, GError **err) {
	return (*value && !strchr(value, '=')) || fail_value(err, value, "it is a name");
}

static bool check_personality(const char *value, GError **err) {
	unsigned long persona;

	return spec_parse_personality(value, &persona, err);
}

static bool check_timezone(const char *value, GError **err) {
	return !*value || spec_parse_timezone(value, err);
}

static bool check_absolute(const char *value, GError **err) {
	return *value == '/' || fail_value(err, value, "it is not an absolute path");
}

static bool check_hosts_file(const char *value, GError **err) {
	return !*value || *value == '/' || strcmp(value, "image") == 0 ||
	       strcmp(value, "none") == 0 ||
	       fail_value(err, value, "it is an absolute path, image or none");
}

static bool check_init_ctr(const char *value, GError **err) {
	return strcmp(value, "once") == 0 || strcmp(value, "always") == 0 ||
	       fail_value(err, value, "it is once or always");
}

static bool check_systemd(const char *value, GError **err) {
	bool truth;

	return g_ascii_strcasecmp(value, "always") == 0 || parse_bool(value, &truth) ||
	       fail_value(err, value, "it is true, false or always");
}

static bool check_size(const char *value, GError **err) {
	uint64_t bytes;

	return parse_size(value, &bytes) || fail_value(err, value, "it is a size such as 64m");
}

/* One line of an account file, with $VARIABLES of podman in it. */
static bool check_account_entry(const char *value, GError **err) {
	g_auto(GStrv) fields = g_strsplit(value, ":", -1);
	size_t n = g_strv_length(fields);

	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return fail_value(err, value, "it holds a control character");
	return (n == 4 || n == 7) || fail_value(err, value, "it is no line of such a file");
}

static bool check_user(const char *value, GError **err) {
	return spec_check_user(value, err);
}

static bool check_group(const char *value, GError **err) {
	return strcmp(value, "keep-groups") == 0 || spec_check_account(value, "group", err);
}

static bool check_host_user(const char *value, GError **err) {
	return spec_check_account(value, "user", err);
}

static bool check_container_word(const char *value, GError **err) {
	return name_check(value, "container name", err);
}

/* A single string as a list of one; the compound literal lives as long as its block. */
#define ONE(text) ((char *const[]){(text), NULL})

static bool check_values(const ContainerSpec *spec, GError **err) {
	const struct {
		const char *option;
		char *const *values;
		ValueCheck check;
	} rows[] = {
		{"env-merge", spec->env_merge, check_merge},
		{"unsetenv", spec->unset_env, check_unset},
		{"personality", ONE(spec->personality), check_personality},
		{"tz", ONE(spec->timezone), check_timezone},
		{"hosts-file", ONE(spec->hosts_file), check_hosts_file},
		{"chrootdirs", spec->chroot_dirs, check_absolute},
		{"init-ctr", ONE(spec->init_ctr), check_init_ctr},
		{"init-path", ONE(spec->init_path), check_absolute},
		{"systemd", ONE(spec->systemd), check_systemd},
		{"shm-size-systemd", ONE(spec->shm_size_systemd), check_size},
		{"passwd-entry", ONE(spec->passwd_entry), check_account_entry},
		{"group-entry", ONE(spec->group_entry), check_account_entry},
		{"user", ONE(spec->user), check_user},
		{"group-add", spec->group_add, check_group},
		{"hostuser", spec->host_users, check_host_user},
		{"requires", spec->requires, check_container_word},
	};
	g_autofree int *fds = NULL;
	size_t n_fds;

	array_foreach (row, rows)
		for (char *const *value = row->values; value && *value; value++)
			if (!row->check(*value, err))
				return fail_prefix(err, "--%s", row->option);
	if (!spec_parse_fd_list(spec->preserve_fd, &fds, &n_fds, err))
		return fail_prefix(err, "--preserve-fd");
	if (spec->preserve_fds < SPEC_UNSET || spec->preserve_fds > DESCRIPTORS_MAX)
		return fail(err, ERROR_INVALID, "--preserve-fds: bad value \"%d\": it is 0 to %d",
			spec->preserve_fds, DESCRIPTORS_MAX);
	return true;
}

static bool is_systemd_always(const ContainerSpec *spec) {
	return spec->systemd && g_ascii_strcasecmp(spec->systemd, "always") == 0;
}

static bool private_pids(const ContainerSpec *spec) {
	return !spec->pid_mode || !*spec->pid_mode || strcmp(spec->pid_mode, "private") == 0;
}

static bool check_init(const ContainerSpec *spec, GError **err) {
	if (spec->init_path && !spec->init)
		return fail(err, ERROR_INVALID, "--init-path needs --init");
	if (!spec->init)
		return true;
	if (!private_pids(spec))
		return fail(err, ERROR_INVALID,
			"--init conflicts with --pid=%s: it is the first process of a PID "
			"namespace",
			spec->pid_mode);
	if (is_systemd_always(spec))
		return fail(err, ERROR_INVALID, "--init conflicts with --systemd=always");
	return true;
}

static bool check_init_container(const ContainerSpec *spec, GError **err) {
	if (!spec->init_ctr)
		return true;
	if (!spec->pod)
		return fail(err, ERROR_INVALID, "--init-ctr needs --pod");
	if (spec->restart && strcmp(spec->restart, "no") != 0)
		return fail(err, ERROR_INVALID, "--init-ctr conflicts with --restart=%s",
			spec->restart);
	if (spec->remove)
		return fail(err, ERROR_INVALID, "--init-ctr conflicts with --rm");
	return true;
}

static bool check_accounts(const ContainerSpec *spec, GError **err) {
	const struct {
		const char *option;
		bool given;
	} rows[] = {
		{"passwd-entry", spec->passwd_entry != NULL},
		{"group-entry", spec->group_entry != NULL},
		{"hostuser", spec->host_users != NULL},
	};

	array_foreach (row, rows)
		if (row->given && spec->passwd == 0)
			return fail(err, ERROR_INVALID, "--%s conflicts with --passwd=false",
				row->option);
	size_t n = spec->group_add ? g_strv_length(spec->group_add) : 0;
	for (size_t i = 0; i < n; i++)
		if (n > 1 && strcmp(spec->group_add[i], "keep-groups") == 0)
			return fail(err, ERROR_INVALID,
				"--group-add=keep-groups conflicts with another --group-add");
	return true;
}

bool container_spec_validate_process(const ContainerSpec *spec, GError **err) {
	if (!check_values(spec, err) || !check_init(spec, err) ||
		!check_init_container(spec, err) || !check_accounts(spec, err))
		return false;
	if (spec->preserve_fd && spec->preserve_fds > 0)
		return fail(err, ERROR_INVALID, "--preserve-fd conflicts with --preserve-fds");
	if (spec->hosts_file && spec->no_hosts)
		return fail(err, ERROR_INVALID, "--no-hosts conflicts with --hosts-file");
	return true;
}

bool pod_spec_validate_process(const PodSpec *spec, GError **err) {
	if (spec->hosts_file && !check_hosts_file(spec->hosts_file, err))
		return fail_prefix(err, "--hosts-file");
	if (spec->hosts_file && spec->no_hosts)
		return fail(err, ERROR_INVALID, "--no-hosts conflicts with --hosts-file");
	if (!spec->infra && spec->hosts_file)
		return fail(err, ERROR_INVALID, "--hosts-file conflicts with --infra=false");
	if (!spec->infra && spec->no_hostname)
		return fail(err, ERROR_INVALID, "--no-hostname conflicts with --infra=false");
	return true;
}
