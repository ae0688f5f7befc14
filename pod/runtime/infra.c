/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pod's first process: it owns the namespaces that the members join, and the /dev/shm that
 * they share. Its root is an empty read-only tmpfs, its user nobody, its program podctl-pause.
 */
#include "base/cleanup.h"
#include "runtime/birth.h"
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
#include "runtime/userns.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define NOBODY    65534
#define ATTR_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

typedef struct InfraContext {
	const RuntimeInfra *infra;
	int channel, pause_fd, null_fd, user_fd, proc_fd;
} InfraContext;

static bool detach(InfraContext *context, GError **err) {
	const int keep[] = {context->channel, context->pause_fd, context->null_fd};

	if (context->user_fd >= 0 && !userns_become_root(err))
		return false;
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
	/* in a user namespace only where the host's can be seen */
	if (context->infra->sysctls && context->infra->sysctls[0]) {
		context->proc_fd = mounts_new("proc", NULL, 0, ATTR_SAFE);
		if (context->proc_fd < 0)
			return fail_errno(err, errno, "cannot make a procfs");
	}
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
	return sysctl_apply(context->proc_fd, infra->sysctls, err);
}

static bool execute(InfraContext *context, GError **err) {
	const RuntimeInfra *infra = context->infra;
	char *argv[] = {(char *)"podctl-pause", (char *)infra->title, NULL}, *env[] = {NULL};
	uint32_t outside;
	/* root, where nobody has no id: without a capability that is nobody too */
	bool root = context->user_fd >= 0 &&
		    (!id_map_to_outside(&infra->uid_map, NOBODY, &outside) ||
			    !id_map_to_outside(&infra->gid_map, NOBODY, &outside));
	const gid_t group = root ? 0 : NOBODY;
	const JoinIdentity identity = {.uid = root ? 0 : NOBODY,
		.gid = group,
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
	const uint64_t flags =
		CLONE_NEWNS | CLONE_NEWPID |
		(uint64_t)(context->infra->namespaces & ~(CLONE_NEWCGROUP | CLONE_NEWUSER));
	bool sent;

	if (!sync_pair(&child->barrier_fd, &context->channel, err))
		return false;
	const Birth birth = {.flags = flags,
		.cgroup_fd = cgroup_fd,
		.pid_fd = -1,
		.user_fd = context->user_fd,
		.channel = context->channel};
	pid_t pid = birth_give(&birth, &child->pidfd, &sent, err);
	if (pid == 0)
		run(context);
	close_fd_ptr(&context->channel);
	if (pid < 0 && !sent)
		return false;
	child->process.pid = MAX(pid, 0);
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
	_cleanup_close_ int user_fd = -1;
	InfraContext context = {.infra = infra,
		.channel = -1,
		.pause_fd = pause_fd,
		.null_fd = null_fd,
		.user_fd = -1,
		.proc_fd = -1};
	RuntimeChild child = RUNTIME_CHILD_NONE;
	bool made_cgroup = false;

	if (pause_fd < 0)
		return false;
	if (null_fd < 0)
		return fail_errno(err, errno, "cannot open \"/dev/null\"");
	if (infra->uid_map.n > 0) {
		user_fd = userns_make(&infra->uid_map, &infra->gid_map, err);
		if (user_fd < 0)
			return false;
		context.user_fd = user_fd;
	}
	_cleanup_close_ int pod_fd = cgroup_make(infra->pod_cgroup, &made_cgroup, err);
	if (infra->pod_cgroup && pod_fd < 0)
		return false;
	_cleanup_close_ int cgroup_fd = cgroup_make(infra->cgroup, &made_cgroup, err);
	if (infra->cgroup && cgroup_fd < 0)
		return false;
	if (infra->pod_cgroup &&
		!runtime_cgroup_limit(infra->pod_cgroup, infra->limits, infra->n_limits, err))
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
