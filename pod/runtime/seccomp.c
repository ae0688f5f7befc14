/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cache of compiled filters. An entry is a head, the program, and the SHA-256 of its name and
 * both, so that no flipped byte is ever loaded; its name is a hash over everything that the
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

/* As long as an instruction, so that those behind it lie well. */
typedef struct EntryHead {
	uint32_t flags, reserved;
} EntryHead;

#define FRAME_SIZE (sizeof(EntryHead) + DIGEST_SIZE)

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
	if (!S_ISREG(info.st_mode))
		return fail(err, ERROR_INVALID, "seccomp profile \"%s\" is not a file", profile);
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
	if (info.st_size <= (off_t)FRAME_SIZE || info.st_size > (off_t)(PROGRAM_MAX + FRAME_SIZE) ||
		((size_t)info.st_size - FRAME_SIZE) % sizeof(struct sock_filter))
		return false;
	*ret_size = (size_t)info.st_size;
	return true;
}

static bool read_entry(int dir_fd, const char *name, SeccompFilter *ret_filter) {
	_cleanup_close_ int fd =
		openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	guint8 digest[DIGEST_SIZE];
	size_t size;

	if (fd < 0 || !owned(fd, &size))
		return false;
	g_autofree guint8 *bytes = g_malloc(size);
	if (read(fd, bytes, size) != (ssize_t)size)
		return false;
	make_digest(name, bytes, size - DIGEST_SIZE, digest);
	if (memcmp(digest, bytes + size - DIGEST_SIZE, DIGEST_SIZE) != 0)
		return false;
	EntryHead head;
	memcpy(&head, bytes, sizeof(head));
	ret_filter->flags = head.flags;
	ret_filter->n = (size - FRAME_SIZE) / sizeof(struct sock_filter);
	ret_filter->instructions = g_memdup2(bytes + sizeof(head), size - FRAME_SIZE);
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

/* Makes room: the entry that was read longest ago goes. */
static void limit_entries(int dir_fd) {
	g_auto(GStrv) names = fd_list_dir(dir_fd, ".", NULL);
	struct timespec oldest = {.tv_sec = G_MAXLONG};
	const char *victim = NULL;
	struct stat info;

	if (!names || g_strv_length(names) < ENTRIES_MAX)
		return;
	for (char **name = names; *name; name++)
		if (fstatat(dir_fd, *name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
			(info.st_atim.tv_sec < oldest.tv_sec ||
				(info.st_atim.tv_sec == oldest.tv_sec &&
					info.st_atim.tv_nsec < oldest.tv_nsec))) {
			oldest = info.st_atim;
			victim = *name;
		}
	if (victim)
		unlinkat(dir_fd, victim, 0);
}

/* A cache that cannot be written costs time, nothing else. */
static void write_entry(int dir_fd, const char *name, const SeccompFilter *filter) {
	const EntryHead head = {.flags = filter->flags};
	size_t size = filter->n * sizeof(struct sock_filter);
	g_autofree guint8 *bytes = g_malloc(size + FRAME_SIZE);
	g_autoptr(GError) error = NULL;

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), filter->instructions, size);
	make_digest(name, bytes, sizeof(head) + size, bytes + sizeof(head) + size);
	unlinkat(dir_fd, name, 0);
	limit_entries(dir_fd);
	if (!fd_replace_file(
		    dir_fd, name, bytes, size + FRAME_SIZE, 0600, FD_REPLACE_PLAIN, &error))
		log_debug("%s", error->message);
}

/* Once for a profile: the next start finds the compiled filter. Our own names calls that an older
 * libseccomp cannot know, which is no news. */
static void tell_oddities(const char *profile, const SeccompCompiled *compiled) {
	g_autofree char *own = module_data_path("seccomp.json");

	if (compiled->contradictions)
		log_debug("seccomp profile \"%s\": both allowed and denied, so denied: %s", profile,
			compiled->contradictions);
	if (compiled->unknown_keys)
		log_warning("seccomp profile \"%s\": unknown keys %s, ignoring", profile,
			compiled->unknown_keys);
	if (compiled->unknown && strcmp(own, profile) != 0)
		log_warning("seccomp profile \"%s\": %u names unknown to libseccomp, ignoring",
			profile, compiled->unknown);
}

static bool compile(
	const char *profile, uint64_t capabilities, SeccompFilter *ret_filter, GError **err) {
	const SeccompCompiler *compiler = module_symbol(SECCOMP_MODULE, SECCOMP_SYMBOL, err);
	__attribute__((cleanup(seccomp_compiled_clear))) SeccompCompiled compiled = {0};
	g_autofree char *text = NULL;
	size_t size = 0;

	if (!compiler || !fd_read_file(AT_FDCWD, profile, PROFILE_MAX, &text, &size, err) ||
		!compiler->compile(text, size, profile, capabilities, &compiled, err))
		return false;
	if (compiled.program->len > BPF_MAXINSNS)
		return fail(err, ERROR_INVALID, "seccomp profile \"%s\" is too big for the kernel",
			profile);
	tell_oddities(profile, &compiled);
	ret_filter->n = compiled.program->len;
	ret_filter->flags = compiled.flags;
	ret_filter->instructions =
		g_memdup2(compiled.program->data, ret_filter->n * sizeof(struct sock_filter));
	return true;
}

bool seccomp_load(const char *profile, const char *cache_dir, uint64_t capabilities,
	SeccompFilter *ret_filter, GError **err) {
	g_autofree char *name = NULL;
	gint64 begin = g_get_monotonic_time();

	*ret_filter = (SeccompFilter){0};
	if (!make_name(profile, capabilities, &name, err))
		return false;
	_cleanup_close_ int dir_fd = cache_dir ? open_cache(cache_dir) : -1;
	if (dir_fd >= 0 && read_entry(dir_fd, name, ret_filter)) {
		log_debug("seccomp filter from the cache in %d µs",
			(int)(g_get_monotonic_time() - begin));
		return true;
	}
	if (!compile(profile, capabilities, ret_filter, err))
		return false;
	if (dir_fd >= 0)
		write_entry(dir_fd, name, ret_filter);
	log_debug("seccomp filter of %zu instructions compiled in %d µs", ret_filter->n,
		(int)(g_get_monotonic_time() - begin));
	return true;
}
