/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Feeds the files of a corpus to a fuzz target, so that every find of the past is part of the
 * normal test run, with any compiler. Each argument is a directory.
 */
#include "base/fd.h"

#include <fcntl.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_directory(const char *path, unsigned *count, GError **err) {
	g_auto(GStrv) names = fd_list_dir(AT_FDCWD, path, err);
	_cleanup_close_ int fd = names ? fd_open_dir(AT_FDCWD, path, err) : -1;

	if (fd < 0)
		return false;
	for (char **name = names; *name; name++) {
		g_autofree char *text = NULL;
		size_t size = 0;
		if (!fd_read_file(fd, *name, (size_t)16 << 20, &text, &size, err))
			return false;
		LLVMFuzzerTestOneInput((const uint8_t *)text, size);
		printf("ok %u - %s\n", ++*count, *name);
		fflush(stdout);
	}
	return true;
}

int main(int argc, char **argv) {
	unsigned count = 0;

	for (int i = 1; i < argc; i++) {
		g_autoptr(GError) error = NULL;
		if (!replay_directory(argv[i], &count, &error)) {
			fprintf(stderr, "%s\n", error->message);
			return 1;
		}
	}
	printf("1..%u\n", count);
	return count ? 0 : 1;
}
