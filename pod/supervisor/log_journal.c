/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journald log: see log_journal.h. An entry too big for a datagram goes as a sealed memfd. */
#include "supervisor/log_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/handoff_read.h"
#include "supervisor/number.h"

#define PARTS_MAX 6

static void disconnect(LogJournal *journal) {
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

void log_journal_open(Supervisor *s) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = 1};
	const char *path = handoff_text(s, s->handoff->journal_socket);
	if (!path)
		path = HANDOFF_JOURNAL_SOCKET;
	size_t length = strlen(path);

	s->log_journal.fd = -1;
	if (length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length + 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		close(fd);
	else
		s->log_journal.fd = fd;
}

/* The receiver may only read a memfd that nobody can change any more. */
static bool send_as_file(int socket_fd, struct iovec *parts, int n_parts, int flags) {
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
	bool sent = false;

	int fd = memfd_create("podctl-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return false;
	size_t total = 0;
	for (int i = 0; i < n_parts; i++)
		total += parts[i].iov_len;
	if (writev(fd, parts, n_parts) == (ssize_t)total &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ==
			0) {
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(int));
		sent = sendmsg(socket_fd, &message, flags) >= 0;
	}
	close(fd);
	return sent;
}

static bool send_once(LogJournal *journal, struct iovec *parts, int n_parts) {
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = n_parts};
	const int flags = MSG_NOSIGNAL | (journal->stalled ? MSG_DONTWAIT : 0);
	ssize_t n;

	do
		n = sendmsg(journal->fd, &message, flags);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return true;
	return (errno == EMSGSIZE || errno == ENOBUFS) &&
	       send_as_file(journal->fd, parts, n_parts, flags);
}

/* A restarted journald has another socket behind the same path. */
static bool send_entry(Supervisor *s, struct iovec *parts, int n_parts) {
	LogJournal *journal = &s->log_journal;

	if (journal->fd < 0)
		log_journal_open(s);
	if (journal->fd < 0)
		return false;
	if (send_once(journal, parts, n_parts))
		return true;
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		journal->stalled = true;
		return false;
	}
	disconnect(journal);
	log_journal_open(s);
	return journal->fd >= 0 && send_once(journal, parts, n_parts);
}

static struct iovec part(const void *bytes, size_t length) {
	return (struct iovec){.iov_base = (void *)bytes, .iov_len = length};
}

static bool add_entry(Supervisor *s, char priority, const char *text, size_t length, bool partial) {
	static const char partial_field[] = "CONTAINER_PARTIAL_MESSAGE=true\n";
	char head[] = "PRIORITY=6\nMESSAGE=";
	struct iovec parts[PARTS_MAX];
	int n = 0;
	HandoffText fields = s->handoff->journal_fields;

	head[sizeof("PRIORITY=") - 1] = priority;
	if (fields.offset && fields.size) {
		const char *start = s->block + fields.offset;
		parts[n++] = part(start, fields.size - (start[fields.size - 1] == '\0'));
	}
	parts[n++] = part(head, sizeof(head) - 1);
	parts[n++] = part(text, length);
	parts[n++] = part("\n", 1);
	if (partial)
		parts[n++] = part(partial_field, sizeof(partial_field) - 1);
	return send_entry(s, parts, n);
}

static void tell_loss(Supervisor *s) {
	char text[80] = "podctl: lines lost, journald did not take them: ";
	size_t length = strlen(text);
	length += number_put(text + length, s->log_journal.lines_lost);
	if (add_entry(s, '4', text, length, false))
		s->log_journal.lines_lost = 0;
}

void log_journal_add(Supervisor *s, bool is_error, bool begins_line, const char *text,
	size_t length, bool partial) {
	LogJournal *journal = &s->log_journal;
	char priority = is_error ? '3' : '6';

	if (begins_line && length >= 3 && text[0] == '<' && text[1] >= '0' && text[1] <= '7' &&
		text[2] == '>') {
		priority = text[1];
		text += 3;
		length -= 3;
	}
	if (journal->lines_lost > 0)
		tell_loss(s);
	if (add_entry(s, priority, text, length, partial))
		journal->stalled = false;
	else
		journal->lines_lost++;
}
