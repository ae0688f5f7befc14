/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's first process, from its birth to its execve: one table, walked once. The order is
 * that of security.md A21.
 */
#include "runtime/init.h"
#include "base/log.h"
#include "runtime/conditions.h"
#include "runtime/descriptors.h"
#include "runtime/join.h"
#include "runtime/masks.h"
#include "runtime/mounts.h"
#include "runtime/namespaces.h"
#include "runtime/process.h"
#include "runtime/rootfs.h"
#include "runtime/sync.h"
#include "runtime/syscalls.h"
#include "runtime/sysctl.h"
#include "runtime/terminal.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What a first process exits with when it could not become the program; its words have gone
 * through the channel. */
#define EXIT_NOT_STARTED 125

#define NOTIFY_SOCKET_PATH "/run/notify/notify"

void init_context_clear(InitContext *context) {
	for (size_t i = 0; context->mount_fds && i < context->config->n_mounts; i++)
		close_fd_ptr(&context->mount_fds[i]);
	g_clear_pointer(&context->mount_fds, g_free);
	close_fd_ptr(&context->root_fd);
	close_fd_ptr(&context->notify_fd);
	close_fd_ptr(&context->null_fd);
	close_fd_ptr(&context->cgroup_fd);
	close_fd_ptr(&context->host_shm_fd);
	for (size_t i = 0; context->join_fds && i < context->config->n_joins; i++)
		close_fd_ptr(&context->join_fds[i]);
	g_clear_pointer(&context->join_fds, g_free);
	close_fd_ptr(&context->user_fd);
	close_fd_ptr(&context->host_proc_fd);
	close_fd_ptr(&context->host_sys_fd);
	close_fd_ptr(&context->host_dev_fd);
	id_map_clear(&context->uids);
	id_map_clear(&context->gids);
	close_fd_ptr(&context->stdin_fd);
	close_fd_ptr(&context->stdout_fd);
	close_fd_ptr(&context->stderr_fd);
	close_fd_ptr(&context->program_fd);
	descriptors_close(&context->passed_fds, context->config->n_descriptors);
	accounts_clear(&context->passwd);
	accounts_clear(&context->group);
	close_fd_ptr(&context->channel);
	seccomp_filter_clear(&context->filter);
}

/* Nothing that the launcher had open, and is not for us, is in reach of anybody who gets at this
 * process. */
static void drop_inherited(InitContext *context) {
	g_autoptr(GArray) keep = g_array_new(FALSE, FALSE, sizeof(int));
	const int own[] = {context->channel, context->root_fd, context->notify_fd, context->null_fd,
		context->cgroup_fd, context->host_shm_fd, context->host_proc_fd,
		context->host_sys_fd, context->host_dev_fd, context->shm_fd, context->stdin_fd,
		context->stdout_fd, context->stderr_fd, context->program_fd};

	g_array_append_vals(keep, own, ARRAY_LENGTH(own));
	const int files[] = {context->passwd.write_fd, context->passwd.mount_fd,
		context->group.write_fd, context->group.mount_fd};
	g_array_append_vals(keep, files, ARRAY_LENGTH(files));
	g_array_append_vals(keep, context->mount_fds, (guint)context->config->n_mounts);
	/* with a user namespace all is joined, and these would lead back */
	if (context->join_fds && context->user_fd < 0)
		g_array_append_vals(keep, context->join_fds, (guint)context->config->n_joins);
	g_array_append_vals(keep, context->passed_fds, (guint)context->config->n_descriptors);
	process_close_others((int *)keep->data, keep->len);
}

static bool step_detach(InitContext *context, GError **err) {
	if (context->user_fd >= 0 && !userns_become_root(err))
		return false;
	int r = join_detach();
	if (r < 0)
		return fail_errno(err, -r, "cannot detach the first process");
	/* Until the execve; the barrier's end of file covers the rest. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(0);
	drop_inherited(context);
	if (sys_join_session_keyring(context->config->id) < 0 && errno != ENOSYS && errno != EPERM)
		return fail_errno(err, errno, "cannot make a session keyring");
	return true;
}

static bool step_attach_root(InitContext *context, GError **err) {
	return rootfs_attach(context->root_fd, err);
}

static bool step_open_terminal(InitContext *context, GError **err) {
	if (!context->config->terminal)
		return true;
	return terminal_open(
		       context->devpts_fd, &context->console_fd, &context->terminal_fd, err) &&
	       (context->dev_fd < 0 || terminal_bind_console(context->devpts_fd, context->dev_fd,
					       context->console_fd, err));
}

/* Our own node in our own tmpfs: no host file as stdin, none of the image's either. */
static bool step_open_stdin(InitContext *context, GError **err) {
	if (context->config->terminal || context->stdin_fd >= 0)
		return true;
	context->stdin_fd = openat(context->dev_fd, "null", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return context->stdin_fd >= 0 || fail_errno(err, errno, "cannot open \"/dev/null\"");
}

static bool step_pivot(InitContext *context, GError **err) {
	return rootfs_pivot(context->root_fd, err);
}

static bool step_masks(InitContext *context, GError **err) {
	return context->config->privileged || masks_apply(context, err);
}

static bool step_furnish(InitContext *context, GError **err) {
	return namespaces_furnish(context->config->new_namespaces, context->config->hostname, err);
}

static bool step_limits(InitContext *context, GError **err) {
	/* in a user namespace /proc/self/oom_score_adj is the host root's */
	int proc_fd = context->user_fd >= 0 ? -1 : context->proc_fd;

	return conditions_apply(context->config, proc_fd, err);
}

static bool step_find_user(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	return process_find_user(context->root_fd, config->user, config->additional_groups,
		config->additional_gids, config->n_additional_gids, &context->user, err);
}

static bool step_accounts(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	const AccountsRequest request = {.user = config->user,
		.passwd_entry = config->accounts.passwd_entry,
		.group_entry = config->accounts.group_entry,
		.home = config->cwd,
		.host_users = config->accounts.host_users};

	return accounts_apply(
		context->root_fd, &request, &context->user, &context->passwd, &context->group, err);
}

static bool step_working_directory(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	return process_enter_cwd(
		context->root_fd, config->cwd, config->make_cwd ? &context->user : NULL, err);
}

/* Last of all: mount points and the working directory had to be made. */
static bool step_seal_root(InitContext *context, GError **err) {
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	struct statvfs found;

	if (!mounts_seal_dev(context, err))
		return false;
	if (!context->config->rootfs.read_only)
		return true;
	if (sys_mount_setattr(context->root_fd, "", AT_EMPTY_PATH, &read_only) < 0)
		return fail_errno(err, errno, "cannot make the root file system read-only");
	return (fstatvfs(context->root_fd, &found) == 0 && found.f_flag & ST_RDONLY) ||
	       fail(err, ERROR_FAILED, "the root file system is not read-only");
}

static bool step_barrier(InitContext *context, GError **err) {
	const int own[] = {context->channel, context->root_fd, context->proc_fd,
		context->full_proc_fd, context->stdin_fd, context->stdout_fd, context->stderr_fd,
		context->terminal_fd, context->console_fd, context->program_fd};
	g_autoptr(GArray) keep = g_array_new(FALSE, FALSE, sizeof(int));

	g_array_append_vals(keep, own, ARRAY_LENGTH(own));
	g_array_append_vals(keep, context->passed_fds, (guint)context->config->n_descriptors);
	process_close_others((int *)keep->data, keep->len);
	if (!sync_send_ready(context->channel, context->console_fd, err))
		return false;
	close_fd_ptr(&context->console_fd);
	errno = 0;
	if (!sync_wait_go(context->channel)) {
		if (errno)
			return fail_errno(err, errno, "cannot wait for the launcher");
		_exit(EXIT_NOT_STARTED);
	}
	return true;
}

/* After the barrier, because the network's interfaces have come in the meantime. */
static bool step_sysctls(InitContext *context, GError **err) {
	int proc_fd = context->full_proc_fd >= 0 ? context->full_proc_fd : context->proc_fd;

	return sysctl_apply(proc_fd, context->config->sysctls, err);
}

static bool step_stdio(InitContext *context, GError **err) {
	if (context->config->terminal)
		return terminal_become_stdio(context->terminal_fd, context->user.uid, err);
	/* The pipes are ours alone: their user may reopen them as /dev/stdout. */
	if (fchown(context->stdout_fd, context->user.uid, context->user.gid) < 0 ||
		fchown(context->stderr_fd, context->user.uid, context->user.gid) < 0)
		return fail_errno(err, errno, "cannot give the output to its user");
	return terminal_place_stdio(context->stdin_fd, context->stdout_fd, context->stderr_fd, err);
}

static bool step_execute(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	const char *what = "", *notify = config->notify_socket_dir ? NOTIFY_SOCKET_PATH : NULL;
	const JoinIdentity identity = {.uid = context->user.uid,
		.gid = context->user.gid,
		.groups = context->user.groups,
		.n_groups = context->user.n_groups,
		.bounding = config->capabilities,
		.ambient = config->ambient_capabilities,
		.no_new_privs = config->no_new_privs,
		.filter = context->filter.instructions,
		.n_filter = context->filter.n,
		.filter_flags = context->filter.flags};
	g_auto(GStrv) env = process_make_env(config->env, &context->user, notify);

	/* Before the execve and before the look-up of the program: a path like /proc/self/fd/7
	 * finds nothing but the channel, which is a socket, and podctl-exec. */
	descriptors_add_env(&env, config->listen_fds_env);
	if (!descriptors_place(config->descriptors, config->n_descriptors, context->passed_fds,
		    &context->channel, &context->program_fd, err))
		return false;
	const ProcessExec exec = {.program_fd = context->program_fd, .channel = context->channel};
	process_close_for_program(&exec, config->descriptors, config->n_descriptors);
	prctl(PR_SET_PDEATHSIG, 0);
	umask(config->umask);
	int r = join_become(&identity, &what);
	if (r < 0)
		return fail_errno(err, -r, "%s", what);
	return process_execute(&exec, config->argv, env, err);
}

static const struct {
	const char *name;
	bool (*run)(InitContext *context, GError **err);
} steps[] = {
	{"detach", step_detach},
	{"namespaces", namespaces_enter},
	{"attach root", step_attach_root},
	{"system mounts", mounts_apply_system},
	{"terminal", step_open_terminal},
	{"stdin", step_open_stdin},
	{"user mounts", mounts_apply_user},
	{"pivot", step_pivot},
	{"masks", step_masks},
	{"host name, loopback", step_furnish},
	{"limits", step_limits},
	{"user", step_find_user},
	{"accounts", step_accounts},
	{"working directory", step_working_directory},
	{"seal root", step_seal_root},
	{"barrier", step_barrier},
	{"sysctls", step_sysctls},
	{"stdio", step_stdio},
	{"execute", step_execute},
};

_Noreturn void init_run(InitContext *context) {
	g_autoptr(GError) error = NULL;

	array_foreach (step, steps) {
		log_debug("first process: %s", step->name);
		if (!step->run(context, &error))
			break;
	}
	sync_send_error(context->channel, error);
	_exit(EXIT_NOT_STARTED);
}
