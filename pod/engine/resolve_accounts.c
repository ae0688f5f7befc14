/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the container's account files need further lines: podman's --passwd, --hostuser and
 * group_entry. The lines themselves are written where the image's files are at hand. */
#include "base/options.h"
#include "base/parse.h"
#include "engine/resolve.h"

#include <limits.h>
#include <pwd.h>
#include <string.h>

/* The first character of NUMBER[:...] or of what follows the colon. */
static bool is_number(const char *text) {
	size_t length = strcspn(text, ":");

	return length > 0 && strspn(text, "0123456789") == length;
}

/* A field of the host's file as one of ours: nothing in it ends a field or a line. */
static char *clean_field(const char *text) {
	char *copy = g_strdup(text ? text : "");

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == ':')
			*p = ' ';
	return copy;
}

static char *host_line(const char *name, GError **err) {
	unsigned uid;
	const struct passwd *entry = is_number(name) && parse_uint(name, UINT_MAX - 1, &uid)
					     ? getpwuid(uid)
					     : getpwnam(name);

	if (!entry) {
		fail(err, ERROR_INVALID, "--hostuser: there is no user \"%s\" on this machine",
			name);
		return NULL;
	}
	g_autofree char *user = clean_field(entry->pw_name), *full = clean_field(entry->pw_gecos),
			*home = clean_field(entry->pw_dir);
	return g_strdup_printf(
		"%s:*:%u:%u:%s:%s:/bin/sh", user, entry->pw_uid, entry->pw_gid, full, home);
}

bool resolve_host_users(const ContainerSpec *spec, char ***ret_lines, GError **err) {
	g_auto(GStrv) lines = NULL;

	for (char **name = spec->host_users; name && *name; name++) {
		g_autofree char *line = host_line(*name, err);
		if (!line)
			return false;
		options_append(&lines, line);
	}
	if (ret_lines)
		*ret_lines = g_steal_pointer(&lines);
	return true;
}

static bool has_mount(const RuntimeConfig *config, const char *destination) {
	for (size_t i = 0; i < config->n_mounts; i++)
		if (strcmp(config->mounts[i]->destination, destination) == 0)
			return true;
	return false;
}

bool resolve_accounts(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	RuntimeAccounts *accounts = &config->accounts;
	const char *colon = strchr(config->user, ':');

	if (spec->passwd == 0)
		return true;
	g_autofree char *data = store_data_location(input->container->object);
	if (!resolve_host_users(spec, &accounts->host_users, err))
		return false;
	accounts->passwd_entry = g_strdup(spec->passwd_entry);
	accounts->group_entry = g_strdup(spec->group_entry);
	if ((is_number(config->user) || accounts->host_users) && !has_mount(config, "/etc/passwd"))
		accounts->passwd_file = g_build_filename(data, "files", "passwd", NULL);
	if (((colon && is_number(colon + 1)) || (is_number(config->user) && spec->group_entry)) &&
		!has_mount(config, "/etc/group"))
		accounts->group_file = g_build_filename(data, "files", "group", NULL);
	return true;
}
