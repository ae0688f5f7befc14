/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another process in a running container. It is the caller's child, born in the container's PID
 * namespace, and enters the other namespaces itself: the caller joins nothing. Between its birth
 * and its execve it is unreadable (PR_SET_DUMPABLE 0) and holds no descriptor of the caller.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/module.h"
#include "runtime/birth.h"
#include "runtime/conditions.h"
#include "runtime/descriptors.h"
#include "runtime/join.h"
#include "runtime/process.h"
#include "runtime/runtime.h"
#include "runtime/seccomp.h"
#include "runtime/sync.h"
#include "runtime/syscalls.h"
#include "runtime/terminal.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define EXIT_NOT_STARTED 125

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

typedef struct ExecContext {
	const RuntimeExec *exec;
	int channel, program_fd, target_fd, stdin_fd, stdout_fd, stderr_fd;
	bool user_namespace; /* the container has one */
	int *passed_fds;
	int oom_score_adj; /* of the container's first process; INT32_MIN: unknown */
	SeccompFilter filter;
	struct rlimit limits[RLIM_NLIMITS]; /* of the container's first process */
	int root_fd, console_fd, terminal_fd;
	ProcessUser user;
} ExecContext;

static void clear(ExecContext *context) {
	close_fd_ptr(&context->program_fd);
	close_fd_ptr(&context->channel);
	close_fd_ptr(&context->target_fd);
	close_fd_ptr(&context->stdin_fd);
	close_fd_ptr(&context->stdout_fd);
	close_fd_ptr(&context->stderr_fd);
	descriptors_close(&context->passed_fds, context->exec->n_descriptors);
	seccomp_filter_clear(&context->filter);
}

/* On the caller's side still, where the score is what the host says. */
static bool set_oom_score(const ExecContext *context, GError **err) {
	if (context->oom_score_adj == INT32_MIN)
		return true;
	_cleanup_close_ int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return fail_errno(err, errno, "cannot open \"/proc\"");
	return conditions_set_oom_score(proc_fd, context->oom_score_adj, err);
}

static bool step_detach(ExecContext *context, GError **err) {
	const int own[] = {context->channel, context->program_fd, context->target_fd,
		context->stdin_fd, context->stdout_fd, context->stderr_fd};
	g_autoptr(GArray) keep = g_array_new(FALSE, FALSE, sizeof(int));
	int r = join_detach();

	if (r < 0)
		return fail_errno(err, -r, "cannot detach the process");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	g_array_append_vals(keep, own, ARRAY_LENGTH(own));
	g_array_append_vals(keep, context->passed_fds, (guint)context->exec->n_descriptors);
	process_close_others((int *)keep->data, keep->len);
	if (!set_oom_score(context, err))
		return false;
	if (sys_join_session_keyring(NULL) < 0 && errno != ENOSYS && errno != EPERM)
		return fail_errno(err, errno, "cannot make a session keyring");
	return true;
}

/* Changing the user has made us what fs.suid_dumpable says, and taken the parent's signal away. */
static bool again_unreadable(GError **err) {
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail_errno(err, errno, "cannot become unreadable");
	return true;
}

/* Inside a user namespace nothing can be raised any more. */
static bool step_raise(ExecContext *context, GError **err) {
	for (int resource = 0; context->user_namespace && resource < RLIM_NLIMITS; resource++) {
		struct rlimit limit;

		if (getrlimit(resource, &limit) < 0)
			return fail_errno(err, errno, "cannot read resource limit %d", resource);
		if (limit.rlim_max >= context->limits[resource].rlim_max)
			continue;
		limit.rlim_max = context->limits[resource].rlim_max;
		if (setrlimit(resource, &limit) < 0)
			return fail_errno(err, errno, "cannot set resource limit %d", resource);
	}
	return true;
}

static bool step_enter(ExecContext *context, GError **err) {
	int user = context->user_namespace ? CLONE_NEWUSER : 0;
	int r = join_enter(context->target_fd, NAMESPACES | user);

	if (r < 0)
		return fail_errno(err, -r, "cannot enter the container");
	if (user && (!userns_become_root(err) || !again_unreadable(err)))
		return false;
	context->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return context->root_fd >= 0 || fail_errno(err, errno, "cannot enter the container");
}

static bool step_terminal(ExecContext *context, GError **err) {
	if (!context->exec->terminal)
		return true;
	_cleanup_close_ int devpts_fd = sys_openat2(context->root_fd, "dev/pts",
		O_PATH | O_DIRECTORY | O_CLOEXEC, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (devpts_fd < 0)
		return fail_errno(err, errno, "cannot open a terminal");
	if (!terminal_open(devpts_fd, &context->console_fd, &context->terminal_fd, err))
		return false;
	/* before the program can ask for it */
	if (context->exec->rows > 0)
		runtime_terminal_resize(
			context->console_fd, context->exec->rows, context->exec->columns);
	return true;
}

static bool step_limits(ExecContext *context, GError **err) {
	for (int resource = 0; resource < RLIM_NLIMITS; resource++)
		if (setrlimit(resource, &context->limits[resource]) < 0)
			return fail_errno(err, errno, "cannot set resource limit %d", resource);
	return conditions_apply_scheduling(context->exec->personality, err);
}

static bool step_user(ExecContext *context, GError **err) {
	const RuntimeExec *exec = context->exec;

	return process_find_user(context->root_fd, exec->user, exec->additional_groups,
		       exec->additional_gids, exec->n_additional_gids, &context->user, err) &&
	       process_enter_cwd(context->root_fd, exec->cwd, NULL, err);
}

static bool step_stdio(ExecContext *context, GError **err) {
	if (context->exec->terminal)
		return terminal_become_stdio(context->terminal_fd, context->user.uid, err);
	return terminal_place_stdio(context->stdin_fd, context->stdout_fd, context->stderr_fd, err);
}

static bool step_execute(ExecContext *context, GError **err) {
	const RuntimeExec *exec = context->exec;
	const char *what = "";
	const JoinIdentity identity = {.uid = context->user.uid,
		.gid = context->user.gid,
		.groups = context->user.groups,
		.n_groups = context->user.n_groups,
		.bounding = exec->capabilities,
		.ambient = exec->ambient_capabilities,
		.no_new_privs = exec->no_new_privs,
		.filter = context->filter.instructions,
		.n_filter = context->filter.n,
		.filter_flags = context->filter.flags};
	g_auto(GStrv) env = process_make_env(exec->env, &context->user, NULL);

	if (!sync_send_ready(context->channel, context->console_fd, err))
		return false;
	if (!descriptors_place(exec->descriptors, exec->n_descriptors, context->passed_fds,
		    &context->channel, &context->program_fd, err))
		return false;
	const ProcessExec program = {
		.program_fd = context->program_fd, .channel = context->channel};
	process_close_for_program(&program, exec->descriptors, exec->n_descriptors);
	prctl(PR_SET_PDEATHSIG, 0);
	umask(exec->umask);
	int r = join_become(&identity, &what);
	if (r < 0)
		return fail_errno(err, -r, "%s", what);
	return process_execute(&program, exec->argv, env, err);
}

static bool (*const steps[])(ExecContext *context, GError **err) = {step_detach, step_raise,
	step_enter, step_terminal, step_limits, step_user, step_stdio, step_execute};

static _Noreturn void run(ExecContext *context) {
	g_autoptr(GError) error = NULL;

	array_foreach (step, steps)
		if (!(*step)(context, &error))
			break;
	sync_send_error(context->channel, error);
	_exit(EXIT_NOT_STARTED);
}

static bool copy_stdio(int fd, int *ret_copy, GError **err) {
	*ret_copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : open("/dev/null", O_RDWR | O_CLOEXEC);
	return *ret_copy >= 0 || fail_errno(err, errno, "cannot pass on descriptor %d", fd);
}

static bool prepare(ExecContext *context, GError **err) {
	const RuntimeExec *exec = context->exec;

	if (exec->seccomp == SECCOMP_PROFILE && exec->seccomp_profile &&
		!seccomp_load(exec->seccomp_profile, exec->seccomp_cache_dir, exec->capabilities,
			&context->filter, err))
		return false;
	g_autofree char *program = module_path("podctl-exec");
	context->program_fd = process_open_program(program, err);
	if (context->program_fd < 0)
		return false;
	context->target_fd = proc_open(exec->target);
	if (context->target_fd < 0)
		return fail(err, ERROR_STATE, "the container is not running");
	context->user_namespace = userns_is_foreign(exec->target.pid);
	if (!conditions_read_limits(exec->target.pid, context->limits, err))
		return false;
	if (!conditions_read_oom_score(exec->target.pid, &context->oom_score_adj))
		context->oom_score_adj = INT32_MIN;
	if (!descriptors_take(exec->descriptors, exec->n_descriptors, &context->passed_fds, err))
		return false;
	return exec->terminal || (copy_stdio(exec->stdin_fd, &context->stdin_fd, err) &&
					 copy_stdio(exec->stdout_fd, &context->stdout_fd, err) &&
					 copy_stdio(exec->stderr_fd, &context->stderr_fd, err));
}

static bool start(ExecContext *context, int cgroup_fd, RuntimeChild *child, GError **err) {
	if (!sync_pair(&child->barrier_fd, &context->channel, err) || !prepare(context, err))
		return false;
	pid_t pid = join_clone(context->target_fd, cgroup_fd, 0, &child->pidfd);
	if (pid == 0)
		run(context);
	if (pid < 0)
		return fail_errno(err, -pid, "cannot create a process in the container");
	child->process.pid = pid;
	clear(context);
	if (!birth_wait(child->barrier_fd, child->pidfd, cgroup_fd, err))
		return false;
	SyncResult result = sync_receive(child->barrier_fd, &child->console_fd, err);
	if (result == SYNC_CLOSED)
		return fail(err, ERROR_STATE, "the container is not running");
	if (result == SYNC_READY && !birth_wait(child->barrier_fd, child->pidfd, cgroup_fd, err))
		return false;
	if (result == SYNC_READY)
		result = sync_receive(child->barrier_fd, NULL, err);
	if (result == SYNC_ERROR)
		return false;
	/* A zombie has none: the command has ended already, and the caller reaps it. */
	proc_start_time(pid, &child->process.start_time);
	close_fd_ptr(&child->barrier_fd);
	return true;
}

bool runtime_exec(const RuntimeExec *exec, RuntimeChild *ret_child, GError **err) {
	ExecContext context = {.exec = exec,
		.channel = -1,
		.target_fd = -1,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
		.program_fd = -1,
		.root_fd = -1,
		.console_fd = -1,
		.terminal_fd = -1};
	RuntimeChild child = RUNTIME_CHILD_NONE;
	/* It is there, or the container has ended: exec makes none. */
	_cleanup_close_ int cgroup_fd =
		exec->cgroup ? fd_open_dir(AT_FDCWD, exec->cgroup, err) : -1;

	if (exec->cgroup && cgroup_fd < 0)
		return fail_prefix(err, "the container is not running");
	bool done = start(&context, cgroup_fd, &child, err);
	clear(&context);
	if (done) {
		*ret_child = child;
		return true;
	}
	/* it may be unable to leave by itself */
	if (child.pidfd >= 0)
		sys_pidfd_signal(child.pidfd, SIGKILL);
	runtime_child_clear(&child);
	return false;
}
