/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cp: between a container and the host, two containers, or a container and a tar stream. The rules
 * for paths and owners are podman's.
 */
#include "base/fd.h"
#include "engine/files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One side of the copy. */
typedef struct End {
	Files files; /* without a container: the host */
	int root_fd; /* -1: the host */
	char *path;  /* as it is looked up in root_fd */
	char *where; /* for messages */
} End;

static void clear_end(End *end) {
	files_clear(&end->files);
	close_fd_ptr(&end->root_fd);
	g_free(end->path);
	g_free(end->where);
}

static bool open_end(Engine *engine, const char *container, const char *path, bool write,
	bool pause, End *end, GError **err) {
	if (!container) {
		end->path = g_strdup(path);
		end->where = g_strdup("on the host");
		return true;
	}
	/* a stopped container must not start while it is written to */
	if (!files_open(engine, container, write, &end->files, err))
		return false;
	Container *opened = end->files.container;
	end->where = g_strdup_printf("in container \"%s\"", opened->definition->name);
	if (write && container_is_running(opened))
		store_unlock(opened->object);
	if (pause && !files_freeze(&end->files, err))
		return false;
	return files_find_place(&end->files, path, write, &end->root_fd, &end->path, err);
}

/* The user and group that a container's main process runs as. */
static bool find_owner(const End *end, ArchiveTarget *target, GError **err) {
	const Files *files = &end->files;
	IdMap uids, gids;
	_cleanup_close_ int root_fd =
		container_is_running(files->container)
			? runtime_open_root(files->container->state->init, &uids, &gids, err)
			: files_open_rootfs(files, err);

	if (root_fd < 0)
		return false;
	if (container_is_running(files->container)) {
		id_map_clear(&uids);
		id_map_clear(&gids);
	}
	return runtime_find_user(root_fd, files->config->user, &target->uid, &target->gid, err);
}

static bool describe_target(
	const EngineCopy *copy, const End *end, ArchiveTarget *target, GError **err) {
	target->overwrite = copy->overwrite;
	if (!end->files.container) {
		/* as podman: the caller's; what could give rights away stays behind unless asked */
		target->uid = getuid();
		target->gid = getgid();
		target->skip_devices = true;
		target->drop_privileges = copy->archive != 1;
		return true;
	}
	target->uids = end->files.plain_ids ? NULL : &end->files.uids;
	target->gids = end->files.plain_ids ? NULL : &end->files.gids;
	target->skip_devices = true;
	target->keep_owner = copy->archive == 0;
	return target->keep_owner || find_owner(end, target, err);
}

static void describe_source(const End *end, int fd, const char *name, ArchiveSource *source) {
	*source = (ArchiveSource){.fd = fd, .name = name};
	if (!end->files.container)
		return;
	source->uids = end->files.plain_ids ? NULL : &end->files.uids;
	source->gids = end->files.plain_ids ? NULL : &end->files.gids;
	source->is_root = strspn(end->path, "/.") == strlen(end->path);
}

static bool is_directory(int fd) {
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Which name the copy gets and in which directory: podman's table. *ret_name NULL: only what is in
 * the source directory. */
static bool match(const EngineCopy *copy, int source_fd, const char *source_name, ArchiveSpot *spot,
	const char **ret_name, GError **err) {
	if (!spot->name) {
		*ret_name = source_name;
		return true;
	}
	if (is_directory(source_fd) && spot->exists && !copy->overwrite)
		return fail(err, ERROR_INVALID,
			"cannot copy \"%s\" to \"%s\": destination must be a directory when "
			"copying a directory",
			copy->source, copy->target);
	*ret_name = spot->name;
	return true;
}

static bool copy_tree(
	const EngineCopy *copy, End *from, End *to, ArchiveReport *report, GError **err) {
	const ArchivePlace source_place = {from->root_fd, from->where};
	const ArchivePlace target_place = {to->root_fd, to->where};
	__attribute__((cleanup(archive_spot_clear))) ArchiveSpot spot = {.dir_fd = -1};
	g_autofree char *source_name = NULL;
	ArchiveTarget target = {0};
	ArchiveSource source;
	const char *name;
	_cleanup_close_ int fd = archive_find_source(&source_place, from->path, &source_name, err);

	if (fd < 0 || !archive_find_target(&target_place, to->path, &spot, err) ||
		!match(copy, fd, source_name, &spot, &name, err) ||
		!describe_target(copy, to, &target, err))
		return false;
	target.dir_fd = spot.dir_fd;
	describe_source(from, fd, name, &source);
	return archive_copy(&source, &target, report, err);
}

static bool copy_out(const EngineCopy *copy, End *from, ArchiveReport *report, GError **err) {
	const ArchivePlace place = {from->root_fd, from->where};
	g_autofree char *name = NULL;
	ArchiveSource source;
	_cleanup_close_ int fd = archive_find_source(&place, from->path, &name, err);

	if (fd < 0)
		return false;
	describe_source(from, fd, name, &source);
	return archive_write(&source, copy->out_fd, ARCHIVE_WRITE_PLAIN, report, err);
}

static bool copy_in(const EngineCopy *copy, End *to, ArchiveReport *report, GError **err) {
	const ArchivePlace place = {to->root_fd, to->where};
	__attribute__((cleanup(archive_spot_clear))) ArchiveSpot spot = {.dir_fd = -1};
	ArchiveTarget target = {0};

	if (!archive_find_target(&place, to->path, &spot, err))
		return false;
	if (spot.name)
		return fail(err, ERROR_INVALID,
			"cannot copy to \"%s\": destination must be a directory when copying from "
			"stdin",
			copy->target);
	if (!describe_target(copy, to, &target, err))
		return false;
	target.dir_fd = spot.dir_fd;
	return archive_extract(copy->in_fd, &target, report, err);
}

static bool run_copy(
	const EngineCopy *copy, End *from, End *to, ArchiveReport *report, GError **err) {
	if (copy->in_fd >= 0)
		return copy_in(copy, to, report, err);
	if (copy->out_fd >= 0)
		return copy_out(copy, from, report, err);
	return copy_tree(copy, from, to, report, err);
}

bool engine_copy(Engine *engine, const EngineCopy *copy, uint64_t *ret_skipped, GError **err) {
	__attribute__((cleanup(clear_end))) End from = {.root_fd = -1}, to = {.root_fd = -1};
	ArchiveReport report = {0};

	if (copy->in_fd < 0 && !open_end(engine, copy->source_container, copy->source, false,
				       copy->pause, &from, err))
		return false;
	if (copy->out_fd < 0 && !open_end(engine, copy->target_container, copy->target, true,
					copy->pause, &to, err))
		return false;
	if (!run_copy(copy, &from, &to, &report, err))
		return false;
	*ret_skipped = report.n_skipped;
	return true;
}
