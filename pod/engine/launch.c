/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The launcher (D3). One process id from here to the end of the container:
 *   podctl (forked) -> exec podctl-supervisor -> exec podctl cleanup.
 * Everything that a killed launcher could leave behind is journalled first or dies with it: the
 * container's first process waits at a barrier that closes with the launcher.
 */
#include "engine/launch.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/module.h"
#include "base/options.h"
#include "base/parse.h"
#include "engine/handoff_build.h"
#include "engine/place.h"
#include "engine/resource.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

/* Lowest number for descriptors that travel: 3 is the hand-off block's. */
enum { TRAVEL_FD = 8, MESSAGE_SIZE = 4096, KILL_TIMEOUT_USEC = 10000000 };

typedef struct Launch {
	Engine *engine;
	Container *container;
	EngineForeground *foreground; /* NULL: detached */
	Pod *pod;
	ImageConfig *image;
	RuntimeConfig *config;
	NetworkPlan network;
	Container *joined; /* of --network=container:X */
	CgroupPlan cgroup;
	RuntimeChild child;
	bool in_place;
	/* descriptors of the launcher, -1 when absent */
	int report_fd, front_fd, notify_fd, log_dir_fd, stdin_hold_fd;
} Launch;

static void launch_clear(Launch *launch) {
	pod_free(launch->pod);
	image_config_free(launch->image);
	runtime_config_free(launch->config);
	network_plan_clear(&launch->network);
	container_free(launch->joined);
	runtime_cgroup_plan_clear(&launch->cgroup);
	runtime_child_clear(&launch->child);
	close_fd_ptr(&launch->report_fd);
	close_fd_ptr(&launch->front_fd);
	close_fd_ptr(&launch->notify_fd);
	close_fd_ptr(&launch->log_dir_fd);
	close_fd_ptr(&launch->stdin_hold_fd);
}

/* --- what is looked up before the fork ------------------------------------------------------- */

static bool load_pod(Launch *launch, GError **err) {
	const char *pod_id = launch->container->definition->pod_id;

	if (!pod_id)
		return true;
	launch->pod = pod_open(launch->engine, pod_id, err);
	if (!launch->pod)
		return fail_prefix(err, "cannot open the pod of container \"%s\"",
			launch->container->definition->name);
	if (!launch->pod->definition->spec->infra) {
		pod_free(launch->pod);
		launch->pod = NULL;
		return true;
	}
	if (pod_is_running(launch->pod))
		return true;
	if (launch->in_place)
		return fail(err, ERROR_STATE, "pod \"%s\" is not running",
			launch->pod->definition->name);
	if (!pod_lock(launch->pod, err))
		return false;
	bool good =
		pod_is_running(launch->pod) || pod_start_infra(launch->engine, launch->pod, err);
	store_unlock(launch->pod->object);
	return good;
}

static bool load_joined(Launch *launch, const NetworkRequest *request, GError **err) {
	launch->joined = container_open(launch->engine, request->name, err);
	if (!launch->joined)
		return false;
	if (!container_is_running(launch->joined))
		return fail(err, ERROR_STATE,
			"cannot join the network of container \"%s\": it is not running",
			request->name);
	return true;
}

static bool load_network(Launch *launch, ResolveInput *input, GError **err) {
	const ContainerSpec *spec = launch->container->definition->spec;
	int shared = 0;

	if (launch->pod && !spec_parse_share(launch->pod->definition->spec->share, &shared, err))
		return false;
	if (shared & CLONE_NEWNET) {
		input->network_mode = NETWORK_POD;
		return true;
	}
	if (!resolve_network(spec->networks, spec->publish, spec->ip, spec->mac_address,
		    &launch->network, err))
		return false;
	const NetworkRequest *request = launch->network.request;
	input->network_mode = request->mode;
	input->network_path = request->mode == NETWORK_NAMESPACE ? request->name : NULL;
	if (request->mode != NETWORK_CONTAINER)
		return true;
	if (!load_joined(launch, request, err))
		return false;
	input->join_network = launch->joined->state->init;
	return true;
}

static bool prepare(Launch *launch, GError **err) {
	const ContainerDefinition *definition = launch->container->definition;
	ContainerState *state = launch->container->state;
	ResolveInput input = {.engine = launch->engine, .container = launch->container};

	if (!load_pod(launch, err))
		return false;
	if (definition->image_id) {
		ImageStore *images = engine_images(launch->engine, err);
		launch->image = images ? image_lookup(images, definition->image_id, err) : NULL;
		if (!launch->image)
			return false;
	}
	input.image = launch->image;
	input.pod = launch->pod;
	if (!load_network(launch, &input, err))
		return false;
	launch->config = resolve_config(&input, err);
	if (!launch->config)
		return false;
	passing_give(launch->engine, definition->id, launch->config);
	const char *stop = definition->spec->stop_signal ? definition->spec->stop_signal
			   : launch->image               ? launch->image->stop_signal
							 : NULL;
	state->stop_signal =
		resolve_is_systemd(definition->spec, launch->config->argv) ? SIGRTMIN + 3 : SIGTERM;
	if (stop && *stop && !parse_signal(stop, &state->stop_signal))
		return fail(err, ERROR_INVALID, "invalid stop signal \"%s\"", stop);
	g_free(state->log_driver);
	state->log_driver = handoff_log_driver(definition->spec, err);
	if (!state->log_driver)
		return false;
	if (log_get_level() >= LOG_LEVEL_DEBUG) {
		json_auto_t *json = runtime_config_to_json(launch->config);
		g_autofree char *text = json_to_text(json, false);
		log_debug("runtime config: %s", text);
	}
	return true;
}

/* --- in the launcher ------------------------------------------------------------------------- */

static bool open_log(Launch *launch, GError **err) {
	ContainerState *state = launch->container->state;
	const char *asked = handoff_log_option(launch->container->definition->spec, "path");

	if (strcmp(state->log_driver, "k8s-file") != 0)
		return true;
	g_free(state->log_path);
	if (asked) {
		state->log_path = g_strdup(asked);
	} else {
		g_autofree char *data = store_data_path(launch->container->object, err);
		if (!data)
			return false;
		state->log_path = g_build_filename(data, "ctr.log", NULL);
	}
	g_autofree char *directory = g_path_get_dirname(state->log_path);
	g_autofree char *name = g_path_get_basename(state->log_path);
	launch->log_dir_fd = fd_open_dir(AT_FDCWD, directory, err);
	if (launch->log_dir_fd < 0)
		return false;
	return fd_check_own_file(launch->log_dir_fd, name, err) ||
	       fail_prefix(err, "cannot log to \"%s\"", state->log_path);
}

/* The socket on which the container says READY=1; the supervisor passes it on. */
static bool open_notify(Launch *launch, GError **err) {
	const char *asked = launch->container->definition->spec->sdnotify;

	if (!asked || strcmp(asked, "container") != 0)
		return true;
	g_autofree char *run = store_run_path(launch->container->object);
	g_autofree char *dir = g_build_filename(run, "notify", NULL);
	g_autofree char *path = g_build_filename(dir, "notify", NULL);
	if (!fd_mkdir_parents(AT_FDCWD, dir, 0755, err))
		return false;
	launch->notify_fd = fd_bind_datagram(path, 0777, err);
	launch->config->notify_socket_dir = g_steal_pointer(&dir);
	return launch->notify_fd >= 0;
}

/* The container's standard input: the front's with -i, else a pipe that attached clients write to
 * and end; without -i none. */
static bool open_stdin(Launch *launch, GError **err) {
	int pipe_fds[2];

	launch->config->stdin_fd = -1;
	if (!launch->container->definition->spec->interactive || launch->config->terminal)
		return true;
	/* after a restart the front's input is not ours any more */
	if (launch->foreground && launch->in_place)
		return true;
	if (launch->foreground && launch->foreground->in_fd >= 0) {
		launch->config->stdin_fd = launch->foreground->in_fd;
		return true;
	}
	if (!fd_pipe(pipe_fds, err))
		return false;
	launch->config->stdin_fd = pipe_fds[0];
	launch->stdin_hold_fd = pipe_fds[1];
	return true;
}

static bool attach_network(Launch *launch, GError **err) {
	const NetworkPlan *plan = &launch->network;
	Container *container = launch->container;
	NetworkResult result = {0};

	if (!plan->request || plan->request->mode != NETWORK_BRIDGE)
		return true;
	if (!network_plan_connect(launch->engine, container->object, container->definition->id,
		    launch->child.process, plan, &result, err))
		return false;
	json_decref(container->state->network);
	container->state->network = network_result_to_json(&result);
	ResolveInput input = {.engine = launch->engine,
		.container = container,
		.image = launch->image,
		.network_mode = NETWORK_BRIDGE};
	g_autofree char *files = NULL;
	bool good = resource_write_files(&input, result.address, result.gateway, &files, err);
	network_result_clear(&result);
	return good;
}

static bool write_pid_file(const char *path, pid_t pid, GError **err) {
	g_autofree char *text = g_strdup_printf("%d", (int)pid);

	return !path || fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, err);
}

static bool record_start(Launch *launch, GError **err) {
	ContainerState *state = launch->container->state;
	const ContainerSpec *spec = launch->container->definition->spec;

	state->status = CONTAINER_RUNNING;
	state->init = launch->child.process;
	state->supervisor = proc_self();
	state->started_usec = proc_now_realtime();
	state->finished_usec = 0;
	state->exit_code = 0;
	state->oom_killed = false;
	state->stop_requested = false;
	g_clear_pointer(&state->error, g_free);
	return container_save_state(launch->container, err) &&
	       container_save_lost_end(launch->container, err) &&
	       write_pid_file(spec->pidfile, state->init.pid, err) &&
	       write_pid_file(spec->conmon_pidfile, state->supervisor.pid, err);
}

/* Before the program can ask for it. */
static bool size_terminal(const Launch *launch) {
	const EngineForeground *foreground = launch->foreground;

	if (foreground && launch->child.console_fd >= 0 && foreground->rows > 0)
		runtime_terminal_resize(
			launch->child.console_fd, foreground->rows, foreground->columns);
	return true;
}

/* What a container in the host's pid namespace leaves behind comes to this process, which becomes
 * the supervisor (it stays over execve): set before there can be anything. */
static bool adopt_orphans(const RuntimeConfig *config, GError **err) {
	if ((config->new_namespaces | config->join_namespaces) & CLONE_NEWPID)
		return true;
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ||
	       fail_errno(err, errno, "cannot adopt the container's processes");
}

/* Makes and starts the container. On failure nothing of it is left but the journal. */
static bool start_child(Launch *launch, GError **err) {
	if (!place_container(launch->engine, launch->container, launch->pod,
		    launch->foreground != NULL, launch->config, &launch->cgroup, err) ||
		!open_log(launch, err) || !open_notify(launch, err) || !open_stdin(launch, err) ||
		!adopt_orphans(launch->config, err) ||
		!runtime_create(launch->config, &launch->child, err) ||
		!runtime_cgroup_return(&launch->cgroup, err) || !size_terminal(launch) ||
		!attach_network(launch, err) || !record_start(launch, err))
		return false;
	return runtime_start(&launch->child, err);
}

/* It runs already when only its supervisor cannot be started: nobody would see its end. */
static void end_child(Launch *launch) {
	const RuntimeChild *child = &launch->child;

	if (child->process.pid <= 0 || child->barrier_fd >= 0)
		return;
	proc_signal(child->process, SIGKILL, NULL);
	proc_wait_end(child->process, KILL_TIMEOUT_USEC);
}

static void undo_start(Launch *launch, const GError *reason) {
	g_autoptr(GError) error = NULL;
	ContainerState *state = launch->container->state;

	end_child(launch);
	runtime_child_clear(&launch->child);
	if (!undo_journal(launch->engine, launch->container->object, &error))
		log_warning("%s, ignoring", error->message);
	state->status = state->started_usec ? CONTAINER_EXITED : CONTAINER_CREATED;
	state->init = state->supervisor = (ProcId){0};
	state->exit_code = error_is(reason, ERROR_COMMAND_NOT_FOUND)        ? 127
			   : error_is(reason, ERROR_COMMAND_NOT_EXECUTABLE) ? 126
									    : 125;
	g_free(state->error);
	state->error = g_strdup(reason->message);
	g_clear_error(&error);
	if (!container_save_state(launch->container, &error))
		log_warning("%s, ignoring", error->message);
}

/* Descriptors that the supervisor keeps, lifted out of the way of the block's number. */
static bool lift_all(int *const *fds, size_t count, int *keep, size_t *ret_count, GError **err) {
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!fd_lift(fds[i], TRAVEL_FD, err))
			return false;
		if (*fds[i] >= 0)
			keep[kept++] = *fds[i];
	}
	*ret_count = kept;
	return true;
}

/* Sends the front process one line: the console's descriptor follows a good one. */
static void report(int report_fd, const GError *error, int console_fd) {
	g_autofree char *text =
		error ? g_strdup_printf("%d %s", error->code, error->message) : g_strdup("0 ");
	size_t size = MIN(strlen(text), (size_t)MESSAGE_SIZE - 1);
	g_autoptr(GError) ignored = NULL;

	if (report_fd >= 0 && !fd_send(report_fd, text, size, console_fd, &ignored))
		log_debug("%s, ignoring", ignored->message);
}

static bool become_supervisor(Launch *launch, GError **err) {
	static const char *const passed[] = {"PODCTL_LIBDIR", "PODCTL_DATADIR"};
	EngineForeground *foreground = launch->foreground;
	_cleanup_close_ int out_fd = foreground && foreground->attach ? foreground->out_fd : -1;
	_cleanup_close_ int err_fd = foreground && foreground->attach ? foreground->err_fd : -1;
	int *const travellers[] = {&launch->child.pidfd, &launch->child.stdout_fd,
		&launch->child.stderr_fd, &launch->child.console_fd, &launch->front_fd, &out_fd,
		&err_fd, &launch->notify_fd, &launch->report_fd, &launch->log_dir_fd,
		&launch->stdin_hold_fd};
	int keep[ARRAY_LENGTH(travellers) + 1];
	size_t n_keep = 0;
	g_autofree char *path = module_path("podctl-supervisor");
	const char *const argv[] = {path, launch->container->definition->name, NULL};
	g_auto(GStrv) env = NULL;

	if (!lift_all(travellers, ARRAY_LENGTH(travellers), keep, &n_keep, err))
		return false;
	HandoffFacts facts = {
		.engine = launch->engine,
		.container = launch->container,
		.pod = launch->pod,
		.cgroup = launch->cgroup.payload,
		.init_pidfd = launch->child.pidfd,
		.stdout_fd = launch->child.stdout_fd,
		.stderr_fd = launch->child.stderr_fd,
		.console_fd = launch->child.console_fd,
		.front_fd = launch->front_fd,
		.front_stdout_fd = out_fd,
		.front_stderr_fd = err_fd,
		.notify_fd = launch->notify_fd,
		.ready_fd = launch->report_fd,
		.log_dir_fd = launch->log_dir_fd,
		.stdin_fd = launch->stdin_hold_fd,
		.restarted = launch->in_place,
		.host_pids = !((launch->config->new_namespaces | launch->config->join_namespaces) &
			       CLONE_NEWPID),
	};
	g_autoptr(GByteArray) block = handoff_build(&facts, err);
	if (!block)
		return false;
	_cleanup_close_ int block_fd =
		fd_memory_file("podctl-handoff", block->data, block->len, err);
	if (block_fd < 0 || !fd_place(block_fd, HANDOFF_FD, err))
		return false;
	if (block_fd == HANDOFF_FD)
		steal_fd(&block_fd);
	keep[n_keep++] = HANDOFF_FD;
	options_append(&env, "PATH=" PROC_DEFAULT_PATH);
	for (size_t i = 0; i < ARRAY_LENGTH(passed); i++) {
		if (!g_getenv(passed[i]))
			continue;
		g_autofree char *entry = g_strdup_printf("%s=%s", passed[i], g_getenv(passed[i]));
		options_append(&env, entry);
	}
	report(launch->report_fd, NULL, launch->child.console_fd);
	return proc_exec(path, argv, (const char *const *)env, keep, n_keep, err);
}

static _Noreturn void run_launcher(Launch *launch) {
	g_autoptr(GError) error = NULL;
	/* under systemd standard error is the unit's journal and stays */
	bool keep_stderr = launch->engine->notify_socket || launch->engine->unit;

	if (fd_null_stdio(!keep_stderr, &error) && start_child(launch, &error))
		become_supervisor(launch, &error);
	undo_start(launch, error);
	report(launch->report_fd, error, -1);
	/* what the undoing left idle is known to this process alone */
	engine_settle(launch->engine, true, NULL);
	_exit(125);
}

/* --- in the front process -------------------------------------------------------------------- */

/* Reads the launcher's line; then waits until it closes the socket, which it or the supervisor
 * does once systemd has been told. */
static bool await_launcher(int report_fd, int *ret_console_fd, GError **err) {
	char text[MESSAGE_SIZE];
	_cleanup_close_ int console_fd = -1;
	ssize_t size = fd_receive(report_fd, text, sizeof text - 1, &console_fd, err);

	if (size < 0)
		return false;
	if (size == 0)
		return fail(err, ERROR_FAILED, "the launcher ended without a word");
	text[size] = '\0';
	char *space = strchr(text, ' ');
	int code = (int)g_ascii_strtoll(text, NULL, 10);
	if (code != 0)
		return fail(err, (ErrorCode)code, "%s", space ? space + 1 : "unknown");
	while (fd_receive(report_fd, text, sizeof text - 1, NULL, NULL) > 0)
		;
	if (ret_console_fd)
		*ret_console_fd = steal_fd(&console_fd);
	return true;
}

/* stdio descriptors above 2, so that detaching 0..2 in the launcher leaves them alone. */
static bool copy_foreground(
	EngineForeground *foreground, EngineForeground *ret_copy, GError **err) {
	*ret_copy = *foreground;
	int *const fds[] = {&ret_copy->in_fd, &ret_copy->out_fd, &ret_copy->err_fd};

	for (size_t i = 0; i < ARRAY_LENGTH(fds); i++) {
		if (*fds[i] < 0)
			continue;
		*fds[i] = fcntl(*fds[i], F_DUPFD_CLOEXEC, TRAVEL_FD);
		if (*fds[i] < 0)
			return fail_errno(err, errno, "cannot pass on standard input or output");
	}
	return true;
}

bool launch_container(
	Engine *engine, Container *container, EngineForeground *foreground, GError **err) {
	__attribute__((cleanup(launch_clear))) Launch launch = {.engine = engine,
		.container = container,
		.foreground = foreground,
		.child = RUNTIME_CHILD_NONE,
		.report_fd = -1,
		.front_fd = -1,
		.notify_fd = -1,
		.log_dir_fd = -1,
		.stdin_hold_fd = -1};
	_cleanup_close_ int report_fd = -1, exit_fd = -1;
	EngineForeground copy;
	int pair[2];

	if (!prepare(&launch, err) || !fd_socket_pair(pair, err))
		return false;
	report_fd = pair[0];
	launch.report_fd = pair[1];
	if (foreground) {
		if (!fd_socket_pair(pair, err))
			return false;
		exit_fd = pair[0];
		launch.front_fd = pair[1];
	}
	/* under systemd the supervisor is to be its child, or it would not see its end */
	bool orphan = engine->notify_socket != NULL;
	pid_t pid = proc_fork_session(orphan, err);
	if (pid < 0)
		return false;
	if (pid == 0) {
		g_autoptr(GError) error = NULL;
		if (foreground) {
			launch.foreground = &copy;
			if (!copy_foreground(foreground, &copy, &error)) {
				report(launch.report_fd, error, -1);
				_exit(125);
			}
		}
		run_launcher(&launch);
	}
	close_fd_ptr(&launch.report_fd);
	close_fd_ptr(&launch.front_fd);
	int *console_fd = foreground ? &foreground->ret_console_fd : NULL;
	if (!await_launcher(report_fd, console_fd, err)) {
		if (!orphan)
			proc_reap(pid, &(int){0}, NULL);
		return false;
	}
	if (foreground)
		foreground->ret_exit_fd = steal_fd(&exit_fd);
	return true;
}

bool launch_in_place(Engine *engine, Container *container, const EngineFront *front, GError **err) {
	EngineForeground foreground = {.attach = true,
		.in_fd = -1,
		.out_fd = front->out_fd,
		.err_fd = front->err_fd,
		.ret_console_fd = -1,
		.ret_exit_fd = -1};
	__attribute__((cleanup(launch_clear))) Launch launch = {.engine = engine,
		.container = container,
		.child = RUNTIME_CHILD_NONE,
		.in_place = true,
		.report_fd = -1,
		.foreground = front->fd >= 0 ? &foreground : NULL,
		.front_fd = front->fd,
		.notify_fd = -1,
		.log_dir_fd = -1,
		.stdin_hold_fd = -1};
	GError *error = NULL;

	if (prepare(&launch, &error) && start_child(&launch, &error)) {
		const char kind = HANDOFF_NEW_CONSOLE;
		store_unlock(container->object);
		/* a front that has gone has no use for it */
		if (launch.front_fd >= 0 && launch.child.console_fd >= 0)
			fd_send(launch.front_fd, &kind, sizeof kind, launch.child.console_fd, NULL);
		become_supervisor(&launch, &error);
		end_child(&launch); /* the cleanup does the rest */
	} else {
		undo_start(&launch, error);
	}
	launch.front_fd = -1; /* the caller's */
	g_propagate_error(err, error);
	return false;
}
