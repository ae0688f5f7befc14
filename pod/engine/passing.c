/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors of the calling process on their way to a container: --preserve-fds, --preserve-fd and
 * what systemd's socket activation has opened. They reach exactly one process: that of the
 * container which this call makes, or the one that it starts in a container.
 */
#include "base/fd.h"
#include "base/options.h"
#include "engine/handle.h"
#include "model/spec_parse.h"

enum { FIRST_FD = 3, LISTEN_MAX = 1000 };

void passing_clear(Passing *passing) {
	g_free(passing->rows);
	g_strfreev(passing->listen_env);
	g_free(passing->container);
	*passing = (Passing){0};
}

static bool add_row(Passing *passing, int fd, const char *option, GError **err) {
	if (!fd_is_open(fd))
		return fail(err, ERROR_INVALID,
			"\"--%s\": descriptor %d is not open in the calling process", option, fd);
	passing->rows = g_renew(RuntimeDescriptor, passing->rows, passing->n + 1);
	passing->rows[passing->n++] = (RuntimeDescriptor){fd, fd};
	return true;
}

static bool add_listed(Passing *passing, char *const *numbers, GError **err) {
	g_autofree int *fds = NULL;
	size_t count;

	if (!spec_parse_fd_list(numbers, &fds, &count, err))
		return fail_prefix(err, "--preserve-fd");
	for (size_t i = 0; i < count; i++) {
		bool there = false;
		for (size_t k = 0; k < passing->n; k++)
			there = there || passing->rows[k].to == fds[i];
		if (!there && !add_row(passing, fds[i], "preserve-fd", err))
			return false;
	}
	return true;
}

static void add_listen_env(Passing *passing, unsigned count, const char *names) {
	g_autofree char *number = g_strdup_printf("LISTEN_FDS=%u", count);

	options_append(&passing->listen_env, number);
	if (names) {
		g_autofree char *text = g_strconcat("LISTEN_FDNAMES=", names, NULL);
		options_append(&passing->listen_env, text);
	}
}

bool engine_pass_descriptors(Engine *engine, const EngineDescriptors *descriptors, GError **err) {
	Passing *passing = &engine->passing;
	unsigned preserved =
		descriptors->preserve_count > 0 ? (unsigned)descriptors->preserve_count : 0;

	passing_clear(passing);
	if (descriptors->listen_count > LISTEN_MAX || preserved > LISTEN_MAX)
		return fail(err, ERROR_INVALID, "too many descriptors to pass on: %u",
			MAX(descriptors->listen_count, preserved));
	for (unsigned i = 0; i < MAX(descriptors->listen_count, preserved); i++)
		if (!add_row(passing, FIRST_FD + (int)i,
			    i < descriptors->listen_count ? "LISTEN_FDS" : "preserve-fds", err))
			return false;
	if (descriptors->listen_count)
		add_listen_env(passing, descriptors->listen_count, descriptors->listen_names);
	return add_listed(passing, descriptors->preserve, err);
}

void passing_give(const Engine *engine, const char *container, RuntimeConfig *config) {
	const Passing *passing = &engine->passing;

	if (passing->n == 0 || g_strcmp0(passing->container, container) != 0)
		return;
	config->descriptors = g_memdup2(passing->rows, passing->n * sizeof *passing->rows);
	config->n_descriptors = passing->n;
	config->listen_fds_env = g_strdupv(passing->listen_env);
}
