/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sources of the user's mounts. See mount_sources.h. */
#include "runtime/mount_sources.h"
#include "base/fd.h"
#include "base/str.h"
#include "runtime/chown_tree.h"
#include "runtime/copy_up.h"
#include "runtime/mounts.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"
#include "runtime/syscalls.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { MOUNTINFO_LIMIT = 16 << 20, RESOLVE_TRIES = 64 };

/* Beside a volume's directory while it is filled: whoever was killed there has left half of it. */
#define FILLING "filling"

bool mount_sources_check_destination(const char *destination, GError **err) {
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

bool runtime_mount_check(const RuntimeMount *mount, GError **err) {
	return mount_sources_check_destination(mount->destination, err) &&
	       (!mount->chown || mount->kind != MOUNT_BIND || chown_tree_check(mount->source, err));
}

static bool propagation_of(const char *text, uint64_t *ret_propagation, GError **err) {
	static const struct {
		const char *word;
		uint64_t flag;
	} words[] = {{"private", MS_PRIVATE}, {"slave", MS_SLAVE}, {"shared", MS_SHARED},
		{"unbindable", MS_UNBINDABLE}};
	const char *word = !text ? "private" : text[0] == 'r' ? text + 1 : text;

	array_foreach (row, words)
		if (strcmp(row->word, word) == 0) {
			*ret_propagation = row->flag;
			return true;
		}
	return fail(err, ERROR_INVALID, "unknown mount propagation \"%s\"", text);
}

/* The optional fields of the mount that fd lies on ("shared:12 master:3"); free with g_free. */
static char *peers_of(int fd, GError **err) {
	g_autofree char *text = NULL;
	struct statx info;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) < 0) {
		fail_errno(err, errno, "cannot learn the mount of a file");
		return NULL;
	}
	if (!fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, NULL, err))
		return NULL;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, " ", -1);
		if (g_strv_length(fields) < 7 || strtoull(fields[0], NULL, 10) != info.stx_mnt_id)
			continue;
		g_autoptr(GString) peers = g_string_new(" ");
		for (char **field = fields + 6; *field && strcmp(*field, "-") != 0; field++)
			g_string_append_printf(peers, "%s ", *field);
		return g_string_free(g_steal_pointer(&peers), FALSE);
	}
	return g_strdup(" ");
}

/* Only what the host shares can be shared with it (security.md A07.5). */
static bool check_propagation(
	const RuntimeMount *mount, int source_fd, uint64_t propagation, GError **err) {
	if (propagation != MS_SHARED && propagation != MS_SLAVE)
		return true;
	g_autofree char *peers = peers_of(source_fd, err);
	if (!peers)
		return false;
	if (strstr(peers, " shared:") || (propagation == MS_SLAVE && strstr(peers, " master:")))
		return true;
	return fail(err, ERROR_INVALID,
		"cannot mount \"%s\" as \"%s\": on the host it lies on a mount that is not %s",
		mount->source, mount->propagation,
		propagation == MS_SHARED ? "shared" : "shared or slave");
}

/* Below base_fd, whatever its owner does to the links in there meanwhile. -1 with errno. */
static int open_below(int base_fd, const char *path) {
	int fd = -1;

	for (int tries = 0; tries < RESOLVE_TRIES; tries++) {
		fd = sys_openat2(base_fd, path, O_PATH | O_CLOEXEC,
			RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static int open_source(const RuntimeMount *mount, GError **err) {
	_cleanup_close_ int fd = open(mount->source, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		fail_errno(err, errno, "cannot mount \"%s\" on \"%s\"", mount->source,
			mount->destination);
		return -1;
	}
	if (!mount->subpath)
		return steal_fd(&fd);
	int part = open_below(fd, mount->subpath);
	if (part < 0)
		fail_errno(err, errno, "cannot mount \"%s\" of the volume on \"%s\"",
			mount->subpath, mount->destination);
	return part;
}

/* Ids of the container become the host's. */
static bool make_absolute(IdMap *map, const IdMap *container, GError **err) {
	for (size_t i = 0; i < map->n; i++)
		if (container->n > 0 &&
			!id_map_to_outside(container, map->rows[i].outside, &map->rows[i].outside))
			return fail(err, ERROR_INVALID,
				"id %u of the option idmap is none of the container's",
				map->rows[i].outside);
	return true;
}

static int make_maps(const InitContext *context, const RuntimeMount *mount, GError **err) {
	IdMap uids = {0}, gids = {0};
	int fd = -1;

	id_map_copy(&mount->uid_map, &uids);
	id_map_copy(&mount->gid_map, &gids);
	if ((!mount->map_relative_uids || make_absolute(&uids, &context->uids, err)) &&
		(!mount->map_relative_gids || make_absolute(&gids, &context->gids, err)))
		fd = userns_make(&uids, &gids, err);
	id_map_clear(&uids);
	id_map_clear(&gids);
	return fd;
}

/* The user namespace whose map the files of a mount go through. */
static int open_maps(const InitContext *context, const RuntimeMount *mount, GError **err) {
	if (mount->uid_map.n > 0)
		return make_maps(context, mount, err);
	if (context->user_fd < 0) {
		fail(err, ERROR_INVALID,
			"cannot mount on \"%s\": without a user namespace the option idmap needs "
			"maps",
			mount->destination);
		return -1;
	}
	int fd = fcntl(context->user_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		fail_errno(err, errno, "cannot keep a user namespace");
	return fd;
}

/* The top alone: what is mounted below may be of a kind that cannot. */
static bool map_ids(
	const InitContext *context, const RuntimeMount *mount, int mount_fd, GError **err) {
	/* a generated file can be read without it, too */
	if (!mount->map_ids || (mount->optional && context->user_fd < 0))
		return true;
	_cleanup_close_ int user_fd = open_maps(context, mount, err);
	if (user_fd < 0)
		return false;
	struct mount_attr wanted = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_fd};
	if (sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH, &wanted) < 0 && !mount->optional)
		return fail_errno(err, errno,
			"cannot map the ids of \"%s\" (its file system must be able to)",
			mount->source);
	return true;
}

/* The user of the process, as the host knows it. */
static bool find_owner(const InitContext *context, uid_t *ret_uid, gid_t *ret_gid, GError **err) {
	const RuntimeConfig *config = context->config;
	uint32_t uid, gid;
	ProcessUser user = {0};

	if (!process_find_user(context->root_fd, config->user, NULL, NULL, 0, &user, err))
		return false;
	uid = user.uid;
	gid = user.gid;
	process_user_clear(&user);
	if (context->user_fd >= 0 && (!id_map_to_outside(&context->uids, uid, &uid) ||
					     !id_map_to_outside(&context->gids, gid, &gid)))
		return fail(
			err, ERROR_INVALID, "the container's user has no id in its user namespace");
	*ret_uid = uid;
	*ret_gid = gid;
	return true;
}

static bool change_owner(
	const InitContext *context, const RuntimeMount *mount, int mount_fd, GError **err) {
	uid_t uid;
	gid_t gid;

	if (!mount->chown)
		return true;
	return find_owner(context, &uid, &gid, err) && chown_tree(mount_fd, uid, gid, err);
}

static bool is_empty(int fd, bool *ret_empty, GError **err) {
	g_auto(GStrv) names = fd_list_dir(fd, ".", err);

	if (!names)
		return false;
	*ret_empty = !names[0];
	return true;
}

/* The image has nothing there: a volume that nobody has used yet is the container's user's, as in
 * podman. */
static bool give_fresh(
	const InitContext *context, const RuntimeMount *mount, int fd, GError **err) {
	uid_t uid;
	gid_t gid;
	struct stat info;

	if (fstat(fd, &info) < 0)
		return fail_errno(err, errno, "cannot look at \"%s\"", mount->source);
	if (info.st_uid != 0 || info.st_gid != 0)
		return true;
	if (!find_owner(context, &uid, &gid, err))
		return false;
	if (mount->map_ids) {
		const IdMap *uids = mount->uid_map.n ? &mount->uid_map : &context->uids;
		const IdMap *gids = mount->gid_map.n ? &mount->gid_map : &context->gids;

		if (!id_map_to_inside(uids, uid, &uid) || !id_map_to_inside(gids, gid, &gid))
			return true;
	}
	return fchown(fd, uid, gid) == 0 ||
	       fail_errno(err, errno, "cannot give \"%s\" to its user", mount->source);
}

static bool fill_marked(
	const RuntimeMount *mount, int lock, int from, int to, const CopyUpIds *ids, GError **err) {
	_cleanup_close_ int mark =
		openat(lock, FILLING, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (mark < 0)
		return fail_errno(err, errno, "cannot make \"%s\"", FILLING);
	if (!copy_up(from, to, mount->map_ids ? ids : NULL, err))
		return fail_prefix(err, "cannot fill the volume on \"%s\"", mount->destination);
	return unlinkat(lock, FILLING, 0) == 0 ||
	       fail_errno(err, errno, "cannot remove \"%s\"", FILLING);
}

/* What the image has at the destination goes into an empty volume, once. The lock lies on the
 * directory above it, which no container can reach. */
static bool fill(const InitContext *context, const RuntimeMount *mount, GError **err) {
	_cleanup_close_ int from =
		rootfs_open(context->root_fd, mount->destination, O_RDONLY | O_DIRECTORY);
	g_autofree char *parent = g_path_get_dirname(mount->source);
	bool empty = false;

	if (from < 0 && errno != ENOENT)
		return true; /* no directory: attaching will tell */
	_cleanup_close_ int lock = fd_open_dir(AT_FDCWD, parent, err);
	_cleanup_close_ int to = lock >= 0 ? fd_open_dir(AT_FDCWD, mount->source, err) : -1;
	if (to < 0)
		return false;
	while (flock(lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return fail_errno(err, errno, "cannot lock \"%s\"", parent);
	if (!is_empty(to, &empty, err))
		return false;
	const CopyUpIds ids = {mount->uid_map.n ? &mount->uid_map : &context->uids,
		mount->gid_map.n ? &mount->gid_map : &context->gids};
	if (empty && from < 0)
		return give_fresh(context, mount, to, err);
	if (from < 0 || (!empty && faccessat(lock, FILLING, F_OK, AT_SYMLINK_NOFOLLOW) < 0))
		return true;
	return fill_marked(mount, lock, from, to, &ids, err);
}

static unsigned attributes_of(const RuntimeMount *mount) {
	return (mount->read_only ? MOUNT_ATTR_RDONLY : 0) |
	       (mount->nosuid ? MOUNT_ATTR_NOSUID : 0) | (mount->nodev ? MOUNT_ATTR_NODEV : 0) |
	       (mount->noexec ? MOUNT_ATTR_NOEXEC : 0);
}

static int open_bind(const InitContext *context, const RuntimeMount *mount, GError **err) {
	struct mount_attr wanted = {.attr_set = attributes_of(mount)};
	unsigned depth = mount->recursive ? AT_RECURSIVE : 0;
	uint64_t propagation = 0;

	if (!propagation_of(mount->propagation, &propagation, err) ||
		(mount->copy_up && !mount->subpath && !fill(context, mount, err)))
		return -1;
	wanted.propagation = propagation;
	_cleanup_close_ int source = open_source(mount, err);
	if (source < 0 || !check_propagation(mount, source, propagation, err))
		return -1;
	_cleanup_close_ int fd = sys_open_tree(
		source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | depth);
	if (fd < 0) {
		fail_errno(err, errno, "cannot mount \"%s\" on \"%s\"", mount->source,
			mount->destination);
		return -1;
	}
	if (!map_ids(context, mount, fd, err) || !change_owner(context, mount, fd, err))
		return -1;
	/* Before it is attached anywhere: there is no moment in which a read-only mount can be
	 * written (security.md A07.3). Flags that the source has stay. */
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | depth, &wanted) < 0) {
		fail_errno(
			err, errno, "cannot set the options of mount \"%s\"", mount->destination);
		return -1;
	}
	return steal_fd(&fd);
}

/* An image's layers show the ids of the container; a directory of the host keeps its own. */
static int open_overlay(const InitContext *context, const RuntimeMount *mount, GError **err) {
	struct mount_attr wanted = {.attr_set = attributes_of(mount), .propagation = MS_PRIVATE};
	const RootfsIds ids = {context->user_fd, &context->uids, &context->gids};
	bool mapped = context->user_fd >= 0 && mount->layers->map_ids;
	_cleanup_close_ int fd = rootfs_prepare(mount->layers, mapped ? &ids : NULL, err);

	if (fd < 0 || !change_owner(context, mount, fd, err)) {
		fail_prefix(err, "cannot mount on \"%s\"", mount->destination);
		return -1;
	}
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH, &wanted) < 0) {
		fail_errno(
			err, errno, "cannot set the options of mount \"%s\"", mount->destination);
		return -1;
	}
	return steal_fd(&fd);
}

bool mount_sources_open(InitContext *context, GError **err) {
	const RuntimeConfig *config = context->config;

	for (size_t i = 0; i < config->n_mounts; i++) {
		const RuntimeMount *mount = config->mounts[i];

		if (!runtime_mount_check(mount, err))
			return false;
		if (mount->kind != MOUNT_BIND && mount->kind != MOUNT_OVERLAY)
			continue;
		context->mount_fds[i] = mount->kind == MOUNT_BIND
						? open_bind(context, mount, err)
						: open_overlay(context, mount, err);
		if (context->mount_fds[i] < 0)
			return false;
	}
	return true;
}
