/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters: the cache, the dialect, and what our own profile answers, by emulating its program. */
#include "base/cleanup.h"
#include "runtime/runtime.h"
#include "runtime/seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#	define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#	define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

/* Classic BPF as far as libseccomp emits it. */
static uint32_t emulate(const SeccompFilter *filter, const struct seccomp_data *data) {
	uint32_t a = 0;

	for (size_t at = 0; at < filter->n; at++) {
		const struct sock_filter *op = &filter->instructions[at];
		bool hit = false;

		switch (op->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + op->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= op->k;
			continue;
		case BPF_RET | BPF_K:
			return op->k;
		case BPF_JMP | BPF_JA:
			at += op->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			hit = a == op->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			hit = a > op->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			hit = a >= op->k;
			break;
		default:
			g_error("unknown instruction 0x%x", op->code);
		}
		at += hit ? op->jt : op->jf;
	}
	g_error("no return");
}

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
	return emulate(filter, &data);
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

static void test_cache(void) {
	const char *profile = g_getenv("PODCTL_SECCOMP_PROFILE");
	g_autofree char *parent = g_dir_make_tmp("podctl-seccomp-XXXXXX", NULL);
	Cache cache = {.dir = g_build_filename(parent, "cache", NULL)};
	uint64_t base = runtime_capabilities_default();
	g_autofree char *bytes = NULL;
	SeccompFilter first, again;
	struct stat info;
	gsize size;

	load(profile, cache.dir, base, &first);
	find_entry(&cache);
	g_assert_cmpint(stat(cache.dir, &info), ==, 0);
	g_assert_cmpint(info.st_mode & 0777, ==, 0700);
	g_assert_cmpint(stat(cache.path, &info), ==, 0);
	g_assert_cmpint(info.st_mode & 0777, ==, 0600);
	g_assert_true(g_file_get_contents(cache.path, &bytes, &size, NULL));

	/* Whatever happens to an entry, the same filter comes out. */
	for (gsize at = 0; at < size; at += at < 64 ? 1 : 997) {
		bytes[at] ^= 1;
		g_assert_true(g_file_set_contents(cache.path, bytes, (gssize)size, NULL));
		g_assert_cmpint(chmod(cache.path, 0600), ==, 0);
		bytes[at] ^= 1;
		load(profile, cache.dir, base, &again);
		g_assert_cmpuint(again.n, ==, first.n);
		g_assert_cmpint(memcmp(first.instructions, again.instructions,
					first.n * sizeof(struct sock_filter)),
			==, 0);
		seccomp_filter_clear(&again);
	}
	g_assert_cmpint(truncate(cache.path, 32), ==, 0);
	load(profile, cache.dir, base, &again);
	seccomp_filter_clear(&again);
	unlink(cache.path);
	g_assert_cmpint(symlink("/dev/zero", cache.path), ==, 0);
	load(profile, cache.dir, base, &again);
	g_assert_cmpuint(first.n, ==, again.n);
	seccomp_filter_clear(&again);
	seccomp_filter_clear(&first);
	unlink(cache.path);
	rmdir(cache.dir);
	rmdir(parent);
	g_free(cache.dir);
	g_free(cache.path);
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

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/seccomp/default-profile", test_profile);
	g_test_add_func("/runtime/seccomp/cache-survives-damage", test_cache);
	g_test_add_func("/runtime/seccomp/dialect", test_dialect);
	return g_test_run();
}
