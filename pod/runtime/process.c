/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User, working directory and program of a process in a container. See process.h. */
#include "runtime/process.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/proc.h"
#include "runtime/mounts.h"
#include "runtime/rootfs.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ACCOUNT_FILE_MAX  (1024 * 1024)
#define ACCOUNT_LINES_MAX 65536
#define GROUPS_MAX        1024

void process_user_clear(ProcessUser *user) {
	g_free(user->groups);
	g_free(user->home);
	g_free(user->name);
	*user = (ProcessUser){0};
}

static bool only_digits(const char *text) {
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* No name looks like a number, a sign or an option. */
static bool is_name(const char *text) {
	return g_ascii_isalpha(text[0]) || text[0] == '_' || (text[0] & 0x80);
}

/* 4294967295 means "no change" to the kernel and is never an id. */
static bool parse_id(const char *text, unsigned *ret_id) {
	return parse_uint(text, UINT_MAX - 1, ret_id);
}

/* Splits one line of an account file in place. False for comments and short lines. */
static bool split_line(char *line, char **fields, size_t n) {
	for (size_t i = 0; i < n; i++) {
		fields[i] = line;
		char *colon = line ? strchr(line, ':') : NULL;
		if (colon)
			*colon = '\0';
		else if (i + 1 < n)
			return false;
		line = colon ? colon + 1 : NULL;
	}
	return fields[0][0] && fields[0][0] != '#';
}

/* Next line of *text, terminated in place; NULL at the end. */
static char *next_line(char **text) {
	char *line = *text;

	if (!line || !*line)
		return NULL;
	char *end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*text = end ? end + 1 : NULL;
	return line;
}

/* Fills uid, gid, home and name from the first matching line. by_id: key is user->uid. */
static bool find_passwd(const char *passwd, const char *name, ProcessUser *user) {
	g_autofree char *copy = g_strdup(passwd);
	char *rest = copy, *line, *fields[6];
	unsigned uid, gid;

	while ((line = next_line(&rest))) {
		if (!split_line(line, fields, 6) || !parse_id(fields[2], &uid) ||
			!parse_id(fields[3], &gid))
			continue;
		if (name ? strcmp(fields[0], name) != 0 : uid != user->uid)
			continue;
		user->uid = uid;
		user->gid = gid;
		user->name = g_strdup(fields[0]);
		user->home = g_strdup(fields[5]);
		return true;
	}
	return false;
}

static bool find_group(const char *group, const char *name, gid_t *ret_gid) {
	g_autofree char *copy = g_strdup(group);
	char *rest = copy, *line, *fields[3];
	unsigned gid;

	while ((line = next_line(&rest)))
		if (split_line(line, fields, 3) && strcmp(fields[0], name) == 0 &&
			parse_id(fields[2], &gid)) {
			*ret_gid = gid;
			return true;
		}
	return false;
}

static bool resolve_group(const char *text, const char *group, gid_t *ret_gid, GError **err) {
	unsigned gid;

	if (only_digits(text)) {
		if (!parse_id(text, &gid))
			return fail(err, ERROR_INVALID, "group id \"%s\" is out of range", text);
		*ret_gid = gid;
		return true;
	}
	if (!is_name(text) || !find_group(group, text, ret_gid))
		return fail(err, ERROR_INVALID,
			"unable to find group %s: no matching entries in group file", text);
	return true;
}

static void add_group(ProcessUser *user, gid_t gid) {
	for (size_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] == gid)
			return;
	if (user->n_groups == GROUPS_MAX)
		return;
	user->groups = g_renew(gid_t, user->groups, user->n_groups + 1);
	user->groups[user->n_groups++] = gid;
}

static bool member_of(const char *members, const char *name) {
	size_t length = strlen(name);

	for (const char *at = members; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

static void add_memberships(const char *group, ProcessUser *user) {
	g_autofree char *copy = g_strdup(group);
	char *rest = copy, *line, *fields[4];
	unsigned gid;

	while (user->name && (line = next_line(&rest)))
		if (split_line(line, fields, 4) && parse_id(fields[2], &gid) &&
			member_of(fields[3], user->name))
			add_group(user, gid);
}

static bool resolve_user(const char *name, const char *passwd, ProcessUser *user, GError **err) {
	unsigned uid;

	if (!*name || only_digits(name)) {
		if (!parse_id(*name ? name : "0", &uid))
			return fail(err, ERROR_INVALID, "user id \"%s\" is out of range", name);
		user->uid = uid;
		find_passwd(passwd, NULL, user);
		return true;
	}
	if (!is_name(name) || !find_passwd(passwd, name, user))
		return fail(err, ERROR_INVALID,
			"unable to find user %s: no matching entries in passwd file", name);
	return true;
}

bool process_parse_user(const char *user, const char *passwd, const char *group,
	char *const *groups, const gid_t *gids, size_t n_gids, ProcessUser *ret_user,
	GError **err) {
	g_auto(GStrv) parts = g_strsplit(user ? user : "", ":", 2);
	const char *name = parts[0] ? parts[0] : "";
	const char *group_name = parts[0] ? parts[1] : NULL;

	passwd = passwd ? passwd : "";
	group = group ? group : "";
	*ret_user = (ProcessUser){0};
	if (!resolve_user(name, passwd, ret_user, err))
		return false;
	if (group_name && !resolve_group(group_name, group, &ret_user->gid, err))
		return false;
	add_group(ret_user, ret_user->gid);
	/* An explicit group replaces the memberships, as everywhere in this field. */
	if (!group_name)
		add_memberships(group, ret_user);
	for (size_t i = 0; i < n_gids; i++)
		add_group(ret_user, gids[i]);
	for (; groups && *groups; groups++) {
		gid_t gid;

		if (!resolve_group(*groups, group, &gid, err))
			return false;
		add_group(ret_user, gid);
	}
	if (!ret_user->home || ret_user->home[0] != '/') {
		g_free(ret_user->home);
		ret_user->home = g_strdup(ret_user->uid == 0 && !ret_user->name ? "/root" : "/");
	}
	return true;
}

/* A missing file gives NULL. Whatever the image put in its place (fifo, directory, a link into
 * /proc) is refused before a byte is read. */
bool process_read_account_file(int root_fd, const char *path, char **ret_text, GError **err) {
	_cleanup_close_ int fd = rootfs_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat info;
	struct statfs system;

	*ret_text = NULL;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       fail_errno(err, errno, "cannot read \"%s\" of the container", path);
	if (fstat(fd, &info) < 0 || fstatfs(fd, &system) < 0)
		return fail_errno(err, errno, "cannot read \"%s\" of the container", path);
	if (!S_ISREG(info.st_mode) || system.f_type == PROC_SUPER_MAGIC ||
		system.f_type == SYSFS_MAGIC)
		return fail(err, ERROR_INVALID, "\"%s\" of the container is not a file", path);
	if (info.st_size > ACCOUNT_FILE_MAX)
		return fail(err, ERROR_INVALID, "\"%s\" of the container is too big", path);
	g_autofree char *text = NULL;
	size_t size, lines = 0;
	if (!fd_read_all(fd, path, ACCOUNT_FILE_MAX, &text, &size, err))
		return false;
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	if (lines > ACCOUNT_LINES_MAX)
		return fail(err, ERROR_INVALID, "\"%s\" of the container has too many lines", path);
	*ret_text = g_steal_pointer(&text);
	return true;
}

bool process_find_user(int root_fd, const char *user, char *const *groups, const gid_t *gids,
	size_t n_gids, ProcessUser *ret_user, GError **err) {
	g_autofree char *passwd = NULL, *group = NULL;

	return process_read_account_file(root_fd, "/etc/passwd", &passwd, err) &&
	       process_read_account_file(root_fd, "/etc/group", &group, err) &&
	       process_parse_user(user, passwd, group, groups, gids, n_gids, ret_user, err);
}

bool process_enter_cwd(int root_fd, const char *cwd, const ProcessUser *owner, GError **err) {
	const char *path = cwd && *cwd ? cwd : "/";
	char found[PATH_MAX];
	bool made = false;
	_cleanup_close_ int fd = -1;

	if (owner) {
		fd = rootfs_make(root_fd, path, POINT_DIRECTORY, &made, err);
		if (fd < 0)
			return false;
		if (made && fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH) < 0)
			return fail_errno(err, errno, "cannot give \"%s\" to its user", path);
	} else {
		fd = rootfs_open(root_fd, path, O_PATH | O_DIRECTORY);
	}
	if (fd < 0 || fchdir(fd) < 0)
		return fail(err, ERROR_COMMAND_NOT_EXECUTABLE,
			"cannot enter working directory \"%s\" of the container: %s", path,
			strerror(errno));
	/* The raw call: libc's would walk the tree upwards when the kernel has no answer. */
	if (syscall(SYS_getcwd, found, sizeof(found)) <= 0 || found[0] != '/')
		return fail(err, ERROR_INVALID, "working directory \"%s\" is outside the container",
			path);
	return true;
}

const char *process_env_value(char *const *env, const char *name) {
	size_t length = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

char **process_make_env(char *const *env, const ProcessUser *user, const char *notify_socket) {
	GPtrArray *list = g_ptr_array_new();
	const char *home = process_env_value(env, "HOME");

	for (char *const *entry = env; entry && *entry; entry++)
		if (!g_str_has_prefix(*entry, "HOME=") || *home)
			g_ptr_array_add(list, g_strdup(*entry));
	if (!home || !*home)
		g_ptr_array_add(list, g_strconcat("HOME=", user->home, NULL));
	if (notify_socket && !process_env_value(env, "NOTIFY_SOCKET"))
		g_ptr_array_add(list, g_strconcat("NOTIFY_SOCKET=", notify_socket, NULL));
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

/* 0 if path is a file that the caller may execute, else an errno. */
static int check_program(const char *path) {
	struct stat info;

	if (stat(path, &info) < 0)
		return errno;
	if (!S_ISREG(info.st_mode))
		return S_ISDIR(info.st_mode) ? EISDIR : EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? EACCES : 0;
}

static char *fail_program(GError **err, const char *name, int error, bool looked_up) {
	if (error != ENOENT && error != ENOTDIR)
		fail(err, ERROR_COMMAND_NOT_EXECUTABLE, "cannot run \"%s\": %s", name,
			strerror(error));
	else if (looked_up)
		fail(err, ERROR_COMMAND_NOT_FOUND, "executable file \"%s\" not found in $PATH",
			name);
	else
		fail(err, ERROR_COMMAND_NOT_FOUND,
			"executable file \"%s\" not found: No such file or directory", name);
	return NULL;
}

char *process_find_program(const char *name, const char *path_list, GError **err) {
	int error = ENOENT;

	if (strchr(name, '/')) {
		error = check_program(name);
		return error ? fail_program(err, name, error, false) : g_strdup(name);
	}
	g_auto(GStrv) folders = g_strsplit(path_list ? path_list : PROC_DEFAULT_PATH, ":", -1);
	for (char **folder = folders; *name && *folder; folder++) {
		g_autofree char *path = g_strconcat(**folder ? *folder : ".", "/", name, NULL);
		int r = check_program(path);

		if (r == 0)
			return g_steal_pointer(&path);
		if (r != ENOENT && r != ENOTDIR && r != EISDIR)
			error = r;
	}
	return fail_program(err, name, error, true);
}

bool process_execute(const ProcessExec *exec, char *const *argv, char *const *env, GError **err) {
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	char channel[16];

	if (!argv || !argv[0])
		return fail(err, ERROR_INVALID, "there is no command to run");
	g_autofree char *path = process_find_program(argv[0], process_env_value(env, "PATH"), err);
	if (!path)
		return false;
	if (fcntl(exec->channel, F_SETFD, 0) < 0)
		return fail_errno(err, errno, "cannot pass on the channel");
	g_snprintf(channel, sizeof(channel), "%d", exec->channel);
	g_ptr_array_add(words, (char *)"podctl-exec");
	g_ptr_array_add(words, channel);
	g_ptr_array_add(words, path);
	for (char *const *word = argv; *word; word++)
		g_ptr_array_add(words, *word);
	g_ptr_array_add(words, NULL);
	sys_execveat(exec->program_fd, "", (char *const *)words->pdata, env, AT_EMPTY_PATH);
	return fail_errno(err, errno, "cannot run podctl-exec");
}

int process_open_program(const char *path, GError **err) {
	int fd = mounts_clone(
		AT_FDCWD, path, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (fd < 0)
		fail_errno(err, errno, "cannot open \"%s\"", path);
	return fd;
}

static int compare_ints(const void *left, const void *right) {
	return *(const int *)left - *(const int *)right;
}

void process_close_others(const int *keep, size_t n) {
	g_autofree int *sorted = g_new(int, n + 1);
	unsigned first = STDERR_FILENO + 1;

	memcpy(sorted, keep, n * sizeof(int));
	qsort(sorted, n, sizeof(int), compare_ints);
	for (size_t i = 0; i < n; i++) {
		if (sorted[i] < (int)first)
			continue;
		if (sorted[i] > (int)first)
			sys_close_range(first, (unsigned)sorted[i] - 1, 0);
		first = (unsigned)sorted[i] + 1;
	}
	sys_close_range(first, UINT_MAX, 0);
}

void process_close_for_program(
	const ProcessExec *exec, const RuntimeDescriptor *passed, size_t n_passed) {
	g_autofree int *keep = g_new(int, n_passed + 2);

	keep[0] = exec->channel;
	keep[1] = exec->program_fd;
	for (size_t i = 0; i < n_passed; i++)
		keep[i + 2] = passed[i].to;
	process_close_others(keep, n_passed + 2);
}
