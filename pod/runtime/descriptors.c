/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passing descriptors to a container's process. See descriptors.h. */
#include "runtime/descriptors.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/options.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The first number above all that are to be had. */
static int above_all(const RuntimeDescriptor *rows, size_t n) {
	int highest = STDERR_FILENO;

	for (size_t i = 0; i < n; i++)
		highest = MAX(highest, rows[i].to);
	return highest + 1;
}

void descriptors_close(int **fds, size_t n) {
	for (size_t i = 0; *fds && i < n; i++)
		close_fd_ptr(&(*fds)[i]);
	g_clear_pointer(fds, g_free);
}

bool descriptors_take(const RuntimeDescriptor *rows, size_t n, int **ret_fds, GError **err) {
	int lowest = above_all(rows, n);

	if (n == 0)
		return true;
	int *fds = g_new(int, n);
	memset(fds, 0xff, n * sizeof(int));
	for (size_t i = 0; i < n; i++) {
		fds[i] = fcntl(rows[i].from, F_DUPFD_CLOEXEC, lowest);
		if (fds[i] >= 0)
			continue;
		fail_errno(err, errno, "cannot pass on descriptor %d", rows[i].from);
		descriptors_close(&fds, n);
		return false;
	}
	*ret_fds = fds;
	return true;
}

bool descriptors_place(const RuntimeDescriptor *rows, size_t n, int *fds, int *channel,
	int *program_fd, GError **err) {
	int lowest = above_all(rows, n);

	if (n == 0)
		return true;
	if (!fd_lift(channel, lowest, err) || !fd_lift(program_fd, lowest, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!fd_place(fds[i], rows[i].to, err))
			return false;
		close_fd_ptr(&fds[i]);
	}
	return true;
}

void descriptors_add_env(char ***env, char *const *listen_env) {
	if (!listen_env)
		return;
	g_auto(GStrv) old = *env;
	g_autofree char *pid = g_strdup_printf("LISTEN_PID=%d", (int)getpid());

	*env = NULL;
	for (char **entry = old; entry && *entry; entry++)
		if (!g_str_has_prefix(*entry, "LISTEN_PID=") &&
			!g_str_has_prefix(*entry, "LISTEN_FDS=") &&
			!g_str_has_prefix(*entry, "LISTEN_FDNAMES="))
			options_append(env, *entry);
	for (; *listen_env; listen_env++)
		options_append(env, *listen_env);
	options_append(env, pid);
}
