/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Search paths, and the rule for life beside podman's generator. See search.h. */
#include "search.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void search_root_free(void *data) {
	SearchRoot *root = data;

	g_free(root->path);
	g_free(root);
}

static G_GNUC_PRINTF(3, 4) void add_root(
	GPtrArray *roots, SearchFilter filter, const char *format, ...) {
	SearchRoot *root = g_new0(SearchRoot, 1);
	va_list args;

	va_start(args, format);
	root->path = g_strdup_vprintf(format, args);
	va_end(args);
	root->filter = filter;
	g_ptr_array_add(roots, root);
}

/* A variable that names an absolute path, or NULL. */
static const char *path_from_env(const char *name) {
	const char *value = getenv(name);

	return value && *value == '/' ? value : NULL;
}

/* $XDG_CONFIG_HOME or ~/.config; NULL if neither is known. */
static char *config_home(void) {
	const char *home = path_from_env("XDG_CONFIG_HOME");

	if (home)
		return g_strdup(home);
	home = path_from_env("HOME");
	return home ? g_strconcat(home, "/.config", NULL) : NULL;
}

/* systemd takes the first generator of a name; one that is no program or is empty masks. */
static bool is_podman_active(const Generator *generator) {
	static const char *const parents[] = {
		"/run/systemd", "/etc/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"};
	const char *mode = generator->user ? "user" : "system";

	array_foreach (parent, parents) {
		g_autofree char *path = g_strdup_printf("%s%s/%s-generators/podman-%s-generator",
			generator->root, *parent, mode, mode);
		struct stat st;
		if (lstat(path, &st) < 0)
			continue;
		return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		       (st.st_mode & 0111);
	}
	return false;
}

/* QUADLET_UNIT_DIRS in place of everything else. */
static GPtrArray *roots_from_list(Generator *generator, const char *list) {
	GPtrArray *roots = g_ptr_array_new_with_free_func(search_root_free);
	g_auto(GStrv) paths = g_strsplit(list, ":", -1);

	for (char **path = paths; *path; path++) {
		if (**path != '/') {
			g_autoptr(GError) error = NULL;
			fail(&error, ERROR_INVALID,
				"QUADLET_UNIT_DIRS: \"%s\" is not an absolute path", *path);
			generator_report(generator, error);
			break;
		}
		add_root(roots, SEARCH_ALL, "%s", *path);
	}
	return roots;
}

static void add_system_roots(const Generator *generator, GPtrArray *roots, bool beside_podman) {
	const char *root = generator->root;

	if (!beside_podman)
		add_root(roots, SEARCH_SKIP_USERS, "%s/run/containers/systemd", root);
	add_root(roots, SEARCH_SKIP_USERS, "%s/etc/podctl/systemd", root);
	if (beside_podman)
		return;
	add_root(roots, SEARCH_SKIP_USERS, "%s/etc/containers/systemd", root);
	add_root(roots, SEARCH_SKIP_USERS, "%s/usr/share/containers/systemd", root);
}

static void add_user_roots(const Generator *generator, GPtrArray *roots, bool beside_podman) {
	static const char *const shared[] = {
		"/etc/podctl/systemd", "/etc/containers/systemd", "/usr/share/containers/systemd"};
	const char *runtime = path_from_env("XDG_RUNTIME_DIR");
	g_autofree char *config = config_home();

	if (runtime && !beside_podman)
		add_root(roots, SEARCH_ALL, "%s/containers/systemd", runtime);
	if (config)
		add_root(roots, SEARCH_ALL, "%s/podctl/systemd", config);
	if (config && !beside_podman)
		add_root(roots, SEARCH_ALL, "%s/containers/systemd", config);
	if (!config)
		log_warning("neither XDG_CONFIG_HOME nor HOME is an absolute path, "
			    "continuing without the user's own files");
	array_foreach (path, shared) {
		if (beside_podman && path != shared)
			break;
		add_root(roots, SEARCH_SKIP_NUMERIC, "%s%s/users", generator->root, *path);
		add_root(
			roots, SEARCH_ALL, "%s%s/users/%u", generator->root, *path, generator->uid);
	}
}

GPtrArray *search_roots(Generator *generator) {
	const char *list = getenv("QUADLET_UNIT_DIRS");

	if (list && *list)
		return roots_from_list(generator, list);
	GPtrArray *roots = g_ptr_array_new_with_free_func(search_root_free);
	bool beside_podman = is_podman_active(generator);
	if (beside_podman)
		log_info(
			"podman's generator is active: the containers/systemd directories are left "
			"to it, reading podctl/systemd alone");
	if (generator->user)
		add_user_roots(generator, roots, beside_podman);
	else
		add_system_roots(generator, roots, beside_podman);
	return roots;
}

GPtrArray *search_systemd_dirs(const Generator *generator) {
	static const char *const parents[] = {"/etc/systemd", "/run/systemd",
		"/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"};
	GPtrArray *directories = g_ptr_array_new_with_free_func(g_free);
	const char *runtime = path_from_env("XDG_RUNTIME_DIR");
	g_autofree char *config = config_home();

	array_foreach (parent, parents)
		g_ptr_array_add(directories, g_strdup_printf("%s%s/%s", generator->root, *parent,
						     generator->user ? "user" : "system"));
	if (generator->user && config)
		g_ptr_array_add(directories, g_strconcat(config, "/systemd/user", NULL));
	if (generator->user && runtime)
		g_ptr_array_add(directories, g_strconcat(runtime, "/systemd/user", NULL));
	return directories;
}
