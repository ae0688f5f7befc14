/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cache of compiled filters. An entry is the program followed by the SHA-256 of its name and
 * the program, so that no flipped byte is ever loaded; its name is a hash over everything that the
 * compile depends on. The profile counts by identity and times of its file, not by content:
 * whoever can change it without changing its ctime owns the machine.
 */
#include "runtime/seccomp.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/module.h"
#include "runtime/seccomp_compile.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#define PROFILE_MAX (1024 * 1024)
#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define DIGEST_SIZE 32
#define ENTRIES_MAX 64

void seccomp_filter_clear(SeccompFilter *filter) {
	g_free(filter->instructions);
	*filter = (SeccompFilter){0};
}

static void hash_text(GChecksum *hash, const char *text) {
	g_checksum_update(hash, (const guchar *)text, (gssize)strlen(text) + 1);
}

/* Fixed-size fields and NUL-terminated strings: no two sets of values give the same bytes. */
static bool make_name(const char *profile, uint64_t capabilities, char **ret_name, GError **err) {
	struct stat info;
	struct utsname kernel;

	if (stat(profile, &info) < 0)
		return fail_errno(err, errno, "cannot read seccomp profile \"%s\"", profile);
	if (uname(&kernel) < 0)
		return fail_errno(err, errno, "cannot learn the kernel's version");
	const int64_t numbers[] = {(int64_t)info.st_dev, (int64_t)info.st_ino, info.st_size,
		info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec,
		info.st_ctim.tv_nsec, (int64_t)capabilities};
	g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
	hash_text(hash, PODCTL_SECCOMP_KEY);
	g_checksum_update(hash, (const guchar *)numbers, sizeof(numbers));
	hash_text(hash, kernel.release);
	hash_text(hash, kernel.version);
	hash_text(hash, kernel.machine);
	*ret_name = g_strconcat(g_checksum_get_string(hash), ".bpf", NULL);
	return true;
}

static void make_digest(const char *name, const void *program, size_t size, guint8 *ret_digest) {
	g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
	gsize length = DIGEST_SIZE;

	g_checksum_update(hash, (const guchar *)name, (gssize)strlen(name) + 1);
	g_checksum_update(hash, program, (gssize)size);
	g_checksum_get_digest(hash, ret_digest, &length);
}

/* True if the open file may be trusted by its place: ours, private, one link (security.md A02.7).
 */
static bool owned(int fd, size_t *ret_size) {
	struct stat info;

	if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
		info.st_mode & 077 || info.st_nlink != 1)
		return false;
	if (info.st_size <= DIGEST_SIZE || info.st_size > (off_t)(PROGRAM_MAX + DIGEST_SIZE) ||
		(size_t)(info.st_size - DIGEST_SIZE) % sizeof(struct sock_filter))
		return false;
	*ret_size = (size_t)info.st_size;
	return true;
}

static bool read_entry(int dir_fd, const char *name, SeccompFilter *ret_filter) {
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	guint8 digest[DIGEST_SIZE];
	size_t size;

	if (fd < 0 || !owned(fd, &size))
		return false;
	g_autofree guint8 *bytes = g_malloc(size);
	if (read(fd, bytes, size) != (ssize_t)size)
		return false;
	size -= DIGEST_SIZE;
	make_digest(name, bytes, size, digest);
	if (memcmp(digest, bytes + size, DIGEST_SIZE) != 0)
		return false;
	ret_filter->n = size / sizeof(struct sock_filter);
	ret_filter->instructions = (struct sock_filter *)g_steal_pointer(&bytes);
	return true;
}

/* The directory, if it is one that only we can write; -1 otherwise. */
static int open_cache(const char *cache_dir) {
	g_autoptr(GError) error = NULL;
	struct stat info;
	_cleanup_close_ int fd = open(cache_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		fd = fd_make_dir(AT_FDCWD, cache_dir, 0700, &error);
	if (fd < 0 || fstat(fd, &info) < 0 || info.st_uid != geteuid() || info.st_mode & 022)
		return -1;
	return steal_fd(&fd);
}

/* Too many entries are all dropped: they are made again when needed. */
static void limit_entries(int dir_fd) {
	g_auto(GStrv) names = fd_list_dir(dir_fd, ".", NULL);

	if (names && g_strv_length(names) > ENTRIES_MAX)
		for (char **name = names; *name; name++)
			unlinkat(dir_fd, *name, 0);
}

/* A cache that cannot be written costs time, nothing else. */
static void write_entry(int dir_fd, const char *name, const SeccompFilter *filter) {
	size_t size = filter->n * sizeof(struct sock_filter);
	g_autofree guint8 *bytes = g_malloc(size + DIGEST_SIZE);
	g_autoptr(GError) error = NULL;

	memcpy(bytes, filter->instructions, size);
	make_digest(name, bytes, size, bytes + size);
	limit_entries(dir_fd);
	unlinkat(dir_fd, name, 0);
	if (!fd_replace_file(
		    dir_fd, name, bytes, size + DIGEST_SIZE, 0600, FD_REPLACE_PLAIN, &error))
		log_debug("%s", error->message);
}

static bool compile(
	const char *profile, uint64_t capabilities, SeccompFilter *ret_filter, GError **err) {
	const SeccompCompiler *compiler = module_symbol(SECCOMP_MODULE, SECCOMP_SYMBOL, err);
	g_autofree char *text = NULL;
	void *program = NULL;
	size_t size = 0;

	if (!compiler || !fd_read_file(AT_FDCWD, profile, PROFILE_MAX, &text, &size, err))
		return false;
	if (!compiler->compile(text, size, profile, capabilities, &program, &size, err))
		return false;
	ret_filter->instructions = program;
	ret_filter->n = size / sizeof(struct sock_filter);
	if (ret_filter->n >= 1 && ret_filter->n <= BPF_MAXINSNS)
		return true;
	seccomp_filter_clear(ret_filter);
	return fail(
		err, ERROR_INVALID, "seccomp profile \"%s\" is too big for the kernel", profile);
}

bool seccomp_load(const char *profile, const char *cache_dir, uint64_t capabilities,
	SeccompFilter *ret_filter, GError **err) {
	g_autofree char *name = NULL;

	*ret_filter = (SeccompFilter){0};
	if (!make_name(profile, capabilities, &name, err))
		return false;
	_cleanup_close_ int dir_fd = cache_dir ? open_cache(cache_dir) : -1;
	if (dir_fd >= 0 && read_entry(dir_fd, name, ret_filter))
		return true;
	if (!compile(profile, capabilities, ret_filter, err))
		return false;
	if (dir_fd >= 0)
		write_entry(dir_fd, name, ret_filter);
	return true;
}
