/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container in the foreground. See foreground.h. The supervisor copies the output; here is the
 * other direction, and the signals. */
#include "cli/foreground.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/tty_relay.h"

typedef struct SignalTarget {
	Engine *engine;
	const char *container;
} SignalTarget;

static void pass_signal(void *data, int signal_number) {
	const SignalTarget *target = data;
	g_autoptr(GError) error = NULL;

	/* It may have ended in between: then there is nobody to tell. */
	if (!engine_container_kill(target->engine, target->container, signal_number, &error))
		log_debug("%s", error->message);
}

bool foreground_refuse_attach(const ContainerSpec *spec, GError **err) {
	return !spec->attach ||
	       fail(err, ERROR_INVALID,
		       "\"--attach\" is for \"podctl run\"; for a container that is made here use "
		       "\"podctl start --attach\"");
}

void foreground_check_terminal(bool interactive, bool tty) {
	if (interactive && tty && !isatty(STDIN_FILENO))
		log_warning("the input device is not a terminal: --tty and --interactive may not "
			    "work as expected, continuing");
}

int foreground_run(Cli *cli, const ForegroundRequest *request, GError **err) {
	EngineForeground foreground = {
		.attach = true,
		.in_fd = request->interactive && !request->tty ? STDIN_FILENO : -1,
		.out_fd = request->output ? STDOUT_FILENO : -1,
		.err_fd = request->errors ? STDERR_FILENO : -1,
		.ret_console_fd = -1,
		.ret_exit_fd = -1,
	};
	bool left = false;
	int status = 0;

	Engine *engine = cli_engine(cli, err);
	if (!engine)
		return -1;
	bool typed = request->interactive && request->tty;
	if (request->tty)
		tty_window_size(STDIN_FILENO, &foreground.rows, &foreground.columns);
	G_GNUC_UNUSED _cleanup_tty_session_ TtySession session =
		tty_session_begin(typed ? STDIN_FILENO : -1);
	if (!engine_container_start(engine, request->container, &foreground, err))
		return -1;
	_cleanup_close_ int console_fd = foreground.ret_console_fd;
	_cleanup_close_ int exit_fd = foreground.ret_exit_fd;
	SignalTarget target = {engine, request->container};
	const Relay relay = {
		.in_fd = request->interactive ? STDIN_FILENO : -1,
		.console_fd = console_fd,
		.out_fd = -1,
		.end_fd = exit_fd,
		.keys = request->keys,
		.next_console = engine_foreground_console,
		.on_signal = request->sig_proxy ? pass_signal : NULL,
		.data = &target,
	};
	if (!tty_relay_run(&relay, &left, err))
		return -1;
	if (left) {
		engine_leave_foreground(exit_fd);
		return 0;
	}
	if (!engine_wait_foreground(engine, request->container, exit_fd, &status, err))
		return -1;
	return status;
}
