/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a cgroup and a network namespace have used so far: plain reads, no lock, no waiting. */
#include "base/fd.h"
#include "base/parse.h"
#include "runtime/cgroup.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)

static char *read_text(int dir_fd, const char *path) {
	char *text = NULL;

	return fd_read_file(dir_fd, path, FILE_MAX, &text, NULL, NULL) ? text : NULL;
}

/* "KEY VALUE" on a line of its own. */
static uint64_t keyed_value(const char *text, const char *key) {
	size_t length = strlen(key);

	for (const char *line = text; line && *line;
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return g_ascii_strtoull(line + length + 1, NULL, 10);
	return CGROUP_STAT_UNKNOWN;
}

/* A file with one number; "max" is unknown too. */
static uint64_t single_value(int dir_fd, const char *file) {
	g_autofree char *text = read_text(dir_fd, file);
	uint64_t value;

	return text && parse_uint64(g_strchomp(text), UINT64_MAX - 1, &value) ? value
									      : CGROUP_STAT_UNKNOWN;
}

/* What could be given back at once is not counted, as everybody who shows this number does. */
static uint64_t memory_used(int dir_fd) {
	uint64_t current = single_value(dir_fd, "memory.current");
	g_autofree char *details = read_text(dir_fd, "memory.stat");
	uint64_t inactive = keyed_value(details, "inactive_file");

	return current == CGROUP_STAT_UNKNOWN || inactive > current ? current : current - inactive;
}

/* The least bound of the cgroup and all above it, or all memory there is. */
static uint64_t memory_limit(const char *cgroup) {
	g_autofree char *directory = g_strdup(cgroup);
	uint64_t limit = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	for (;;) {
		g_autofree char *file = g_build_filename(directory, "memory.max", NULL);
		if (access(file, F_OK) < 0)
			return limit;
		limit = MIN(limit, single_value(AT_FDCWD, file));
		char *parent = g_path_get_dirname(directory);
		g_free(directory);
		directory = parent;
	}
}

static uint64_t word_value(const char *line, const char *key) {
	const char *found = strstr(line, key);

	return found ? g_ascii_strtoull(found + strlen(key), NULL, 10) : 0;
}

static void read_block(int dir_fd, CgroupStats *stats) {
	g_autofree char *text = read_text(dir_fd, "io.stat");
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	if (!text)
		return;
	stats->block_input_bytes = stats->block_output_bytes = 0;
	for (char **line = lines; *line; line++) {
		stats->block_input_bytes += word_value(*line, " rbytes=");
		stats->block_output_bytes += word_value(*line, " wbytes=");
	}
}

bool runtime_cgroup_stats(const char *cgroup, CgroupStats *ret_stats) {
	CgroupStats stats = {CGROUP_STAT_UNKNOWN, CGROUP_STAT_UNKNOWN, CGROUP_STAT_UNKNOWN,
		CGROUP_STAT_UNKNOWN, CGROUP_STAT_UNKNOWN, CGROUP_STAT_UNKNOWN};

	*ret_stats = stats;
	_cleanup_close_ int dir_fd =
		cgroup ? open(cgroup, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (dir_fd < 0)
		return false;
	g_autofree char *cpu = read_text(dir_fd, "cpu.stat");
	stats.cpu_usec = keyed_value(cpu, "usage_usec");
	stats.memory_bytes = memory_used(dir_fd);
	if (stats.memory_bytes != CGROUP_STAT_UNKNOWN)
		stats.memory_limit_bytes = memory_limit(cgroup);
	stats.pids = single_value(dir_fd, "pids.current");
	read_block(dir_fd, &stats);
	*ret_stats = stats;
	return true;
}

/* True if the process is in another network namespace than the caller. */
static bool has_own_network(pid_t pid) {
	g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", (int)pid);
	struct stat own, other;

	return stat("/proc/self/ns/net", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_ino != other.st_ino;
}

/* "eth0: RBYTES PACKETS ERRS DROP FIFO FRAME COMPRESSED MULTICAST TBYTES ..." */
static void add_interface(const char *line, uint64_t *input, uint64_t *output) {
	enum { INPUT_FIELD = 0, OUTPUT_FIELD = 8 };
	const char *colon = strchr(line, ':');
	char *end = NULL;

	line += strspn(line, " ");
	if (!colon || g_str_has_prefix(line, "lo:"))
		return;
	const char *at = colon + 1;
	for (int field = 0; field <= OUTPUT_FIELD; field++, at = end) {
		uint64_t value = g_ascii_strtoull(at, &end, 10);
		if (end == at)
			return;
		if (field == INPUT_FIELD)
			*input += value;
		else if (field == OUTPUT_FIELD)
			*output += value;
	}
}

bool runtime_network_stats(ProcId process, uint64_t *ret_input, uint64_t *ret_output) {
	g_autofree char *path = g_strdup_printf("/proc/%d/net/dev", (int)process.pid);
	uint64_t input = 0, output = 0;

	if (process.pid <= 0 || !has_own_network(process.pid))
		return false;
	g_autofree char *text = read_text(AT_FDCWD, path);
	/* asked after the read: what was read was its own, or this says that it has gone */
	if (!text || !proc_is_alive(process))
		return false;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		add_interface(*line, &input, &output);
	*ret_input = input;
	*ret_output = output;
	return true;
}
