/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces of the first process. See namespaces.h. */
#include "runtime/namespaces.h"
#include "base/cleanup.h"
#include "runtime/join.h"
#include "runtime/mounts.h"
#include "runtime/runtime.h"
#include "runtime/syscalls.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const struct {
	int flag;
	const char *file; /* below /proc/PID/ns */
	const char *kind;
} kinds[] = {
	{CLONE_NEWNET, "net", "network"},
	{CLONE_NEWIPC, "ipc", "IPC"},
	{CLONE_NEWUTS, "uts", "UTS"},
	{CLONE_NEWPID, "pid", "PID"},
	{CLONE_NEWCGROUP, "cgroup", "cgroup"},
	{CLONE_NEWUSER, "user", "user"},
};

/* Standing in the infra's mount namespace, which has the pod's /dev/shm, makes our own one cheap:
 * its mount table has two entries to copy where the host's has dozens. In a user namespace it would
 * hide the /proc and /sys that the kernel wants to see before it mounts new ones. */
static bool stands_in(const InitContext *context, const RuntimeJoin *join) {
	return join->infra && (join->namespaces & CLONE_NEWIPC) && context->user_fd < 0;
}

int namespaces_at_birth(const InitContext *context) {
	const RuntimeConfig *config = context->config;
	int flags = (config->new_namespaces & ~(CLONE_NEWCGROUP | CLONE_NEWUSER)) | CLONE_NEWNS;

	for (size_t i = 0; i < config->n_joins; i++)
		if (stands_in(context, &config->joins[i]))
			flags &= ~CLONE_NEWNS;
	return flags;
}

/* ---- in the launcher ---- */

static bool is_own(int fd, const char *file) {
	g_autofree char *path = g_strconcat("/proc/self/ns/", file, NULL);
	struct stat own, other;

	return stat(path, &own) == 0 && fstat(fd, &other) == 0 && own.st_ino == other.st_ino &&
	       own.st_dev == other.st_dev;
}

/* Whatever else the file is, reading it must not block or change anything. */
static int open_namespace_file(const RuntimeJoin *join, GError **err) {
	const char *wanted = "";
	struct statfs info;
	_cleanup_close_ int fd = open(join->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	array_foreach (row, kinds)
		if (row->flag & join->namespaces)
			wanted = row->kind;
	if (fd < 0 || fstatfs(fd, &info) < 0) {
		fail_errno(err, errno, "cannot join the %s namespace \"%s\"", wanted, join->path);
		return -1;
	}
	if (info.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != join->namespaces) {
		fail(err, ERROR_INVALID, "cannot join \"%s\": it is no %s namespace", join->path,
			wanted);
		return -1;
	}
	return steal_fd(&fd);
}

static int open_join(const RuntimeJoin *join, GError **err) {
	if (join->path)
		return open_namespace_file(join, err);
	int fd = proc_open(join->process);
	if (fd < 0)
		fail(err, ERROR_STATE, "process %d, whose namespaces to join, has ended",
			join->process.pid);
	return fd;
}

/* One namespace of a process that is held by its pidfd; -1 with errno. */
static int open_of_process(int pidfd, pid_t pid, const char *file) {
	char path[48];

	g_snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, file);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	/* still the same process, or the number had another owner */
	if (fd >= 0 && sys_pidfd_signal(pidfd, 0) < 0)
		return -1;
	return steal_fd(&fd);
}

static bool open_user(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	if (config->new_namespaces & CLONE_NEWUSER) {
		context->user_fd = userns_make(&config->uid_map, &config->gid_map, err);
		id_map_copy(&config->uid_map, &context->uids);
		id_map_copy(&config->gid_map, &context->gids);
		return context->user_fd >= 0;
	}
	for (size_t i = 0; i < config->n_joins; i++) {
		const RuntimeJoin *join = &config->joins[i];
		_cleanup_close_ int fd = -1;

		if (!(join->namespaces & CLONE_NEWUSER))
			continue;
		fd = join->path ? fcntl(context->join_fds[i], F_DUPFD_CLOEXEC, 3)
				: open_of_process(context->join_fds[i], join->process.pid, "user");
		if (fd < 0)
			return fail_errno(err, errno, "cannot open the user namespace to join");
		/* joining the one that we are in is an error for the kernel */
		if (is_own(fd, "user"))
			return true;
		if (!userns_read_maps(fd, &context->uids, &context->gids, err))
			return false;
		context->user_fd = steal_fd(&fd);
	}
	return true;
}

/* A container may be joined whose namespace is the host's: a sysctl would change the host. */
static bool check_sysctls(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	int ours = config->new_namespaces | config->join_namespaces;

	if (!config->sysctls || !config->sysctls[0])
		return true;
	for (size_t i = 0; i < config->n_joins; i++) {
		const RuntimeJoin *join = &config->joins[i];

		array_foreach (row, kinds) {
			_cleanup_close_ int fd = -1;

			if (!(row->flag & join->namespaces))
				continue;
			fd = join->path ? fcntl(context->join_fds[i], F_DUPFD_CLOEXEC, 3)
					: open_of_process(context->join_fds[i], join->process.pid,
						  row->file);
			if (fd < 0 || is_own(fd, row->file))
				ours &= ~row->flag;
		}
	}
	for (char **sysctl = config->sysctls; *sysctl; sysctl++)
		if (!runtime_sysctl_check(*sysctl, ours, err))
			return false;
	return true;
}

/* The kernel makes a procfs only for who owns the PID namespace. */
static bool check_owner(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	struct stat wanted, found;

	for (size_t i = 0; i < config->n_joins && context->user_fd >= 0; i++) {
		const RuntimeJoin *join = &config->joins[i];
		_cleanup_close_ int fd = -1, owner = -1;

		if (!(join->namespaces & CLONE_NEWPID))
			continue;
		fd = join->path ? fcntl(context->join_fds[i], F_DUPFD_CLOEXEC, 3)
				: open_of_process(context->join_fds[i], join->process.pid, "pid");
		owner = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
		if (owner < 0 || fstat(owner, &found) < 0 || fstat(context->user_fd, &wanted) < 0)
			return fail_errno(err, errno, "cannot look at the PID namespace to join");
		if (found.st_ino != wanted.st_ino)
			return fail(err, ERROR_INVALID,
				"cannot join the PID namespace: it belongs to another user "
				"namespace "
				"than the container's");
	}
	return true;
}

bool namespaces_open(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	if (!config->join_namespaces && !(config->new_namespaces & CLONE_NEWUSER))
		return true;
	context->join_fds = g_new(int, config->n_joins + 1);
	memset(context->join_fds, 0xff, (config->n_joins + 1) * sizeof(int));
	for (size_t i = 0; i < config->n_joins; i++) {
		context->join_fds[i] = open_join(&config->joins[i], err);
		if (context->join_fds[i] < 0)
			return false;
	}
	return open_user(context, err) && check_owner(context, err) && check_sysctls(context, err);
}

int namespaces_pid_fd(const InitContext *context) {
	const RuntimeConfig *config = context->config;

	for (size_t i = 0; i < config->n_joins; i++)
		if (config->joins[i].namespaces & CLONE_NEWPID)
			return context->join_fds[i];
	return -1;
}

/* ---- in the first process, or in the intermediate ---- */

/* -1 without a word when the target has no such tmpfs: then the container gets its own. */
static int take_shm(void) {
	struct statfs found;
	_cleanup_close_ int fd = sys_openat2(AT_FDCWD, "/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC,
		RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	if (fd < 0 || fstatfs(fd, &found) < 0 || found.f_type != TMPFS_MAGIC)
		return -1;
	return mounts_clone(
		fd, "", false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* Takes the /dev/shm of a process from its mount namespace and comes back. */
static bool visit_for_shm(InitContext *context, int join_fd, GError **err) {
	_cleanup_close_ int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int r = home < 0 ? -errno : join_enter(join_fd, CLONE_NEWNS);

	if (r == 0) {
		context->shm_fd = take_shm();
		r = join_enter(home, CLONE_NEWNS);
	}
	return r == 0 || fail_errno(err, -r, "cannot share /dev/shm");
}

static bool join_one(InitContext *context, const RuntimeJoin *join, int fd, GError **err) {
	bool stand = stands_in(context, join);
	int flags = join->namespaces & ~(CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWNS);

	if (stand)
		flags |= CLONE_NEWNS;
	int r = flags ? join_enter(fd, flags) : 0;
	if (r < 0 && join->path)
		return fail_errno(err, -r, "cannot join the namespace \"%s\"", join->path);
	if (r < 0)
		return fail_errno(
			err, -r, "cannot join the namespaces of process %d", join->process.pid);
	if (stand)
		context->shm_fd = take_shm();
	else if ((join->namespaces & CLONE_NEWIPC) && join->process.pid > 0)
		return visit_for_shm(context, fd, err);
	return true;
}

bool namespaces_join(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	for (size_t i = 0; i < config->n_joins; i++)
		if (!join_one(context, &config->joins[i], context->join_fds[i], err))
			return false;
	return true;
}

bool namespaces_make_private(GError **err) {
	struct mount_attr private = {.propagation = MS_PRIVATE};

	if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private) < 0)
		return fail_errno(err, errno, "cannot make the mounts private");
	return true;
}

bool namespaces_enter(InitContext *context, GError **err) {
	int leave = context->config->new_namespaces & CLONE_NEWCGROUP;

	if (context->user_fd < 0 && !namespaces_join(context, err))
		return false;
	if (!(namespaces_at_birth(context) & CLONE_NEWNS))
		leave |= CLONE_NEWNS;
	/* The cgroup namespace's root is the cgroup we stand in, so this must come after entering
	 * it: clone3 with CLONE_NEWCGROUP would take the caller's. */
	if (leave && unshare(leave) < 0)
		return fail_errno(err, errno, "cannot make new namespaces");
	return namespaces_make_private(err);
}

static bool raise_loopback(GError **err) {
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return fail_errno(err, errno, "cannot bring the loopback interface up");
	return true;
}

bool namespaces_furnish(int new_namespaces, const char *hostname, GError **err) {
	if (new_namespaces & CLONE_NEWUTS && hostname &&
		sethostname(hostname, strlen(hostname)) < 0)
		return fail_errno(err, errno, "cannot set the host name \"%s\"", hostname);
	return !(new_namespaces & CLONE_NEWNET) || raise_loopback(err);
}
