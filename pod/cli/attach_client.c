/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The other end of the supervisor's attach socket. See attach_client.h; messages:
 * model/handoff.h. */
#include "cli/attach_client.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "cli/tty_relay.h"
#include "model/handoff.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

enum { INPUT_CHUNK = 1024 };

typedef struct Client {
	Cli *cli;
	const AttachRequest *request;
	int socket_fd, signal_fd;
	DetachKeys keys;
	bool console;
	bool input_open;
	bool left, over;
	bool resize, end_input; /* to be told as soon as the supervisor takes messages */
	int status;             /* -1: not told */
	uint64_t lost_bytes;
	char input[1 + INPUT_CHUNK + DETACH_KEYS_MAX]; /* a message; the kind is its first byte */
	size_t input_size;                             /* without the kind; 0: none waits */
} Client;

_Static_assert(sizeof(((Client *)NULL)->input) <= ATTACH_INPUT_MAX, "fits into a message");

/* True if the supervisor took it; one that has gone takes everything. */
static bool send_message(const Client *client, const void *bytes, size_t size) {
	return send(client->socket_fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       (errno != EAGAIN && errno != EINTR);
}

static bool has_news(const Client *client) {
	return client->input_size > 0 || client->resize || client->end_input;
}

static void send_news(Client *client) {
	const char end = ATTACH_INPUT_END;
	AttachResize resize = {.kind = ATTACH_RESIZE};

	if (client->resize) {
		tty_window_size(client->request->in_fd, &resize.rows, &resize.columns);
		if (resize.rows > 0 && !send_message(client, &resize, sizeof resize))
			return;
		client->resize = false;
	}
	if (client->input_size > 0) {
		client->input[0] = ATTACH_INPUT;
		if (!send_message(client, client->input, 1 + client->input_size))
			return;
		client->input_size = 0;
	}
	if (client->end_input && send_message(client, &end, sizeof end))
		client->end_input = false;
}

static void read_input(Client *client) {
	char bytes[INPUT_CHUNK];
	ssize_t size = read(client->request->in_fd, bytes, sizeof bytes);

	if (size > 0) {
		client->left = detach_keys_scan(
			&client->keys, bytes, (size_t)size, client->input + 1, &client->input_size);
	} else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
		client->end_input = true;
		client->input_open = false;
	}
}

static bool handle_signals(Client *client, GError **err) {
	struct signalfd_siginfo info;

	while (read(client->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		g_autoptr(GError) error = NULL;
		int signal_number = (int)info.ssi_signo;
		if (signal_number == SIGWINCH)
			client->resize = client->console;
		else if (!client->request->sig_proxy)
			return fail(err, ERROR_FAILED, "interrupted by %s, the container goes on",
				signal_to_string(signal_number));
		/* It may have ended in between: then there is nobody to tell. */
		else if (!engine_container_kill(client->cli->engine, client->request->container,
				 signal_number, &error))
			log_debug("%s", error->message);
	}
	return true;
}

static bool take_message(Client *client, const char *bytes, size_t size, GError **err) {
	AttachLost lost;
	AttachEnd end;

	switch (bytes[0]) {
	case ATTACH_OUTPUT:
		return fd_write_all(STDOUT_FILENO, bytes + 1, size - 1, "standard output", err);
	case ATTACH_ERROR:
		return fd_write_all(STDERR_FILENO, bytes + 1, size - 1, "standard error", err);
	case ATTACH_LOST:
		if (size == sizeof lost) {
			memcpy(&lost, bytes, sizeof lost);
			client->lost_bytes += lost.bytes;
		}
		return true;
	case ATTACH_END:
		client->over = true;
		if (size == sizeof end) {
			memcpy(&end, bytes, sizeof end);
			client->status = end.restarts ? end.exit_status : -1;
		}
		return true;
	default:
		return fail(err, ERROR_FAILED,
			"the container's supervisor is of another version of podctl");
	}
}

static bool read_message(Client *client, GError **err) {
	char bytes[ATTACH_OUTPUT_MAX];
	ssize_t size = recv(client->socket_fd, bytes, sizeof bytes, MSG_DONTWAIT);

	/* ECONNRESET: it has ended without reading all from here; what it has said comes next. */
	if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET))
		return true;
	if (size <= 0) {
		client->over = true;
		return true;
	}
	return take_message(client, bytes, (size_t)size, err);
}

static bool relay(Client *client, GError **err) {
	while (!client->over && !client->left) {
		bool waits = has_news(client);
		struct pollfd fds[] = {
			{.fd = client->socket_fd,
				.events = (short)(POLLIN | (waits ? POLLOUT : 0))},
			{.fd = client->signal_fd, .events = POLLIN},
			{.fd = client->input_open && !waits ? client->request->in_fd : -1,
				.events = POLLIN},
		};
		if (poll(fds, ARRAY_LENGTH(fds), -1) < 0 && errno != EINTR)
			return fail_errno(err, errno, "cannot wait for the container");
		if (fds[1].revents && !handle_signals(client, err))
			return false;
		if (fds[2].revents)
			read_input(client);
		if (has_news(client))
			send_news(client);
		if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) && !read_message(client, err))
			return false;
	}
	return true;
}

static int finish(const Client *client, const EngineAttachment *attachment, GError **err) {
	int status = client->status;

	if (client->lost_bytes > 0)
		log_warning("%" G_GUINT64_FORMAT " bytes of output came too fast and are not "
			    "shown; \"podctl logs\" has them",
			client->lost_bytes);
	if (client->left)
		return 0;
	if (status < 0 && !engine_attachment_wait(attachment, &status, err))
		return -1;
	return status;
}

int attach_run(Cli *cli, const AttachRequest *request, GError **err) {
	Engine *engine = cli_engine(cli, err);
	/* before somebody can know that this is attached, and signal it */
	G_GNUC_UNUSED _cleanup_tty_session_ TtySession session = tty_session_begin(-1);
	g_autoptr(EngineAttachment) attachment =
		engine ? engine_attach(engine, request->container, true, true, err) : NULL;

	if (!attachment)
		return -1;
	bool console = engine_attachment_has_console(attachment);
	bool input = request->in_fd >= 0 && engine_attachment_has_input(attachment);
	bool typed = request->in_fd >= 0 && isatty(request->in_fd);
	Client client = {.cli = cli,
		.request = request,
		.socket_fd = engine_attachment_socket(attachment),
		.console = console,
		.resize = console,
		.input_open = input || typed,
		.status = -1};
	/* Without input the keys still work; what else is typed is nobody's. */
	if (typed)
		client.keys = request->keys;
	tty_session_make_raw(&session, console && typed ? request->in_fd : -1);
	client.signal_fd = tty_signals_open(err);
	if (client.signal_fd < 0)
		return -1;
	bool good = relay(&client, err);
	close_fd_ptr(&client.signal_fd);
	tty_session_end(&session);
	return good ? finish(&client, attachment, err) : -1;
}
