/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last execve of a container's program. See last_step.h. */
#include "runtime/last_step.h"
#include "runtime/sync_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

enum { DESCRIPTOR_MAX = 1 << 20 };

/* -1 for anything but a plain small number. */
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

int last_step_channel(int argc, char **argv) {
	int channel = argc >= 4 ? read_number(argv[1]) : -1;

	return channel >= 0 && fcntl(channel, F_SETFD, FD_CLOEXEC) == 0 ? channel : -1;
}

void last_step_execute(int channel, char **argv) {
	SyncMessage message = {.kind = SYNC_KIND_EXEC_FAILED};

	execve(argv[2], argv + 3, environ);
	message.code = errno;
	(void)!write(channel, &message, offsetof(SyncMessage, text) + 1);
}
