/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --cidfile: written when a container is made, gone when it is. */
#include "base/fd.h"
#include "engine/handle.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool id_file_write(const char *path, const char *id, GError **err) {
	return !path || fd_write_file(AT_FDCWD, path, id, strlen(id), 0644, err);
}

void id_file_remove(const ContainerDefinition *definition) {
	const char *path = definition->spec->cidfile;
	g_autofree char *text = NULL;

	/* somebody may have put something else there */
	if (path && fd_read_file(AT_FDCWD, path, 256, &text, NULL, NULL) &&
		strcmp(g_strstrip(text), definition->id) == 0)
		(void)unlink(path);
}
