/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `rename`: the claim of the new name comes before the old one goes, so a killed call leaves the
 * container with one of the two. A supervisor at work keeps the name it started with in its log. */
#include "engine/handle.h"
#include "model/names.h"

bool engine_container_rename(Engine *engine, const char *name, const char *new_name, GError **err) {
	if (!engine_require_root(err) || !name_check(new_name, "container name", err))
		return false;
	g_autoptr(Container) container = container_open(engine, name, err);
	if (!container || !container_lock(container, err))
		return false;
	bool good = store_rename(container->object, container->definition->name, new_name, err);
	store_unlock(container->object);
	return good;
}
