/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts of a container. See mounts.h. */
#include "runtime/mounts.h"
#include "base/str.h"
#include "runtime/copy_up.h"
#include "runtime/devices.h"
#include "runtime/rootfs.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define ATTR_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

int mounts_new(const char *type, const MountOption *options, size_t n, unsigned attributes) {
	_cleanup_close_ int fs_fd = sys_fsopen(type);

	/* The source is what programs see in /proc/mounts; "none" would surprise them. */
	if (fs_fd < 0 || sys_fsconfig_string(fs_fd, "source", type) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int r = options[i].value
				? sys_fsconfig_string(fs_fd, options[i].key, options[i].value)
				: sys_fsconfig_flag(fs_fd, options[i].key);
		if (r < 0)
			return -1;
	}
	if (sys_fsconfig_create(fs_fd) < 0)
		return -1;
	return sys_fsmount(fs_fd, attributes);
}

int mounts_new_tmpfs(uint64_t size_bytes, unsigned mode, unsigned attributes) {
	char mode_text[16], size_text[32];
	MountOption options[] = {{"mode", mode_text}, {"size", size_text}};

	g_snprintf(mode_text, sizeof(mode_text), "%o", mode);
	g_snprintf(size_text, sizeof(size_text), "%" G_GUINT64_FORMAT, size_bytes);
	return mounts_new("tmpfs", options, size_bytes ? 2 : 1, attributes);
}

int mounts_clone(int dir_fd, const char *path, bool recursive, unsigned attributes) {
	unsigned depth = recursive ? AT_RECURSIVE : 0;
	struct mount_attr wanted = {.attr_set = attributes, .propagation = MS_PRIVATE};
	_cleanup_close_ int fd = sys_open_tree(
		dir_fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | depth);

	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH | depth, &wanted) < 0)
		return -1;
	return steal_fd(&fd);
}

/* ---- the user's mounts ---- */

bool mounts_check_destination(const char *destination, GError **err) {
	static const char *const harmless[] = {"/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
		"/proc/uptime", "/proc/loadavg", "/proc/swaps", "/proc/diskstats", "/proc/net/dev",
		"/proc/slabinfo", NULL};
	g_autofree char *path = str_clean_path(destination);

	if (path[0] != '/' || strcmp(path, "/") == 0)
		return fail(
			err, ERROR_INVALID, "cannot mount on \"%s\" of the container", destination);
	if ((strcmp(path, "/proc") == 0 || g_str_has_prefix(path, "/proc/")) &&
		!str_in_list(path, harmless))
		return fail(err, ERROR_INVALID,
			"cannot mount on \"%s\": the container's /proc is not replaceable",
			destination);
	return true;
}

static unsigned attributes_of(const RuntimeMount *mount) {
	return (mount->read_only ? MOUNT_ATTR_RDONLY : 0) |
	       (mount->nosuid ? MOUNT_ATTR_NOSUID : 0) | (mount->nodev ? MOUNT_ATTR_NODEV : 0) |
	       (mount->noexec ? MOUNT_ATTR_NOEXEC : 0);
}

static bool propagation_of(const char *text, uint64_t *ret_propagation, GError **err) {
	const char *word = !text ? "private" : text[0] == 'r' ? text + 1 : text;

	if (strcmp(word, "private") == 0)
		*ret_propagation = MS_PRIVATE;
	else if (strcmp(word, "slave") == 0)
		*ret_propagation = MS_SLAVE;
	else if (strcmp(word, "shared") == 0)
		*ret_propagation = MS_SHARED;
	else
		return fail(err, ERROR_INVALID, "unknown mount propagation \"%s\"", text);
	return true;
}

bool mounts_prepare(const RuntimeMount *mount, int *ret_fd, GError **err) {
	struct mount_attr wanted = {.attr_set = attributes_of(mount)};
	unsigned depth = mount->recursive ? AT_RECURSIVE : 0;
	uint64_t propagation = 0;

	*ret_fd = -1;
	if (!mounts_check_destination(mount->destination, err))
		return false;
	if (mount->kind == MOUNT_TMPFS)
		return true;
	if (!propagation_of(mount->propagation, &propagation, err))
		return false;
	wanted.propagation = propagation;
	_cleanup_close_ int fd =
		sys_open_tree(AT_FDCWD, mount->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | depth);
	if (fd < 0)
		return fail_errno(err, errno, "cannot mount \"%s\" on \"%s\"", mount->source,
			mount->destination);
	/* Before it is attached anywhere: there is no moment in which a read-only mount can be
	 * written (security.md A07.3). */
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | depth, &wanted) < 0)
		return fail_errno(
			err, errno, "cannot set the options of mount \"%s\"", mount->destination);
	*ret_fd = steal_fd(&fd);
	return true;
}

static bool is_directory(int fd) {
	struct stat info;

	return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A link of the image may lead into /proc, which the name of the destination does not show. */
static bool check_point(int point, const char *destination, GError **err) {
	g_autofree char *path = str_clean_path(destination);
	struct statfs info;

	if (fstatfs(point, &info) < 0)
		return fail_errno(err, errno, "cannot look at \"%s\"", destination);
	if (info.f_type != PROC_SUPER_MAGIC || g_str_has_prefix(path, "/proc/"))
		return true;
	return fail(err, ERROR_INVALID,
		"cannot mount on \"%s\": it leads into the container's /proc", destination);
}

/* Makes the destination and puts fd there. */
static bool attach(InitContext *context, int fd, const char *destination, GError **err) {
	_cleanup_close_ int point = rootfs_make(context->root_fd, destination,
		is_directory(fd) ? POINT_DIRECTORY : POINT_FILE, NULL, err);

	if (point < 0 || !check_point(point, destination, err))
		return false;
	if (sys_move_mount(fd, point) < 0)
		return fail_errno(err, errno, "cannot mount on \"%s\"", destination);
	return true;
}

static bool apply_tmpfs(InitContext *context, const RuntimeMount *mount, GError **err) {
	unsigned attributes = attributes_of(mount);
	_cleanup_close_ int point =
		rootfs_make(context->root_fd, mount->destination, POINT_DIRECTORY, NULL, err);

	if (point < 0 || !check_point(point, mount->destination, err))
		return false;
	_cleanup_close_ int fd = mounts_new_tmpfs(
		mount->size_bytes, mount->mode, attributes & ~(unsigned)MOUNT_ATTR_RDONLY);
	if (fd < 0)
		return fail_errno(err, errno, "cannot make a tmpfs for \"%s\"", mount->destination);
	if (mount->copy_up && !copy_up(point, fd, err))
		return fail_prefix(err, "cannot fill the tmpfs on \"%s\"", mount->destination);
	if (mount->read_only) {
		struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

		if (sys_mount_setattr(fd, "", AT_EMPTY_PATH, &read_only) < 0)
			return fail_errno(err, errno, "cannot make the tmpfs on \"%s\" read-only",
				mount->destination);
	}
	if (sys_move_mount(fd, point) < 0)
		return fail_errno(err, errno, "cannot mount on \"%s\"", mount->destination);
	return true;
}

bool mounts_apply_user(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	for (size_t i = 0; i < config->n_mounts; i++) {
		const RuntimeMount *mount = config->mounts[i];
		g_autoptr(GError) error = NULL;
		bool done = mount->kind == MOUNT_TMPFS ? apply_tmpfs(context, mount, &error)
						       : attach(context, context->mount_fds[i],
								 mount->destination, &error);

		if (!done && !mount->optional) {
			g_propagate_error(err, g_steal_pointer(&error));
			return false;
		}
	}
	if (context->notify_fd >= 0)
		return attach(context, context->notify_fd, "/run/notify", err);
	return true;
}

/* ---- the runtime's own mounts ---- */

/* A procfs with the options that were asked for. What sets sysctls needs all of it. */
static int new_proc(InitContext *context) {
	const RuntimeConfig *config = context->config;
	size_t n = config->proc_options ? g_strv_length(config->proc_options) : 0;
	g_autofree MountOption *options = g_new0(MountOption, n + 1);
	g_auto(GStrv) words = g_strdupv(config->proc_options);

	for (size_t i = 0; i < n; i++) {
		char *value = strchr(words[i], '=');
		*value = '\0';
		options[i] = (MountOption){words[i], value + 1};
	}
	if (n > 0) {
		context->full_proc_fd = mounts_new("proc", NULL, 0, ATTR_SAFE);
		if (context->full_proc_fd < 0)
			return -1;
	}
	return mounts_new("proc", options, n, ATTR_SAFE);
}

static int make_proc(InitContext *context) {
	int fd = new_proc(context);

	if (fd >= 0)
		context->proc_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd;
}

static int make_sys(InitContext *context) {
	return mounts_new("sysfs", NULL, 0,
		ATTR_SAFE | (context->config->privileged ? 0 : MOUNT_ATTR_RDONLY));
}

/* Without a cgroup namespace a new mount would reset the options of the host's only cgroup2
 * instance (nsdelegate): there the host's own mount is bound. */
static int make_cgroup(InitContext *context) {
	const RuntimeConfig *config = context->config;
	int owned = config->new_namespaces | config->join_namespaces;

	if (!(owned & CLONE_NEWCGROUP))
		return context->cgroup_fd >= 0 ? steal_fd(&context->cgroup_fd) : -1;
	/* its own, or it would be the caller's that it could change */
	bool writable = config->privileged || (config->cgroup_writable && config->cgroup);
	return mounts_new("cgroup2", NULL, 0, ATTR_SAFE | (writable ? 0 : MOUNT_ATTR_RDONLY));
}

static int make_dev(InitContext *context) {
	int fd = devices_make(context->config, 0, 0);

	if (fd >= 0)
		context->dev_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd;
}

static int make_devpts(InitContext *context) {
	static const MountOption options[] = {
		{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}};
	int fd = mounts_new(
		"devpts", options, ARRAY_LENGTH(options), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

	if (fd >= 0)
		context->devpts_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd;
}

static int make_shm(InitContext *context) {
	if (context->shm_fd >= 0)
		return steal_fd(&context->shm_fd);
	if (context->host_shm_fd >= 0)
		return steal_fd(&context->host_shm_fd);
	return mounts_new_tmpfs(context->config->shm_size_bytes, 01777, ATTR_SAFE);
}

static int make_mqueue(InitContext *context) {
	(void)context;
	return mounts_new("mqueue", NULL, 0, ATTR_SAFE);
}

typedef struct SystemMount {
	const char *destination;
	int (*make)(InitContext *context);
	bool optional; /* left out where the kernel has no such file system or no place for it */
} SystemMount;

/* In the order of their nesting. */
static const SystemMount system_mounts[] = {
	{"/proc", make_proc, false},
	{"/sys", make_sys, false},
	{"/sys/fs/cgroup", make_cgroup, true},
	{"/dev", make_dev, false},
	{"/dev/pts", make_devpts, false},
	{"/dev/shm", make_shm, false},
	{"/dev/mqueue", make_mqueue, true},
};

static bool apply_system(InitContext *context, const SystemMount *mount, GError **err) {
	g_autoptr(GError) error = NULL;
	_cleanup_close_ int fd = mount->make(context);

	if (fd < 0)
		return mount->optional ||
		       fail_errno(err, errno, "cannot make the file system for \"%s\"",
			       mount->destination);
	_cleanup_close_ int point = rootfs_real_dir(context->root_fd, mount->destination, &error);
	if (point < 0) {
		if (mount->optional)
			return true;
		g_propagate_error(err, g_steal_pointer(&error));
		return false;
	}
	if (sys_move_mount(fd, point) < 0)
		return fail_errno(err, errno, "cannot mount on \"%s\"", mount->destination);
	return true;
}

/* A second view of the same procfs that is mounted nowhere, so that nothing can be put over parts
 * of it. */
static bool keep_trusted_proc(InitContext *context, GError **err) {
	int fd = mounts_clone(context->proc_fd, "", false, ATTR_SAFE);

	if (fd < 0)
		return fail_errno(err, errno, "cannot keep a procfs");
	close_fd_ptr(&context->proc_fd);
	context->proc_fd = fd;
	return true;
}

bool mounts_apply_system(InitContext *context, GError **err) {
	array_foreach (mount, system_mounts)
		if (!apply_system(context, mount, err))
			return false;
	return keep_trusted_proc(context, err);
}
