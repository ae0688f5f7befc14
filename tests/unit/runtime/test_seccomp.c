/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters: the cache, the dialect, and what our own profile answers, by emulating its program. */
#include "base/cleanup.h"
#include "base/log.h"
#include "filter_model.h"
#include "runtime/runtime.h"
#include "runtime/seccomp.h"

#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALLOWED       SECCOMP_RET_ALLOW
#define ERRNO(number) (SECCOMP_RET_ERRNO | (number))

static void load(
	const char *profile, const char *cache, uint64_t capabilities, SeccompFilter *filter) {
	g_autoptr(GError) error = NULL;

	seccomp_load(profile, cache, capabilities, filter, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(filter->n, >, 0);
}

typedef struct Case {
	int number;
	uint64_t args[3];
	uint32_t with_default, with_admin;
} Case;

static const uint64_t garbage = UINT64_C(1) << 32;

static const Case cases[] = {
	{SYS_read, {0}, ALLOWED, ALLOWED},
	{SYS_faccessat2, {0}, ALLOWED, ALLOWED},
	{SYS_statx, {0}, ALLOWED, ALLOWED},
	{SYS_rseq, {0}, ALLOWED, ALLOWED},
	{SYS_mount, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_setns, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_unshare, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_pivot_root, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_keyctl, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_bpf, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_perf_event_open, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_io_uring_setup, {0}, ERRNO(EPERM), ALLOWED},
	{SYS_reboot, {0}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_syslog, {0}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_open_by_handle_at, {0}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_userfaultfd, {0}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_process_vm_readv, {0}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_kexec_load, {0}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_chroot, {0}, ALLOWED, ALLOWED},
	{SYS_clone3, {0}, ERRNO(ENOSYS), ALLOWED},
	{SYS_clone, {0x3d0f00}, ALLOWED, ALLOWED},
	{SYS_clone, {CLONE_NEWUSER | 17}, ERRNO(EPERM), ALLOWED},
	{SYS_clone, {CLONE_NEWNS}, ERRNO(EPERM), ALLOWED},
	{SYS_clone, {CLONE_NEWCGROUP | CLONE_NEWNET}, ERRNO(EPERM), ALLOWED},
	{SYS_socket, {AF_INET}, ALLOWED, ALLOWED},
	{SYS_socket, {AF_UNIX}, ALLOWED, ALLOWED},
	{SYS_socket, {AF_PACKET}, ALLOWED, ALLOWED},
	{SYS_socket, {AF_NETLINK, 3, 0}, ALLOWED, ALLOWED},
	{SYS_socket, {AF_NETLINK, 3, 15}, ALLOWED, ALLOWED},
	{SYS_socket, {AF_NETLINK, 3, 9}, ERRNO(EINVAL), ERRNO(EINVAL)},
	{SYS_socket, {AF_NETLINK, 3, garbage | 9}, ERRNO(EINVAL), ERRNO(EINVAL)},
	{SYS_socket, {38}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_socket, {40}, ERRNO(EPERM), ERRNO(EPERM)},
	/* The kernel looks at the lower half of an int argument. */
	{SYS_socket, {garbage | 38}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_socket, {garbage | 40}, ERRNO(EPERM), ERRNO(EPERM)},
	{SYS_socket, {99}, ERRNO(ENOSYS), ERRNO(ENOSYS)},
	{SYS_personality, {0}, ALLOWED, ALLOWED},
	{SYS_personality, {0x40000}, ERRNO(ENOSYS), ERRNO(ENOSYS)},
	{9999, {0}, ERRNO(ENOSYS), ERRNO(ENOSYS)},
};

static uint32_t answer(
	const SeccompFilter *filter, uint32_t arch, int number, const uint64_t *args) {
	struct seccomp_data data = {.nr = number, .arch = arch};

	for (int i = 0; args && i < 3; i++)
		data.args[i] = args[i];
	return filter_run(filter->instructions, filter->n, &data);
}

static void test_profile(void) {
	const char *profile = g_getenv("PODCTL_SECCOMP_PROFILE");
	uint64_t base = runtime_capabilities_default();
	SeccompFilter plain, admin;

	load(profile, NULL, base, &plain);
	load(profile, NULL, base | UINT64_C(1) << 21, &admin);
	array_foreach (row, cases) {
		g_test_message(
			"call %d, first argument %" G_GUINT64_FORMAT, row->number, row->args[0]);
		g_assert_cmphex(
			answer(&plain, NATIVE_ARCH, row->number, row->args), ==, row->with_default);
		g_assert_cmphex(
			answer(&admin, NATIVE_ARCH, row->number, row->args), ==, row->with_admin);
	}
	/* i386 and x32 do not exist: socketcall would get around the rules for socket. */
	g_assert_cmphex(answer(&plain, AUDIT_ARCH_I386, 102, NULL), ==, ERRNO(ENOSYS));
#ifdef __x86_64__
	g_assert_cmphex(answer(&plain, NATIVE_ARCH, 0x40000000, NULL), ==, ERRNO(ENOSYS));
#endif
	seccomp_filter_clear(&plain);
	seccomp_filter_clear(&admin);
}

typedef struct Cache {
	char *dir, *path; /* of the only entry */
} Cache;

static void find_entry(Cache *cache) {
	g_autoptr(GDir) dir = g_dir_open(cache->dir, 0, NULL);
	const char *name = g_dir_read_name(dir);

	g_assert_nonnull(name);
	g_free(cache->path);
	cache->path = g_build_filename(cache->dir, name, NULL);
}

static void same_filter(Cache *cache, const SeccompFilter *first) {
	SeccompFilter again;

	load(g_getenv("PODCTL_SECCOMP_PROFILE"), cache->dir, runtime_capabilities_default(),
		&again);
	g_assert_cmpuint(again.n, ==, first->n);
	g_assert_cmpuint(again.flags, ==, first->flags);
	g_assert_cmpint(memcmp(again.instructions, first->instructions,
				first->n * sizeof(struct sock_filter)),
		==, 0);
	seccomp_filter_clear(&again);
}

static void put(const Cache *cache, const char *bytes, gsize size, mode_t mode) {
	unlink(cache->path);
	g_assert_true(g_file_set_contents(cache->path, bytes, (gssize)size, NULL));
	g_assert_cmpint(chmod(cache->path, mode), ==, 0);
}

/* Whatever happens to an entry, the same filter comes out: no wrong one, and no error. */
static void damage_entry(Cache *cache, const SeccompFilter *first, char *bytes, gsize size) {
	g_autofree char *other = g_strconcat(cache->dir, "/other", NULL);
	g_autofree char *twice = g_malloc(2 * size);

	for (gsize at = 0; at < size; at++) {
		bytes[at] = (char)(bytes[at] ^ 1 << (at & 7));
		put(cache, bytes, size, 0600);
		same_filter(cache, first);
		bytes[at] = (char)(bytes[at] ^ 1 << (at & 7));
	}
	for (gsize length = 0; length < size; length += length < 80 ? 1 : 211) {
		put(cache, bytes, length, 0600);
		same_filter(cache, first);
	}
	memcpy(twice, bytes, size);
	memcpy(twice + size, bytes, size);
	put(cache, twice, 2 * size, 0600);
	same_filter(cache, first);
	unlink(cache->path);
	g_assert_cmpint(symlink("/dev/zero", cache->path), ==, 0);
	same_filter(cache, first);
	unlink(cache->path);
	g_assert_cmpint(mkfifo(cache->path, 0600), ==, 0);
	same_filter(cache, first);
	put(cache, bytes, size, 0600);
	g_assert_cmpint(link(cache->path, other), ==, 0);
	same_filter(cache, first);
	unlink(other);
}

/* A filter that allows everything, with a right digest, is taken from a file of ours alone. */
static void foreign_entry(Cache *cache, const SeccompFilter *first, const char *bytes, gsize size) {
	struct stat info;

	put(cache, bytes, size, 0666);
	same_filter(cache, first);
	g_assert_cmpint(stat(cache->path, &info), ==, 0);
	g_assert_cmpint(info.st_mode & 0777, ==, 0600);
	if (geteuid() == 0) {
		g_assert_cmpint(chown(cache->path, 1, 1), ==, 0);
		same_filter(cache, first);
		g_assert_cmpint(stat(cache->path, &info), ==, 0);
		g_assert_cmpuint(info.st_uid, ==, 0);
	}
	/* In a directory that others write to nothing is believed, and nothing kept. */
	unlink(cache->path);
	g_assert_cmpint(chmod(cache->dir, 0777), ==, 0);
	same_filter(cache, first);
	g_assert_cmpint(access(cache->path, F_OK), !=, 0);
	g_assert_cmpint(chmod(cache->dir, 0700), ==, 0);
}

/* security: A02.7 */
static void test_cache(void) {
	const char *profile = g_getenv("PODCTL_SECCOMP_PROFILE");
	g_autofree char *parent = g_dir_make_tmp("podctl-seccomp-XXXXXX", NULL);
	Cache cache = {.dir = g_build_filename(parent, "cache", NULL)};
	g_autofree char *bytes = NULL;
	SeccompFilter first;
	struct stat info;
	gsize size;

	load(profile, cache.dir, runtime_capabilities_default(), &first);
	find_entry(&cache);
	g_assert_cmpint(stat(cache.dir, &info), ==, 0);
	g_assert_cmpint(info.st_mode & 0777, ==, 0700);
	g_assert_cmpint(stat(cache.path, &info), ==, 0);
	g_assert_cmpint(info.st_mode & 0777, ==, 0600);
	g_assert_true(g_file_get_contents(cache.path, &bytes, &size, NULL));
	damage_entry(&cache, &first, bytes, size);
	foreign_entry(&cache, &first, bytes, size);
	seccomp_filter_clear(&first);
	unlink(cache.path);
	g_assert_cmpint(rmdir(cache.dir), ==, 0);
	rmdir(parent);
	g_free(cache.dir);
	g_free(cache.path);
}

/* No more than 64 entries, and the one in use stays. */
static void test_cache_is_bounded(void) {
	const char *profile = g_getenv("PODCTL_SECCOMP_PROFILE");
	g_autofree char *dir = g_dir_make_tmp("podctl-seccomp-XXXXXX", NULL);
	unsigned n = 0;

	for (uint64_t set = 0; set < 80; set++) {
		SeccompFilter filter;

		load(profile, dir, set, &filter);
		seccomp_filter_clear(&filter);
	}
	g_autoptr(GDir) list = g_dir_open(dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(list)); n++) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		unlink(path);
	}
	g_assert_cmpuint(n, <=, 64);
	g_assert_cmpuint(n, >, 32);
	rmdir(dir);
}

/* What a start with a warm cache spends, the kernel's part included: less than 0.3 ms. */
static void test_warm_start(void) {
	const char *profile = g_getenv("PODCTL_SECCOMP_PROFILE");
	g_autofree char *dir = g_dir_make_tmp("podctl-seccomp-XXXXXX", NULL);
	int *spent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double best = 1000;
	Cache cache = {.dir = dir};
	SeccompFilter filter;

	load(profile, dir, runtime_capabilities_default(), &filter);
	seccomp_filter_clear(&filter);
	for (int round = 0; round < 50; round++) {
		gint64 begin = g_get_monotonic_time();

		load(profile, dir, runtime_capabilities_default(), &filter);
		int loading = (int)(g_get_monotonic_time() - begin);
		pid_t child = fork();
		if (child == 0) {
			struct sock_fprog program = {(unsigned short)filter.n, filter.instructions};

			begin = g_get_monotonic_time();
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
				prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
				*spent = (int)(g_get_monotonic_time() - begin) + 1;
			_exit(0);
		}
		g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
		g_assert_cmpint(*spent, >, 0);
		best = MIN(best, (loading + *spent) / 1000.0);
		*spent = 0;
		seccomp_filter_clear(&filter);
	}
	g_test_minimized_result(best, "warm cache: %.3f ms", best);
#ifndef __SANITIZE_ADDRESS__
	g_assert_cmpfloat(best, <, 0.3);
#endif
	munmap(spent, 4096);
	find_entry(&cache);
	unlink(cache.path);
	g_free(cache.path);
	rmdir(dir);
}

static void test_dialect(void) {
	static const char *const bad[] = {"", "[]", "{}", "{\"defaultAction\": \"SCMP_ACT_X\"}",
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{}]}",
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"/x\"}",
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrno\": \"EWHAT\"}",
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], "
		"\"action\": \"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 6, \"value\": 0, \"op\": "
		"\"SCMP_CMP_EQ\"}]}]}"};
	/* A name in both lists is denied; "name" alone is the old spelling. */
	static const char good[] =
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 22, \"syscalls\": ["
		"{\"names\": [\"read\", \"write\", \"no_such_call\"], \"action\": "
		"\"SCMP_ACT_ALLOW\"},"
		"{\"name\": \"write\", \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 13},"
		"{\"names\": [\"close\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": "
		"{\"minKernel\": "
		"\"99.1\"}}]}";
	g_autofree char *dir = g_dir_make_tmp("podctl-seccomp-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "profile.json", NULL);
	SeccompFilter filter;

	array_foreach (text, bad) {
		g_autoptr(GError) error = NULL;

		g_assert_true(g_file_set_contents(path, *text, -1, NULL));
		g_assert_false(seccomp_load(path, NULL, 0, &filter, &error));
		g_assert_nonnull(strstr(error->message, path));
	}
	g_assert_true(g_file_set_contents(path, good, -1, NULL));
	load(path, NULL, 0, &filter);
	g_assert_cmphex(answer(&filter, NATIVE_ARCH, SYS_read, NULL), ==, ALLOWED);
	g_assert_cmphex(answer(&filter, NATIVE_ARCH, SYS_write, NULL), ==, ERRNO(13));
	g_assert_cmphex(answer(&filter, NATIVE_ARCH, SYS_close, NULL), ==, ERRNO(22));
	seccomp_filter_clear(&filter);
	unlink(path);
	rmdir(dir);
}

/* One that is good, and what makes it bad. */
#define PROFILE(more, group) \
	"{\"defaultAction\": \"SCMP_ACT_ALLOW\"" more ", \"syscalls\": [{" group "}]}"
#define GROUP(more)     "\"names\": [\"read\"], \"action\": \"SCMP_ACT_ERRNO\"" more
#define CONDITION(text) PROFILE("", GROUP(", \"args\": [{" text "}]"))

/* security: A02.1 */
static void test_strict(void) {
	static const char *const bad[] = {
		PROFILE("", ""),
		PROFILE("", "\"names\": [\"read\"]"),
		PROFILE("", "\"names\": \"read\", \"action\": \"SCMP_ACT_ERRNO\""),
		PROFILE("", "\"names\": [3], \"action\": \"SCMP_ACT_ERRNO\""),
		PROFILE("", GROUP(", \"name\": \"write\"")),
		PROFILE("", GROUP(", \"action\": \"SCMP_ACT_ALLOW\"")),
		PROFILE("", GROUP(", \"errnoRet\": \"1\"")),
		PROFILE("", GROUP(", \"errnoRet\": -1")),
		PROFILE("", GROUP(", \"errnoRet\": 4096")),
		PROFILE("", GROUP(", \"errno\": \"ENONE\"")),
		PROFILE("", GROUP(", \"includes\": []")),
		PROFILE("", GROUP(", \"includes\": {\"caps\": \"CAP_CHOWN\"}")),
		PROFILE("", GROUP(", \"excludes\": {\"arches\": [1]}")),
		PROFILE("", GROUP(", \"excludes\": {\"minKernel\": 5}")),
		PROFILE("",
			"\"names\": [\"read\"], \"action\": \"SCMP_ACT_KILL\", \"errnoRet\": 1"),
		PROFILE("", "\"names\": [\"read\"], \"action\": \"SCMP_ACT_NOTIFY\""),
		PROFILE("", "\"names\": [\"read\"], \"action\": \"ALLOW\""),
		PROFILE(", \"defaultErrnoRet\": 1", GROUP("")),
		PROFILE(", \"flags\": [\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]", GROUP("")),
		PROFILE(", \"flags\": \"SECCOMP_FILTER_FLAG_LOG\"", GROUP("")),
		PROFILE(", \"architectures\": [\"amd64\"]", GROUP("")),
		PROFILE(", \"architectures\": [\"SCMP_ARCH_X86\"], \"archMap\": [{}]", GROUP("")),
		PROFILE(", \"archMap\": [{\"subArchitectures\": \"SCMP_ARCH_X86\"}]", GROUP("")),
		CONDITION(""),
		CONDITION("\"index\": 0"),
		CONDITION("\"index\": 6, \"op\": \"SCMP_CMP_EQ\""),
		CONDITION("\"index\": -1, \"op\": \"SCMP_CMP_EQ\""),
		CONDITION("\"index\": \"0\", \"op\": \"SCMP_CMP_EQ\""),
		CONDITION("\"index\": 0, \"op\": \"SCMP_CMP_IN\""),
		CONDITION("\"index\": 0, \"op\": \"SCMP_CMP_EQ\", \"value\": 1.5"),
		CONDITION("\"index\": 0, \"op\": \"SCMP_CMP_EQ\", \"value\": -1"),
		CONDITION("\"index\": 0, \"op\": \"SCMP_CMP_EQ\", \"value\": 18446744073709551616"),
		PROFILE(", \"comment\": [[[[[[[[]]]]]]]]", GROUP("")),
		PROFILE("", GROUP("")) "x",
	};
	g_autofree char *dir = g_dir_make_tmp("podctl-seccomp-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "profile.json", NULL);
	g_autofree char *big = g_strnfill(1 << 20, ' ');
	g_autofree char *too_big = g_strconcat(big, PROFILE("", GROUP("")), NULL);
	SeccompFilter filter;

	for (size_t i = 0; i <= ARRAY_LENGTH(bad); i++) {
		const char *text = i < ARRAY_LENGTH(bad) ? bad[i] : too_big;
		g_autoptr(GError) error = NULL;

		g_assert_true(g_file_set_contents(path, text, -1, NULL));
		g_test_message("%.300s", text);
		g_assert_false(seccomp_load(path, NULL, 0, &filter, &error));
		g_assert_nonnull(strstr(error->message, path));
		g_assert_null(strchr(error->message, '\n'));
	}
	g_assert_true(g_file_set_contents(path, PROFILE("", GROUP(", \"args\": null")), -1, NULL));
	load(path, NULL, 0, &filter);
	seccomp_filter_clear(&filter);
	unlink(path);
	rmdir(dir);
}

static char *told;

static void keep_message(LogLevel level, const char *text) {
	if (level == LOG_LEVEL_WARNING) {
		g_assert_null(told);
		told = g_strdup(text);
	}
}

/* security: A02.3 A02.4 A02.5 A02.8 */
static void test_oddities(void) {
	static const char text[] = "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"flags\": "
				   "[\"SECCOMP_FILTER_FLAG_LOG\", \"SECCOMP_FILTER_FLAG_TSYNC\"],"
				   "\"syscalls\": [{\"names\": [\"setns\", \"read\", \"no_call\", "
				   "\"nor_this\"], \"action\": \"SCMP_ACT_ALLOW\"}, {\"names\": "
				   "[\"setns\"], \"action\": \"SCMP_ACT_ERRNO\", \"errno\": 13}]}";
	g_autofree char *dir = g_dir_make_tmp("podctl-seccomp-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "profile.json", NULL);
	g_autofree char *cache = g_build_filename(dir, "cache", NULL);
	SeccompFilter filter;

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	log_set_sink(keep_message);
	load(path, cache, 0, &filter);
	g_assert_nonnull(strstr(told, "2 names unknown"));
	g_assert_cmphex(answer(&filter, NATIVE_ARCH, SYS_setns, NULL), ==, ERRNO(13));
	g_assert_cmphex(answer(&filter, NATIVE_ARCH, SYS_write, NULL), ==, ERRNO(EPERM));
	g_assert_cmphex(answer(&filter, NATIVE_ARCH, SYS_setns + 1, NULL), ==, ERRNO(ENOSYS));
	g_assert_cmphex(filter.flags, ==, SECCOMP_FILTER_FLAG_LOG);
	seccomp_filter_clear(&filter);
	/* Said once: the second time it comes from the cache, flags included. */
	load(path, cache, 0, &filter);
	g_assert_cmphex(filter.flags, ==, SECCOMP_FILTER_FLAG_LOG);
	seccomp_filter_clear(&filter);
	log_set_sink(NULL);
	g_clear_pointer(&told, g_free);
	Cache entry = {.dir = cache};
	find_entry(&entry);
	unlink(entry.path);
	g_free(entry.path);
	rmdir(cache);
	unlink(path);
	rmdir(dir);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/seccomp/default-profile", test_profile);
	g_test_add_func("/runtime/seccomp/cache-survives-damage", test_cache);
	g_test_add_func("/runtime/seccomp/cache-is-bounded", test_cache_is_bounded);
	g_test_add_func("/runtime/seccomp/warm-start", test_warm_start);
	g_test_add_func("/runtime/seccomp/dialect", test_dialect);
	g_test_add_func("/runtime/seccomp/strict", test_strict);
	g_test_add_func("/runtime/seccomp/oddities", test_oddities);
	return g_test_run();
}
