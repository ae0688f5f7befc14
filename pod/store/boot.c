/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The run directory and the boot it is valid for. After a reboot whoever comes first claims the
 * names of persistent objects again and drops what belonged to the kernel that is gone. */
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "store/layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char *const run_directories[] = {
	"containers", "pods", "volumes", "names", "volume-names", "pending"};

int lock_file(Store *store, const char *name, int operation, GError **err) {
	_cleanup_close_ int fd =
		openat(store->run_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0) {
		fail_errno(err, errno, "cannot open \"%s/%s\"", store->run_path, name);
		return -1;
	}
	while (flock(fd, operation) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			fail(err, ERROR_IN_USE, "\"%s/%s\" is locked", store->run_path, name);
		else
			fail_errno(err, errno, "cannot lock \"%s/%s\"", store->run_path, name);
		return -1;
	}
	return steal_fd(&fd);
}

/* What we keep is ours alone: whoever owns the directory could replace everything below it, and
 * set-user-ID programs of images lie there (security.md A19.1). */
static bool check_root(const char *path, int fd, GError **err) {
	struct stat info;

	if (fstat(fd, &info) < 0)
		return fail_errno(err, errno, "cannot look at \"%s\"", path);
	if (info.st_uid != geteuid())
		return fail(err, ERROR_STATE, "directory \"%s\" belongs to another user", path);
	if (!(info.st_mode & 077))
		return true;
	log_info("directory \"%s\" was open to other users, narrowed", path);
	return fchmod(fd, 0700) == 0 || fail_errno(err, errno, "cannot narrow \"%s\"", path);
}

/* -1 without an error when the directory is missing. */
static bool open_root(const char *path, int *ret_fd, GError **err) {
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return errno == ENOENT ||
		       fail_errno(err, errno, "cannot open directory \"%s\"", path);
	return check_root(path, *ret_fd, err);
}

static bool make_root(const char *path, int *fd, GError **err) {
	if (*fd >= 0)
		return true;
	if (!fd_mkdir_parents(AT_FDCWD, path, 0700, err))
		return false;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return fail_errno(err, errno, "cannot open directory \"%s\"", path);
	return check_root(path, *fd, err);
}

static char *read_boot_file(int run_fd) {
	char *text = NULL;

	if (!fd_read_file(run_fd, "boot", 256, &text, NULL, NULL))
		return NULL;
	return g_strchomp(text);
}

/* An object below STATE gets its run directory and its name; one without a definition was under
 * way when the power went, and is left to store_recover(). */
static bool revive_object(Store *store, StoreKind kind, const char *id, GError **err) {
	g_autofree char *path = object_path(kind, id);
	g_autoptr(GError) ignored = NULL;

	if (mkdirat(store->run_fd, path, 0700) < 0 && errno != EEXIST)
		return fail_errno(
			err, errno, "cannot make directory \"%s/%s\"", store->run_path, path);
	g_autoptr(StoreObject) object = object_open(store, kind, id);
	if (!is_published(store, kind, id))
		return object_set_pending(object, true, err);
	g_autofree char *name = object_recorded_name(object);
	if (name && !claim_take(store, name, path, &ignored))
		log_warning("%s %s: %s, continuing", kind_word(kind), id, ignored->message);
	return true;
}

static bool revive_kind(Store *store, StoreKind kind, GError **err) {
	g_auto(GStrv) ids = fd_list_dir(store->state_fd, kind_directory(kind), err);

	if (!ids)
		return false;
	for (char **id = ids; *id; id++)
		if (!revive_object(store, kind, *id, err))
			return false;
	return true;
}

/* Upper layers of containers that went with an earlier kernel. */
static bool drop_old_scratch(Store *store, GError **err) {
	g_auto(GStrv) boots = fd_list_dir(store->state_fd, "scratch", err);

	if (!boots)
		return false;
	for (char **boot = boots; *boot; boot++) {
		g_autofree char *path = g_strconcat("scratch/", *boot, NULL);
		if (strcmp(*boot, store->boot_id) != 0 &&
			!fd_remove_tree(store->state_fd, path, err))
			return false;
	}
	return true;
}

static bool prepare_run(Store *store, const char *old_boot, GError **err) {
	for (size_t i = 0; i < ARRAY_LENGTH(run_directories); i++) {
		const char *name = run_directories[i];
		/* /run may outlive a reboot where it is no tmpfs; a missing boot file is only an
		 * initialisation that was cut short, and nothing may be lost then */
		if (old_boot && !fd_remove_tree(store->run_fd, name, err))
			return false;
		if (mkdirat(store->run_fd, name, 0700) < 0 && errno != EEXIST)
			return fail_errno(err, errno, "cannot make directory \"%s/%s\"",
				store->run_path, name);
	}
	return drop_old_scratch(store, err) && revive_kind(store, STORE_CONTAINER, err) &&
	       revive_kind(store, STORE_POD, err) && revive_kind(store, STORE_VOLUME, err);
}

static bool initialise(Store *store, GError **err) {
	if (!make_root(store->state_path, &store->state_fd, err) ||
		!make_root(store->run_path, &store->run_fd, err))
		return false;
	_cleanup_close_ int lock = lock_file(store, "boot.lock", LOCK_EX, err);
	if (lock < 0)
		return false;
	g_autofree char *boot = read_boot_file(store->run_fd);
	if (g_strcmp0(boot, store->boot_id) == 0)
		return true; /* somebody else was faster */
	if (!prepare_run(store, boot, err))
		return fail_prefix(err, "cannot prepare \"%s\"", store->run_path);
	return fd_replace_file(store->run_fd, "boot", store->boot_id, strlen(store->boot_id), 0600,
		FD_REPLACE_PLAIN, err);
}

bool store_ready(Store *store, bool writing, GError **err) {
	if (store->run_fd >= 0)
		return !writing || make_root(store->state_path, &store->state_fd, err);
	if (!store->boot_id)
		store->boot_id = proc_boot_id(err);
	if (!store->boot_id ||
		(store->state_fd < 0 && !open_root(store->state_path, &store->state_fd, err)) ||
		!open_root(store->run_path, &store->run_fd, err))
		return false;
	if (store->run_fd >= 0) {
		g_autofree char *boot = read_boot_file(store->run_fd);
		if (g_strcmp0(boot, store->boot_id) == 0)
			return !writing || make_root(store->state_path, &store->state_fd, err);
	}
	if (!writing && store->state_fd < 0 && store->run_fd < 0)
		return true;
	if (initialise(store, err))
		return true;
	close_fd_ptr(&store->run_fd);
	return false;
}
