/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another process in a running container. It gets the container's credentials and filter, never
 * more, except by --privileged. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/module.h"
#include "engine/resolve.h"
#include "model/names.h"

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
	if (!container_require_running(container, "exec in", err))
		return false;
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
		.personality = config->personality,
		.additional_gids = config->additional_gids,
		.n_additional_gids = config->n_additional_gids,
		.descriptors = engine->passing.rows,
		.n_descriptors = engine->passing.n,
		.cgroup = container->state->cgroup,
		.terminal = exec->tty,
		.rows = exec->rows,
		.columns = exec->columns,
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

enum { WATCH_FD = 8, MESSAGE_SIZE = 4096 };

/* Becomes podctl-watch, with the process's pidfd as 3 and its terminal as 4. */
static bool become_watcher(int pidfd, int console_fd, GError **err) {
	g_autofree char *path = module_path("podctl-watch");
	const char *const argv[] = {path, "exec", NULL};
	const int keep[] = {3, 4};
	size_t n_keep = console_fd >= 0 ? 2 : 1;

	return fd_lift(&pidfd, WATCH_FD, err) && fd_lift(&console_fd, WATCH_FD, err) &&
	       fd_place(pidfd, 3, err) && (console_fd < 0 || fd_place(console_fd, 4, err)) &&
	       fd_null_stdio(true, err) && proc_exec(path, argv, NULL, keep, n_keep, err);
}

/* In a process of its own, which is the parent of the new one. Returns only on failure. */
static bool run_detached(Engine *engine, const char *container, const EngineExec *exec,
	int report_fd, GError **err) {
	ProcId process = {0};
	int console_fd = -1;

	if (!engine_exec(engine, container, exec, &process.pid, &console_fd, err))
		return false;
	/* It runs: what goes wrong from here on is not for the caller. One that has ended already
	 * needs no watcher. */
	fd_send(report_fd, "0 ", 2, -1, NULL);
	if (!proc_start_time(process.pid, &process.start_time))
		_exit(0);
	int pidfd = proc_open(process);
	if (pidfd >= 0)
		become_watcher(pidfd, console_fd, NULL);
	_exit(0);
}

bool engine_exec_detached(Engine *engine, const char *container, const EngineExec *exec,
	char **ret_id, GError **err) {
	_cleanup_close_ int report_fd = -1, child_fd = -1;
	char text[MESSAGE_SIZE];
	int pair[2];

	if (!fd_socket_pair(pair, err))
		return false;
	report_fd = pair[0];
	child_fd = pair[1];
	pid_t pid = proc_fork_session(true, err);
	if (pid < 0)
		return false;
	if (pid == 0) {
		g_autoptr(GError) error = NULL;
		close_fd_ptr(&report_fd);
		run_detached(engine, container, exec, child_fd, &error);
		g_autofree char *line = g_strdup_printf("%d %s", error->code, error->message);
		fd_send(child_fd, line, MIN(strlen(line), (size_t)MESSAGE_SIZE - 1), -1, NULL);
		_exit(125);
	}
	close_fd_ptr(&child_fd);
	ssize_t size = fd_receive(report_fd, text, sizeof text - 1, NULL, err);
	if (size < 0)
		return false;
	text[size] = '\0';
	char *space = strchr(text, ' ');
	int code = space ? (int)g_ascii_strtoll(text, NULL, 10) : ERROR_FAILED;
	if (!space || code != 0)
		return fail(err, (ErrorCode)code, "%s",
			space ? space + 1 : "the process ended before it was started");
	*ret_id = id_generate();
	return true;
}

bool engine_exec_leave(ProcId process, int console_fd, GError **err) {
	int pidfd = proc_open(process);

	if (pidfd < 0)
		return true;
	pid_t pid = proc_fork_session(true, err);
	if (pid == 0) {
		become_watcher(pidfd, console_fd, NULL);
		_exit(125);
	}
	close(pidfd);
	return pid > 0;
}
