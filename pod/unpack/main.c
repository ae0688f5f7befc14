/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-unpack: lays one archive out in a directory and does nothing else. Started by the image
 * room, once a layer:
 *
 *   podctl-unpack [--copy NAME] [--only NAME]... DIRFD < ARCHIVE
 *
 * DIRFD is the number of an inherited descriptor of an empty directory. With --only, just the named
 * top-level files are taken (an outer archive's index). With --copy, a compressed archive is
 * written there decompressed, too. On success, standard output has
 *
 *   opaque PATH             for every opaque directory, bytes outside 0x21-0x7e and % as %XX
 *   done diffid=HEX stream=N size=N entries=N skipped=N complete=0|1
 *
 * diffid is the SHA-256 of the uncompressed stream, complete whether it ended with a marker. On
 * failure the status is 1 and standard error has one line. The caller removes the directory then.
 */
#include "unpack/confine.h"
#include "unpack/member.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Job {
	int dir_fd;
	char *const *only; /* NAMEs, each after its "--only"; NULL: everything */
	int n_only;
	const char *copy; /* NULL: none */
} Job;

static bool is_wanted(const Job *job, const char *path) {
	if (job->n_only == 0)
		return true;
	for (int i = 0; i < job->n_only; i++)
		if (strcmp(path, job->only[2 * i + 1]) == 0)
			return true;
	return false;
}

static bool take_member(const Job *job, Tree *tree, Source *source, struct archive_entry *entry,
	Counts *counts, Failure *failure) {
	char path[LIMIT_PATH + 1];
	LayerPathKind kind;
	const char *raw = archive_entry_pathname(entry);

	if (++counts->entries > LIMIT_ENTRIES)
		return failure_set(
			failure, "more than %llu members", (unsigned long long)LIMIT_ENTRIES);
	if (!raw)
		return failure_set(failure, "a member whose name cannot be read");
	if (!layer_path_clean(raw, path, failure))
		return false;
	if (job->n_only > 0) {
		if (!is_wanted(job, path))
			return true;
		if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
			archive_entry_size(entry) > (la_int64_t)LIMIT_ONLY_SIZE)
			return failure_set(failure, "member \"%s\": not a small file", path);
		return member_write(tree, source, entry, path, counts, failure);
	}
	if (!layer_path_classify(path, &kind, failure))
		return false;
	if (kind == LAYER_PATH_PLAIN)
		return member_write(tree, source, entry, path, counts, failure);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return failure_set(
			failure, "member \"%.256s\": a whiteout that is not a file", raw);
	if (kind == LAYER_PATH_WHITEOUT)
		return tree_add_whiteout(tree, path, failure);
	return tree_open_directory(tree, path, failure) >= 0 &&
	       tree_add_opaque(tree, path, failure);
}

static bool take_all(const Job *job, Tree *tree, Source *source, Counts *counts, Failure *failure) {
	for (;;) {
		struct archive_entry *entry;
		int result = archive_read_next_header(source->tar, &entry);
		if (result == ARCHIVE_EOF)
			break;
		/* a warning is about a name in another character set: its bytes are taken */
		if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
			return source_fail(source, "cannot read the archive");
		if (!take_member(job, tree, source, entry, counts, failure))
			return false;
	}
	tree_apply_times(tree);
	return true;
}

static void print_opaque(const char *path) {
	fputs("opaque ", stdout);
	for (; *path; path++) {
		unsigned char byte = (unsigned char)*path;
		if (byte <= 0x20 || byte >= 0x7f || byte == '%')
			printf("%%%02X", byte);
		else
			putchar(byte);
	}
	putchar('\n');
}

static bool open_copy(const Job *job, Source *source) {
	if (!job->copy || !source->is_compressed)
		return true;
	source->copy_fd = openat(
		job->dir_fd, job->copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return source->copy_fd >= 0 ||
	       failure_errno(source->failure, errno, "cannot make \"%s\"", job->copy);
}

static bool unpack(const Job *job, Failure *failure) {
	Source source = {.copy_fd = -1};
	Counts counts = {0};
	Tree tree;
	char diffid[65];
	bool complete = false;

	tree_init(&tree, job->dir_fd);
	bool done = source_open(&source, STDIN_FILENO, failure) && open_copy(job, &source) &&
		    source_start(&source) && take_all(job, &tree, &source, &counts, failure) &&
		    source_finish(&source, diffid, &complete);
	if (done) {
		for (size_t i = 0; i < tree.n_opaque; i++)
			print_opaque(tree.opaque[i]);
		printf("done diffid=%s stream=%llu size=%llu entries=%llu skipped=%llu "
		       "complete=%d\n",
			diffid, (unsigned long long)source.bytes,
			(unsigned long long)counts.file_bytes, (unsigned long long)counts.entries,
			(unsigned long long)counts.skipped, complete);
		if (fflush(stdout) != 0)
			done = failure_errno(failure, errno, "cannot write the report");
	}
	tree_clear(&tree);
	source_close(&source);
	return done;
}

static bool parse_arguments(int argc, char **argv, Job *ret_job) {
	int n_only = 0;
	char *end = NULL;
	const char *copy = NULL;

	if (argc > 3 && strcmp(argv[1], "--copy") == 0) {
		copy = argv[2];
		argv += 2;
		argc -= 2;
	}
	while (1 + 2 * n_only + 1 < argc && strcmp(argv[1 + 2 * n_only], "--only") == 0)
		n_only++;
	if (argc != 2 + 2 * n_only)
		return false;
	long fd = strtol(argv[argc - 1], &end, 10);
	if (*end || fd < 3 || fd > 1023)
		return false;
	*ret_job = (Job){.dir_fd = (int)fd, .only = argv + 1, .n_only = n_only, .copy = copy};
	return true;
}

#if IS_SANITIZED
/* The search for leaks needs /proc and ptrace, which are out of reach here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
	return "detect_leaks=0";
}
#endif

int main(int argc, char **argv) {
	Failure failure = {0};
	Job job;

	if (!parse_arguments(argc, argv, &job)) {
		fputs("usage: podctl-unpack [--copy NAME] [--only NAME]... DIRFD < ARCHIVE\n",
			stderr);
		return 2;
	}
	/* names in extended headers are UTF-8; in any other locale libarchive would convert them */
	setlocale(LC_CTYPE, "C.UTF-8");
	umask(0);
	if (confine_process(job.dir_fd, &failure) && unpack(&job, &failure))
		return 0;
	fprintf(stderr, "%s\n", failure.text[0] ? failure.text : "failed");
	return 1;
}
