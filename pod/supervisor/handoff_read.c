/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the launcher's block: see handoff_read.h. The block is copied out of the memfd, so that
 * nobody can change it after the checks.
 */
#include "supervisor/handoff_read.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define END_BYTES 8u /* zeros behind the block: every string in it ends */

static const char *read_block(Supervisor *s) {
	struct stat status;

	if (fstat(HANDOFF_FD, &status) < 0 || status.st_size <= 0)
		return "no hand-off block on descriptor 3";
	if (status.st_size > HANDOFF_MAX_BYTES)
		return "the hand-off block is too long";
	size_t size = (size_t)status.st_size;
	s->block = s->small_block;
	if (size + END_BYTES > sizeof(s->small_block))
		s->block = mmap(NULL, HANDOFF_MAX_BYTES + END_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->block == MAP_FAILED)
		return "no memory for the hand-off block";
	while (s->block_size < size) {
		ssize_t n = pread(HANDOFF_FD, s->block + s->block_size, size - s->block_size,
			(off_t)s->block_size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return "the hand-off block cannot be read";
		s->block_size += (size_t)n;
	}
	return NULL;
}

static bool bounds_ok(const Supervisor *s, HandoffText text) {
	return text.offset == 0 || (text.offset >= sizeof(Handoff) && text.size <= s->block_size &&
					   text.offset <= s->block_size - text.size);
}

/* The block is followed by zeros, so looking for the end of a string stays in our memory. */
static bool text_ok(const Supervisor *s, HandoffText text) {
	if (!bounds_ok(s, text))
		return false;
	if (text.offset == 0)
		return true;
	size_t length = strlen(s->block + text.offset);
	return length == text.size || length + 1 == text.size;
}

static bool path_ok(const Supervisor *s, HandoffText text) {
	return text_ok(s, text) && (text.offset == 0 || s->block[text.offset] == '/');
}

static bool name_ok(const Supervisor *s, HandoffText text) {
	if (!text_ok(s, text))
		return false;
	const char *name = handoff_text(s, text);
	return !name ||
	       (*name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

/* Fields may be binary (a length instead of "="), so they are bytes, not a text. */
static bool fields_ok(const Supervisor *s, HandoffText text) {
	if (!bounds_ok(s, text))
		return false;
	if (text.offset == 0 || text.size == 0)
		return true;
	const char *last = s->block + text.offset + text.size - 1;
	if (*last == '\0' && text.size > 1)
		last--;
	return *last == '\n';
}

static bool list_ok(const Supervisor *s, HandoffText list) {
	if (!bounds_ok(s, list))
		return false;
	if (list.offset == 0)
		return true;
	if (s->block[list.offset] != '/')
		return false;
	size_t words = 0;
	const char *word = s->block + list.offset;
	for (; *word; word += strlen(word) + 1)
		words++;
	size_t length = (size_t)(word - (s->block + list.offset));
	return words <= ARGV_MAX && length <= list.size && list.size <= length + 1;
}

/* A descriptor is none, or one that is open and neither ours (3) nor the standard ones. */
static bool descriptors_ok(const Handoff *h) {
	const int32_t fds[] = {h->init_pidfd, h->stdout_fd, h->stderr_fd, h->console_fd,
		h->front_stdout_fd, h->front_stderr_fd, h->front_fd, h->notify_fd, h->ready_fd,
		h->log_dir_fd, h->stdin_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] == HANDOFF_NO_FD)
			continue;
		if (fds[i] <= HANDOFF_FD || fcntl(fds[i], F_GETFD) < 0)
			return false;
	}
	return true;
}

static const char *check_numbers(const Handoff *h) {
	if (h->log > HANDOFF_LOG_JOURNALD || h->notify > HANDOFF_NOTIFY_CONTAINER ||
		h->restart > HANDOFF_RESTART_ALWAYS)
		return "the hand-off block has an unknown mode";
	if (h->init_pid <= 1 || h->init_pidfd == HANDOFF_NO_FD)
		return "the hand-off block names no process";
	if (h->stop_signal == 0 || h->stop_signal > 64)
		return "the hand-off block has a bad stop signal";
	if (h->console_fd != HANDOFF_NO_FD &&
		(h->stdout_fd != HANDOFF_NO_FD || h->stderr_fd != HANDOFF_NO_FD))
		return "the hand-off block has a console and pipes";
	if (!descriptors_ok(h))
		return "the hand-off block names a descriptor that is not open";
	return NULL;
}

static const char *check_texts(const Supervisor *s, const Handoff *h) {
	if (!text_ok(s, h->notify_socket) || !text_ok(s, h->journal_socket) ||
		!path_ok(s, h->run_dir) || !path_ok(s, h->cgroup) || !name_ok(s, h->log_name) ||
		!fields_ok(s, h->journal_fields) || !list_ok(s, h->cleanup_argv) ||
		!list_ok(s, h->relaunch_argv))
		return "the hand-off block has a text out of its bounds";
	if (h->run_dir.offset == 0 || h->cleanup_argv.offset == 0)
		return "the hand-off block lacks the run directory or the cleanup command";
	if (h->restart != HANDOFF_RESTART_NO && h->relaunch_argv.offset == 0)
		return "the hand-off block lacks the relaunch command";
	if (h->log == HANDOFF_LOG_K8S_FILE &&
		(h->log_dir_fd == HANDOFF_NO_FD || h->log_name.offset == 0))
		return "the hand-off block names no log file";
	return NULL;
}

const char *handoff_text(const Supervisor *s, HandoffText text) {
	return text.offset == 0 ? NULL : s->block + text.offset;
}

size_t handoff_argv(const Supervisor *s, HandoffText list, const char **argv) {
	size_t words = 0;
	if (list.offset != 0)
		for (const char *word = s->block + list.offset; *word; word += strlen(word) + 1)
			argv[words++] = word;
	argv[words] = NULL;
	return words;
}

const char *handoff_read(Supervisor *s) {
	const char *problem = read_block(s);
	close(HANDOFF_FD);
	if (problem)
		return problem;

	const Handoff *h = (const Handoff *)(const void *)s->block;
	if (s->block_size < sizeof(*h) || h->magic != HANDOFF_MAGIC ||
		h->version != HANDOFF_VERSION || h->size != s->block_size)
		return "this is no hand-off block of this version";
	problem = check_numbers(h);
	if (!problem)
		problem = check_texts(s, h);
	if (!problem)
		s->handoff = h;
	return problem;
}
