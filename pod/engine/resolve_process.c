/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What runs: command line, environment, user and directory, from the image and the user's words. */
#include "base/json.h"
#include "base/options.h"
#include "base/parse.h"
#include "engine/resolve.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INIT_MOUNT "/run/podctl-init"

static void append_all(char ***list, char *const *words) {
	for (; words && *words; words++)
		options_append(list, *words);
}

/* --entrypoint: a JSON array of words, or one word. */
static bool append_entrypoint(char ***argv, const char *entrypoint, GError **err) {
	if (entrypoint[0] != '[') {
		if (*entrypoint)
			options_append(argv, entrypoint);
		return true;
	}
	json_auto_t *words = json_parse(entrypoint, strlen(entrypoint), "--entrypoint", NULL);
	size_t index;
	json_t *word;
	if (!json_is_array(words)) {
		/* podman takes text that is no JSON array as one word */
		options_append(argv, entrypoint);
		return true;
	}
	json_array_foreach (words, index, word) {
		if (!json_is_string(word))
			return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"--entrypoint\"",
				entrypoint);
		options_append(argv, json_string_value(word));
	}
	return true;
}

/* podman's rule: a new entry point drops the image's command as well. */
static bool resolve_argv(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	const ImageConfig *image = input->image;
	bool has_command = spec->command && spec->command[0];

	if (spec->entrypoint) {
		if (!append_entrypoint(&config->argv, spec->entrypoint, err))
			return false;
	} else if (image) {
		append_all(&config->argv, image->entrypoint);
	}
	if (has_command)
		append_all(&config->argv, spec->command);
	else if (image && !spec->entrypoint)
		append_all(&config->argv, image->command);
	if (!config->argv)
		return fail(err, ERROR_INVALID,
			"there is no command to run: give one after the image, or an image with "
			"CMD or ENTRYPOINT");
	return true;
}

static void drop_names(char **env, char *const *names) {
	char **kept = env;

	for (char **entry = env; entry && *entry; entry++) {
		bool drop = false;
		for (char *const *name = names; name && *name; name++)
			drop = drop ||
			       (g_str_has_prefix(*entry, *name) && (*entry)[strlen(*name)] == '=');
		if (drop)
			g_free(*entry);
		else
			*kept++ = *entry;
	}
	if (env)
		*kept = NULL;
}

/* Rises with podman's order: the caller's, podctl's own, the image's. */
static void add_image_env(const ImageConfig *image, char ***env) {
	for (char **entry = image ? image->env : NULL; entry && *entry; entry++)
		if (env_image_entry_ok(*entry))
			env_put(env, *entry);
}

static void merge_env(char ***env, char *const *requests) {
	for (; requests && *requests; requests++) {
		g_autofree char *assignment = env_expand(*requests, *env);
		env_put(env, assignment);
	}
}

static void resolve_env(const ResolveInput *input, RuntimeConfig *config) {
	const ContainerDefinition *definition = input->container->definition;
	const ContainerSpec *spec = definition->spec;
	g_autofree char *hostname = resolve_hostname(input->container, input->pod);
	g_autofree char *assignment = g_strconcat("HOSTNAME=", hostname, NULL);

	if (!spec->unset_env_all) {
		env_put(&config->env, "PATH=" PROC_DEFAULT_PATH);
		env_put(&config->env, "container=podctl");
		if (spec->tty)
			env_put(&config->env, "TERM=xterm");
	}
	for (char **entry = spec->host_env; entry && *entry; entry++)
		env_put(&config->env, *entry);
	if (!spec->unset_env_all) {
		add_image_env(input->image, &config->env);
		merge_env(&config->env, spec->env_merge);
	}
	if (resolve_is_systemd(spec, config->argv)) {
		g_autofree char *uuid = g_strdup_printf("container_uuid=%.32s", definition->id);
		env_put(&config->env, uuid);
	}
	drop_names(config->env, spec->unset_env);
	env_put(&config->env, assignment);
	for (char **entry = spec->env; entry && *entry; entry++)
		env_put(&config->env, *entry);
}

/* --group-add=keep-groups: those of the caller, as they are when the container starts. */
static bool keep_groups(RuntimeConfig *config, GError **err) {
	int count = getgroups(0, NULL);

	config->additional_gids = g_new0(gid_t, (size_t)MAX(count, 0) + 1);
	count = getgroups(count, config->additional_gids);
	if (count < 0)
		return fail_errno(err, errno, "cannot read the caller's groups");
	config->n_additional_gids = (size_t)count;
	return true;
}

/* --init: podctl's own is no file of the container; another program is mounted for it. */
static bool resolve_init(const ContainerSpec *spec, RuntimeConfig *config, GError **err) {
	struct stat info;

	if (!spec->init)
		return true;
	if (!spec->init_path) {
		config->init = true;
		return true;
	}
	if (stat(spec->init_path, &info) < 0)
		return fail_errno(err, errno, "cannot use \"--init-path=%s\"", spec->init_path);
	if (!S_ISREG(info.st_mode) || !(info.st_mode & 0111) || info.st_uid != 0 ||
		(info.st_mode & 0022))
		return fail(err, ERROR_INVALID,
			"cannot use \"--init-path=%s\": it is no program that belongs to root and "
			"that nobody else can write",
			spec->init_path);
	char **words = config->argv;
	config->argv = NULL;
	options_append(&config->argv, INIT_MOUNT);
	options_append(&config->argv, "--");
	append_all(&config->argv, words);
	g_strfreev(words);
	RuntimeMount *mount = runtime_mount_new(MOUNT_BIND, spec->init_path, INIT_MOUNT);
	mount->read_only = true;
	runtime_config_add_mount(config, mount);
	return true;
}

bool resolve_process(const ResolveInput *input, RuntimeConfig *config, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	const ImageConfig *image = input->image;

	if (!resolve_argv(input, config, err))
		return false;
	resolve_env(input, config);
	if (!resolve_init(spec, config, err))
		return false;
	const char *cwd = spec->workdir ? spec->workdir : image ? image->working_dir : NULL;
	if (cwd && *cwd && *cwd != '/')
		return fail(
			err, ERROR_INVALID, "the working directory \"%s\" is not absolute", cwd);
	config->cwd = g_strdup(cwd && *cwd ? cwd : "/");
	config->make_cwd = !spec->workdir;
	const char *user = spec->user ? spec->user : image ? image->user : NULL;
	config->user = g_strdup(user ? user : "");
	if (spec->group_add && strcmp(spec->group_add[0], "keep-groups") == 0) {
		if (!keep_groups(config, err))
			return false;
	} else {
		config->additional_groups = g_strdupv(spec->group_add);
	}
	config->terminal = spec->tty;
	if (spec->personality &&
		!spec_parse_personality(spec->personality, &config->personality, err))
		return false;
	if (spec->umask && (!parse_mode(spec->umask, &config->umask) || config->umask > 0777))
		return fail(
			err, ERROR_INVALID, "invalid value \"%s\" for \"--umask\"", spec->umask);
	return true;
}
