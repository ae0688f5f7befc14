/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kernel parameters a container may set, and setting them. See sysctl.h. */
#include "runtime/sysctl.h"
#include "base/cleanup.h"
#include "runtime/runtime.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#define VALUE_MAX 4096

/* name: the path below /proc/sys; one that ends in "/" stands for everything below. */
static const struct {
	const char *name;
	int needs;
	const char *needs_text;
} allowed[] = {
	{"net/", CLONE_NEWNET, "network"},
	{"fs/mqueue/", CLONE_NEWIPC, "IPC"},
	{"kernel/msgmax", CLONE_NEWIPC, "IPC"},
	{"kernel/msgmnb", CLONE_NEWIPC, "IPC"},
	{"kernel/msgmni", CLONE_NEWIPC, "IPC"},
	{"kernel/sem", CLONE_NEWIPC, "IPC"},
	{"kernel/shmall", CLONE_NEWIPC, "IPC"},
	{"kernel/shmmax", CLONE_NEWIPC, "IPC"},
	{"kernel/shmmni", CLONE_NEWIPC, "IPC"},
	{"kernel/shm_rmid_forced", CLONE_NEWIPC, "IPC"},
	{"kernel/domainname", CLONE_NEWUTS, "UTS"},
};

/* sysctl.d's rule: when the first separator is "/", dots belong to the names. NULL if the name has
 * a component or a character that no parameter has. */
static char *path_of(const char *name) {
	const char *separator = strpbrk(name, "./");
	bool dots = separator && *separator == '.';
	g_autofree char *path = g_strdup(name);

	for (char *at = path; *at; at++) {
		if (dots && (*at == '.' || *at == '/'))
			*at = *at == '.' ? '/' : '.';
		else if (!g_ascii_isalnum(*at) && !strchr("_-/.:@", *at))
			return NULL;
	}
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	for (char **part = parts; *part; part++)
		if (!**part || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
			return NULL;
	return parts[0] && parts[1] ? g_steal_pointer(&path) : NULL;
}

static bool printable(const char *value) {
	for (; *value; value++)
		if ((unsigned char)*value < ' ' && *value != '\t')
			return false;
	return true;
}

/* Splits; false with a reason when either half is malformed. */
static bool split(const char *assignment, char **ret_name, char **ret_path, const char **ret_value,
	GError **err) {
	const char *equals = strchr(assignment, '=');

	if (!equals)
		return fail(err, ERROR_INVALID, "sysctl \"%s\" has no value", assignment);
	*ret_name = g_strndup(assignment, (size_t)(equals - assignment));
	*ret_path = path_of(*ret_name);
	*ret_value = equals + 1;
	if (!*ret_path)
		return fail(err, ERROR_INVALID, "\"%s\" is not the name of a sysctl", *ret_name);
	if (strlen(*ret_value) > VALUE_MAX || !printable(*ret_value))
		return fail(
			err, ERROR_INVALID, "the value of sysctl \"%s\" is not usable", *ret_name);
	return true;
}

bool runtime_sysctl_check(const char *assignment, int namespaces, GError **err) {
	g_autofree char *name = NULL, *path = NULL;
	const char *value;

	if (!split(assignment, &name, &path, &value, err))
		return false;
	if (strcmp(path, "kernel/hostname") == 0)
		return fail(err, ERROR_INVALID, "sysctl \"%s\": use --hostname", name);
	array_foreach (row, allowed) {
		bool below = row->name[strlen(row->name) - 1] == '/';

		if (below ? !g_str_has_prefix(path, row->name) : strcmp(path, row->name) != 0)
			continue;
		if (namespaces & row->needs)
			return true;
		return fail(err, ERROR_INVALID, "sysctl \"%s\" needs a private %s namespace", name,
			row->needs_text);
	}
	return fail(err, ERROR_INVALID,
		"sysctl \"%s\" belongs to the whole machine, not to a namespace", name);
}

static bool apply_one(int proc_fd, const char *assignment, GError **err) {
	g_autofree char *name = NULL, *path = NULL;
	const char *value;
	struct statfs found;

	if (!split(assignment, &name, &path, &value, err))
		return false;
	g_autofree char *full = g_strconcat("sys/", path, NULL);
	_cleanup_close_ int fd = sys_openat2(proc_fd, full, O_WRONLY | O_CLOEXEC,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (fd < 0 || fstatfs(fd, &found) < 0)
		return fail_errno(err, errno, "cannot set sysctl \"%s\"", name);
	if (found.f_type != PROC_SUPER_MAGIC)
		return fail(err, ERROR_FAILED, "cannot set sysctl \"%s\": not a procfs", name);
	if (write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		return fail_errno(err, errno, "cannot set sysctl \"%s\" to \"%s\"", name, value);
	return true;
}

bool sysctl_apply(int proc_fd, char *const *assignments, GError **err) {
	for (; assignments && *assignments; assignments++)
		if (!apply_one(proc_fd, *assignments, err))
			return false;
	return true;
}
