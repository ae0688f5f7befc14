/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's outputs: see streams.h. One read a wake-up and stream, into a buffer that is cut
 * in place; only the beginning of an unfinished line is ever moved.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/attach.h"
#include "supervisor/log_file.h"
#include "supervisor/log_journal.h"
#include "supervisor/number.h"
#include "supervisor/streams.h"

#define SMALL_WRITE 4096u /* what a pipe with room takes without blocking (PIPE_BUF) */

static void log_begin(Supervisor *s) {
	if (s->handoff->log == HANDOFF_LOG_K8S_FILE)
		log_file_begin(s);
}

static void log_entry(
	Supervisor *s, Stream *stream, const char *text, size_t length, bool partial) {
	if (s->handoff->log == HANDOFF_LOG_K8S_FILE)
		log_file_add(s, stream->is_error, text, length, partial);
	else if (s->handoff->log == HANDOFF_LOG_JOURNALD)
		log_journal_add(s, stream->is_error, !stream->continued, text, length, partial);
	stream->continued = partial;
}

static void log_end(Supervisor *s) {
	if (s->handoff->log == HANDOFF_LOG_K8S_FILE)
		log_file_flush(s);
}

/* Logs the whole lines of a stream, and parts of a line that is too long. The rest stays. */
static void log_lines(Supervisor *s, Stream *stream) {
	const size_t limit = log_file_line_limit(s);
	const size_t start_before = stream->start;

	if (s->handoff->log == HANDOFF_LOG_NONE) {
		stream->start = stream->scanned = stream->end;
		return;
	}
	log_begin(s);
	while (stream->start < stream->end) {
		const char *text = stream->buffer + stream->start;
		const char *newline = memchr(
			stream->buffer + stream->scanned, '\n', stream->end - stream->scanned);
		size_t length = newline ? (size_t)(newline - text) : stream->end - stream->start;

		if (length > limit) {
			log_entry(s, stream, text, limit, true);
			stream->start += limit;
			stream->scanned = stream->start;
		} else if (newline) {
			log_entry(s, stream, text, length, false);
			stream->start += length + 1;
			stream->scanned = stream->start;
		} else {
			stream->scanned = stream->end;
			break;
		}
	}
	log_end(s);
	if (stream->start == stream->end)
		stream->begun_usec = 0;
	else if (stream->start > start_before || stream->begun_usec == 0)
		stream->begun_usec = now_usec();
}

static void log_rest(Supervisor *s, Stream *stream) {
	if (stream->start == stream->end)
		return;
	log_begin(s);
	log_entry(s, stream, stream->buffer + stream->start, stream->end - stream->start, true);
	log_end(s);
	stream->start = stream->scanned = stream->end;
	stream->begun_usec = 0;
}

static void close_front(Stream *stream) {
	if (stream->front_fd >= 0)
		close(stream->front_fd);
	stream->front_fd = -1;
	stream->front = stream->end;
}

static void close_stream(Supervisor *s, Stream *stream) {
	log_rest(s, stream);
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

/* The front's descriptor is shared with the user's shell: its flags are not ours to change. Opened
 * again it is a file description of our own. A regular file keeps its offset only as it is. */
static void open_front(Stream *stream, int fd) {
	char path[32] = "/proc/self/fd/";
	struct stat status;

	stream->front_fd = -1;
	if (fd == HANDOFF_NO_FD || fstat(fd, &status) < 0)
		return;
	if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
		size_t length = strlen(path);
		length += number_put(path + length, (uint64_t)fd);
		path[length] = '\0';
		stream->front_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		stream->front_blocks = stream->front_fd < 0;
	}
	stream->front_is_socket = S_ISSOCK(status.st_mode);
	if (stream->front_fd < 0)
		stream->front_fd = fcntl(fd, F_DUPFD_CLOEXEC, HANDOFF_FD + 1);
}

/* Copies until the front is full; the rest waits for POLLOUT. */
static void copy_to_front(Stream *stream) {
	while (stream->front_fd >= 0 && stream->front < stream->end) {
		const char *bytes = stream->buffer + stream->front;
		size_t length = stream->end - stream->front;
		if (stream->front_blocks && length > SMALL_WRITE)
			length = SMALL_WRITE;
		ssize_t n = stream->front_is_socket ? send(stream->front_fd, bytes, length,
							      MSG_DONTWAIT | MSG_NOSIGNAL)
						    : write(stream->front_fd, bytes, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			close_front(stream);
			return;
		}
		stream->front += (size_t)n;
		if (stream->front_blocks)
			return;
	}
	if (stream->front_fd < 0)
		stream->front = stream->end;
}

/* What is not logged yet goes to the start of the buffer. */
static void compact(Stream *stream) {
	size_t kept = stream->end - stream->start;
	if (stream->start > 0 && kept > 0)
		memmove(stream->buffer, stream->buffer + stream->start, kept);
	stream->scanned -= stream->start;
	stream->start = 0;
	stream->end = stream->front = kept;
}

static void read_stream(Supervisor *s, Stream *stream) {
	compact(stream);
	size_t room = STREAM_BYTES - stream->end;
	if (room > stream->drain_left)
		room = stream->drain_left;
	ssize_t n = read(stream->fd, stream->buffer + stream->end, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0) {
		close_stream(s, stream);
		return;
	}
	if (s->attach)
		attach_output(s, stream->is_error, stream->buffer + stream->end, (size_t)n);
	stream->end += (size_t)n;
	if (stream->front_fd < 0)
		stream->front = stream->end;
	else if (!stream->front_blocks)
		copy_to_front(stream);
	log_lines(s, stream);
	if (stream->drain_left != SIZE_MAX) {
		stream->drain_left -= (size_t)n;
		if (stream->drain_left == 0)
			close_stream(s, stream);
	}
}

static void open_stream(Supervisor *s, int index, int fd, int front_fd) {
	Stream *stream = &s->streams[index];
	stream->fd = fd;
	stream->is_error = index == 1;
	stream->buffer = s->buffers->stream[index];
	stream->drain_left = SIZE_MAX;
	open_front(stream, front_fd);
}

void streams_open(Supervisor *s) {
	const Handoff *h = s->handoff;

	s->console_peer_fd = -1;
	if (h->console_fd != HANDOFF_NO_FD) {
		open_stream(s, 0, h->console_fd, h->front_stdout_fd);
		open_stream(s, 1, -1, HANDOFF_NO_FD);
		s->streams[0].is_console = true;
		/* A master whose slave nobody has open reports a hang-up for ever. Programs like
		 * init open and close their console for every line. */
		s->console_peer_fd =
			ioctl(h->console_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	} else {
		open_stream(s, 0, h->stdout_fd, h->front_stdout_fd);
		open_stream(s, 1, h->stderr_fd, h->front_stderr_fd);
	}
	s->log_file.fd = s->log_journal.fd = -1;
	if (h->log == HANDOFF_LOG_K8S_FILE)
		log_file_open(s);
	else if (h->log == HANDOFF_LOG_JOURNALD)
		log_journal_open(s);
}

void streams_poll(const Supervisor *s, struct pollfd *polls, bool hold) {
	for (int i = 0; i < 2; i++) {
		const Stream *stream = &s->streams[i];
		if (stream->front_fd >= 0 && stream->front < stream->end)
			polls[i] = (struct pollfd){.fd = stream->front_fd, .events = POLLOUT};
		else
			polls[i] = (struct pollfd){.fd = hold ? -1 : stream->fd, .events = POLLIN};
	}
}

void streams_drop_front(Supervisor *s) {
	const int32_t fds[] = {s->handoff->front_stdout_fd, s->handoff->front_stderr_fd};

	for (int i = 0; i < 2; i++)
		close_front(&s->streams[i]);
	/* The numbers stay: a relaunch command names them. */
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] != HANDOFF_NO_FD && null_fd >= 0)
			(void)dup3(null_fd, fds[i], O_CLOEXEC);
	if (null_fd >= 0)
		close(null_fd);
}

bool streams_handle(Supervisor *s, const struct pollfd *polls) {
	bool moved = false;
	for (int i = 0; i < 2; i++) {
		Stream *stream = &s->streams[i];
		if (polls[i].fd < 0 || polls[i].revents == 0)
			continue;
		moved = true;
		if (polls[i].fd == stream->front_fd)
			copy_to_front(stream);
		else
			read_stream(s, stream);
	}
	return moved;
}

void streams_log_partial(Supervisor *s, uint64_t before_usec) {
	for (int i = 0; i < 2; i++)
		if (s->streams[i].begun_usec <= before_usec)
			log_rest(s, &s->streams[i]);
}

bool streams_empty(const Supervisor *s) {
	for (int i = 0; i < 2; i++)
		if (s->streams[i].start < s->streams[i].end ||
			s->streams[i].front < s->streams[i].end)
			return false;
	return true;
}

void streams_container_ended(Supervisor *s) {
	if (s->console_peer_fd >= 0)
		close(s->console_peer_fd);
	s->console_peer_fd = -1;
	for (int i = 0; i < 2; i++) {
		Stream *stream = &s->streams[i];
		int waiting = 0;
		/* Everything it wrote is in the pipe by now, and its children in its pid namespace
		 * ended before it did. Whoever else holds the pipe does not keep us here. A
		 * terminal may still be handing bytes over, so there the loop waits a moment. */
		if (stream->fd < 0 || stream->is_console)
			continue;
		if (ioctl(stream->fd, FIONREAD, &waiting) < 0 || waiting <= 0)
			close_stream(s, stream);
		else
			stream->drain_left = (size_t)waiting;
	}
}

void streams_close(Supervisor *s) {
	for (int i = 0; i < 2; i++) {
		close_front(&s->streams[i]);
		close_stream(s, &s->streams[i]);
	}
}

bool streams_done(const Supervisor *s) {
	for (int i = 0; i < 2; i++)
		if (s->streams[i].fd >= 0 || s->streams[i].front < s->streams[i].end)
			return false;
	return true;
}

void streams_log_note(Supervisor *s, const char *text) {
	Stream *stream = &s->streams[1];
	log_begin(s);
	log_entry(s, stream, text, strlen(text), false);
	log_end(s);
}
