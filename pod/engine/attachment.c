/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Coming to a running container's supervisor, and leaving one. See engine.h; the messages are
 * model/handoff.h's. */

#include "base/fd.h"
#include "engine/handle.h"
#include "engine/stop.h"
#include "model/handoff.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	ANSWER_TIMEOUT_MSEC = 10000, /* a supervisor that is stopped, or a very busy machine */
	END_TIMEOUT_USEC = 30000000, /* from the container's last word to the end of its cleanup */
};

struct EngineAttachment {
	Container *container;
	int socket_fd;
	int status_fd; /* opened now: with --rm it has no name any more at the end */
	unsigned flags;
};

void engine_attachment_free(EngineAttachment *attachment) {
	if (!attachment)
		return;
	container_free(attachment->container);
	close_fd_ptr(&attachment->socket_fd);
	close_fd_ptr(&attachment->status_fd);
	g_free(attachment);
}

/* By way of the directory's descriptor: an address has room for 107 bytes only. */
static bool connect_supervisor(EngineAttachment *attachment, GError **err) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	attachment->socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (attachment->socket_fd < 0)
		return fail_errno(err, errno, "cannot make a socket");
	g_snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s",
		attachment->container->object->run_fd, ATTACH_SOCKET);
	if (connect(attachment->socket_fd, (struct sockaddr *)&address, sizeof address) < 0)
		return fail_errno(err, errno, "cannot attach to container \"%s\"",
			attachment->container->definition->name);
	return true;
}

static bool greet(EngineAttachment *attachment, unsigned flags, GError **err) {
	const AttachHello hello = {
		.kind = ATTACH_HELLO, .version = ATTACH_VERSION, .flags = (uint16_t)flags};
	const char *name = attachment->container->definition->name;
	struct pollfd answer = {.fd = attachment->socket_fd, .events = POLLIN};
	AttachHello welcome;

	/* It may refuse, and be gone, before this is sent: its answer says more than EPIPE. */
	fd_send(attachment->socket_fd, &hello, sizeof hello, -1, NULL);
	if (poll(&answer, 1, ANSWER_TIMEOUT_MSEC) <= 0)
		return fail(err, ERROR_TIMEOUT,
			"cannot attach to container \"%s\": its supervisor does not answer", name);
	ssize_t size = recv(attachment->socket_fd, &welcome, sizeof welcome, 0);
	/* It has closed without reading the hello: told once, before what it has said. */
	if (size < 0 && errno == ECONNRESET)
		size = recv(attachment->socket_fd, &welcome, sizeof welcome, 0);
	if (size == 1 && welcome.kind == ATTACH_BUSY)
		return fail(err, ERROR_IN_USE,
			"cannot attach to container \"%s\": too many others are attached", name);
	if (size != (ssize_t)sizeof welcome || welcome.kind != ATTACH_WELCOME)
		return fail(err, ERROR_STATE,
			"cannot attach to container \"%s\": it is ending, or is supervised by "
			"another version of podctl",
			name);
	attachment->flags = welcome.flags;
	return true;
}

EngineAttachment *engine_attach(
	Engine *engine, const char *name, bool output, bool errors, GError **err) {
	g_autoptr(EngineAttachment) attachment = g_new0(EngineAttachment, 1);
	unsigned flags = (output ? ATTACH_WANT_OUTPUT : 0u) | (errors ? ATTACH_WANT_ERROR : 0u);

	attachment->socket_fd = attachment->status_fd = -1;
	attachment->container = container_open(engine, name, err);
	if (!attachment->container || !engine_require_root(err))
		return NULL;
	if (!container_is_running(attachment->container)) {
		/* podman's words */
		fail(err, ERROR_STATE, "you can only attach to running containers");
		return NULL;
	}
	attachment->status_fd =
		fd_open_file(attachment->container->object->run_fd, EXIT_STATUS_FILE, NULL);
	if (!connect_supervisor(attachment, err) || !greet(attachment, flags, err))
		return NULL;
	return g_steal_pointer(&attachment);
}

int engine_attachment_socket(const EngineAttachment *attachment) {
	return attachment->socket_fd;
}

bool engine_attachment_has_input(const EngineAttachment *attachment) {
	return attachment->flags & ATTACH_HAS_INPUT;
}

bool engine_attachment_has_console(const EngineAttachment *attachment) {
	return attachment->flags & ATTACH_HAS_CONSOLE;
}

bool engine_attachment_wait(const EngineAttachment *attachment, int *ret_status, GError **err) {
	const Container *container = attachment->container;
	char text[16] = "";

	if (!proc_wait_end(container->state->supervisor, END_TIMEOUT_USEC))
		return fail(err, ERROR_TIMEOUT,
			"container \"%s\" has ended, but its supervisor %d does not",
			container->definition->name, (int)container->state->supervisor.pid);
	if (attachment->status_fd < 0 ||
		pread(attachment->status_fd, text, sizeof text - 1, 0) <= 0)
		return fail(err, ERROR_FAILED,
			"the container's supervisor ended without telling the exit status");
	*ret_status = (int)g_ascii_strtoll(text, NULL, 10);
	return true;
}

int engine_foreground_console(int exit_fd) {
	char kind = 0;
	int console_fd = -1;

	if (recv(exit_fd, &kind, sizeof kind, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC) != 1 ||
		kind != HANDOFF_NEW_CONSOLE)
		return -1;
	return fd_receive(exit_fd, &kind, sizeof kind, &console_fd, NULL) == 1 ? console_fd : -1;
}

void engine_leave_foreground(int exit_fd) {
	struct pollfd answer = {.fd = exit_fd, .events = POLLIN};

	if (shutdown(exit_fd, SHUT_WR) == 0)
		(void)poll(&answer, 1, ANSWER_TIMEOUT_MSEC);
}
