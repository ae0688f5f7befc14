/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl exec: a further process in a running container. Its exit status is podctl's. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "cli/foreground.h"
#include "cli/targets.h"
#include "cli/tty_relay.h"
#include "model/spec_parse.h"

#include <fcntl.h>
#include <stddef.h>

typedef struct ExecOptions {
	bool detach, interactive, latest, privileged, tty;
	bool no_session;
	int preserve_fds, wait;
	char *cidfile, *detach_keys, *user, *workdir;
	char **env, **env_files, **preserve_fd;
} ExecOptions;

#define FIELD(member) offsetof(ExecOptions, member)

static const OptionRow exec_options[] = {
	{"cidfile", 0, OPTION_STRING, FIELD(cidfile), "FILE",
		"The id of the container is in this file"},
	{"detach", 'd', OPTION_BOOL, FIELD(detach), NULL, "Print an id and return at once"},
	{"detach-keys", 0, OPTION_STRING, FIELD(detach_keys), "KEYS",
		"Keys that leave the process running (ctrl-p,ctrl-q)"},
	{"env", 'e', OPTION_LIST, FIELD(env), "KEY[=VALUE]", "Set an environment variable"},
	{"env-file", 0, OPTION_LIST, FIELD(env_files), "FILE", "Read environment variables"},
	{"interactive", 'i', OPTION_BOOL, FIELD(interactive), NULL, "Pass standard input"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{"no-session", 0, OPTION_BOOL, FIELD(no_session), NULL,
		"Keep no record of the process (podctl keeps none anyway)"},
	{"preserve-fd", 0, OPTION_CSV, FIELD(preserve_fd), "FD", "Pass this descriptor on"},
	{"preserve-fds", 0, OPTION_INT, FIELD(preserve_fds), "N", "Pass N descriptors on, from 3"},
	{"privileged", 0, OPTION_BOOL, FIELD(privileged), NULL, "All capabilities"},
	{"tty", 't', OPTION_BOOL, FIELD(tty), NULL, "Give the process a terminal"},
	{"user", 'u', OPTION_STRING, FIELD(user), "USER[:GROUP]", "User of the process"},
	{"wait", 0, OPTION_INT, FIELD(wait), "SECONDS", "Wait so long for the container to run"},
	{"workdir", 'w', OPTION_STRING, FIELD(workdir), "DIR", "Working directory"},
	{NULL},
};

static void pass_signal(void *data, int signal_number) {
	g_autoptr(GError) error = NULL;

	if (!proc_signal(*(const ProcId *)data, signal_number, &error))
		log_debug("%s", error->message);
}

/* Waits for the process; meanwhile bytes and signals are passed on. */
static int relay_process(const ExecOptions *options, const DetachKeys *keys, pid_t pid,
	int console_fd, GError **err) {
	ProcId process = {.pid = pid};
	_cleanup_close_ int end_fd = -1;
	bool left = false;
	int status = 0;

	/* No start time: it has ended already, and is only to be reaped. */
	if (proc_start_time(pid, &process.start_time))
		end_fd = proc_open(process);
	const Relay relay = {
		.in_fd = options->interactive ? STDIN_FILENO : -1,
		.console_fd = console_fd,
		.out_fd = console_fd >= 0 ? STDOUT_FILENO : -1,
		.end_fd = end_fd,
		.keys = *keys,
		.on_signal = pass_signal,
		.data = &process,
	};
	bool relayed = tty_relay_run(&relay, &left, err);
	if (left)
		return engine_exec_leave(process, console_fd, err) ? 0 : -1;
	if (!proc_reap(pid, &status, relayed ? err : NULL) || !relayed)
		return -1;
	return status;
}

static int run_detached(
	Engine *engine, const char *container, const EngineExec *exec, GError **err) {
	g_autofree char *id = NULL;

	if (!engine_exec_detached(engine, container, exec, &id, err))
		return -1;
	g_autofree char *line = g_strconcat(id, "\n", NULL);
	return output_print(line, err) ? 0 : -1;
}

static bool check_options(const ExecOptions *options, GError **err) {
	if (options->cidfile && options->latest)
		return fail(err, ERROR_INVALID, "--cidfile conflicts with --latest");
	if (options->preserve_fds < 0)
		return fail(err, ERROR_INVALID, "--preserve-fds: bad value \"%d\"",
			options->preserve_fds);
	if (options->preserve_fds > 0 && options->preserve_fd)
		return fail(err, ERROR_INVALID, "--preserve-fd conflicts with --preserve-fds");
	if (options->wait < 0)
		return fail(err, ERROR_INVALID, "--wait: bad value \"%d\"", options->wait);
	if (options->user && !spec_check_user(options->user, err))
		return fail_prefix(err, "--user");
	if (options->workdir && options->workdir[0] != '/')
		return fail(err, ERROR_INVALID,
			"--workdir: bad value \"%s\": it is not an absolute path",
			options->workdir);
	return true;
}

/* The id in a file that --cidfile has written, as a list of one. */
static char **read_id(const char *path, GError **err) {
	g_autofree char *text = NULL;

	if (!fd_read_file(AT_FDCWD, path, 4096, &text, NULL, err)) {
		fail_prefix(err, "cannot read the container id of \"--cidfile\"");
		return NULL;
	}
	char **list = g_new0(char *, 2);
	list[0] = g_strdup(g_strstrip(text));
	return list;
}

/* --wait: until somebody has started it. */
static bool await_running(Engine *engine, const char *container, int seconds, GError **err) {
	enum { LOOK_AGAIN_USEC = 20000 };
	uint64_t end = proc_now_monotonic() + (uint64_t)seconds * G_USEC_PER_SEC;

	while (seconds > 0) {
		g_autoptr(GError) error = NULL;
		g_autofree pid_t *pids = engine_container_pids(engine, container, &error);

		if (pids && pids[0] > 0)
			return true;
		if (proc_now_monotonic() > end)
			return fail(err, ERROR_TIMEOUT,
				"container \"%s\" does not run after %d seconds", container,
				seconds);
		g_usleep(LOOK_AGAIN_USEC);
	}
	return true;
}

static int run_exec(Cli *cli, char **arguments, GError **err) {
	const ExecOptions *options = cli->options;
	_cleanup_close_ int console_fd = -1;
	g_auto(GStrv) latest = NULL;
	const char *container = arguments[0];
	DetachKeys keys;
	pid_t pid = 0;

	if (!check_options(options, err))
		return -1;
	if (options->latest || options->cidfile) {
		latest = options->latest ? targets_find(cli, &(Targets){.latest = true}, err)
					 : read_id(options->cidfile, err);
		if (!latest)
			return -1;
		container = latest[0];
	} else {
		arguments++;
	}
	if (!arguments[0]) {
		fail(err, ERROR_INVALID, "there is no command to run: %s",
			cli->row->command->usage);
		return -1;
	}
	if (!detach_keys_parse(options->detach_keys, &keys, err))
		return -1;
	EngineExec exec = {
		.argv = arguments,
		.env = options->env,
		.env_files = options->env_files,
		.user = options->user,
		.workdir = options->workdir,
		.tty = options->tty,
		.interactive = options->interactive,
		.privileged = options->privileged,
		.in_fd = options->interactive && !options->tty ? STDIN_FILENO : -1,
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
	};
	Engine *engine = cli_engine(cli, err);
	if (!engine || !await_running(engine, container, options->wait, err) ||
		!engine_pass_descriptors(engine,
			&(EngineDescriptors){.preserve_count = options->preserve_fds,
				.preserve = options->preserve_fd},
			err))
		return -1;
	if (options->detach) {
		exec.in_fd = exec.out_fd = exec.err_fd = -1;
		return run_detached(engine, container, &exec, err);
	}
	foreground_check_terminal(options->interactive, options->tty);
	if (options->tty)
		tty_window_size(STDIN_FILENO, &exec.rows, &exec.columns);
	bool typed = options->interactive && options->tty;
	G_GNUC_UNUSED _cleanup_tty_session_ TtySession session =
		tty_session_begin(typed ? STDIN_FILENO : -1);
	if (!engine_exec(engine, container, &exec, &pid, &console_fd, err))
		return -1;
	return relay_process(options, &keys, pid, console_fd, err);
}

const Command command_exec = {
	.usage = "[options] CONTAINER COMMAND [ARGUMENT...]",
	.help = "Run a command in a running container",
	.flags = COMMAND_STOP_AT_ARGUMENT,
	.min_arguments = 1,
	.max_arguments = -1,
	.argument = ARGUMENT_CONTAINER,
	.options = exec_options,
	.options_size = sizeof(ExecOptions),
	.run = run_exec,
};
