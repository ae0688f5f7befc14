/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host has in devices: the launcher's look at them, before a container is made. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { DEPTH_MAX = 16 };

typedef struct Finder {
	RuntimeConfig *config;
	int access;    /* DeviceAccess bits */
	bool no_rules; /* the container may open everything anyway */
	unsigned n_found;
} Finder;

/* A node outside of /dev cannot lie in a file system of the image: those show no devices. */
static void add_bound(RuntimeConfig *config, const char *source, const char *destination) {
	RuntimeMount *mount = runtime_mount_new(MOUNT_BIND, source, destination);

	mount->nosuid = mount->noexec = true;
	mount->nodev = false;
	mount->recursive = false;
	runtime_config_add_mount(config, mount);
}

static void add_node(
	Finder *finder, const struct stat *info, const char *source, const char *destination) {
	unsigned major_number = major(info->st_rdev), minor_number = minor(info->st_rdev);
	const RuntimeDevice device = {
		.destination = (char *)(uintptr_t)destination + strlen("/dev/"),
		.mode = info->st_mode,
		.major = major_number,
		.minor = minor_number,
		.uid = info->st_uid,
		.gid = info->st_gid,
	};

	finder->n_found++;
	if (g_str_has_prefix(destination, "/dev/"))
		runtime_config_add_device(finder->config, &device);
	else
		add_bound(finder->config, source, destination);
	if (finder->no_rules)
		return;
	runtime_config_add_device_rule(
		finder->config, (RuntimeDeviceRule){.type = S_ISBLK(info->st_mode) ? 'b' : 'c',
					.major = (int)major_number,
					.minor = (int)minor_number,
					.access = finder->access,
					.allow = true});
}

static bool find_below(Finder *finder, int fd, const char *source, const char *destination,
	const char *const *skipped, unsigned depth, GError **err) {
	g_auto(GStrv) names = depth < DEPTH_MAX ? fd_list_dir(fd, ".", err) : g_new0(char *, 1);

	for (char **name = names; name && *name; name++) {
		g_autofree char *from = g_build_filename(source, *name, NULL);
		g_autofree char *to = g_build_filename(destination, *name, NULL);
		struct stat info;

		if ((skipped && str_in_list(*name, skipped)) ||
			fstatat(fd, *name, &info, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
			add_node(finder, &info, from, to);
		if (!S_ISDIR(info.st_mode))
			continue;
		_cleanup_close_ int child =
			openat(fd, *name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0 && !find_below(finder, child, from, to, skipped, depth + 1, err))
			return false;
	}
	return names != NULL;
}

bool runtime_device_find(RuntimeConfig *config, const char *source, const char *destination,
	int access, GError **err) {
	Finder finder = {.config = config, .access = access, .no_rules = config->privileged};
	g_autofree char *real = realpath(source, NULL);
	_cleanup_close_ int fd = real ? open(real, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0)
		return fail_errno(err, errno, "cannot use device \"%s\"", source);
	if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
		add_node(&finder, &info, real, destination);
		return true;
	}
	if (!S_ISDIR(info.st_mode))
		return fail(err, ERROR_INVALID, "\"%s\" is not a device", source);
	_cleanup_close_ int dir = fd_open_dir(AT_FDCWD, real, err);
	if (dir < 0 || !find_below(&finder, dir, real, destination, NULL, 0, err))
		return false;
	return finder.n_found > 0 ||
	       fail(err, ERROR_INVALID, "there is no device in \"%s\"", source);
}

bool runtime_device_find_all(RuntimeConfig *config, GError **err) {
	/* places of which every container has its own, or that are no devices */
	static const char *const skipped[] = {"console", "pts", "shm", "fd", "mqueue", "ptmx",
		".lxc", ".lxd-mounts", ".udev", NULL};
	Finder finder = {.config = config, .no_rules = true};
	_cleanup_close_ int dir = fd_open_dir(AT_FDCWD, "/dev", err);

	return dir >= 0 && find_below(&finder, dir, "/dev", "/dev", skipped, 0, err);
}
