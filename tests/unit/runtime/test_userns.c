/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers in user namespaces: what they see, what is on the disk. */
#include "base/options.h"
#include "fixture.h"
#include "runtime/rootfs.h"
#include "runtime/userns.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

enum { FIRST = 300000, COUNT = 65536 };

static void check(Fixture *fixture, const char *script, const char *expected) {
	int status;

	fixture_set_script(fixture, script);
	g_autofree char *text = fixture_run(fixture, &status);
	g_assert_cmpstr(text, ==, expected);
	g_assert_cmpint(status, ==, 0);
}

static Fixture *fixture_mapped(void) {
	Fixture *fixture = fixture_new();

	if (!fixture)
		return NULL;
	RuntimeConfig *config = fixture->config;
	config->new_namespaces |= CLONE_NEWUSER;
	config->rootfs.fresh_upper = true;
	id_map_append(&config->uid_map, 0, FIRST, COUNT);
	id_map_append(&config->gid_map, 0, FIRST, COUNT);
	return fixture;
}

static void check_owner(const char *dir, const char *name, uid_t owner) {
	g_autofree char *path = g_build_filename(dir, name, NULL);
	struct stat info;

	g_assert_cmpint(lstat(path, &info), ==, 0);
	g_assert_cmpuint(info.st_uid, ==, owner);
	g_assert_cmpuint(info.st_gid, ==, owner);
}

static void test_owners(void) {
	g_autoptr(Fixture) fixture = fixture_mapped();

	if (!fixture)
		return;
	check(fixture,
		"cat /proc/self/uid_map; id -u; id -G; stat -c %u:%g / /bin/busybox /etc /tmp; "
		"echo x >/made; echo y >>/etc/plain; mkdir /dir; ls -A /proc/self/fd | wc -l",
		"         0     300000      65536\n0\n0\n0:0\n0:0\n0:0\n0:0\n4\n");
	check_owner(fixture->config->rootfs.upper_dir, "", FIRST);
	check_owner(fixture->config->rootfs.upper_dir, "made", FIRST);
	check_owner(fixture->config->rootfs.upper_dir, "etc/plain", FIRST);
	check_owner(fixture->config->rootfs.upper_dir, "dir", FIRST);
	check_owner(fixture->lower, "etc/plain", 0);
	check_owner(fixture->lower, "bin/busybox", 0);
	/* again, and as a user */
	fixture->config->rootfs.fresh_upper = false;
	g_free(fixture->config->user);
	fixture->config->user = g_strdup("user");
	check(fixture,
		"id -u; id -G; cat /made; echo z >/dev/stderr; touch /tmp/x 2>/dev/null || echo "
		"no; "
		"echo mine >/dev/shm/mine; stat -c %u /dev/shm/mine",
		"1000\n1000 2000\nx\nno\n1000\nz\n");
}

static void test_devices(void) {
	g_autoptr(Fixture) fixture = fixture_mapped();

	if (!fixture)
		return;
	check(fixture,
		"ls /dev; echo x >/dev/null; dd if=/dev/zero bs=1 count=1 2>/dev/null | wc -c; "
		"mknod /tmp/n c 1 3 2>/dev/null || echo no node; stat -c %u:%g:%a /dev/null; "
		"mount | grep -c devpts; mount | grep -c mqueue",
		"core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\n"
		"urandom\nzero\n1\nno node\n0:0:666\n1\n1\n");
}

static void test_ownership(void) {
	g_autoptr(Fixture) fixture = fixture_mapped();
	RuntimeChild child = RUNTIME_CHILD_NONE;
	static const char *const all[] = {"user", "pid", "net", "ipc", "uts", "mnt", "cgroup"};

	if (!fixture)
		return;
	fixture_set_script(fixture, "exec sleep 1000");
	fixture_start(fixture, &child);
	array_foreach (name, all)
		g_assert_cmpuint(fixture_namespace(child.process.pid, *name), !=,
			fixture_namespace(getpid(), *name));
	const char *argv[] = {"sh", "-c",
		"cat /proc/self/uid_map; id -u; ip link set lo down && hostname other && hostname; "
		"ulimit -n",
		NULL};
	const RuntimeExec exec = {.target = child.process,
		.argv = (char **)argv,
		.env = fixture->config->env,
		.user = "",
		.capabilities = runtime_capabilities_all(),
		.seccomp = SECCOMP_UNCONFINED,
		.umask = 022};
	int status;
	g_autofree char *text = fixture_exec(&exec, &status);
	g_autofree char *expected = g_strdup_printf(
		"         0     300000      65536\n0\nother\n%ld\n", sysconf(_SC_OPEN_MAX));
	g_assert_cmpstr(text, ==, expected);
	fixture_stop(&child);
}

/* A process of the host, and one of another user namespace, as what is joined. */
static void test_join(void) {
	g_autoptr(Fixture) fixture = fixture_mapped();
	RuntimeChild child = RUNTIME_CHILD_NONE;

	if (!fixture)
		return;
	fixture_set_script(fixture, "echo shared >/dev/shm/file; exec sleep 1000");
	fixture_start(fixture, &child);
	RuntimeConfig *config = fixture->config;
	config->new_namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP;
	id_map_clear(&config->uid_map);
	id_map_clear(&config->gid_map);
	const RuntimeJoin join = {
		.namespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
		.process = child.process};
	runtime_config_add_join(config, &join);
	g_free(config->rootfs.upper_dir);
	g_free(config->rootfs.work_dir);
	config->rootfs.upper_dir = g_build_filename(fixture->dir, "upper2", NULL);
	config->rootfs.work_dir = g_build_filename(fixture->dir, "work2", NULL);
	g_mkdir_with_parents(config->rootfs.upper_dir, 0755);
	g_mkdir_with_parents(config->rootfs.work_dir, 0755);
	for (int i = 0; i < 1000; i++) {
		g_autofree char *path =
			g_strdup_printf("/proc/%d/root/dev/shm/file", child.process.pid);
		if (g_file_test(path, G_FILE_TEST_EXISTS))
			break;
		g_usleep(1000);
	}
	check(fixture, "cat /proc/self/uid_map /dev/shm/file; id -u; echo $$; echo x >/made",
		"         0     300000      65536\nshared\n0\n1\n");
	check_owner(config->rootfs.upper_dir, "made", FIRST);
	/* the process number too */
	config->new_namespaces &= ~CLONE_NEWPID;
	runtime_config_add_join(
		config, &(RuntimeJoin){.namespaces = CLONE_NEWPID, .process = child.process});
	check(fixture, "cat /proc/1/comm; test $$ -gt 1 && echo other", "sleep\nother\n");
	fixture_stop(&child);
	g_autoptr(GError) error = fixture_run_failing(fixture);
	g_assert_nonnull(strstr(error->message, "has ended"));
}

static void test_paths(void) {
	g_autoptr(Fixture) fixture = fixture_new();

	if (!fixture)
		return;
	RuntimeConfig *config = fixture->config;
	config->new_namespaces &= ~CLONE_NEWUTS;
	static const struct {
		const char *path, *message;
	} bad[] = {
		{"/etc/passwd", "no UTS namespace"},
		{"/proc/self/ns/net", "no UTS namespace"},
		{"/nonexistent", "No such file"},
		{"/dev/zero", "no UTS namespace"},
	};
	runtime_config_add_join(
		config, &(RuntimeJoin){.namespaces = CLONE_NEWUTS, .path = (char *)"x"});
	array_foreach (row, bad) {
		g_free(config->joins[0].path);
		config->joins[0].path = g_strdup(row->path);
		g_autoptr(GError) error = fixture_run_failing(fixture);
		g_assert_nonnull(strstr(error->message, row->message));
	}
	/* the host's by its path is the host's: nothing of it may be set */
	g_free(config->joins[0].path);
	config->joins[0].path = g_strdup("/proc/self/ns/uts");
	config->sysctls = g_strsplit("kernel.domainname=evil", "|", -1);
	g_autoptr(GError) error = fixture_run_failing(fixture);
	g_assert_nonnull(strstr(error->message, "kernel.domainname"));
}

static void test_host_views(void) {
	g_autoptr(Fixture) fixture = fixture_mapped();

	if (!fixture)
		return;
	fixture->config->new_namespaces &= ~(CLONE_NEWPID | CLONE_NEWNET);
	g_autofree char *expected = g_strdup_printf("%d\nmounted\n", getpid());
	check(fixture,
		"cat /proc/self/stat | cut -d ' ' -f 4 >/dev/null; cut -d ' ' -f 4 /proc/$$/stat; "
		"test -d /sys/class/net && echo mounted",
		expected);
}

/* As for kernels that want layers to be attached; two of them. */
static void test_attached(void) {
	g_autoptr(Fixture) fixture = fixture_mapped();
	g_autoptr(GError) error = NULL;
	IdMap uids = {0}, gids = {0};

	if (!fixture)
		return;
	RuntimeRootfs *rootfs = &fixture->config->rootfs;
	g_autofree char *second = g_build_filename(fixture->dir, "second", NULL);
	g_autofree char *file = g_build_filename(second, "file", NULL);
	g_mkdir_with_parents(second, 0755);
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	options_append(&rootfs->lower_dirs, second);
	id_map_append(&uids, 0, FIRST, COUNT);
	id_map_append(&gids, 0, FIRST, COUNT);
	_cleanup_close_ int user_fd = userns_make(&uids, &gids, &error);
	g_assert_no_error(error);
	const RootfsIds ids = {user_fd, &uids, &gids, true};
	_cleanup_close_ int fd = rootfs_prepare(rootfs, &ids, &error);
	g_assert_no_error(error);
	static const char *const names[] = {"", "file", "etc/plain", "bin/busybox"};
	array_foreach (name, names) {
		struct stat info;
		g_assert_cmpint(
			fstatat(fd, *name, &info, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW), ==, 0);
		g_assert_cmpuint(info.st_uid, ==, FIRST);
	}
	g_assert_cmpint(mkdirat(fd, "made", 0755), ==, 0);
	check_owner(fixture->lower, "etc/plain", 0);
	id_map_clear(&uids);
	id_map_clear(&gids);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/userns/files_have_the_mapped_owner_outside", test_owners);
	g_test_add_func("/runtime/userns/devices_without_the_right_to_make_them", test_devices);
	g_test_add_func("/runtime/userns/other_namespaces_belong_to_it", test_ownership);
	g_test_add_func("/runtime/userns/another_container_joins", test_join);
	g_test_add_func("/runtime/userns/a_file_that_is_no_namespace_is_refused", test_paths);
	g_test_add_func("/runtime/userns/layers_that_must_be_attached", test_attached);
	g_test_add_func("/runtime/userns/the_hosts_processes_and_network", test_host_views);
	return g_test_run();
}
