/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl exec: a further process in a running container. Its exit status is podctl's. */
#include "base/cleanup.h"
#include "base/log.h"
#include "base/proc.h"
#include "cli/foreground.h"
#include "cli/targets.h"
#include "cli/tty_relay.h"

#include <stddef.h>

typedef struct ExecOptions {
	bool detach, interactive, latest, privileged, tty;
	char *detach_keys, *user, *workdir;
	char **env, **env_files;
} ExecOptions;

#define FIELD(member) offsetof(ExecOptions, member)

static const OptionRow exec_options[] = {
	{"cidfile", 0, OPTION_REFUSED, 0, NULL, "name the container"},
	{"detach", 'd', OPTION_BOOL, FIELD(detach), NULL, "Print an id and return at once"},
	{"detach-keys", 0, OPTION_STRING, FIELD(detach_keys), "KEYS",
		"Keys that leave the process running (ctrl-p,ctrl-q)"},
	{"env", 'e', OPTION_LIST, FIELD(env), "KEY[=VALUE]", "Set an environment variable"},
	{"env-file", 0, OPTION_LIST, FIELD(env_files), "FILE", "Read environment variables"},
	{"interactive", 'i', OPTION_BOOL, FIELD(interactive), NULL, "Pass standard input"},
	{"latest", 'l', OPTION_BOOL, FIELD(latest), NULL, "The container that was made last"},
	{"no-session", 0, OPTION_REFUSED_BOOL, 0, NULL, "podctl keeps no exec sessions anyway"},
	{"preserve-fd", 0, OPTION_REFUSED, 0, NULL, "not there yet"},
	{"preserve-fds", 0, OPTION_REFUSED, 0, NULL, "not there yet"},
	{"privileged", 0, OPTION_BOOL, FIELD(privileged), NULL, "All capabilities"},
	{"tty", 't', OPTION_BOOL, FIELD(tty), NULL, "Give the process a terminal"},
	{"user", 'u', OPTION_STRING, FIELD(user), "USER[:GROUP]", "User of the process"},
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

static int run_exec(Cli *cli, char **arguments, GError **err) {
	const ExecOptions *options = cli->options;
	_cleanup_close_ int console_fd = -1;
	g_auto(GStrv) latest = NULL;
	const char *container = arguments[0];
	DetachKeys keys;
	pid_t pid = 0;

	if (options->latest) {
		latest = targets_find(cli, &(Targets){.latest = true}, err);
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
	if (!engine)
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
