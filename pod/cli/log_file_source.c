/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of a k8s-file log, also while it grows and when it is rotated. See log_source.h. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "cli/log_source.h"
#include "cli/log_time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

enum { READ_SIZE = 64 << 10, LINE_LIMIT = 16 << 20 };

typedef struct LogFile {
	char *path;
	int fd;         /* -1: the file is not there yet */
	int inotify_fd; /* -1: not asked for */
	GString *buffer;
	size_t start; /* of what is not yet handed out */
	uint64_t last_usec;
} LogFile;

static void file_close(void *handle) {
	LogFile *file = handle;

	if (!file)
		return;
	close_fd_ptr(&file->fd);
	close_fd_ptr(&file->inotify_fd);
	if (file->buffer)
		g_string_free(file->buffer, TRUE);
	g_free(file->path);
	g_free(file);
}

static bool reopen(LogFile *file, GError **err) {
	g_autoptr(GError) error = NULL;
	/* Its directory may be open to others (--log-opt path=). */
	int fd = fd_open_own_file(AT_FDCWD, file->path, &error);

	if (fd < 0 && !error_is(error, ERROR_NOT_FOUND)) {
		g_propagate_error(err, g_steal_pointer(&error));
		return fail_prefix(err, "cannot read the log");
	}
	close_fd_ptr(&file->fd);
	file->fd = fd;
	return true;
}

static void *file_open(G_GNUC_UNUSED const char *id, const char *path,
	G_GNUC_UNUSED uint64_t since_usec, GError **err) {
	LogFile *file = g_new0(LogFile, 1);

	file->path = g_strdup(path);
	file->fd = file->inotify_fd = -1;
	file->buffer = g_string_new(NULL);
	if (!reopen(file, err)) {
		file_close(file);
		return NULL;
	}
	return file;
}

/* True if the path names another file than the open one: the log was rotated. */
static bool is_rotated(const LogFile *file) {
	struct stat at_path, open_file;

	if (lstat(file->path, &at_path) < 0)
		return false;
	return file->fd < 0 || fstat(file->fd, &open_file) < 0 ||
	       at_path.st_ino != open_file.st_ino || at_path.st_dev != open_file.st_dev;
}

/* Reads more into the buffer; *ret_more false at the end of the file. */
static bool fill(LogFile *file, bool *ret_more, GError **err) {
	*ret_more = false;
	g_string_erase(file->buffer, 0, (gssize)file->start);
	file->start = 0;
	if (file->buffer->len > LINE_LIMIT)
		return fail(err, ERROR_CORRUPT, "\"%s\" is no log: a line is too long", file->path);
	for (int attempt = 0; attempt < 2; attempt++) {
		char bytes[READ_SIZE];
		ssize_t size = file->fd < 0 ? 0 : read(file->fd, bytes, sizeof(bytes));
		if (size < 0)
			return fail_errno(err, errno, "cannot read \"%s\"", file->path);
		if (size > 0) {
			g_string_append_len(file->buffer, bytes, size);
			*ret_more = true;
			return true;
		}
		if (!is_rotated(file))
			return true;
		if (!reopen(file, err))
			return false;
	}
	return true;
}

void log_file_read_line(const char *text, size_t length, uint64_t *last_usec, LogLine *ret_line) {
	g_autofree char *whole = g_strndup(text, length);
	g_auto(GStrv) parts = g_strsplit(whole, " ", 4);
	bool good = g_strv_length(parts) == 4 && log_time_parse_stamp(parts[0], last_usec);

	*ret_line = (LogLine){.usec = *last_usec};
	ret_line->text = g_strdup(good ? parts[3] : whole);
	if (good) {
		ret_line->stamp = g_strdup(parts[0]);
		ret_line->is_error = strcmp(parts[1], "stderr") == 0;
		ret_line->partial = parts[2][0] == 'P';
	}
}

static bool file_next(void *handle, LogLine *ret_line, bool *ret_found, GError **err) {
	LogFile *file = handle;
	bool more = true;

	*ret_found = false;
	while (more) {
		const char *start = file->buffer->str + file->start;
		const char *newline = memchr(start, '\n', file->buffer->len - file->start);
		if (newline) {
			log_file_read_line(
				start, (size_t)(newline - start), &file->last_usec, ret_line);
			file->start += (size_t)(newline - start) + 1;
			*ret_found = true;
			return true;
		}
		if (!fill(file, &more, err))
			return false;
	}
	return true;
}

/* The directory is watched, so that rotation is seen too. */
static int file_wait_fd(void *handle) {
	LogFile *file = handle;

	if (file->inotify_fd < 0) {
		g_autofree char *directory = g_path_get_dirname(file->path);
		file->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (file->inotify_fd >= 0)
			(void)inotify_add_watch(file->inotify_fd, directory,
				IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
	}
	return file->inotify_fd;
}

static void file_woken(void *handle) {
	LogFile *file = handle;
	char events[4096];

	while (read(file->inotify_fd, events, sizeof(events)) > 0)
		continue;
}

const LogSource log_file_source = {
	.open = file_open,
	.next = file_next,
	.wait_fd = file_wait_fd,
	.woken = file_woken,
	.close = file_close,
};
