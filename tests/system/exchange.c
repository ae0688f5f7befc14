/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exchanges names as fast as the kernel can, until it is killed: an attacker for everybody who
 * looks a path up in two steps. Static, so that it runs in any image.
 *
 * exchange A B [A B]...   renameat2(RENAME_EXCHANGE) of each pair, over and over
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
	if (argc < 3 || argc % 2 == 0) {
		fprintf(stderr, "usage: exchange A B [A B]...\n");
		return 2;
	}
	for (;;)
		for (int i = 1; i + 1 < argc; i += 2)
			syscall(SYS_renameat2, AT_FDCWD, argv[i], AT_FDCWD, argv[i + 1],
				2 /* RENAME_EXCHANGE */);
}
