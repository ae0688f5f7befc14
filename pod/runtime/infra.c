/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pod's first process: it owns the namespaces that the members join, and the /dev/shm that
 * they share. Its root is an empty read-only tmpfs, its user nobody, its program podctl-pause.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/cgroup.h"
#include "runtime/join.h"
#include "runtime/mounts.h"
#include "runtime/namespaces.h"
#include "runtime/process.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"
#include "runtime/sync.h"
#include "runtime/syscalls.h"
#include "runtime/sysctl.h"
#include "runtime/terminal.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY    65534
#define ATTR_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

typedef struct InfraContext {
	const RuntimeInfra *infra;
	int channel, pause_fd, null_fd;
} InfraContext;

static bool detach(InfraContext *context, GError **err) {
	const int keep[] = {context->channel, context->pause_fd, context->null_fd};
	int r = join_detach();

	if (r < 0)
		return fail_errno(err, -r, "cannot detach the infra process");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(0);
	process_close_others(keep, ARRAY_LENGTH(keep));
	(void)!sys_join_session_keyring(NULL);
	return true;
}

static bool build_root(InfraContext *context, GError **err) {
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	_cleanup_close_ int root_fd = mounts_new_tmpfs(16384, 0755, ATTR_SAFE);

	if (root_fd < 0 || mkdirat(root_fd, "dev", 0755) < 0 ||
		mkdirat(root_fd, "dev/shm", 0755) < 0)
		return fail_errno(err, errno, "cannot make the root of the infra process");
	if (!namespaces_make_private(err) || !rootfs_attach(root_fd, err))
		return false;
	if (context->infra->namespaces & CLONE_NEWIPC) {
		_cleanup_close_ int shm_fd =
			mounts_new_tmpfs(context->infra->shm_size_bytes, 01777, ATTR_SAFE);
		_cleanup_close_ int point =
			openat(root_fd, "dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (shm_fd < 0 || point < 0 || sys_move_mount(shm_fd, point) < 0)
			return fail_errno(err, errno, "cannot make the pod's /dev/shm");
	}
	if (sys_mount_setattr(root_fd, "", AT_EMPTY_PATH, &read_only) < 0)
		return fail_errno(
			err, errno, "cannot make the root of the infra process read-only");
	return rootfs_pivot(root_fd, err);
}

static bool furnish(InfraContext *context, GError **err) {
	const RuntimeInfra *infra = context->infra;

	if (infra->namespaces & CLONE_NEWCGROUP && unshare(CLONE_NEWCGROUP) < 0)
		return fail_errno(err, errno, "cannot make a cgroup namespace");
	if (!namespaces_furnish(infra->namespaces, infra->hostname, err))
		return false;
	if (!infra->sysctls || !infra->sysctls[0])
		return true;
	_cleanup_close_ int proc_fd = mounts_new("proc", NULL, 0, ATTR_SAFE);
	if (proc_fd < 0)
		return fail_errno(err, errno, "cannot make a procfs");
	return sysctl_apply(proc_fd, infra->sysctls, err);
}

static bool execute(InfraContext *context, GError **err) {
	const RuntimeInfra *infra = context->infra;
	char *argv[] = {(char *)"podctl-pause", (char *)infra->title, NULL}, *env[] = {NULL};
	const gid_t group = NOBODY;
	const JoinIdentity identity = {.uid = NOBODY,
		.gid = NOBODY,
		.groups = &group,
		.n_groups = 1,
		.no_new_privs = true};
	const char *what = "";

	if (!terminal_place_stdio(context->null_fd, context->null_fd, context->null_fd, err))
		return false;
	close_fd_ptr(&context->null_fd);
	prctl(PR_SET_PDEATHSIG, 0);
	umask(022);
	int r = join_become(&identity, &what);
	if (r < 0)
		return fail_errno(err, -r, "%s", what);
	sys_execveat(context->pause_fd, "", argv, env, AT_EMPTY_PATH);
	return fail_errno(err, errno, "cannot run \"%s\"", infra->pause_path);
}

static _Noreturn void run(InfraContext *context) {
	g_autoptr(GError) error = NULL;

	if (detach(context, &error) && build_root(context, &error) && furnish(context, &error) &&
		sync_send_ready(context->channel, -1, &error)) {
		if (!sync_wait_go(context->channel))
			_exit(EXIT_FAILURE);
		execute(context, &error);
	}
	sync_send_error(context->channel, error);
	_exit(EXIT_FAILURE);
}

/* Gives birth and waits until the child is at the barrier. */
static bool create(InfraContext *context, int cgroup_fd, RuntimeChild *child, GError **err) {
	const uint64_t flags = CLONE_NEWNS | CLONE_NEWPID |
			       (uint64_t)(context->infra->namespaces & ~CLONE_NEWCGROUP);

	if (!sync_pair(&child->barrier_fd, &context->channel, err))
		return false;
	pid_t pid = join_clone(-1, cgroup_fd, flags, &child->pidfd);
	if (pid == 0)
		run(context);
	close_fd_ptr(&context->channel);
	if (pid < 0)
		return fail_errno(err, -pid, "cannot create the infra process");
	child->process.pid = pid;
	SyncResult result = sync_receive(child->barrier_fd, NULL, err);
	if (result == SYNC_ERROR)
		return false;
	if (result != SYNC_READY || !proc_start_time(pid, &child->process.start_time))
		return fail(err, ERROR_FAILED, "the infra process has died early");
	return true;
}

bool runtime_create_infra(const RuntimeInfra *infra, RuntimeChild *ret_child, GError **err) {
	_cleanup_close_ int pause_fd = process_open_program(infra->pause_path, err);
	_cleanup_close_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	InfraContext context = {
		.infra = infra, .channel = -1, .pause_fd = pause_fd, .null_fd = null_fd};
	RuntimeChild child = RUNTIME_CHILD_NONE;
	bool made_cgroup = false;

	if (pause_fd < 0)
		return false;
	if (null_fd < 0)
		return fail_errno(err, errno, "cannot open \"/dev/null\"");
	_cleanup_close_ int cgroup_fd = cgroup_open(infra->cgroup, &made_cgroup, err);
	if (infra->cgroup && cgroup_fd < 0)
		return false;
	if (create(&context, cgroup_fd, &child, err)) {
		*ret_child = child;
		return true;
	}
	runtime_child_clear(&child);
	if (made_cgroup)
		runtime_cgroup_remove(infra->cgroup, NULL);
	return false;
}
