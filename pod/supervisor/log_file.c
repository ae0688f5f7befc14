/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The k8s-file log: see log_file.h. The size limit is kept as podman keeps it: the file is replaced
 * by an empty one, the old lines are gone. */
#include "supervisor/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat, nothing else */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/handoff_read.h"
#include "supervisor/number.h"

#define HEADER_BYTES   45u /* 2026-11-21T20:03:40.123456789+00:00 stdout F_ */
#define SMALLEST_BYTES 256u
#define NEW_NAME_MAX   255u

static int open_file(const Supervisor *s, const char *name, int flags) {
	return openat(s->handoff->log_dir_fd, name,
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0600);
}

static void put_two(char *at, int number) {
	at[0] = (char)('0' + number / 10 % 10);
	at[1] = (char)('0' + number % 10);
}

static void make_stamp(LogFile *log) {
	struct tm tm;
	if (!gmtime_r(&log->now.tv_sec, &tm))
		memset(&tm, 0, sizeof(tm));
	int year = tm.tm_year + 1900;
	put_two(log->stamp, year / 100);
	put_two(log->stamp + 2, year);
	log->stamp[4] = '-';
	put_two(log->stamp + 5, tm.tm_mon + 1);
	log->stamp[7] = '-';
	put_two(log->stamp + 8, tm.tm_mday);
	log->stamp[10] = 'T';
	put_two(log->stamp + 11, tm.tm_hour);
	log->stamp[13] = ':';
	put_two(log->stamp + 14, tm.tm_min);
	log->stamp[16] = ':';
	put_two(log->stamp + 17, tm.tm_sec);
	log->stamp_second = log->now.tv_sec;
}

/* Writes the header of an entry; returns its end. */
static char *put_header(const LogFile *log, char *at, bool is_error, bool partial) {
	long nanoseconds = log->now.tv_nsec;
	memcpy(at, log->stamp, 19);
	at[19] = '.';
	for (int digit = 28; digit > 19; digit--, nanoseconds /= 10)
		at[digit] = (char)('0' + nanoseconds % 10);
	memcpy(at + 29, "+00:00 ", 7);
	memcpy(at + 36, is_error ? "stderr " : "stdout ", 7);
	at[43] = partial ? 'P' : 'F';
	at[44] = ' ';
	return at + HEADER_BYTES;
}

/* A new file takes the name; readers that follow the name see it, others keep the old one. */
static void rotate(Supervisor *s) {
	char new_name[NEW_NAME_MAX + 1];
	const char *name = handoff_text(s, s->handoff->log_name);
	size_t length = strlen(name);

	if (length + sizeof(".new") > sizeof(new_name))
		return;
	memcpy(new_name, name, length);
	memcpy(new_name + length, ".new", sizeof(".new"));

	(void)unlinkat(s->handoff->log_dir_fd, new_name, 0);
	int fd = open_file(s, new_name, O_EXCL);
	if (fd < 0)
		return;
	if (renameat(s->handoff->log_dir_fd, new_name, s->handoff->log_dir_fd, name) < 0) {
		(void)unlinkat(s->handoff->log_dir_fd, new_name, 0);
		close(fd);
		return;
	}
	if (s->log_file.fd >= 0)
		close(s->log_file.fd);
	s->log_file.fd = fd;
	s->log_file.size = 0;
}

static void add_raw(Supervisor *s, bool is_error, const char *text, size_t length, bool partial) {
	LogFile *log = &s->log_file;
	char *at = put_header(log, s->buffers->log + log->used, is_error, partial);
	memcpy(at, text, length);
	at[length] = '\n';
	log->used += HEADER_BYTES + length + 1;
	log->lines_buffered++;
}

/* Once the log works again it says itself that something is missing. */
static void add_loss(Supervisor *s) {
	char text[80] = "podctl: lines lost, the log could not be written: ";
	size_t length = strlen(text);
	length += number_put(text + length, s->log_file.lines_lost);
	add_raw(s, true, text, length, false);
	s->log_file.lines_buffered--; /* not one of the container's */
}

/* All or nothing: half a line at the end of the file would spoil the next one. */
static bool write_all(LogFile *log, const char *bytes, size_t length) {
	size_t done = 0;
	while (done < length) {
		ssize_t n = write(log->fd, bytes + done, length - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (done > 0)
				(void)ftruncate(log->fd, (off_t)log->size);
			return false;
		}
		done += (size_t)n;
	}
	log->size += length;
	return true;
}

void log_file_flush(Supervisor *s) {
	LogFile *log = &s->log_file;
	if (log->used == 0)
		return;
	if (log->fd < 0)
		log_file_open(s);
	if (log->fd >= 0 && write_all(log, s->buffers->log, log->used))
		log->lines_lost = 0;
	else
		log->lines_lost += log->lines_buffered;
	log->used = 0;
	log->lines_buffered = 0;
}

void log_file_begin(Supervisor *s) {
	LogFile *log = &s->log_file;
	clock_gettime(CLOCK_REALTIME, &log->now);
	if (log->now.tv_sec != log->stamp_second || log->stamp[0] == '\0')
		make_stamp(log);
}

void log_file_add(Supervisor *s, bool is_error, const char *text, size_t length, bool partial) {
	LogFile *log = &s->log_file;
	size_t need = HEADER_BYTES + length + 1;
	uint64_t max_bytes = s->handoff->log_max_bytes;

	if (max_bytes > 0 && log->size + log->used + need > max_bytes && log->size + log->used) {
		log_file_flush(s);
		rotate(s);
	}
	if (log->used + need > LOG_BYTES)
		log_file_flush(s);
	if (log->used == 0 && log->lines_lost > 0)
		add_loss(s);
	if (log->used + need > LOG_BYTES)
		log_file_flush(s);
	add_raw(s, is_error, text, length, partial);
}

void log_file_open(Supervisor *s) {
	struct stat status;
	LogFile *log = &s->log_file;
	log->fd = open_file(s, handoff_text(s, s->handoff->log_name), 0);
	if (log->fd < 0)
		return;
	/* The launcher refuses such a file by name; here it has come in between. */
	if (fstat(log->fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
		status.st_uid != geteuid()) {
		close(log->fd);
		log->fd = -1;
		return;
	}
	log->size = (uint64_t)status.st_size;
}

void log_file_reopen(Supervisor *s) {
	if (s->log_file.fd >= 0)
		close(s->log_file.fd);
	log_file_open(s);
}

size_t log_file_line_limit(const Supervisor *s) {
	uint64_t max_bytes = s->handoff->log_max_bytes;
	if (max_bytes == 0 || max_bytes >= LINE_BYTES + HEADER_BYTES + 1)
		return LINE_BYTES;
	return max_bytes < SMALLEST_BYTES ? SMALLEST_BYTES : (size_t)max_bytes - HEADER_BYTES - 1;
}
