/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the supervisor gives up: see harden.h. */
#include "supervisor/harden.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/number.h"

#define OOM_SCORE_FILE "/proc/self/oom_score_adj"
#define OOM_SCORE      (-900)

static int read_oom_score(int fd) {
	char text[16];
	uint64_t number = 0;

	ssize_t n = read(fd, text, sizeof(text));
	bool negative = n > 0 && text[0] == '-';
	if (n > negative)
		(void)number_get(text + negative, (size_t)n - negative, &number);
	return negative ? -(int)number : (int)number;
}

static void write_oom_score(int fd, int score) {
	char text[1 + NUMBER_DIGITS] = "-";
	size_t sign = score < 0;
	size_t length = number_put(text + sign, (uint64_t)abs(score));

	(void)!write(fd, text, sign + length);
}

/* Without the right to do so it stays as it is. */
static void lower_oom_score(Supervisor *s) {
	int fd = open(OOM_SCORE_FILE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	s->oom_score = read_oom_score(fd);
	if (s->oom_score > OOM_SCORE)
		write_oom_score(fd, OOM_SCORE);
	close(fd);
}

/* Root's execve gets all of the bounding set back. Left: the right to signal whatever user the
 * container runs as, and to go on with a log in a directory of another user. */
static void drop_capabilities(void) {
	const uint32_t kept = 1u << CAP_KILL | 1u << CAP_DAC_OVERRIDE;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (geteuid() != 0 || syscall(SYS_capget, &header, sets) < 0)
		return;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		uint32_t left = i == 0 ? kept : 0;
		sets[i].effective &= left;
		sets[i].permitted &= left;
	}
	(void)syscall(SYS_capset, &header, sets);
}

void harden_apply(Supervisor *s) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		s->core_limit = limit.rlim_cur;
		limit.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &limit);
	}
	lower_oom_score(s);
	drop_capabilities();
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void harden_undo(const Supervisor *s) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = s->core_limit;
		(void)setrlimit(RLIMIT_CORE, &limit);
	}
	int fd = s->oom_score > OOM_SCORE ? open(OOM_SCORE_FILE, O_WRONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	write_oom_score(fd, s->oom_score);
	close(fd);
}
