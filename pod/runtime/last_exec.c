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
#include "runtime/last_step.h"

int main(int argc, char **argv) {
	int channel = last_step_channel(argc, argv);

	if (channel >= 0)
		last_step_execute(channel, argv);
	return LAST_STEP_NOT_STARTED;
}
