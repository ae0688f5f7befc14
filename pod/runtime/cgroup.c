/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a container's processes are accounted, how they are killed, and tidying up. cgroup v2. */
#include "runtime/cgroup.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/module.h"
#include "base/parse.h"
#include "base/proc.h"
#include "runtime/runtime.h"
#include "runtime/scope_module.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define TABLE_MAX        (16 * 1024 * 1024)
#define DIRECT_PARENT    "podctl"
#define DEFAULT_SLICE    "machine.slice"
#define MADE_MARK        "trusted.podctl"
#define SUPERVISOR_LEAF  "supervisor"
#define PAYLOAD_PREFIX   "payload-"
#define REMOVE_TRIES     100
#define REMOVE_WAIT_USEC 10000
#define DEPTH_MAX        64

bool cgroup_find_mount(char **ret_mount_point, char **ret_root) {
	g_autofree char *table = NULL;

	if (!fd_read_file(AT_FDCWD, "/proc/self/mountinfo", TABLE_MAX, &table, NULL, NULL))
		return false;
	char *kind = strstr(table, " - cgroup2 ");
	if (!kind)
		return false;
	*kind = '\0';
	char *newline = strrchr(table, '\n');
	g_auto(GStrv) fields = g_strsplit(newline ? newline + 1 : table, " ", 6);
	if (g_strv_length(fields) < 6)
		return false;
	*ret_root = g_strdup(fields[3]);
	*ret_mount_point = g_strcompress(fields[4]);
	return true;
}

/* The caller's own cgroup below the mount; NULL when it is outside of what the mount shows. */
static char *own_cgroup(const char *mount_point, const char *root) {
	g_autofree char *text = NULL;

	if (!fd_read_file(AT_FDCWD, "/proc/self/cgroup", TABLE_MAX, &text, NULL, NULL))
		return NULL;
	char *path = g_str_has_prefix(text, "0::") ? text : strstr(text, "\n0::");
	if (!path)
		return NULL;
	path = strchr(path, '/');
	if (!path || g_str_has_prefix(path, "/.."))
		return NULL;
	path[strcspn(path, "\n")] = '\0';
	if (strcmp(root, "/") != 0) {
		if (!g_str_has_prefix(path, root))
			return NULL;
		path += strlen(root);
	}
	return strcmp(path, "/") == 0 ? g_strdup(mount_point)
				      : g_build_filename(mount_point, path, NULL);
}

static bool move_here(const char *cgroup, GError **err) {
	g_autofree char *path = g_build_filename(cgroup, "cgroup.procs", NULL);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		return fail_errno(err, errno, "cannot move to cgroup \"%s\"", cgroup);
	return true;
}

/* What podctl makes beside the leaves themselves bears a mark, so that it goes when its last child
 * goes; what somebody else has made stays. */
static void mark_made(const char *directory) {
	if (setxattr(directory, MADE_MARK, "1", 1, 0) < 0)
		log_debug("cannot mark cgroup \"%s\": %s, ignoring", directory, strerror(errno));
}

static bool make_parents(const char *mount_point, const char *cgroup, GError **err) {
	for (const char *end = strchr(cgroup + strlen(mount_point) + 1, '/'); end;
		end = strchr(end + 1, '/')) {
		g_autofree char *directory = g_strndup(cgroup, (size_t)(end - cgroup));
		if (mkdir(directory, 0755) == 0)
			mark_made(directory);
		else if (errno != EEXIST)
			return fail_errno(err, errno, "cannot make cgroup \"%s\"", directory);
	}
	return true;
}

int cgroup_make(const char *cgroup, bool *ret_made, GError **err) {
	g_autofree char *mount_point = NULL, *root = NULL;

	*ret_made = false;
	if (!cgroup)
		return -1;
	*ret_made = mkdir(cgroup, 0755) == 0;
	if (*ret_made || errno == EEXIST)
		return fd_open_dir(AT_FDCWD, cgroup, err);
	if (errno != ENOENT || !cgroup_find_mount(&mount_point, &root) ||
		!g_str_has_prefix(cgroup, mount_point)) {
		fail_errno(err, errno, "cannot make cgroup \"%s\"", cgroup);
		return -1;
	}
	if (!make_parents(mount_point, cgroup, err))
		return -1;
	*ret_made = true;
	return fd_make_dir(AT_FDCWD, cgroup, 0755, err);
}

/* No controller can be had below a cgroup that has processes of its own: whoever waits for us
 * there, such as the command that we were forked from, comes along. */
static void move_others(const char *from, const char *to) {
	g_autofree char *source = g_build_filename(from, "cgroup.procs", NULL);
	g_autofree char *target = g_build_filename(to, "cgroup.procs", NULL);
	g_autofree char *text = NULL;

	if (!fd_read_file(AT_FDCWD, source, TABLE_MAX, &text, NULL, NULL))
		return;
	g_auto(GStrv) pids = g_strsplit(text, "\n", -1);
	for (char **pid = pids; *pid; pid++) {
		_cleanup_close_ int fd = **pid ? open(target, O_WRONLY | O_CLOEXEC) : -1;
		if (fd >= 0 && write(fd, *pid, strlen(*pid)) < 0)
			log_debug("cannot move process %s to cgroup \"%s\": %s, ignoring", *pid, to,
				strerror(errno));
	}
}

/* A unit's cgroup with Delegate= holds two leaves: processes may not stand in an inner node. After
 * a restart the caller is in the supervisor's leaf already. */
static bool plan_split(const char *id, const char *own, CgroupPlan *plan, GError **err) {
	g_autofree char *base = g_path_get_basename(own);
	g_autofree char *unit =
		strcmp(base, SUPERVISOR_LEAF) == 0 ? g_path_get_dirname(own) : g_strdup(own);

	plan->mode = CGROUP_SPLIT;
	plan->supervisor = g_build_filename(unit, SUPERVISOR_LEAF, NULL);
	if (!plan->payload) {
		g_autofree char *leaf = g_strconcat(PAYLOAD_PREFIX, id, NULL);

		plan->payload = g_build_filename(unit, leaf, NULL);
	}
	if (!fd_mkdir_parents(AT_FDCWD, plan->supervisor, 0755, err) ||
		!move_here(plan->supervisor, err))
		return false;
	move_others(unit, plan->supervisor);
	return true;
}

/* The two leaves in a scope of our own; a restarted container is in its scope already. False
 * without an error when systemd does not give one. */
static bool plan_scope(const CgroupRequest *request, const char *mount_point, const char *root,
	CgroupPlan *plan, GError **err) {
	const char *id = request->id, *slice = request->cgroup_parent;
	g_autofree char *name = g_strdup_printf("podctl-%s.scope", id);
	g_autofree char *inside = g_strdup_printf("/%s/" SUPERVISOR_LEAF, name);
	g_autofree char *own = own_cgroup(mount_point, root);

	if (!own || !g_str_has_suffix(own, inside)) {
		g_autofree char *description = g_strdup_printf("podctl container %.12s", id);
		g_autoptr(GError) error = NULL;
		const ScopeMaker *scope = module_symbol(SCOPE_MODULE, SCOPE_SYMBOL, &error);

		if (!scope || !scope->make(name, description, slice ? slice : DEFAULT_SLICE,
				      getpid(), &error)) {
			if (slice) {
				g_propagate_error(err, g_steal_pointer(&error));
				return fail_prefix(err, "cannot use \"--cgroup-parent=%s\"", slice);
			}
			log_debug("%s, continuing without a scope", error->message);
			return true;
		}
		if (request->stay)
			plan->origin = g_steal_pointer(&own);
		g_free(own);
		own = own_cgroup(mount_point, root);
	}
	if (!own || !plan_split(id, own, plan, err))
		return false;
	plan->mode = CGROUP_SCOPE;
	plan->scope = g_steal_pointer(&name);
	return true;
}

/* A pod's member goes where its pod is; so does its supervisor when the pod has a scope. */
static bool plan_member(const CgroupRequest *request, CgroupPlan *plan, GError **err) {
	g_autofree char *leaf = g_path_get_basename(request->pod_cgroup);

	plan->mode = CGROUP_DIRECT;
	if (request->stay || !g_str_has_prefix(leaf, PAYLOAD_PREFIX))
		return true;
	g_autofree char *scope = g_path_get_dirname(request->pod_cgroup);
	plan->supervisor = g_build_filename(scope, SUPERVISOR_LEAF, NULL);
	return fd_mkdir_parents(AT_FDCWD, plan->supervisor, 0755, err) &&
	       move_here(plan->supervisor, err);
}

/* A plain directory. Nothing is made here: the caller journals the path first. */
static bool plan_direct(
	const CgroupRequest *request, const char *mount_point, CgroupPlan *plan, GError **err) {
	const char *parent = request->cgroup_parent;

	if (parent && *parent != '/')
		return fail(err, ERROR_INVALID,
			"cannot use \"--cgroup-parent=%s\": slices are systemd's, which does not "
			"run here; give an absolute path",
			parent);
	if (access(mount_point, W_OK) < 0)
		return true;
	plan->mode = CGROUP_DIRECT;
	plan->payload =
		g_build_filename(mount_point, parent ? parent : DIRECT_PARENT, request->id, NULL);
	return true;
}

bool runtime_cgroup_plan(const CgroupRequest *request, CgroupPlan *ret_plan, GError **err) {
	g_autofree char *mount_point = NULL, *root = NULL;
	const char *parent = request->cgroup_parent;

	*ret_plan = (CgroupPlan){.mode = CGROUP_NONE};
	if (!cgroup_find_mount(&mount_point, &root))
		return true;
	if (request->pod_cgroup)
		ret_plan->payload = g_build_filename(request->pod_cgroup, request->id, NULL);
	if (request->split) {
		g_autofree char *own = own_cgroup(mount_point, root);

		/* In the root cgroup nobody has delegated anything to us. */
		if (own && strcmp(own, mount_point) != 0)
			return plan_split(request->id, own, ret_plan, err);
	}
	if (request->pod_cgroup)
		return plan_member(request, ret_plan, err);
	/* As sd_booted(3) asks. */
	if (access("/run/systemd/system", F_OK) == 0) {
		if (parent && *parent == '/')
			return fail(err, ERROR_INVALID,
				"cannot use \"--cgroup-parent=%s\": where systemd runs it is a "
				"slice such as web.slice",
				parent);
		if (!plan_scope(request, mount_point, root, ret_plan, err))
			return false;
		if (ret_plan->mode == CGROUP_SCOPE)
			return true;
	}
	return plan_direct(request, mount_point, ret_plan, err);
}

bool runtime_cgroup_return(const CgroupPlan *plan, GError **err) {
	return !plan->origin || move_here(plan->origin, err);
}

void runtime_cgroup_plan_clear(CgroupPlan *plan) {
	g_free(plan->payload);
	g_free(plan->supervisor);
	g_free(plan->scope);
	g_free(plan->origin);
	*plan = (CgroupPlan){0};
}

/* Waits until cgroup.events has the line; reason is what is wrong when it never has. */
static bool wait_events(int dir_fd, const char *cgroup, const char *line, const char *reason,
	uint64_t timeout_usec, GError **err) {
	_cleanup_close_ int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	uint64_t now = proc_now_monotonic();
	uint64_t end = timeout_usec > USEC_INFINITY - now ? USEC_INFINITY : now + timeout_usec;

	for (;;) {
		char text[256] = "";
		struct pollfd entry = {.fd = fd, .events = POLLPRI};

		if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) < 0)
			return errno == ENODEV || errno == ENOENT ||
			       fail_errno(err, errno, "cannot watch cgroup \"%s\"", cgroup);
		if (strstr(text, line))
			return true;
		now = proc_now_monotonic();
		if (now >= end)
			return fail(err, ERROR_TIMEOUT, "cgroup \"%s\" %s", cgroup, reason);
		/* At most a second at a time: a change between read and poll is then seen late,
		 * not never. */
		(void)!poll(&entry, 1, (int)MIN((end - now) / 1000 + 1, 1000));
	}
}

/* errno of a write of one word. */
static int write_word(int dir_fd, const char *file, const char *word) {
	_cleanup_close_ int fd = openat(dir_fd, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, word, strlen(word)) != (ssize_t)strlen(word) ? errno : 0;
}

bool runtime_cgroup_kill(const char *cgroup, uint64_t timeout_usec, GError **err) {
	_cleanup_close_ int dir_fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir_fd < 0)
		return errno == ENOENT ||
		       fail_errno(err, errno, "cannot open cgroup \"%s\"", cgroup);
	int r = write_word(dir_fd, "cgroup.kill", "1");
	/* removed meanwhile, by systemd when the last process ended */
	if (r == ENOENT || r == ENODEV)
		return true;
	if (r != 0)
		return fail_errno(err, r, "cannot kill the processes of cgroup \"%s\"", cgroup);
	/* Killed first, so that nobody runs again before he dies. */
	(void)write_word(dir_fd, "cgroup.freeze", "0");
	return wait_events(dir_fd, cgroup, "populated 0", "still has processes", timeout_usec, err);
}

bool runtime_cgroup_freeze(const char *cgroup, bool frozen, uint64_t timeout_usec, GError **err) {
	_cleanup_close_ int dir_fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir_fd < 0)
		return fail_errno(err, errno, "cannot open cgroup \"%s\"", cgroup);
	int r = write_word(dir_fd, "cgroup.freeze", frozen ? "1" : "0");
	if (r != 0)
		return fail_errno(
			err, r, "cannot %s cgroup \"%s\"", frozen ? "freeze" : "thaw", cgroup);
	return wait_events(dir_fd, cgroup, frozen ? "frozen 1" : "frozen 0",
		frozen ? "does not freeze" : "does not thaw", timeout_usec, err);
}

/* The kernel drops a dead process from its cgroup a moment after its parent has reaped it. */
static bool remove_one(int parent_fd, const char *name) {
	for (int tries = 0; tries < REMOVE_TRIES; tries++) {
		if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return true;
		if (errno != EBUSY)
			return false;
		g_usleep(REMOVE_WAIT_USEC);
	}
	errno = EBUSY;
	return false;
}

/* Children first. Only directories can be removed in a cgroup file system. */
static bool remove_tree(int parent_fd, const char *name, unsigned depth) {
	_cleanup_close_ int fd =
		openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat info;

	if (fd < 0)
		return errno == ENOENT;
	/* The common case: no children, nobody inside. */
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0)
		return true;
	g_auto(GStrv) names = depth < DEPTH_MAX ? fd_list_dir(fd, ".", NULL) : NULL;
	for (char **child = names; child && *child; child++)
		if (fstatat(fd, *child, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) &&
			!remove_tree(fd, *child, depth + 1))
			return false;
	return remove_one(parent_fd, name);
}

bool runtime_cgroup_remove(const char *cgroup, GError **err) {
	g_autofree char *parent = g_path_get_dirname(cgroup);
	char mark[8];

	if (!remove_tree(AT_FDCWD, cgroup, 0))
		return fail_errno(err, errno, "cannot remove cgroup \"%s\"", cgroup);
	/* Fails while others are in it, as it should. */
	while (strlen(parent) > 1 && getxattr(parent, MADE_MARK, mark, sizeof(mark)) > 0 &&
		rmdir(parent) == 0) {
		char *next = g_path_get_dirname(parent);
		g_free(parent);
		parent = next;
	}
	return true;
}

static void collect_pids(const char *cgroup, GArray *pids, unsigned depth) {
	g_autofree char *path = g_build_filename(cgroup, "cgroup.procs", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) names = NULL;

	if (depth > DEPTH_MAX || !fd_read_file(AT_FDCWD, path, TABLE_MAX, &text, NULL, NULL))
		return;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		int pid;

		if (parse_int(*line, 1, INT_MAX, &pid))
			g_array_append_val(pids, pid);
	}
	names = fd_list_dir(AT_FDCWD, cgroup, NULL);
	for (char **name = names; name && *name; name++) {
		g_autofree char *child = g_build_filename(cgroup, *name, NULL);

		if (g_file_test(child, G_FILE_TEST_IS_DIR))
			collect_pids(child, pids, depth + 1);
	}
}

pid_t *runtime_cgroup_pids(const char *cgroup, GError **err) {
	GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	pid_t end = -1;

	(void)err;
	collect_pids(cgroup, pids, 0);
	g_array_append_val(pids, end);
	return (pid_t *)g_array_free(pids, FALSE);
}
