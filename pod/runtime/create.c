/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The launcher's side of a container's start: open what is on the host, give birth, wait. */
#include "base/cleanup.h"
#include "base/module.h"
#include "runtime/birth.h"
#include "runtime/cgroup.h"
#include "runtime/conditions.h"
#include "runtime/descriptors.h"
#include "runtime/device_filter.h"
#include "runtime/devices.h"
#include "runtime/init.h"
#include "runtime/mount_sources.h"
#include "runtime/mounts.h"
#include "runtime/namespaces.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"
#include "runtime/sync.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define ATTR_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

void runtime_child_clear(RuntimeChild *child) {
	bool waiting = child->barrier_fd >= 0;

	close_fd_ptr(&child->barrier_fd);
	/* It leaves at once when its barrier closes. */
	if (waiting && child->process.pid > 0)
		while (waitpid(child->process.pid, NULL, 0) < 0 && errno == EINTR)
			;
	close_fd_ptr(&child->pidfd);
	close_fd_ptr(&child->stdout_fd);
	close_fd_ptr(&child->stderr_fd);
	close_fd_ptr(&child->console_fd);
	*child = RUNTIME_CHILD_NONE;
}

/* It may have been kept from leaving by itself. */
static void end_child(RuntimeChild *child) {
	if (child->pidfd >= 0)
		sys_pidfd_signal(child->pidfd, SIGKILL);
	runtime_child_clear(child);
}

/* The host's own null device, never the container's (security.md A04.2). */
static bool prepare_null(int *ret_fd, GError **err) {
	struct stat info;
	_cleanup_close_ int fd = mounts_clone(AT_FDCWD, "/dev/null", false,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);

	if (fd < 0 || fstat(fd, &info) < 0)
		return fail_errno(err, errno, "cannot open \"/dev/null\"");
	if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3))
		return fail(err, ERROR_FAILED, "\"/dev/null\" of the host is not the null device");
	*ret_fd = steal_fd(&fd);
	return true;
}

/* What a container in the host's IPC or cgroup namespace sees of the host. */
static bool prepare_host_views(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	int own = config->new_namespaces | config->join_namespaces;

	if (!(own & CLONE_NEWIPC)) {
		context->host_shm_fd = mounts_clone(AT_FDCWD, "/dev/shm", false, ATTR_SAFE);
		if (context->host_shm_fd < 0 && errno != ENOENT)
			return fail_errno(err, errno, "cannot open \"/dev/shm\"");
	}
	if (!(own & CLONE_NEWCGROUP)) {
		g_autofree char *mount_point = NULL, *root = NULL;

		if (cgroup_find_mount(&mount_point, &root))
			context->cgroup_fd = mounts_clone(AT_FDCWD, mount_point, false,
				ATTR_SAFE | (config->privileged ? 0 : MOUNT_ATTR_RDONLY));
	}
	return true;
}

/* What a user namespace may not make for itself (security.md A05.3, A06.1, A06.2). */
static bool prepare_for_user(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	int own = config->new_namespaces | config->join_namespaces;
	uint32_t uid = 0, gid = 0;

	if (context->user_fd < 0)
		return true;
	if (!(own & CLONE_NEWPID)) {
		context->host_proc_fd = mounts_clone(AT_FDCWD, "/proc", true, ATTR_SAFE);
		if (context->host_proc_fd < 0)
			return fail_errno(err, errno, "cannot open \"/proc\"");
	}
	if (!(config->new_namespaces & CLONE_NEWNET)) {
		context->host_sys_fd = mounts_clone(AT_FDCWD, "/sys", true,
			ATTR_SAFE | (config->privileged ? 0 : MOUNT_ATTR_RDONLY));
		if (context->host_sys_fd < 0)
			return fail_errno(err, errno, "cannot open \"/sys\"");
	}
	id_map_to_outside(&context->uids, 0, &uid);
	id_map_to_outside(&context->gids, 0, &gid);
	context->host_dev_fd = devices_make(config, uid, gid);
	return context->host_dev_fd >= 0 || fail_errno(err, errno, "cannot make \"/dev\"");
}

static bool prepare_mounts(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	context->mount_fds = g_new(int, config->n_mounts + 1);
	memset(context->mount_fds, 0xff, (config->n_mounts + 1) * sizeof(int));
	if (!mount_sources_open(context, err))
		return false;
	if (!config->notify_socket_dir)
		return true;
	context->notify_fd = mounts_clone(
		AT_FDCWD, config->notify_socket_dir, false, ATTR_SAFE | MOUNT_ATTR_RDONLY);
	return context->notify_fd >= 0 ||
	       fail_errno(err, errno, "cannot mount \"%s\"", config->notify_socket_dir);
}

static bool prepare(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	if (!namespaces_open(context, err))
		return false;
	if (!config->privileged && config->seccomp == SECCOMP_PROFILE &&
		!seccomp_load(config->seccomp_profile, config->seccomp_cache_dir,
			config->capabilities, &context->filter, err))
		return false;
	g_autofree char *program = module_path(config->init ? "podctl-init" : "podctl-exec");
	context->program_fd = process_open_program(program, err);
	if (context->program_fd < 0 ||
		!descriptors_take(
			config->descriptors, config->n_descriptors, &context->passed_fds, err) ||
		!accounts_prepare(config->accounts.passwd_file, &context->passwd, err) ||
		!accounts_prepare(config->accounts.group_file, &context->group, err))
		return false;
	const RootfsIds ids = {context->user_fd, &context->uids, &context->gids};
	context->root_fd =
		rootfs_prepare(&config->rootfs, context->user_fd >= 0 ? &ids : NULL, err);
	return context->root_fd >= 0 && prepare_null(&context->null_fd, err) &&
	       prepare_mounts(context, err) && prepare_host_views(context, err) &&
	       prepare_for_user(context, err);
}

static bool make_pipe(int *ret_read, int *ret_write, GError **err) {
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot make a pipe");
	*ret_read = ends[0];
	*ret_write = ends[1];
	return true;
}

/* Root of a user namespace may hand on what is its own already. */
static bool give_output(InitContext *context, GError **err) {
	uint32_t uid, gid;

	if (context->user_fd < 0 || !id_map_to_outside(&context->uids, 0, &uid) ||
		!id_map_to_outside(&context->gids, 0, &gid))
		return true;
	if (fchown(context->stdout_fd, uid, gid) < 0 || fchown(context->stderr_fd, uid, gid) < 0)
		return fail_errno(err, errno, "cannot give the output to the container");
	return true;
}

static bool prepare_stdio(InitContext *context, RuntimeChild *child, GError **err) {
	if (!sync_pair(&child->barrier_fd, &context->channel, err))
		return false;
	if (context->config->terminal)
		return true;
	/* a container whose /dev is the user's has none of ours to open */
	if (context->config->stdin_fd < 0 && runtime_config_has_mount(context->config, "/dev")) {
		context->stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (context->stdin_fd < 0)
			return fail_errno(err, errno, "cannot open \"/dev/null\"");
	}
	if (context->config->stdin_fd >= 0) {
		context->stdin_fd = fcntl(context->config->stdin_fd, F_DUPFD_CLOEXEC, 3);
		if (context->stdin_fd < 0)
			return fail_errno(err, errno, "cannot pass on stdin");
	}
	return make_pipe(&child->stdout_fd, &context->stdout_fd, err) &&
	       make_pipe(&child->stderr_fd, &context->stderr_fd, err) && give_output(context, err);
}

/* In the intermediate: what needs the right to raise something, and the joins. */
static bool prepare_birth(void *data, GError **err) {
	InitContext *context = data;

	return conditions_raise(context->config, err) && namespaces_join(context, err);
}

/* The child is born; false if that failed. */
static bool give_birth(InitContext *context, int cgroup_fd, RuntimeChild *child, GError **err) {
	const Birth birth = {.flags = (uint64_t)namespaces_at_birth(context),
		.cgroup_fd = cgroup_fd,
		.pid_fd = namespaces_pid_fd(context),
		.user_fd = context->user_fd,
		.prepare = prepare_birth,
		.data = context,
		.channel = context->channel};
	bool sent;
	pid_t pid = birth_give(&birth, &child->pidfd, &sent, err);

	if (pid == 0)
		init_run(context);
	if (pid < 0 && sent && sync_receive(child->barrier_fd, NULL, err) != SYNC_ERROR)
		fail(err, ERROR_FAILED, "the container's first process has died early");
	child->process.pid = MAX(pid, 0);
	return pid > 0;
}

static bool wait_ready(const RuntimeConfig *config, RuntimeChild *child, GError **err) {
	/* in a PID namespace of its own nobody reaches it, and filling a tmpfs may take its time */
	if (config->join_namespaces & CLONE_NEWPID &&
		!birth_wait(child->barrier_fd, child->pidfd, -1, err))
		return false;
	switch (sync_receive(child->barrier_fd, &child->console_fd, err)) {
	case SYNC_READY:
		break;
	case SYNC_CLOSED:
		return fail(err, ERROR_FAILED, "the container's first process has died early");
	case SYNC_ERROR:
		return false;
	}
	if (!proc_start_time(child->process.pid, &child->process.start_time))
		return fail(err, ERROR_FAILED, "the container's first process has died early");
	return true;
}

static bool create(InitContext *context, int cgroup_fd, RuntimeChild *child, GError **err) {
	if (!prepare(context, err) || !prepare_stdio(context, child, err) ||
		!give_birth(context, cgroup_fd, child, err))
		return false;
	/* The child's ends, so that its death is seen. */
	init_context_clear(context);
	return wait_ready(context->config, child, err);
}

/* Before anybody lives in it: limits and device rules hold for the first instruction. */
static bool prepare_cgroup(const RuntimeConfig *config, int cgroup_fd, GError **err) {
	return runtime_cgroup_limit(config->cgroup, config->limits, config->n_limits, err) &&
	       (config->privileged || device_filter_attach(cgroup_fd, config->device_rules,
					      config->n_device_rules, err));
}

bool runtime_create(const RuntimeConfig *config, RuntimeChild *ret_child, GError **err) {
	InitContext context = {.config = config,
		.channel = -1,
		.root_fd = -1,
		.notify_fd = -1,
		.null_fd = -1,
		.cgroup_fd = -1,
		.host_shm_fd = -1,
		.user_fd = -1,
		.host_proc_fd = -1,
		.host_sys_fd = -1,
		.host_dev_fd = -1,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = -1,
		.program_fd = -1,
		.passwd = ACCOUNTS_FILE_NONE,
		.group = ACCOUNTS_FILE_NONE,
		.shm_fd = -1,
		.proc_fd = -1,
		.full_proc_fd = -1,
		.dev_fd = -1,
		.devpts_fd = -1,
		.console_fd = -1,
		.terminal_fd = -1};
	RuntimeChild child = RUNTIME_CHILD_NONE;
	bool made_cgroup = false;
	_cleanup_close_ int cgroup_fd = cgroup_make(config->cgroup, &made_cgroup, err);

	if (config->cgroup && cgroup_fd < 0)
		return false;
	bool done = (cgroup_fd < 0 || prepare_cgroup(config, cgroup_fd, err)) &&
		    create(&context, cgroup_fd, &child, err);
	init_context_clear(&context);
	if (done) {
		*ret_child = child;
		return true;
	}
	end_child(&child);
	if (made_cgroup)
		runtime_cgroup_remove(config->cgroup, NULL);
	return false;
}

bool runtime_start(RuntimeChild *child, GError **err) {
	if (!sync_send_go(child->barrier_fd, err) ||
		!birth_wait(child->barrier_fd, child->pidfd, -1, err) ||
		sync_receive(child->barrier_fd, NULL, err) == SYNC_ERROR) {
		end_child(child);
		return false;
	}
	close_fd_ptr(&child->barrier_fd);
	return true;
}
