/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is attached to a container: see attach.h. */
#include "supervisor/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/attach_message.h"
#include "supervisor/handoff_read.h"

#define GRACE_USEC          (SECOND_USEC / 5)
#define BACKLOG             16
#define END_OF_TRANSMISSION 4

typedef struct AttachClient {
	int fd; /* -1: free */
	bool greeted;
	bool wants[2]; /* standard output, standard error */
	bool blocked;  /* its next message is input for which there is no room yet */
	bool skipped;  /* its grace is over: it gets what fits */
	uint64_t full_since_usec;
	uint64_t lost_bytes;
} AttachClient;

struct AttachState {
	AttachClient clients[ATTACH_CLIENTS_MAX];
	size_t n_clients;
	size_t input_start, input_end; /* what the container has not taken yet */
	bool input_ends;               /* and then no more */
	bool waits_for_room;           /* no descriptor for one more, until a client goes */
	char input[ATTACH_INPUT_MAX];
};

enum { POLL_SOCKET, POLL_INPUT, POLL_CLIENTS };

void attach_open(Supervisor *s) {
	const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ATTACH_SOCKET};

	s->stdin_fd = s->handoff->stdin_fd;
	s->attach_fd = -1;
	/* Relative to the directory: its path may be longer than an address. */
	if (chdir(handoff_text(s, s->handoff->run_dir)) < 0)
		return;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	int r = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	if (r < 0 && errno == EADDRINUSE) {
		(void)unlink(ATTACH_SOCKET); /* of an earlier run */
		r = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	}
	if (r == 0 && listen(fd, BACKLOG) == 0)
		s->attach_fd = fd;
	else if (fd >= 0)
		close(fd);
	(void)umask(mask);
	(void)!chdir("/");
}

/* Where input goes: the pipe, or the terminal. -1: nowhere. */
static int input_fd(const Supervisor *s) {
	if (s->ended)
		return -1;
	if (s->stdin_fd >= 0)
		return s->stdin_fd;
	return s->streams[0].is_console ? s->streams[0].fd : -1;
}

static void make_nonblocking(int fd) {
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && !(flags & O_NONBLOCK))
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static bool begin_state(Supervisor *s) {
	if (s->attach)
		return true;
	AttachState *state = mmap(
		NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (state == MAP_FAILED)
		return false;
	for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++)
		state->clients[i].fd = -1;
	s->attach = state;
	if (input_fd(s) >= 0)
		make_nonblocking(input_fd(s));
	return true;
}

static void release_state(Supervisor *s) {
	AttachState *state = s->attach;
	if (!state || state->n_clients > 0 || state->input_start < state->input_end)
		return;
	(void)munmap(state, sizeof(*state));
	s->attach = NULL;
}

static void close_client(AttachState *state, AttachClient *client) {
	if (client->fd < 0)
		return;
	close(client->fd);
	client->fd = -1;
	state->n_clients--;
	state->waits_for_room = false;
}

/* Root may, and whose process this is. */
static bool is_allowed(int fd) {
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

/* Whoever cannot be taken in would wake us for ever. */
static void note_no_room(Supervisor *s) {
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
		return;
	if (s->attach && s->attach->n_clients > 0) {
		s->attach->waits_for_room = true;
		return;
	}
	close(s->attach_fd);
	s->attach_fd = -1;
}

static void accept_client(Supervisor *s) {
	static const char refused[] = "podctl-supervisor: another user asked to attach\n";
	const char busy = ATTACH_BUSY;

	int fd = accept4(s->attach_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		note_no_room(s);
		return;
	}
	if (!is_allowed(fd)) {
		(void)!write(STDERR_FILENO, refused, sizeof(refused) - 1);
		close(fd);
		return;
	}
	if (begin_state(s) && s->attach->n_clients < ATTACH_CLIENTS_MAX) {
		AttachClient *client = s->attach->clients;
		while (client->fd >= 0)
			client++;
		*client = (AttachClient){.fd = fd};
		s->attach->n_clients++;
		return;
	}
	(void)send(fd, &busy, sizeof(busy), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void welcome(Supervisor *s, AttachClient *client, unsigned flags) {
	AttachHello answer = {.kind = ATTACH_WELCOME, .version = ATTACH_VERSION};

	client->greeted = true;
	client->wants[0] = flags & ATTACH_WANT_OUTPUT;
	client->wants[1] = flags & ATTACH_WANT_ERROR;
	if (input_fd(s) >= 0)
		answer.flags |= ATTACH_HAS_INPUT;
	if (s->streams[0].is_console)
		answer.flags |= ATTACH_HAS_CONSOLE;
	if (send(client->fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		close_client(s->attach, client);
}

static void drop_input(AttachState *state) {
	state->input_start = state->input_end = 0;
}

static void end_input(Supervisor *s) {
	if (s->stdin_fd >= 0)
		close(s->stdin_fd);
	s->stdin_fd = -1;
}

static void write_input(Supervisor *s) {
	AttachState *state = s->attach;
	int fd = input_fd(s);

	while (fd >= 0 && state->input_start < state->input_end) {
		ssize_t n = write(fd, state->input + state->input_start,
			state->input_end - state->input_start);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			/* the container has closed it */
			end_input(s);
			break;
		}
		state->input_start += (size_t)n;
	}
	drop_input(state);
	if (state->input_ends)
		end_input(s);
	state->input_ends = false;
	for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++)
		state->clients[i].blocked = false;
}

static void take_input(Supervisor *s, const char *bytes, size_t length) {
	AttachState *state = s->attach;

	memcpy(state->input, bytes, length);
	state->input_end = length;
	write_input(s);
}

/* At a terminal the end of a file is a key. */
static void take_input_end(Supervisor *s) {
	const char end = END_OF_TRANSMISSION;

	if (s->stdin_fd >= 0) {
		s->attach->input_ends = true;
		write_input(s);
	} else if (input_fd(s) >= 0) {
		take_input(s, &end, sizeof(end));
	}
}

static void resize(const Supervisor *s, const AttachMessage *message) {
	const struct winsize size = {.ws_row = message->rows, .ws_col = message->columns};

	if (s->streams[0].is_console && s->streams[0].fd >= 0)
		(void)ioctl(s->streams[0].fd, TIOCSWINSZ, &size);
}

/* True if the client's next message is input and there is no room for it. */
static bool must_wait(const AttachState *state, const AttachClient *client) {
	char kind;

	return state->input_start < state->input_end &&
	       recv(client->fd, &kind, sizeof(kind), MSG_PEEK | MSG_DONTWAIT) == 1 &&
	       (kind == ATTACH_INPUT || kind == ATTACH_INPUT_END);
}

static void read_client(Supervisor *s, AttachClient *client) {
	char bytes[ATTACH_INPUT_MAX];
	AttachMessage message;

	if (must_wait(s->attach, client)) {
		client->blocked = true;
		return;
	}
	/* MSG_TRUNC: the message's own length. Descriptors that come with it are closed by the
	 * kernel, because there is no room for them. */
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);
	/* ECONNRESET: it has gone without reading all; what it wrote before is still to be read. */
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET))
		return;
	if (n <= 0 || (size_t)n > sizeof(bytes) ||
		!attach_message_read(bytes, (size_t)n, client->greeted, &message)) {
		close_client(s->attach, client);
		return;
	}
	switch (message.kind) {
	case ATTACH_HELLO:
		welcome(s, client, message.flags);
		break;
	case ATTACH_INPUT:
		take_input(s, message.input, message.input_size);
		break;
	case ATTACH_INPUT_END:
		take_input_end(s);
		break;
	default:
		resize(s, &message);
		break;
	}
}

/* The kernel still has room for three more such buffers when it says so: 64 KiB of output fit. */
static bool has_room(int fd) {
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	return poll(&room, 1, 0) != 0;
}

/* After its grace a client is waited for again only when it has read everything. */
static void check_skipped(AttachClient *client) {
	int unread = 0;

	if (ioctl(client->fd, SIOCOUTQ, &unread) == 0 && unread == 0)
		client->skipped = false;
}

uint64_t attach_hold_until(Supervisor *s) {
	uint64_t until = 0;

	for (size_t i = 0; s->attach && i < ATTACH_CLIENTS_MAX; i++) {
		AttachClient *client = &s->attach->clients[i];
		if (client->fd < 0 || !(client->wants[0] || client->wants[1]))
			continue;
		if (client->skipped)
			check_skipped(client);
		if (client->skipped || has_room(client->fd)) {
			client->full_since_usec = 0;
			continue;
		}
		uint64_t now = now_usec();
		if (client->full_since_usec == 0)
			client->full_since_usec = now;
		if (now >= client->full_since_usec + GRACE_USEC)
			client->skipped = true;
		else if (client->full_since_usec + GRACE_USEC > until)
			until = client->full_since_usec + GRACE_USEC;
	}
	return until;
}

static void tell_loss(AttachClient *client) {
	AttachLost lost = {.kind = ATTACH_LOST, .bytes = client->lost_bytes};

	if (client->lost_bytes > 0 &&
		send(client->fd, &lost, sizeof(lost), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(lost))
		client->lost_bytes = 0;
}

/* False: the client is gone. */
static bool send_piece(AttachClient *client, char kind, const char *bytes, size_t length) {
	struct iovec parts[] = {{&kind, 1}, {(void *)(uintptr_t)bytes, length}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	tell_loss(client);
	if (client->lost_bytes == 0 &&
		sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (client->lost_bytes == 0 && (errno == EPIPE || errno == ECONNRESET))
		return false;
	client->lost_bytes += length;
	return true;
}

void attach_output(Supervisor *s, bool is_error, const char *bytes, size_t length) {
	const char kind = is_error ? ATTACH_ERROR : ATTACH_OUTPUT;

	for (size_t i = 0; s->attach && i < ATTACH_CLIENTS_MAX; i++) {
		AttachClient *client = &s->attach->clients[i];
		for (size_t at = 0; at < length && client->fd >= 0 && client->wants[is_error];) {
			size_t size = length - at < ATTACH_OUTPUT_MAX - 1 ? length - at
									  : ATTACH_OUTPUT_MAX - 1;
			if (!send_piece(client, kind, bytes + at, size))
				close_client(s->attach, client);
			at += size;
		}
	}
}

size_t attach_poll(const Supervisor *s, struct pollfd *polls) {
	const AttachState *state = s->attach;

	polls[POLL_SOCKET] = (struct pollfd){.fd = s->attach_fd, .events = POLLIN};
	polls[POLL_INPUT] = (struct pollfd){.fd = -1, .events = POLLOUT};
	if (!state)
		return POLL_CLIENTS;
	if (state->waits_for_room)
		polls[POLL_SOCKET].fd = -1;
	if (state->input_start < state->input_end)
		polls[POLL_INPUT].fd = input_fd(s);
	/* Only those that are there: poll refuses more entries than descriptors are allowed. */
	size_t count = POLL_CLIENTS;
	for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++) {
		const AttachClient *client = &state->clients[i];
		short events = client->blocked ? 0 : POLLIN;
		if (client->fd < 0)
			continue;
		if (client->full_since_usec > 0 && !client->skipped)
			events |= POLLOUT;
		polls[count++] = (struct pollfd){.fd = client->fd, .events = events};
	}
	return count;
}

/* NULL: it was closed since it was waited for. */
static AttachClient *find_client(AttachState *state, int fd) {
	for (size_t i = 0; i < ATTACH_CLIENTS_MAX; i++)
		if (state->clients[i].fd == fd)
			return &state->clients[i];
	return NULL;
}

void attach_handle(Supervisor *s, const struct pollfd *polls, size_t count) {
	for (size_t i = POLL_CLIENTS; s->attach && i < count; i++) {
		AttachClient *client =
			polls[i].revents ? find_client(s->attach, polls[i].fd) : NULL;
		if (!client)
			continue;
		if (polls[i].revents & POLLIN)
			read_client(s, client);
		else if (polls[i].revents & (POLLHUP | POLLERR))
			close_client(s->attach, client);
	}
	/* A container that is gone, or has closed its input, takes nothing any more. */
	if (s->attach && (polls[POLL_INPUT].revents || input_fd(s) < 0))
		write_input(s);
	if (polls[POLL_SOCKET].revents & POLLIN)
		accept_client(s);
	release_state(s);
}

void attach_end(Supervisor *s, int exit_status, bool restarts) {
	const AttachEnd end = {
		.kind = ATTACH_END, .restarts = restarts, .exit_status = exit_status};

	if (s->attach_fd >= 0)
		close(s->attach_fd);
	s->attach_fd = -1;
	for (size_t i = 0; s->attach && i < ATTACH_CLIENTS_MAX; i++) {
		AttachClient *client = &s->attach->clients[i];
		if (client->fd < 0)
			continue;
		tell_loss(client);
		/* One that has no room for it sees the end of the connection. */
		(void)send(client->fd, &end, sizeof(end), MSG_DONTWAIT | MSG_NOSIGNAL);
		close_client(s->attach, client);
	}
	if (s->attach)
		drop_input(s->attach);
	release_state(s);
}
