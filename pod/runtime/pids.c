/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes belong to a container: those of its cgroup, or of its pid namespace. */
#include "base/fd.h"
#include "base/parse.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <sys/stat.h>

static bool namespace_of(const char *pid, ino_t *ret_inode) {
	g_autofree char *path = g_strdup_printf("/proc/%s/ns/pid", pid);
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	*ret_inode = st.st_ino;
	return true;
}

/* Without a cgroup: everything in the first process's pid namespace, if it has one of its own. */
static pid_t *pids_of_namespace(ProcId init, GError **err) {
	g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	g_autofree char *init_text = g_strdup_printf("%d", (int)init.pid);
	g_auto(GStrv) names = fd_list_dir(AT_FDCWD, "/proc", err);
	ino_t ours = 0, wanted = 0, found;
	pid_t end = -1;

	if (!names)
		return NULL;
	bool own =
		namespace_of("self", &ours) && namespace_of(init_text, &wanted) && ours != wanted;
	for (char **name = names; own && *name; name++) {
		unsigned number;
		if (!parse_uint(*name, INT32_MAX, &number) || !namespace_of(*name, &found) ||
			found != wanted)
			continue;
		pid_t pid = (pid_t)number;
		g_array_append_val(pids, pid);
	}
	if (!own)
		g_array_append_val(pids, init.pid);
	g_array_append_val(pids, end);
	return (pid_t *)(void *)g_array_free(g_steal_pointer(&pids), FALSE);
}

pid_t *runtime_pids(ProcId init, const char *cgroup, GError **err) {
	return cgroup ? runtime_cgroup_pids(cgroup, err) : pids_of_namespace(init, err);
}
