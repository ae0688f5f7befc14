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

static unsigned attributes_of(const RuntimeMount *mount) {
	return (mount->read_only ? MOUNT_ATTR_RDONLY : 0) |
	       (mount->nosuid ? MOUNT_ATTR_NOSUID : 0) | (mount->nodev ? MOUNT_ATTR_NODEV : 0) |
	       (mount->noexec ? MOUNT_ATTR_NOEXEC : 0);
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

/* Where a mount goes. real: exactly there, because the runtime's own mount would be. -1 on error.
 */
static int make_point(InitContext *context, const char *destination, PointKind kind, bool real,
	bool *ret_made, GError **err) {
	*ret_made = false;
	_cleanup_close_ int point =
		real ? rootfs_real_dir(context->root_fd, destination, err)
		     : rootfs_make(context->root_fd, destination, kind, ret_made, err);

	return point >= 0 && check_point(point, destination, err) ? steal_fd(&point) : -1;
}

static bool put(int fd, int point, const char *destination, GError **err) {
	return sys_move_mount(fd, point) == 0 ||
	       fail_errno(err, errno, "cannot mount on \"%s\"", destination);
}

/* Makes the destination and puts fd there. */
static bool attach(InitContext *context, int fd, const char *destination, bool real, GError **err) {
	bool made;
	_cleanup_close_ int point = make_point(context, destination,
		is_directory(fd) ? POINT_DIRECTORY : POINT_FILE, real, &made, err);

	return point >= 0 && put(fd, point, destination, err);
}

/* Of a fresh overlay only one part is wanted. A part can be copied only from a mount that is
 * attached (before Linux 6.15): for a moment all of it covers the root, which nobody looks at yet.
 */
static int take_part(InitContext *context, int fd, const char *subpath, GError **err) {
	_cleanup_close_ int part = -1, tree = -1;

	if (sys_move_mount(fd, context->root_fd) < 0) {
		fail_errno(err, errno, "cannot mount the image");
		return -1;
	}
	part = sys_openat2(fd, subpath, O_PATH | O_CLOEXEC,
		RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
	if (part < 0)
		fail_errno(err, errno, "cannot mount \"%s\" of the image", subpath);
	else if ((tree = sys_open_tree(
			  part, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)) < 0)
		fail_errno(err, errno, "cannot mount \"%s\" of the image", subpath);
	if (fchdir(fd) < 0 || sys_umount_detach(".") < 0 || fchdir(context->root_fd) < 0) {
		if (tree >= 0)
			fail_errno(err, errno, "cannot detach the image");
		return -1;
	}
	return steal_fd(&tree);
}

static bool attach_prepared(
	InitContext *context, const RuntimeMount *mount, int fd, bool real, GError **err) {
	if (mount->kind != MOUNT_OVERLAY || !mount->subpath)
		return attach(context, fd, mount->destination, real, err);
	_cleanup_close_ int part = take_part(context, fd, mount->subpath, err);
	return part >= 0 && attach(context, part, mount->destination, real, err);
}

/* The options of a fresh file system, as texts. */
typedef struct FreshOptions {
	MountOption rows[8];
	char texts[8][24];
	size_t n;
} FreshOptions;

static void add_option(FreshOptions *options, const char *key, const char *format, uint64_t value) {
	char *text = options->texts[options->n];

	if (*format == 'o')
		g_snprintf(text, sizeof(options->texts[0]), "%o", (unsigned)value);
	else
		g_snprintf(text, sizeof(options->texts[0]), "%" G_GUINT64_FORMAT, value);
	options->rows[options->n++] = (MountOption){key, *format ? text : NULL};
}

static int make_fresh(const RuntimeMount *mount) {
	static const char *const types[] = {
		[MOUNT_TMPFS] = "tmpfs", [MOUNT_RAMFS] = "ramfs", [MOUNT_DEVPTS] = "devpts"};
	unsigned attributes = attributes_of(mount) & ~(unsigned)MOUNT_ATTR_RDONLY;
	FreshOptions options = {0};

	add_option(&options, "mode", "octal", mount->mode);
	if (mount->kind == MOUNT_DEVPTS) {
		add_option(&options, "newinstance", "", 0);
		add_option(&options, "ptmxmode", "octal", 0666);
		attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	}
	if (mount->max)
		add_option(&options, "max", "number", mount->max);
	if (mount->size_bytes)
		add_option(&options, "size", "number", mount->size_bytes);
	if (mount->max_inodes)
		add_option(&options, "nr_inodes", "number", mount->max_inodes);
	if (mount->no_swap)
		add_option(&options, "noswap", "", 0);
	if (mount->uid >= 0)
		add_option(&options, "uid", "number", (uint64_t)mount->uid);
	if (mount->gid >= 0)
		add_option(&options, "gid", "number", (uint64_t)mount->gid);
	return mounts_new(types[mount->kind], options.rows, options.n, attributes);
}

static bool give_to_user(InitContext *context, int fd, GError **err) {
	ProcessUser user = {0};

	if (!process_find_user(context->root_fd, context->config->user, NULL, NULL, 0, &user, err))
		return false;
	/* fd stands for a mount, which is no open file */
	int r = fchownat(fd, "", user.uid, user.gid, AT_EMPTY_PATH);
	process_user_clear(&user);
	return r == 0 || fail_errno(err, errno, "cannot change the owner of a tmpfs");
}

/* The directory is the image's in mode and owner too, where nothing else was said. */
static bool fill_fresh(const RuntimeMount *mount, int point, int fd, GError **err) {
	if (!copy_up(point, fd, NULL, err))
		return fail_prefix(err, "cannot fill the tmpfs on \"%s\"", mount->destination);
	_cleanup_close_ int dir = sys_openat2(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0 || (mount->mode_given && fchmod(dir, mount->mode) < 0) ||
		fchown(dir, mount->uid < 0 ? (uid_t)-1 : (uid_t)mount->uid,
			mount->gid < 0 ? (gid_t)-1 : (gid_t)mount->gid) < 0)
		return fail_errno(err, errno, "cannot set the mode of the tmpfs on \"%s\"",
			mount->destination);
	return true;
}

static bool apply_fresh(InitContext *context, const RuntimeMount *mount, bool real, GError **err) {
	bool made;
	_cleanup_close_ int point =
		make_point(context, mount->destination, POINT_DIRECTORY, real, &made, err);

	if (point < 0)
		return false;
	_cleanup_close_ int fd = make_fresh(mount);
	if (fd < 0)
		return fail_errno(
			err, errno, "cannot make a file system for \"%s\"", mount->destination);
	if (mount->copy_up && !made && !fill_fresh(mount, point, fd, err))
		return false;
	if (mount->chown && !give_to_user(context, fd, err))
		return false;
	if (mount->read_only) {
		struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

		if (sys_mount_setattr(fd, "", AT_EMPTY_PATH, &read_only) < 0)
			return fail_errno(err, errno, "cannot make the tmpfs on \"%s\" read-only",
				mount->destination);
	}
	return put(fd, point, mount->destination, err);
}

static bool apply_one(InitContext *context, size_t i, bool real, GError **err) {
	const RuntimeMount *mount = context->config->mounts[i];
	g_autoptr(GError) error = NULL;
	bool prepared = mount->kind == MOUNT_BIND || mount->kind == MOUNT_OVERLAY;
	bool done = prepared ? attach_prepared(context, mount, context->mount_fds[i], real, &error)
			     : apply_fresh(context, mount, real, &error);

	if (done || mount->optional)
		return true;
	g_propagate_error(err, g_steal_pointer(&error));
	return false;
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
	int fd = context->host_proc_fd >= 0 ? steal_fd(&context->host_proc_fd) : new_proc(context);

	if (fd >= 0)
		context->proc_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd;
}

static int make_sys(InitContext *context) {
	int fd = mounts_new("sysfs", NULL, 0,
		ATTR_SAFE | (context->config->privileged ? 0 : MOUNT_ATTR_RDONLY));

	/* the kernel refuses it to a user namespace that does not own the network namespace */
	return fd < 0 && context->host_sys_fd >= 0 ? steal_fd(&context->host_sys_fd) : fd;
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
	int fd = context->host_dev_fd >= 0 ? steal_fd(&context->host_dev_fd)
					   : devices_make(context->config, 0, 0);

	if (fd >= 0)
		context->dev_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd;
}

static int make_devpts(InitContext *context) {
	static const MountOption options[] = {
		{"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}};
	uint32_t outside;
	/* the last one needs the group in the user namespace (security.md A05.2) */
	bool no_group = context->user_fd >= 0 && !id_map_to_outside(&context->gids, 5, &outside);
	int fd = mounts_new("devpts", options, ARRAY_LENGTH(options) - no_group,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);

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

/* The user's mount with this destination; -1: none. */
static ssize_t find_mount(const RuntimeConfig *config, const char *destination) {
	for (size_t i = 0; i < config->n_mounts; i++)
		if (strcmp(config->mounts[i]->destination, destination) == 0)
			return (ssize_t)i;
	return -1;
}

/* A terminal comes from a devpts of our own, also where the user sees another one or none. */
static bool keep_hidden_devpts(InitContext *context, const SystemMount *mount, GError **err) {
	if (mount->make != make_devpts || !context->config->terminal)
		return true;
	_cleanup_close_ int fd = make_devpts(context);
	return fd >= 0 || fail_errno(err, errno, "cannot make a devpts");
}

static bool apply_system(InitContext *context, const SystemMount *mount, GError **err) {
	const RuntimeConfig *config = context->config;
	bool in_users_dev = g_str_has_prefix(mount->destination, "/dev/") &&
			    runtime_config_has_mount(config, "/dev");
	ssize_t user = find_mount(config, mount->destination);

	if (in_users_dev || user >= 0) {
		if (!keep_hidden_devpts(context, mount, err))
			return false;
		return user < 0 || apply_one(context, (size_t)user, true, err);
	}
	if (mount->make == make_shm && config->no_shm)
		return true;
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
	return put(fd, point, mount->destination, err);
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

/* Those on a place of the runtime's own are there already. */
bool mounts_apply_user(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	for (size_t i = 0; i < config->n_mounts; i++) {
		bool done = false;

		array_foreach (mount, system_mounts)
			done = done ||
			       strcmp(mount->destination, config->mounts[i]->destination) == 0;
		if (!done && !apply_one(context, i, false, err))
			return false;
	}
	if (context->notify_fd >= 0)
		return attach(context, context->notify_fd, "/run/notify", false, err);
	return true;
}

bool mounts_seal_dev(InitContext *context, GError **err) {
	static const char *const places[] = {"/dev", "/dev/shm"};
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

	if (!context->config->read_only_dev)
		return true;
	array_foreach (place, places) {
		if (runtime_config_has_mount(context->config, *place) ||
			runtime_config_has_mount(context->config, "/dev"))
			continue;
		_cleanup_close_ int fd = rootfs_open(context->root_fd, *place, O_PATH);
		if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &read_only) < 0)
			return fail_errno(err, errno, "cannot make \"%s\" read-only", *place);
	}
	return true;
}
