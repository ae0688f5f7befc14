/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl top and pod top: the processes of containers, as the container sees them. Only /proc is
 * read: nothing of the container's file system is, so users other than root are numbers.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"
#include "cli/cmd.h"
#include "cli/output.h"
#include "cli/targets.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { PROC_FILE_LIMIT = 1 << 20 };

typedef struct TopOptions {
	bool latest;
} TopOptions;

static const OptionRow top_options[] = {
	{"latest", 'l', OPTION_BOOL, offsetof(TopOptions, latest), NULL,
		"The one that was made last"},
	{NULL},
};

/* What /proc says of one process. */
typedef struct Process {
	pid_t pid; /* on the host */
	char *status, *command_line;
	char **stat; /* fields from the third on: stat[0] is the state */
	char *name;
	double uptime_sec; /* of the machine */
} Process;

static void process_clear(Process *process) {
	g_free(process->status);
	g_free(process->command_line);
	g_strfreev(process->stat);
	g_free(process->name);
}

static char *read_proc(pid_t pid, const char *file, size_t *ret_size) {
	g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, file);
	char *text = NULL;

	return fd_read_file(AT_FDCWD, path, PROC_FILE_LIMIT, &text, ret_size, NULL) ? text : NULL;
}

/* False when the process has ended. */
static bool process_read(pid_t pid, Process *process) {
	size_t size = 0;
	g_autofree char *stat = read_proc(pid, "stat", NULL);
	g_autofree char *uptime = NULL;

	*process = (Process){.pid = pid, .status = read_proc(pid, "status", NULL)};
	process->command_line = read_proc(pid, "cmdline", &size);
	const char *open = stat ? strchr(stat, '(') : NULL;
	const char *close = stat ? strrchr(stat, ')') : NULL;
	if (!process->status || !open || !close)
		return false;
	process->name = g_strndup(open + 1, (size_t)(close - open - 1));
	process->stat = g_strsplit(g_strchug((char *)(uintptr_t)close + 1), " ", -1);
	for (size_t i = 0; process->command_line && i + 1 < size; i++)
		if (!process->command_line[i])
			process->command_line[i] = ' ';
	if (fd_read_file(AT_FDCWD, "/proc/uptime", 128, &uptime, NULL, NULL))
		process->uptime_sec = g_ascii_strtod(uptime, NULL);
	return g_strv_length(process->stat) > 21;
}

/* Word n of a line of /proc/PID/status; last: the last word. */
static char *status_word(const Process *process, const char *key, int n, bool last) {
	g_autofree char *start = g_strconcat("\n", key, ":", NULL);
	const char *line = strstr(process->status, start);

	if (!line)
		return g_strdup("?");
	line += strlen(start);
	g_autofree char *text = g_strndup(line, strcspn(line, "\n"));
	g_auto(GStrv) words = g_strsplit_set(g_strstrip(text), "\t ", -1);
	guint length = g_strv_length(words);
	if (length == 0)
		return g_strdup("?");
	return g_strdup(words[last ? length - 1 : MIN((guint)n, length - 1)]);
}

static double stat_seconds(const Process *process, int field) {
	return (double)g_ascii_strtoull(process->stat[field - 3], NULL, 10) /
	       (double)sysconf(_SC_CLK_TCK);
}

static double cpu_seconds(const Process *process) {
	return stat_seconds(process, 14) + stat_seconds(process, 15);
}

static double elapsed_seconds(const Process *process) {
	return MAX(process->uptime_sec - stat_seconds(process, 22), 0);
}

/* 1h2m3.5s, as Go prints a duration. */
static char *duration_text(double seconds) {
	unsigned long whole = (unsigned long)seconds;

	if (whole < 1)
		return g_strdup_printf("%.0fms", seconds * 1000);
	if (whole < 60)
		return g_strdup_printf("%lus", whole);
	if (whole < 3600)
		return g_strdup_printf("%lum%lus", whole / 60, whole % 60);
	return g_strdup_printf("%luh%lum%lus", whole / 3600, whole / 60 % 60, whole % 60);
}

static char *show_user(const Process *process) {
	g_autofree char *uid = status_word(process, "Uid", 1, false);

	return g_strdup(strcmp(uid, "0") == 0 ? "root" : uid);
}

static char *show_group(const Process *process) {
	g_autofree char *gid = status_word(process, "Gid", 1, false);

	return g_strdup(strcmp(gid, "0") == 0 ? "root" : gid);
}

static char *show_pid(const Process *process) {
	return status_word(process, "NSpid", 0, true);
}

static char *show_host_pid(const Process *process) {
	return g_strdup_printf("%d", (int)process->pid);
}

/* The parent's number in the container's own namespace; 0 outside of it. */
static char *show_parent(const Process *process) {
	Process parent;
	pid_t pid = (pid_t)g_ascii_strtoll(process->stat[1], NULL, 10);
	g_autofree char *own = show_pid(process);
	char *text = NULL;

	if (strcmp(own, "1") == 0 || pid == 0)
		return g_strdup("0");
	if (process_read(pid, &parent))
		text = show_pid(&parent);
	process_clear(&parent);
	return text ? text : g_strdup("0");
}

static char *show_cpu(const Process *process) {
	double elapsed = elapsed_seconds(process);

	return g_strdup_printf("%.3f", elapsed > 0 ? 100 * cpu_seconds(process) / elapsed : 0);
}

static char *show_elapsed(const Process *process) {
	return duration_text(elapsed_seconds(process));
}

static char *show_time(const Process *process) {
	return duration_text(cpu_seconds(process));
}

static char *show_tty(const Process *process) {
	unsigned device = (unsigned)g_ascii_strtoull(process->stat[4], NULL, 10);

	if (device == 0)
		return g_strdup("?");
	if (major(device) >= 136 && major(device) <= 143)
		return g_strdup_printf("pts/%u", minor(device) + (major(device) - 136) * 256);
	return g_strdup_printf("%u:%u", major(device), minor(device));
}

static char *show_args(const Process *process) {
	if (!process->command_line || !*process->command_line)
		return g_strdup_printf("[%s]", process->name);
	return g_strdup(process->command_line);
}

static char *show_name(const Process *process) {
	return g_strdup(process->name);
}

static char *show_state(const Process *process) {
	return g_strdup(process->stat[0]);
}

static char *show_nice(const Process *process) {
	return g_strdup(process->stat[19 - 3]);
}

static char *show_process_group(const Process *process) {
	return status_word(process, "NSpgid", 0, true);
}

static char *show_rss(const Process *process) {
	return status_word(process, "VmRSS", 0, false);
}

static char *show_vsz(const Process *process) {
	return status_word(process, "VmSize", 0, false);
}

static char *show_seccomp(const Process *process) {
	static const char *const modes[] = {"disabled", "strict", "filter"};
	g_autofree char *mode = status_word(process, "Seccomp", 0, false);
	unsigned number;

	return g_strdup(parse_uint(mode, 2, &number) ? modes[number] : "?");
}

typedef struct Descriptor {
	const char *word; /* as the user writes it */
	const char *heading;
	char *(*show)(const Process *process);
} Descriptor;

static const Descriptor descriptors[] = {
	{"user", "USER", show_user},
	{"pid", "PID", show_pid},
	{"ppid", "PPID", show_parent},
	{"pcpu", "%CPU", show_cpu},
	{"etime", "ELAPSED", show_elapsed},
	{"tty", "TTY", show_tty},
	{"time", "TIME", show_time},
	{"args", "COMMAND", show_args},
	/* the eight above are what is shown when nothing is asked for */
	{"comm", "COMMAND", show_name},
	{"group", "GROUP", show_group},
	{"hpid", "HPID", show_host_pid},
	{"nice", "NI", show_nice},
	{"pgid", "PGID", show_process_group},
	{"rss", "RSS", show_rss},
	{"seccomp", "SECCOMP", show_seccomp},
	{"state", "STATE", show_state},
	{"vsz", "VSZ", show_vsz},
};

enum { DEFAULT_DESCRIPTORS = 8 };

/* Borrowed descriptors in the order that was asked for; words may also be joined by commas. */
static GPtrArray *choose(char *const *words, GError **err) {
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();

	for (; *words; words++) {
		g_auto(GStrv) parts = g_strsplit_set(*words, ", ", -1);
		for (char **part = parts; *part; part++) {
			const Descriptor *found = NULL;
			array_foreach (descriptor, descriptors)
				if (g_ascii_strcasecmp(descriptor->word, *part) == 0 ||
					strcmp(descriptor->heading, *part) == 0)
					found = found ? found : descriptor;
			if (!found) {
				fail(err, ERROR_INVALID, "unknown column \"%s\"", *part);
				return NULL;
			}
			g_ptr_array_add(chosen, (void *)(uintptr_t)found);
		}
	}
	bool standard = chosen->len == 0;
	for (size_t i = 0; standard && i < DEFAULT_DESCRIPTORS; i++)
		g_ptr_array_add(chosen, (void *)(uintptr_t)&descriptors[i]);
	return g_steal_pointer(&chosen);
}

static void append_process(const GPtrArray *columns, const Process *process, GString *out) {
	for (guint i = 0; i < columns->len; i++) {
		const Descriptor *descriptor = columns->pdata[i];
		g_autofree char *text = descriptor->show(process);
		g_strdelimit(text, "\t\n", ' ');
		g_string_append_printf(out, "%s%s", i ? "\t" : "", text);
	}
	g_string_append_c(out, '\n');
}

static bool append_container(
	Engine *engine, const char *id, const GPtrArray *columns, GString *out, GError **err) {
	g_autofree pid_t *pids = engine_container_pids(engine, id, err);

	if (!pids)
		return false;
	for (const pid_t *pid = pids; *pid > 0; pid++) {
		Process process;
		if (process_read(*pid, &process))
			append_process(columns, &process, out);
		process_clear(&process);
	}
	return true;
}

static int show_processes(
	Engine *engine, char *const *containers, char *const *words, bool pod, GError **err) {
	g_autoptr(GPtrArray) columns = choose(words, err);
	g_autoptr(GString) text = g_string_new(NULL);

	if (!columns)
		return -1;
	for (guint i = 0; i < columns->len; i++)
		g_string_append_printf(text, "%s%s", i ? "\t" : "",
			((const Descriptor *)columns->pdata[i])->heading);
	g_string_append_c(text, '\n');
	for (; *containers; containers++) {
		g_autoptr(GError) error = NULL;
		if (append_container(engine, *containers, columns, text, &error))
			continue;
		/* A member that does not run has no processes. */
		if (!pod || !(error_is(error, ERROR_STATE) || error_is(error, ERROR_NOT_FOUND))) {
			g_propagate_error(err, g_steal_pointer(&error));
			return -1;
		}
	}
	g_autofree char *aligned = output_align(text->str);
	return output_print(aligned, err) ? 0 : -1;
}

static int run_on(Cli *cli, char **arguments, bool pods, GError **err) {
	const TopOptions *options = cli->options;
	char *first[] = {arguments[0], NULL};
	const Targets targets = {
		.pods = pods, .latest = options->latest, .names = options->latest ? NULL : first};
	g_auto(GStrv) names = targets_find(cli, &targets, err);
	Engine *engine = names ? cli_engine(cli, err) : NULL;
	char **words = arguments[0] && !options->latest ? arguments + 1 : arguments;

	if (!engine)
		return -1;
	if (!pods)
		return show_processes(engine, names, words, false, err);
	g_auto(GStrv) members = engine_pod_members(engine, names[0], err);
	return members ? show_processes(engine, members, words, true, err) : -1;
}

static int run_top(Cli *cli, char **arguments, GError **err) {
	return run_on(cli, arguments, false, err);
}

static int run_pod_top(Cli *cli, char **arguments, GError **err) {
	return run_on(cli, arguments, true, err);
}

const Command command_top = {
	.usage = "[options] CONTAINER [COLUMN...]",
	.help = "Show the processes of a container",
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = top_options,
	.options_size = sizeof(TopOptions),
	.run = run_top,
};

const Command command_pod_top = {
	.usage = "[options] POD [COLUMN...]",
	.help = "Show the processes of a pod",
	.max_arguments = -1,
	.argument = ARGUMENT_POD,
	.options = top_options,
	.options_size = sizeof(TopOptions),
	.run = run_pod_top,
};
