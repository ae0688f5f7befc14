/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talking to systemd: see notify.h. */
#include "supervisor/notify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/handoff_read.h"
#include "supervisor/number.h"

#define STATUS_MAX     512u
#define PER_SECOND_MAX 50u

enum Known {
	KNOWN_READY = 1 << 0,
	KNOWN_RELOADING = 1 << 1,
	KNOWN_STOPPING = 1 << 2,
	KNOWN_WATCHDOG = 1 << 3,
	KNOWN_STATUS = 1 << 4,
	KNOWN_EXTEND = 1 << 5,
};

/* "a/b/c": a path; "@name": an abstract socket. Other families are for machines, not for units. */
static void send_text(Supervisor *s, const char *text, size_t length) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	/* systemd may be busy reading a thousand units; a message that it never gets is worse. */
	const struct timeval patience = {.tv_sec = 3};
	const char *name = handoff_text(s, s->handoff->notify_socket);
	const int flags = MSG_NOSIGNAL | (s->notify_stalled ? MSG_DONTWAIT : 0);
	ssize_t n;

	if (!name || (name[0] != '/' && name[0] != '@'))
		return;
	size_t name_length = strlen(name);
	if (name_length < 2 || name_length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, name, name_length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_length);
	do
		n = sendto(fd, text, length, flags, (struct sockaddr *)&address, size);
	while (n < 0 && errno == EINTR);
	s->notify_stalled = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	close(fd);
}

static size_t put(char *at, const char *text) {
	size_t length = strlen(text);
	memcpy(at, text, length);
	return length;
}

void notify_begin(Supervisor *s) {
	char text[64];
	size_t length = put(text, "MAINPID=");

	if (s->handoff->notify != HANDOFF_NOTIFY_IGNORE) {
		length += number_put(text + length, (uint64_t)getpid());
		if (s->handoff->notify == HANDOFF_NOTIFY_CONMON)
			length += put(text + length, "\nREADY=1");
		text[length++] = '\n';
		send_text(s, text, length);
	}
	if (s->handoff->ready_fd != HANDOFF_NO_FD)
		close(s->handoff->ready_fd);
}

/* Length of the UTF-8 character at text, 0 when it is none or a control character. */
static size_t printable_length(const unsigned char *text, size_t left) {
	static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned code = text[0];
	size_t length = code < 0x80 ? 1 : code < 0xc2 ? 0 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : 4;

	if (length == 0 || length > left || code > 0xf4)
		return 0;
	if (length == 1)
		return code >= 0x20 && code != 0x7f;
	code &= 0x7fu >> length;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fu);
	}
	bool bad = code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
	bool control = code >= 0x80 && code < 0xa0;
	bool direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
	return bad || control || direction ? 0 : length;
}

/* A status is shown on terminals: what could act there becomes a question mark. */
static size_t put_status(char *at, const char *text, size_t length) {
	size_t used = put(at, "STATUS=");
	size_t i = 0;
	while (i < length && used < STATUS_MAX) {
		size_t n = printable_length((const unsigned char *)text + i, length - i);
		if (n == 0) {
			at[used++] = '?';
			i++;
			continue;
		}
		memcpy(at + used, text + i, n);
		used += n;
		i += n;
	}
	at[used++] = '\n';
	return used;
}

static bool starts(const char *line, size_t length, const char *key, size_t *ret_skip) {
	*ret_skip = strlen(key);
	return length >= *ret_skip && memcmp(line, key, *ret_skip) == 0;
}

static bool equals(const char *line, size_t length, const char *text) {
	return length == strlen(text) && memcmp(line, text, length) == 0;
}

/* One line of the message. Each key goes through once, so the result has a bound. */
static size_t filter_line(const char *line, size_t length, uint64_t now, unsigned *seen, char *at) {
	static const struct {
		const char *text;
		unsigned bit;
	} plain[] = {
		{"READY=1", KNOWN_READY},
		{"STOPPING=1", KNOWN_STOPPING},
		{"WATCHDOG=1", KNOWN_WATCHDOG},
		{"RELOADING=1", KNOWN_RELOADING},
	};
	size_t skip, used = 0;
	uint64_t number;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if ((*seen & plain[i].bit) || !equals(line, length, plain[i].text))
			continue;
		*seen |= plain[i].bit;
		used = put(at, plain[i].text);
		at[used++] = '\n';
		/* Ours instead of the container's: it may live in another time. */
		if (plain[i].bit == KNOWN_RELOADING) {
			used += put(at + used, "MONOTONIC_USEC=");
			used += number_put(at + used, now);
			at[used++] = '\n';
		}
		return used;
	}
	if (!(*seen & KNOWN_STATUS) && starts(line, length, "STATUS=", &skip)) {
		*seen |= KNOWN_STATUS;
		return put_status(at, line + skip, length - skip);
	}
	if (!(*seen & KNOWN_EXTEND) && starts(line, length, "EXTEND_TIMEOUT_USEC=", &skip) &&
		number_get(line + skip, length - skip, &number)) {
		*seen |= KNOWN_EXTEND;
		used = put(at, "EXTEND_TIMEOUT_USEC=");
		used += number_put(at + used, number);
		at[used++] = '\n';
	}
	return used;
}

size_t notify_filter(const char *message, size_t length, uint64_t now, char *ret_text) {
	unsigned seen = 0;
	size_t used = 0;

	if (memchr(message, '\0', length))
		return 0;
	while (length > 0) {
		const char *end = memchr(message, '\n', length);
		size_t line = end ? (size_t)(end - message) : length;
		used += filter_line(message, line, now, &seen, ret_text + used);
		message += line + (end != NULL);
		length -= line + (end != NULL);
	}
	return used;
}

void notify_forward(Supervisor *s) {
	char text[NOTIFY_TEXT_MAX];
	char *message = s->buffers->notify;
	uint64_t now = now_usec();

	/* No room for control messages: descriptors that come along are closed by the kernel. */
	ssize_t n = recv(s->handoff->notify_fd, message, NOTIFY_MAX, MSG_DONTWAIT | MSG_TRUNC);
	if (n <= 0 || (size_t)n > NOTIFY_MAX)
		return;
	/* A flood from one container must not keep systemd busy for all the others. */
	if (now - s->notify_window_usec >= SECOND_USEC) {
		s->notify_window_usec = now;
		s->notify_in_window = 0;
	}
	if (++s->notify_in_window > PER_SECOND_MAX)
		return;
	size_t length = notify_filter(message, (size_t)n, now, text);
	if (length > 0)
		send_text(s, text, length);
}
