/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resource limits, OOM score, personality, affinity. See conditions.h. */
#include "runtime/conditions.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* The kernel's own default, before anybody changed it. */
#define TIMER_SLACK_NSEC 50000ul

/* More processors than any kernel is built for. */
enum { PROCESSORS_MAX = 8192 };

static rlim_t limit_value(uint64_t value) {
	return value == UINT64_MAX ? RLIM_INFINITY : value;
}

static bool set_limit(const RuntimeRlimit *row, GError **err) {
	struct rlimit limit = {limit_value(row->soft), limit_value(row->hard)}, present;

	if (setrlimit((__rlimit_resource_t)row->resource, &limit) == 0)
		return true;
	if (!row->as_far || errno != EPERM ||
		getrlimit((__rlimit_resource_t)row->resource, &present) < 0)
		return fail_errno(err, errno, "cannot set resource limit %d", row->resource);
	present.rlim_cur = present.rlim_max;
	if (setrlimit((__rlimit_resource_t)row->resource, &present) < 0)
		return fail_errno(err, errno, "cannot set resource limit %d", row->resource);
	return true;
}

static bool parse_limit(const char *word, rlim_t *ret_limit) {
	uint64_t value;

	if (strcmp(word, "unlimited") == 0)
		*ret_limit = RLIM_INFINITY;
	else if (parse_uint64(word, UINT64_MAX, &value))
		*ret_limit = value;
	else
		return false;
	return true;
}

/* One line: a name of 25 columns, soft, hard, unit. */
static bool parse_limit_line(const char *line, struct rlimit *ret_limit) {
	enum { NAME_COLUMNS = 26 };
	char soft[32], hard[32];

	return strlen(line) > NAME_COLUMNS &&
	       sscanf(line + NAME_COLUMNS, "%31s %31s", soft, hard) == 2 &&
	       parse_limit(soft, &ret_limit->rlim_cur) && parse_limit(hard, &ret_limit->rlim_max);
}

/* The kernel writes the lines in the order of the numbers, below a heading. */
static bool read_limits_file(pid_t pid, struct rlimit *limits, GError **err) {
	g_autofree char *path = g_strdup_printf("/proc/%d/limits", (int)pid), *text = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(err, errno, "cannot read the container's limits");
	if (!fd_read_all(fd, path, 16384, &text, NULL, err))
		return false;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	if (g_strv_length(lines) <= RLIM_NLIMITS)
		return fail(err, ERROR_FAILED, "cannot understand the container's limits");
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (!parse_limit_line(lines[i + 1], &limits[i]))
			return fail(err, ERROR_FAILED, "cannot understand the container's limits");
	return true;
}

bool conditions_read_limits(pid_t pid, struct rlimit limits[RLIM_NLIMITS], GError **err) {
	for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
		if (prlimit(pid, (__rlimit_resource_t)resource, NULL, &limits[resource]) == 0)
			continue;
		if (errno == EPERM)
			return read_limits_file(pid, limits, err);
		return fail_errno(err, errno, "cannot read the container's limits");
	}
	return true;
}

static bool parse_score(const char *text, int *ret_score) {
	g_autofree char *copy = g_strdup(text);

	return parse_int(g_strstrip(copy), -1000, 1000, ret_score);
}

bool conditions_read_oom_score(pid_t pid, int *ret_score) {
	g_autofree char *path = g_strdup_printf("/proc/%d/oom_score_adj", (int)pid);
	g_autofree char *text = NULL;

	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && fd_read_all(fd, path, 64, &text, NULL, NULL) &&
	       parse_score(text, ret_score);
}

bool conditions_set_oom_score(int proc_fd, int score, GError **err) {
	g_autofree char *text = g_strdup_printf("%d", score);
	_cleanup_close_ int fd = sys_openat2(proc_fd, "self/oom_score_adj", O_WRONLY | O_CLOEXEC,
		RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);

	if (fd < 0)
		return fail_errno(err, errno, "cannot set the OOM score");
	if (write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		return true;
	if (errno != EACCES)
		return fail_errno(err, errno, "cannot set the OOM score to %d", score);
	log_debug("an OOM score of %d is not permitted, keeping the caller's", score);
	return true;
}

/* All processors: what the cgroup allows is what remains. */
static void reset_affinity(void) {
	cpu_set_t *all = CPU_ALLOC(PROCESSORS_MAX);
	size_t size = CPU_ALLOC_SIZE(PROCESSORS_MAX);

	memset(all, 0xff, size);
	if (sched_setaffinity(0, size, all) < 0)
		log_debug("cannot reset the CPU affinity: %s, ignoring", strerror(errno));
	CPU_FREE(all);
}

bool conditions_apply_scheduling(unsigned long persona, GError **err) {
	if (personality(persona) < 0)
		return fail_errno(err, errno, "cannot set the personality");
	reset_affinity();
	(void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NSEC, 0, 0, 0);
	return true;
}

bool conditions_raise(const RuntimeConfig *config, GError **err) {
	for (size_t i = 0; i < config->n_rlimits; i++) {
		const RuntimeRlimit *row = &config->rlimits[i];
		struct rlimit present;

		if (getrlimit((__rlimit_resource_t)row->resource, &present) < 0)
			return fail_errno(
				err, errno, "cannot read resource limit %d", row->resource);
		if (present.rlim_max >= limit_value(row->hard))
			continue;
		present.rlim_max = limit_value(row->hard);
		if (setrlimit((__rlimit_resource_t)row->resource, &present) < 0 && !row->as_far)
			return fail_errno(
				err, errno, "cannot set resource limit %d", row->resource);
	}
	if (config->oom_score_adj == INT32_MIN)
		return true;
	_cleanup_close_ int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return fail_errno(err, errno, "cannot open \"/proc\"");
	return conditions_set_oom_score(proc_fd, config->oom_score_adj, err);
}

bool conditions_apply(const RuntimeConfig *config, int proc_fd, GError **err) {
	for (size_t i = 0; i < config->n_rlimits; i++)
		if (!set_limit(&config->rlimits[i], err))
			return false;
	/* -1: done by conditions_raise() */
	if (proc_fd >= 0 && config->oom_score_adj != INT32_MIN &&
		!conditions_set_oom_score(proc_fd, config->oom_score_adj, err))
		return false;
	return conditions_apply_scheduling(config->personality, err);
}
