/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-exec: the step between podctl and a container's program. A process that executes what a
 * container names must not be podctl any more: "#!/proc/self/exe" would run the host's podctl
 * inside, and the container could open and overwrite its file (CVE-2019-5736). This program is
 * static, has nothing to load, and is executed from a read-only mount that exists nowhere else, so
 * its file cannot be written through /proc either.
 *
 * Usage: podctl-exec CHANNEL PATH ARGV0 [ARGUMENT...]. CHANNEL is the number of a descriptor that
 * is closed by a good execve; after a failed one it gets a SyncMessage with the errno.
 */
#include "runtime/sync_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127, DESCRIPTOR_MAX = 1 << 20 };

/* -1 for anything but a plain small number: then it was not podctl that called. */
static int read_number(const char *text) {
	int number = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > DESCRIPTOR_MAX)
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

int main(int argc, char **argv) {
	SyncMessage message = {.kind = SYNC_KIND_EXEC_FAILED};
	int channel = argc >= 4 ? read_number(argv[1]) : -1;

	if (channel < 0 || fcntl(channel, F_SETFD, FD_CLOEXEC) < 0)
		return EXIT_NOT_STARTED;
	execve(argv[2], argv + 3, environ);
	message.code = errno;
	(void)!write(channel, &message, offsetof(SyncMessage, text) + 1);
	return EXIT_NOT_STARTED;
}
