/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another process in a running container. It gets the container's credentials and filter, never
 * more, except by --privileged. */
#include "base/cleanup.h"
#include "engine/resolve.h"

#include <string.h>
#include <unistd.h>

RuntimeConfig *resolve_existing(Engine *engine, const Container *container, GError **err) {
	g_autoptr(ImageConfig) image = NULL;
	g_autoptr(RuntimeConfig) config = runtime_config_new();
	g_autoptr(Pod) pod = NULL;
	ResolveInput input = {.engine = engine, .container = container};

	if (container->definition->image_id) {
		ImageStore *images = engine_images(engine, err);
		image = images ? image_lookup(images, container->definition->image_id, err) : NULL;
		if (!image)
			return NULL;
	}
	if (container->definition->pod_id) {
		pod = pod_open(engine, container->definition->pod_id, err);
		if (!pod)
			return NULL;
	}
	input.image = image;
	input.pod = pod;
	if (!resolve_process(&input, config, err) || !resolve_sandbox(&input, config, err))
		return NULL;
	return g_steal_pointer(&config);
}

static bool merge_env(RuntimeConfig *config, const EngineExec *exec, GError **err) {
	g_auto(GStrv) added = g_strdupv(exec->env);

	if (!resolve_environment(&added, exec->env_files, err))
		return false;
	if (exec->tty && !env_get(config->env, "TERM"))
		env_put(&config->env, "TERM=xterm");
	for (char **entry = added; entry && *entry; entry++)
		env_put(&config->env, *entry);
	return true;
}

bool engine_exec(Engine *engine, const char *name, const EngineExec *exec, pid_t *ret_pid,
	int *ret_console_fd, GError **err) {
	g_autoptr(Container) container = container_open(engine, name, err);

	if (!container || !engine_require_root(err))
		return false;
	if (!container_is_running(container))
		return fail(err, ERROR_STATE, "cannot exec in container \"%s\": it is not running",
			container->definition->name);
	g_autoptr(RuntimeConfig) config = resolve_existing(engine, container, err);
	if (!config || !merge_env(config, exec, err))
		return false;
	RuntimeExec request = {
		.target = container->state->init,
		.argv = exec->argv,
		.env = config->env,
		.cwd = exec->workdir ? exec->workdir : config->cwd,
		.user = exec->user ? exec->user : config->user,
		.additional_groups = config->additional_groups,
		.capabilities =
			exec->privileged ? runtime_capabilities_all() : config->capabilities,
		.ambient_capabilities = config->ambient_capabilities,
		.no_new_privs = config->no_new_privs,
		.seccomp = exec->privileged ? SECCOMP_UNCONFINED : config->seccomp,
		.seccomp_profile = config->seccomp_profile,
		.seccomp_cache_dir = config->seccomp_cache_dir,
		.umask = config->umask,
		.cgroup = container->state->cgroup,
		.terminal = exec->tty,
		.stdin_fd = exec->interactive ? exec->in_fd : -1,
		.stdout_fd = exec->out_fd,
		.stderr_fd = exec->err_fd,
	};
	RuntimeChild child = RUNTIME_CHILD_NONE;
	if (!runtime_exec(&request, &child, err))
		return false;
	*ret_pid = child.process.pid;
	*ret_console_fd = steal_fd(&child.console_fd);
	child.process = (ProcId){0};
	runtime_child_clear(&child);
	return true;
}
