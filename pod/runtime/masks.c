/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Masked and read-only paths. See masks.h. */
#include "runtime/masks.h"
#include "runtime/mounts.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"
#include "runtime/syscalls.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static const char *const masked[] = {"/proc/acpi", "/proc/asound", "/proc/config.gz",
	"/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/key-users", "/proc/keys",
	"/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags", "/proc/latency_stats",
	"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
	"/proc/vmallocinfo", "/sys/devices/system/cpu/cpu*/thermal_throttle",
	"/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/bpf", "/sys/fs/selinux",
	"/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing", "/sys/module", NULL};

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

const char *const *runtime_masked_paths(void) {
	return masked;
}

const char *const *runtime_read_only_paths(void) {
	return read_only;
}

/* What covers files or directories: used as it is the first time, copied from there later. */
typedef struct Cover {
	int fd;
	bool attached;
} Cover;

/* What the path leads to now must be what was put there (security.md A04.3). */
static bool is_covered(InitContext *context, const char *path, int cover_fd) {
	_cleanup_close_ int fd = rootfs_open(context->root_fd, path, O_PATH);
	struct stat wanted, found;

	return fd >= 0 && fstat(fd, &found) == 0 && fstat(cover_fd, &wanted) == 0 &&
	       found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino;
}

static bool cover_put(
	InitContext *context, Cover *cover, int point, const char *path, GError **err) {
	_cleanup_close_ int copy = -1;

	if (cover->attached) {
		copy = sys_open_tree(
			cover->fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		if (copy < 0)
			return fail_errno(err, errno, "cannot mask \"%s\"", path);
	}
	if (sys_move_mount(copy >= 0 ? copy : cover->fd, point) < 0)
		return fail_errno(err, errno, "cannot mask \"%s\"", path);
	cover->attached = true;
	return is_covered(context, path, cover->fd) ||
	       fail(err, ERROR_FAILED, "\"%s\" is not masked", path);
}

/* Opens what is to be covered; *ret_fd is -1 when there is no such path. Below /proc only the
 * procfs that we have mounted is accepted (security.md A04.3). The descriptor is what is covered:
 * nothing can be swapped between this look and the mount. */
static bool open_point(
	InitContext *context, const char *path, int *ret_fd, struct stat *ret_info, GError **err) {
	_cleanup_close_ int fd = rootfs_open(context->root_fd, path, O_PATH);
	struct stat trusted;

	*ret_fd = -1;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       fail_errno(err, errno, "cannot mask \"%s\"", path);
	if (fstat(fd, ret_info) < 0 || fstat(context->proc_fd, &trusted) < 0)
		return fail_errno(err, errno, "cannot look at \"%s\"", path);
	if (g_str_has_prefix(path, "/proc/") && ret_info->st_dev != trusted.st_dev)
		return fail(err, ERROR_FAILED, "\"%s\" is not in the container's procfs", path);
	*ret_fd = steal_fd(&fd);
	return true;
}

typedef struct Covers {
	Cover file, directory;
} Covers;

/* A read-only tmpfs shared by all directories; one superblock keeps the end of a container cheap.
 */
static bool prepare_directory_cover(Cover *cover, GError **err) {
	if (cover->fd >= 0)
		return true;
	cover->fd = mounts_new_tmpfs(4096, 0555,
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (cover->fd < 0)
		return fail_errno(err, errno, "cannot make an empty directory");
	return true;
}

static bool mask_path(InitContext *context, const char *path, Covers *covers, GError **err) {
	_cleanup_close_ int point = -1;
	struct stat info;

	if (!open_point(context, path, &point, &info, err))
		return false;
	if (point < 0)
		return true;
	Cover *cover = S_ISDIR(info.st_mode) ? &covers->directory : &covers->file;
	if (cover == &covers->directory && !prepare_directory_cover(cover, err))
		return false;
	return cover_put(context, cover, point, path, err);
}

/* A path with one "*" stands for every number at the end of that component ("cpu*"). */
static bool mask_pattern(InitContext *context, const char *path, Covers *covers, GError **err) {
	const char *star = strchr(path, '*');
	g_autofree char *stem = g_strndup(path, (size_t)(star - path));
	char *slash = strrchr(stem, '/');

	*slash = '\0';
	const char *prefix = slash + 1;
	_cleanup_close_ int fd = rootfs_open(context->root_fd, stem, O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		return errno == ENOENT || fail_errno(err, errno, "cannot mask \"%s\"", path);
	fd = -1;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *number = entry->d_name + strlen(prefix);

		if (!g_str_has_prefix(entry->d_name, prefix) || !*number ||
			strspn(number, "0123456789") != strlen(number))
			continue;
		g_autofree char *one = g_strconcat(stem, "/", entry->d_name, star + 1, NULL);
		if (!mask_path(context, one, covers, err))
			return false;
	}
	return true;
}

static bool make_read_only(InitContext *context, const char *path, GError **err) {
	struct mount_attr wanted = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
	_cleanup_close_ int point = -1;
	struct stat info;

	if (!open_point(context, path, &point, &info, err))
		return false;
	if (point < 0)
		return true;
	_cleanup_close_ int copy = sys_open_tree(
		point, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (copy < 0 || sys_mount_setattr(copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted) < 0 ||
		sys_move_mount(copy, point) < 0)
		return fail_errno(err, errno, "cannot make \"%s\" read-only", path);
	_cleanup_close_ int again = rootfs_open(context->root_fd, path, O_PATH);
	struct statvfs found;
	return (again >= 0 && fstatvfs(again, &found) == 0 && found.f_flag & ST_RDONLY) ||
	       fail(err, ERROR_FAILED, "\"%s\" is not read-only", path);
}

bool masks_apply(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;
	Covers covers = {{context->null_fd, false}, {-1, false}};
	bool done = true;

	for (char **path = config->masked_paths; done && path && *path; path++)
		done = strchr(*path, '*') ? mask_pattern(context, *path, &covers, err)
					  : mask_path(context, *path, &covers, err);
	for (char **path = config->read_only_paths; done && path && *path; path++)
		done = make_read_only(context, *path, err);
	close_fd_ptr(&covers.directory.fd);
	return done;
}
