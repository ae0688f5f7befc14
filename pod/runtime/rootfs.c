/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root file system and path look-up inside it. See rootfs.h. */
#include "runtime/rootfs.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/mounts.h"
#include "runtime/namespaces.h"
#include "runtime/sync.h"
#include "runtime/syscalls.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The kernel takes at most 255 bytes for one value of fsconfig. */
#define FSCONFIG_VALUE_MAX 255

/* A link chain longer than the kernel's own limit. */
#define LINKS_MAX 40

static bool set_option(int fs_fd, const char *key, const char *value, GError **err) {
	if (sys_fsconfig_string(fs_fd, key, value) < 0)
		return fail_errno(err, errno, "cannot set overlay option \"%s=%s\"", key, value);
	return true;
}

static int open_layer(const char *path, GError **err) {
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fail_errno(err, errno, "cannot open layer \"%s\"", path);
	return fd;
}

static bool map_mount(int fd, const RootfsIds *ids, const char *path, GError **err) {
	if (userns_map_mount(fd, ids->user_fd, false) == 0)
		return true;
	return fail_errno(err, errno,
		"cannot map the ids of \"%s\" (its file system must know id-mapped mounts)", path);
}

/* A layer as it is seen through the map; nothing on the disk changes. */
static int open_mapped_layer(const char *path, const RootfsIds *ids, GError **err) {
	_cleanup_close_ int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0) {
		fail_errno(err, errno, "cannot open layer \"%s\"", path);
		return -1;
	}
	return map_mount(fd, ids, path, err) ? steal_fd(&fd) : -1;
}

/* The root directory that the container sees is the upper layer's: made as in the image, it gets
 * the ids that those mean inside. A container may have given it away since: known ids stay. */
static bool give_upper(const RuntimeRootfs *rootfs, const RootfsIds *ids, const int *lower,
	size_t n, GError **err) {
	struct stat upper, image;
	uint32_t uid, gid, id;

	if (stat(rootfs->upper_dir, &upper) < 0 || fstat(lower[n - 1], &image) < 0)
		return fail_errno(err, errno, "cannot look at \"%s\"", rootfs->upper_dir);
	if (!rootfs->fresh_upper && id_map_to_inside(ids->uids, upper.st_uid, &id) &&
		id_map_to_inside(ids->gids, upper.st_gid, &id))
		return true;
	/* the image is seen through the map: an id that has none inside is the overflow id */
	uid = image.st_uid;
	gid = image.st_gid;
	if (!id_map_to_inside(ids->uids, uid, &id))
		id_map_to_outside(ids->uids, 0, &uid);
	if (!id_map_to_inside(ids->gids, gid, &id))
		id_map_to_outside(ids->gids, 0, &gid);
	return lchown(rootfs->upper_dir, uid, gid) == 0 ||
	       fail_errno(err, errno, "cannot give \"%s\" to the container", rootfs->upper_dir);
}

/* Names of layers are descriptor numbers, looked up with /proc/self/fd as working directory: no
 * character of a path needs escaping, 255 bytes hold 60 layers and more, and the container's own
 * mount table does not show where the host keeps its storage. */
static bool set_lower_dirs(int fs_fd, const int *fds, size_t n, GError **err) {
	g_autoptr(GString) joined = g_string_new(NULL);

	for (size_t i = n; i > 0; i--)
		g_string_append_printf(joined, "%s%d", joined->len ? ":" : "", fds[i - 1]);
	if (joined->len <= FSCONFIG_VALUE_MAX)
		return set_option(fs_fd, "lowerdir", joined->str, err);
	/* Linux 6.7 */
	for (size_t i = n; i > 0; i--) {
		char name[16];

		g_snprintf(name, sizeof(name), "%d", fds[i - 1]);
		if (sys_fsconfig_string(fs_fd, "lowerdir+", name) < 0)
			return fail_errno(err, errno,
				"cannot stack %zu layers (this kernel takes about 60)", n);
	}
	return true;
}

/* What a volatile mount leaves in its work directory to refuse the next one. The upper layer of
 * such a mount does not outlive the boot, so the refusal has no reason here. */
static bool forget_volatile(int work_fd, GError **err) {
	_cleanup_close_ int inner = openat(work_fd, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (inner < 0)
		return errno == ENOENT ||
		       fail_errno(err, errno, "cannot open the overlay's work directory");
	return fd_remove_tree(inner, "incompat", err);
}

static bool set_upper(
	int fs_fd, const RuntimeRootfs *rootfs, int upper_fd, int work_fd, GError **err) {
	char name[16];

	g_snprintf(name, sizeof(name), "%d", upper_fd);
	if (sys_fsconfig_string(fs_fd, "upperdir", name) < 0)
		return fail_errno(err, errno,
			"cannot use \"%s\" as the upper layer of an overlay (is its file system an "
			"overlay itself?)",
			rootfs->upper_dir);
	g_snprintf(name, sizeof(name), "%d", work_fd);
	if (!set_option(fs_fd, "workdir", name, err))
		return false;
	if (!rootfs->volatile_upper)
		return true;
	if (!forget_volatile(work_fd, err))
		return false;
	if (sys_fsconfig_flag(fs_fd, "volatile") < 0)
		return fail_errno(err, errno, "cannot make the overlay volatile");
	return true;
}

/* metacopy and redirect_dir: a crafted layer could otherwise show files of the layers below it
 * (security.md A07.7). */
static bool set_hardening(int fs_fd, GError **err) {
	static const struct {
		const char *key, *value;
	} options[] = {{"source", "overlay"}, {"metacopy", "off"}, {"redirect_dir", "nofollow"},
		{"index", "off"}, {"xino", "off"}};

	array_foreach (option, options)
		if (!set_option(fs_fd, option->key, option->value, err))
			return false;
	return true;
}

static bool configure_overlay(
	int fs_fd, const RuntimeRootfs *rootfs, const int *lower, size_t n, GError **err) {
	_cleanup_close_ int upper_fd = -1, work_fd = -1;

	if (!set_hardening(fs_fd, err) || !set_lower_dirs(fs_fd, lower, n, err))
		return false;
	if (rootfs->upper_dir && !rootfs->look_only) {
		upper_fd = open_layer(rootfs->upper_dir, err);
		if (upper_fd < 0)
			return false;
		work_fd = open_layer(rootfs->work_dir, err);
		if (work_fd < 0 || !set_upper(fs_fd, rootfs, upper_fd, work_fd, err))
			return false;
	}
	if (sys_fsconfig_create(fs_fd) < 0)
		return fail_errno(err, errno, "cannot make an overlay of %zu layers", n);
	return true;
}

/* Runs with /proc/self/fd as working directory. */
static int make_overlay(const RuntimeRootfs *rootfs, const int *lower, size_t n, GError **err) {
	_cleanup_close_ int fs_fd = sys_fsopen("overlay");

	if (fs_fd < 0) {
		fail_errno(err, errno, "cannot use overlayfs");
		return -1;
	}
	if (!configure_overlay(fs_fd, rootfs, lower, n, err))
		return -1;
	int fd = sys_fsmount(fs_fd, rootfs->devices ? 0 : MOUNT_ATTR_NODEV);
	if (fd < 0)
		fail_errno(err, errno, "cannot mount an overlay of %zu layers", n);
	return fd;
}

/* The working directory is lent to the overlay and given back. */
static int make_overlay_by_numbers(
	const RuntimeRootfs *rootfs, const int *lower, size_t n, GError **err) {
	_cleanup_close_ int saved = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (saved < 0 || chdir("/proc/self/fd") < 0) {
		fail_errno(err, errno, "cannot enter \"/proc/self/fd\"");
		return -1;
	}
	_cleanup_close_ int fd = make_overlay(rootfs, lower, n, err);
	if (fchdir(saved) < 0 && fd >= 0) {
		fail_errno(err, errno, "cannot return to the working directory");
		return -1;
	}
	return steal_fd(&fd);
}

bool rootfs_attach(int root_fd, GError **err) {
	_cleanup_close_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0 || sys_move_mount(root_fd, old) < 0)
		return fail_errno(err, errno, "cannot attach the root file system");
	return true;
}

/* Puts the layers below a tmpfs that covers "/", in the caller's own mount namespace. */
static bool attach_layers(const int *lower, size_t n, GError **err) {
	_cleanup_close_ int top = mounts_new_tmpfs(0, 0700, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (top < 0 || unshare(CLONE_NEWNS) < 0)
		return fail_errno(err, errno, "cannot make a mount namespace for the layers");
	if (!namespaces_make_private(err) || !rootfs_attach(top, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		char name[16];

		g_snprintf(name, sizeof(name), "%zu", i);
		_cleanup_close_ int point =
			mkdirat(top, name, 0700) < 0
				? -1
				: openat(top, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (point < 0 || sys_move_mount(lower[i], point) < 0)
			return fail_errno(err, errno, "cannot attach a layer");
	}
	return true;
}

static _Noreturn void run_attacher(
	int channel, const RuntimeRootfs *rootfs, const int *lower, size_t n) {
	g_autoptr(GError) error = NULL;
	int fd = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (attach_layers(lower, n, &error))
		fd = make_overlay_by_numbers(rootfs, lower, n, &error);
	if (fd < 0 || !sync_send_ready(channel, fd, &error))
		sync_send_error(channel, error);
	_exit(0);
}

/* Kernels before 6.15 stack only layers that are attached somewhere: in a mount namespace that
 * lives as long as a child. The overlay has copies of its own and stays. */
static int make_overlay_attached(
	const RuntimeRootfs *rootfs, const int *lower, size_t n, GError **err) {
	CloneArgs args = {.exit_signal = SIGCHLD};
	_cleanup_close_ int ours = -1, theirs = -1;
	int fd = -1;

	if (!sync_pair(&ours, &theirs, err))
		return -1;
	pid_t pid = sys_clone3(&args);
	if (pid == 0)
		run_attacher(theirs, rootfs, lower, n);
	if (pid < 0) {
		fail_errno(err, errno, "cannot create a process");
		return -1;
	}
	close_fd_ptr(&theirs);
	if (sync_receive(ours, &fd, err) == SYNC_CLOSED)
		fail(err, ERROR_FAILED, "the process that stacks layers has died");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

static int stack_layers(const RuntimeRootfs *rootfs, const RootfsIds *ids, const int *lower,
	size_t n, GError **err) {
	g_autoptr(GError) error = NULL;
	int fd = -1;

	if (!ids)
		return make_overlay_by_numbers(rootfs, lower, n, err);
	if (!ids->attach)
		fd = make_overlay_by_numbers(rootfs, lower, n, &error);
	return fd >= 0 ? fd : make_overlay_attached(rootfs, lower, n, err);
}

static void close_all(const int *fds, size_t n) {
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static int prepare_overlay(const RuntimeRootfs *rootfs, const RootfsIds *ids, GError **err) {
	size_t n = rootfs->lower_dirs ? g_strv_length(rootfs->lower_dirs) : 0, opened = 0;
	g_autofree int *lower = g_new(int, n + 2);
	int fd = -1;

	for (; opened < n; opened++) {
		const char *path = rootfs->lower_dirs[opened];

		lower[opened] = ids ? open_mapped_layer(path, ids, err) : open_layer(path, err);
		if (lower[opened] < 0)
			break;
	}
	/* An upper layer has one user at a time, a lower one any number. Its ids are the real ones.
	 */
	if (opened == n && rootfs->look_only) {
		lower[n] = open_layer(rootfs->upper_dir, err);
		opened += lower[n] >= 0;
		n++;
	}
	if (opened == n && (!ids || !rootfs->upper_dir || rootfs->look_only || n == 0 ||
				   give_upper(rootfs, ids, lower, n, err)))
		fd = stack_layers(rootfs, ids, lower, n, err);
	close_all(lower, opened);
	return fd;
}

static int prepare_directory(
	const RuntimeRootfs *rootfs, const char *path, const RootfsIds *ids, GError **err) {
	struct mount_attr attributes = {
		.attr_set = rootfs->devices ? 0 : MOUNT_ATTR_NODEV, .propagation = MS_PRIVATE};
	_cleanup_close_ int fd =
		sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes) < 0) {
		fail_errno(err, errno, "cannot use \"%s\" as root file system", path);
		return -1;
	}
	return !ids || map_mount(fd, ids, path, err) ? steal_fd(&fd) : -1;
}

int rootfs_prepare(const RuntimeRootfs *rootfs, const RootfsIds *ids, GError **err) {
	if (rootfs->kind == ROOTFS_DIRECTORY)
		return prepare_directory(rootfs, rootfs->path, rootfs->map_ids ? ids : NULL, err);
	/* overlayfs refuses a single layer without an upper one. */
	if (!rootfs->upper_dir && rootfs->lower_dirs && g_strv_length(rootfs->lower_dirs) == 1)
		return prepare_directory(rootfs, rootfs->lower_dirs[0], ids, err);
	return prepare_overlay(rootfs, ids, err);
}

bool rootfs_pivot(int root_fd, GError **err) {
	struct stat wanted, found;

	/* The old root ends up on top of the new one, where "." finds it. */
	if (fchdir(root_fd) < 0 || sys_pivot_root(".", ".") < 0)
		return fail_errno(err, errno, "cannot change the root file system");
	if (sys_umount_detach(".") < 0)
		return fail_errno(err, errno, "cannot detach the old root file system");
	if (chdir("/") < 0 || fstat(root_fd, &wanted) < 0 || stat("/", &found) < 0)
		return fail_errno(err, errno, "cannot enter the root file system");
	if (wanted.st_dev != found.st_dev || wanted.st_ino != found.st_ino)
		return fail(err, ERROR_FAILED, "the root directory is not the container's");
	return true;
}

int rootfs_open(int root_fd, const char *path, int flags) {
	int fd;

	/* EAGAIN: a rename elsewhere made a ".." unsafe to follow; trying again is enough. */
	for (int tries = 0; tries < 64; tries++) {
		fd = sys_openat2(root_fd, path, (uint64_t)(flags | O_CLOEXEC),
			RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static bool make_entry(int parent_fd, const char *name, bool directory) {
	if (directory)
		return mkdirat(parent_fd, name, 0755) == 0;
	_cleanup_close_ int fd =
		openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd >= 0;
}

/* The path that is meant when component name of done is a dangling link. NULL if it is no link. */
static char *redirect(int parent_fd, const char *done, const char *name, char *const *rest) {
	char target[4096];
	ssize_t n = readlinkat(parent_fd, name, target, sizeof(target) - 1);

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	g_autofree char *tail = g_strjoinv("/", (char **)rest);
	return target[0] == '/' ? g_strconcat(target, "/", tail, NULL)
				: g_strconcat(done, "/", target, "/", tail, NULL);
}

/* One pass over the components. Returns the descriptor, or -1 with errno; *ret_next is the path to
 * try instead when a dangling link was met. */
static int make_components(
	int root_fd, char *const *names, bool directory, bool *ret_made, char **ret_next) {
	_cleanup_close_ int parent = rootfs_open(root_fd, "/", O_PATH | O_DIRECTORY);
	g_autoptr(GString) done = g_string_new(NULL);

	for (; *names; names++) {
		if (!**names)
			continue;
		size_t before = done->len;
		g_string_append_printf(done, "/%s", *names);
		int next = rootfs_open(root_fd, done->str, O_PATH);
		if (next < 0 && errno == ENOENT) {
			bool last = !names[1] || !names[1][0];

			*ret_made = make_entry(parent, *names, !last || directory);
			if (!*ret_made && errno == EEXIST) {
				g_string_truncate(done, before);
				*ret_next = redirect(parent, done->str, *names, names + 1);
				errno = EEXIST;
			}
			if (!*ret_made)
				return -1;
			next = sys_openat2(parent, *names, O_PATH | O_NOFOLLOW | O_CLOEXEC,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
		}
		if (next < 0)
			return -1;
		close(parent);
		parent = next;
	}
	return steal_fd(&parent);
}

int rootfs_make(int root_fd, const char *path, PointKind kind, bool *ret_made, GError **err) {
	g_autofree char *current = g_strdup(path);
	bool made = false;
	int fd = rootfs_open(root_fd, path, O_PATH);

	for (int links = 0; fd < 0 && errno == ENOENT && links < LINKS_MAX; links++) {
		g_autofree char *next = NULL;
		g_auto(GStrv) names = g_strsplit(current, "/", -1);

		made = false;
		fd = make_components(root_fd, names, kind == POINT_DIRECTORY, &made, &next);
		if (fd >= 0 || !next)
			break;
		g_free(current);
		current = g_steal_pointer(&next);
		errno = ENOENT;
	}
	if (fd < 0)
		fail_errno(err, errno, "cannot make \"%s\" in the container", path);
	else if (ret_made)
		*ret_made = made;
	return fd;
}

int rootfs_real_dir(int root_fd, const char *path, GError **err) {
	const char *relative = path + strspn(path, "/");
	uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	int fd = sys_openat2(root_fd, relative, O_PATH | O_DIRECTORY | O_CLOEXEC, resolve);

	if (fd < 0 && errno == ENOENT && mkdirat(root_fd, relative, 0755) == 0)
		fd = sys_openat2(root_fd, relative, O_PATH | O_DIRECTORY | O_CLOEXEC, resolve);
	if (fd < 0 && errno == ELOOP)
		fail(err, ERROR_INVALID, "\"%s\" is a symbolic link in the image", path);
	else if (fd < 0)
		fail_errno(err, errno, "cannot use \"%s\" of the image", path);
	return fd;
}
