/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits of a cgroup. A controller's files are in a cgroup when its parent lists the controller in
 * cgroup.subtree_control, which needs the same of the parent's parent, up to the mount. */
#include "runtime/cgroup_limits.h"
#include "base/fd.h"
#include "base/log.h"
#include "runtime/cgroup.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define LIST_MAX 4096

/* True if the file, a list of words, has the controller. */
static bool lists(const char *directory, const char *file, const char *controller) {
	g_autofree char *path = g_build_filename(directory, file, NULL);
	g_autofree char *text = NULL;

	if (!fd_read_file(AT_FDCWD, path, LIST_MAX, &text, NULL, NULL))
		return false;
	g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
	return g_strv_contains((const char *const *)words, controller);
}

/* Asks the directory to give its children the controller. */
static bool enable_below(const char *directory, const RuntimeLimit *limit, GError **err) {
	g_autofree char *path = g_build_filename(directory, "cgroup.subtree_control", NULL);
	g_autofree char *word = g_strconcat("+", limit->controller, NULL);

	if (!lists(directory, "cgroup.controllers", limit->controller))
		return fail(err, ERROR_UNSUPPORTED,
			"cannot apply \"%s\": the cgroup controller \"%s\" is missing in \"%s\"",
			limit->option, limit->controller, directory);
	if (lists(directory, "cgroup.subtree_control", limit->controller))
		return true;
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		return fail_errno(err, errno,
			"cannot apply \"%s\": cannot enable the cgroup controller \"%s\" in \"%s\"",
			limit->option, limit->controller, directory);
	return true;
}

/* Every directory from the mount point to the cgroup's parent, downwards. */
static bool enable(
	const char *mount_point, const char *cgroup, const RuntimeLimit *limit, GError **err) {
	size_t length = strlen(mount_point);

	if (!limit->controller || lists(cgroup, "cgroup.controllers", limit->controller))
		return true;
	if (!g_str_has_prefix(cgroup, mount_point) || cgroup[length] != '/')
		return fail(err, ERROR_UNSUPPORTED,
			"cannot apply \"%s\": \"%s\" is not below \"%s\"", limit->option, cgroup,
			mount_point);
	for (const char *end = cgroup + length; end; end = strchr(end + 1, '/')) {
		g_autofree char *directory = g_strndup(cgroup, (size_t)(end - cgroup));
		if (!enable_below(directory, limit, err))
			return false;
	}
	return true;
}

/* True without *ret_done when the kernel has no such file. */
static bool write_limit(int cgroup_fd, const RuntimeLimit *limit, bool *ret_done, GError **err) {
	_cleanup_close_ int fd = openat(cgroup_fd, limit->file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t size = strlen(limit->value);

	*ret_done = false;
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0 || write(fd, limit->value, size) != (ssize_t)size)
		return fail_errno(err, errno, "cannot apply \"%s\": cannot write \"%s\" to \"%s\"",
			limit->option, limit->value, limit->file);
	*ret_done = true;
	return true;
}

static bool apply(const char *mount_point, int cgroup_fd, const char *cgroup,
	const RuntimeLimit *limit, bool *ret_done, GError **err) {
	if (!enable(mount_point, cgroup, limit, err) ||
		!write_limit(cgroup_fd, limit, ret_done, err))
		return false;
	if (*ret_done || limit->or_next)
		return true;
	return fail(err, ERROR_UNSUPPORTED,
		"cannot apply \"%s\": this kernel's cgroups have no \"%s\"", limit->option,
		limit->file);
}

bool cgroup_apply_limits(const char *mount_point, int cgroup_fd, const char *cgroup,
	const RuntimeLimit *limits, size_t n, GError **err) {
	for (size_t i = 0; i < n; i++) {
		g_autoptr(GError) error = NULL;
		bool done = false;
		if (!apply(mount_point, cgroup_fd, cgroup, &limits[i], &done, &error)) {
			if (!limits[i].optional) {
				g_propagate_error(err, g_steal_pointer(&error));
				return false;
			}
			log_debug("%s, continuing without", error->message);
		}
		/* the one after it was for kernels without this file */
		if (done && limits[i].or_next)
			i++;
	}
	return true;
}

bool runtime_cgroup_limit(const char *cgroup, const RuntimeLimit *limits, size_t n, GError **err) {
	g_autofree char *mount_point = NULL, *root = NULL;

	if (n == 0)
		return true;
	_cleanup_close_ int fd = fd_open_dir(AT_FDCWD, cgroup, err);
	if (fd < 0)
		return false;
	if (!cgroup_find_mount(&mount_point, &root))
		return fail(err, ERROR_UNSUPPORTED, "cannot apply \"%s\": cgroup2 is not mounted",
			limits[0].option);
	return cgroup_apply_limits(mount_point, fd, cgroup, limits, n, err);
}

bool runtime_cgroup_has_controller(const char *controller) {
	g_autofree char *mount_point = NULL, *root = NULL;

	return cgroup_find_mount(&mount_point, &root) &&
	       lists(mount_point, "cgroup.controllers", controller);
}

bool runtime_block_device(const char *path, char **ret_numbers, GError **err) {
	struct stat info;

	if (stat(path, &info) < 0)
		return fail_errno(err, errno, "cannot find the device \"%s\"", path);
	if (!S_ISBLK(info.st_mode))
		return fail(err, ERROR_INVALID, "\"%s\" is not a block device", path);
	*ret_numbers = g_strdup_printf("%u:%u", major(info.st_rdev), minor(info.st_rdev));
	return true;
}
