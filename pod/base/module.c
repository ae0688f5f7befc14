/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules that are loaded on demand. See module.h. */
#include "base/module.h"

#include <dlfcn.h>
#include <unistd.h>

char *module_path(const char *name) {
	const char *directory = secure_getenv("PODCTL_LIBDIR");

	return g_build_filename(directory && *directory ? directory : PODCTL_LIBDIR, name, NULL);
}

const void *module_symbol(const char *module, const char *symbol, GError **err) {
	g_autofree char *name = g_strconcat(module, ".so", NULL);
	g_autofree char *path = module_path(name);
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!handle) {
		fail(err, ERROR_FAILED, "cannot load \"%s\": %s", path, dlerror());
		return NULL;
	}
	const void *address = dlsym(handle, symbol);
	if (!address)
		fail(err, ERROR_FAILED, "cannot load \"%s\": no symbol \"%s\"", path, symbol);
	return address;
}

char *module_data_path(const char *name) {
	g_autofree char *local = g_build_filename(PODCTL_SYSCONFDIR, "podctl", name, NULL);
	const char *directory = secure_getenv("PODCTL_DATADIR");

	if (directory && *directory)
		return g_build_filename(directory, name, NULL);
	if (access(local, R_OK) == 0)
		return g_steal_pointer(&local);
	return g_build_filename(PODCTL_DATADIR, name, NULL);
}
