/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers that really start: what they see, what the host sees. */
#include "fixture.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs script and compares what it prints. */
static void check(Fixture *fixture, const char *script, const char *expected) {
	int status;

	fixture_set_script(fixture, script);
	g_autofree char *text = fixture_run(fixture, &status);
	g_assert_cmpstr(text, ==, expected);
	g_assert_cmpint(status, ==, 0);
}

static void test_exit_code(void) {
	g_autoptr(Fixture) fixture = fixture_new();
	int status;

	if (!fixture)
		return;
	fixture_set_script(fixture, "echo out; echo err >&2; exit 7");
	g_autofree char *text = fixture_run(fixture, &status);
	g_assert_cmpstr(text, ==, "out\nerr\n");
	g_assert_cmpint(status, ==, 7);
	/* A volatile upper layer can be mounted again. */
	fixture_set_script(fixture, "kill -9 $$ & echo $$; exit 3");
	g_autofree char *again = fixture_run(fixture, &status);
	g_assert_cmpstr(again, ==, "1\n");
	g_assert_cmpint(status, ==, 3);
}

static void test_identity(void) {
	g_autoptr(Fixture) fixture = fixture_new();

	if (!fixture)
		return;
	check(fixture,
		"hostname; id -u; id -G; pwd; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; "
		"ls /proc/self/fd | wc -l; cat /proc/self/oom_score_adj | wc -l; echo $HOME",
		"inside\n0\n0\n/\n"
		"CapInh:\t0000000000000000\nCapPrm:\t00000000800405fb\n"
		"CapEff:\t00000000800405fb\nCapBnd:\t00000000800405fb\n"
		"CapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n4\n1\n/root\n");
	fixture->config->no_new_privs = true;
	g_free(fixture->config->user);
	fixture->config->user = g_strdup("user");
	g_free(fixture->config->cwd);
	fixture->config->cwd = g_strdup("/made/here");
	fixture->config->make_cwd = true;
	check(fixture,
		"id -u; id -g; id -G; pwd; stat -c %u:%g /made/here; "
		"grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; echo $HOME; echo x "
		">/dev/stdout",
		"1000\n1000\n1000 2000\n/made/here\n1000:1000\n"
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
		"CapEff:\t0000000000000000\nCapBnd:\t00000000800405fb\n"
		"CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n/home\nx\n");
	fixture->config->ambient_capabilities =
		UINT64_C(1) << runtime_capability_from_string("NET_BIND_SERVICE");
	check(fixture, "grep -E '^Cap(Amb|Eff|Inh)' /proc/self/status",
		"CapInh:\t0000000000000400\nCapEff:\t0000000000000400\n"
		"CapAmb:\t0000000000000400\n");
}

static void test_mounts(void) {
	g_autoptr(Fixture) fixture = fixture_new();

	if (!fixture)
		return;
	g_autofree char *volume = g_build_filename(fixture->dir, "volume", NULL);
	g_autofree char *file = g_build_filename(volume, "file", NULL);
	g_mkdir_with_parents(volume, 0755);
	g_assert_true(g_file_set_contents(file, "content\n", -1, NULL));
	RuntimeMount *bind = runtime_mount_new(MOUNT_BIND, volume, "/data/deep");
	bind->read_only = true;
	runtime_config_add_mount(fixture->config, bind);
	runtime_config_add_mount(
		fixture->config, runtime_mount_new(MOUNT_BIND, file, "/etc/hosts"));
	RuntimeMount *tmpfs = runtime_mount_new(MOUNT_TMPFS, NULL, "/etc/filled");
	tmpfs->mode = 0700;
	runtime_config_add_mount(fixture->config, tmpfs);
	RuntimeMount *copied = runtime_mount_new(MOUNT_TMPFS, NULL, "/bin");
	copied->copy_up = true;
	runtime_config_add_mount(fixture->config, copied);
	check(fixture,
		"cat /data/deep/file /etc/hosts; touch /data/deep/x 2>/dev/null || echo ro; "
		"stat -c %a /etc/filled; ls -l /bin/cat | sed 's/.*bin/bin/'; "
		"grep -c ' / / ' /proc/self/mountinfo; stat -f -c %T /bin; "
		"grep ' /data/deep ' /proc/self/mountinfo | sed 's/.*deep //; s/ .*//'",
		"content\ncontent\nro\n700\nbin/cat -> "
		"busybox\n1\ntmpfs\nro,nosuid,nodev,relatime\n");
}

static void test_masks(void) {
	g_autoptr(Fixture) fixture = fixture_new();

	if (!fixture)
		return;
	check(fixture,
		"cat /proc/keys /proc/interrupts; ls -A /sys/firmware /sys/module | "
		"grep -v :;"
		"for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/x; do "
		"(echo x >$f) 2>/dev/null && echo written $f; done; "
		"stat -c %F /proc/keys; ls /dev; stat -c '%n %t:%T %a' /dev/null /dev/tty; "
		"grep -c devpts /proc/mounts; df /dev/shm >/dev/null 2>&1; "
		"touch /dev/shm/x /dev/x /tmp/x && echo ok",
		"\ncharacter special "
		"file\ncore\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\n"
		"stdin\nstdout\ntty\nurandom\nzero\n/dev/null 1:3 666\n/dev/tty 5:0 666\n1\nok\n");
	fixture->config->rootfs.read_only = true;
	check(fixture, "touch /x 2>/dev/null || echo ro; touch /dev/shm/x && echo ok", "ro\nok\n");
}

static void test_root_links(void) {
	g_autoptr(Fixture) fixture = fixture_new();

	if (!fixture)
		return;
	/* /dev as a link: refused, and nothing appears behind it. */
	g_autofree char *dev = g_build_filename(fixture->lower, "dev", NULL);
	g_assert_cmpint(rmdir(dev), ==, 0);
	g_assert_cmpint(symlink("/tmp", dev), ==, 0);
	fixture_set_script(fixture, "true");
	g_autoptr(GError) error = fixture_run_failing(fixture);
	g_assert_cmpstr(error->message, ==, "\"/dev\" is a symbolic link in the image");
	g_assert_cmpint(unlink(dev), ==, 0);
	g_assert_cmpint(mkdir(dev, 0755), ==, 0);

	/* A dangling link is followed inside the root and made there. */
	g_autofree char *link = g_build_filename(fixture->lower, "etc/resolv.conf", NULL);
	g_autofree char *target = g_build_filename(fixture->dir, "made-by-link", NULL);
	g_assert_cmpint(symlink("../../../../run/systemd/stub.conf", link), ==, 0);
	runtime_config_add_mount(
		fixture->config, runtime_mount_new(MOUNT_BIND, "/etc/passwd", "/etc/resolv.conf"));
	runtime_config_add_mount(
		fixture->config, runtime_mount_new(MOUNT_BIND, "/etc/passwd", target));
	check(fixture, "test -s /run/systemd/stub.conf && test -s /etc/resolv.conf && echo ok",
		"ok\n");
	g_assert_false(g_file_test(target, G_FILE_TEST_EXISTS));

	/* CVE-2024-21626: no descriptor of ours as working directory. */
	for (int fd = 0; fd < 20; fd++) {
		g_free(fixture->config->cwd);
		fixture->config->cwd = g_strdup_printf("/proc/self/fd/%d", fd);
		g_autoptr(GError) refused = fixture_run_failing(fixture);
		g_assert_nonnull(strstr(refused->message, "/proc/self/fd/"));
	}
}

/* More layers than fit into one value of fsconfig. */
static void test_many_layers(void) {
	g_autoptr(Fixture) fixture = fixture_new();
	const size_t n = 120;

	if (!fixture)
		return;
	char **layers = g_new0(char *, n + 1);
	layers[0] = g_strdup(fixture->lower);
	for (size_t i = 1; i < n; i++) {
		g_autofree char *name = g_strdup_printf("layer:%zu,\\", i);
		layers[i] = g_build_filename(fixture->dir, name, NULL);
		g_mkdir_with_parents(layers[i], 0755);
		g_autofree char *file = g_build_filename(layers[i], "which", NULL);
		g_assert_true(g_file_set_contents(file, name, -1, NULL));
	}
	g_strfreev(fixture->config->rootfs.lower_dirs);
	fixture->config->rootfs.lower_dirs = layers;
	check(fixture, "cat /which; pwd", "layer:119,\\/\n");
}

static void test_directory_root(void) {
	g_autoptr(Fixture) fixture = fixture_new();

	if (!fixture)
		return;
	g_autofree char *socket_dir = g_build_filename(fixture->dir, "notify", NULL);
	g_autofree char *made = g_build_filename(fixture->lower, "made", NULL);
	g_mkdir_with_parents(socket_dir, 0755);
	fixture->config->notify_socket_dir = g_strdup(socket_dir);
	fixture->config->rootfs.kind = ROOTFS_DIRECTORY;
	fixture->config->rootfs.path = g_strdup(fixture->lower);
	check(fixture, "touch /made; echo $NOTIFY_SOCKET; touch /run/notify/x 2>&1 || true",
		"/run/notify/notify\ntouch: /run/notify/x: Read-only file system\n");
	g_assert_true(g_file_test(made, G_FILE_TEST_EXISTS));
}

static void test_refused_destination(void) {
	static const char *const bad[] = {"/proc", "/proc/self", "/proc/sys/kernel", "/", "/a/.."};

	array_foreach (path, bad) {
		g_autoptr(Fixture) fixture = fixture_new();

		if (!fixture)
			return;
		fixture_set_script(fixture, "true");
		runtime_config_add_mount(
			fixture->config, runtime_mount_new(MOUNT_TMPFS, NULL, *path));
		g_autoptr(GError) error = fixture_run_failing(fixture);
		g_assert_true(error_is(error, ERROR_INVALID));
	}
}

static void test_command_errors(void) {
	static const struct {
		const char *command;
		ErrorCode code;
		const char *message;
	} cases[] = {
		{"nope", ERROR_COMMAND_NOT_FOUND, "executable file \"nope\" not found in $PATH"},
		{"/nope", ERROR_COMMAND_NOT_FOUND,
			"executable file \"/nope\" not found: No such file or directory"},
		{"/etc/plain", ERROR_COMMAND_NOT_EXECUTABLE,
			"cannot run \"/etc/plain\": Permission denied"},
		{"/etc", ERROR_COMMAND_NOT_EXECUTABLE, "cannot run \"/etc\": Is a directory"},
	};
	g_autoptr(Fixture) fixture = fixture_new();

	for (size_t i = 0; fixture && i < ARRAY_LENGTH(cases); i++) {
		g_strfreev(fixture->config->argv);
		fixture->config->argv = g_strsplit(cases[i].command, " ", -1);
		g_autoptr(GError) error = fixture_run_failing(fixture);
		g_assert_cmpstr(error->message, ==, cases[i].message);
		g_assert_true(error_is(error, cases[i].code));
	}
}

static void test_barrier(void) {
	g_autoptr(Fixture) fixture = fixture_new();
	g_autoptr(GError) error = NULL;
	RuntimeChild child = RUNTIME_CHILD_NONE;

	if (!fixture)
		return;
	fixture_set_script(fixture, "echo never");
	runtime_create(fixture->config, &child, &error);
	g_assert_no_error(error);
	g_assert_true(proc_is_alive(child.process));
	/* At the barrier it holds its standard descriptors, the channel, root, procfs, two pipes.
	 */
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", child.process.pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	int n = 0;
	while (g_dir_read_name(dir))
		n++;
	g_assert_cmpint(n, <=, 10);
	pid_t pid = child.process.pid;
	runtime_child_clear(&child);
	g_assert_cmpint(kill(pid, 0), ==, -1);
}

static void test_terminal(void) {
	g_autoptr(Fixture) fixture = fixture_new();
	g_autoptr(GString) text = g_string_new(NULL);
	RuntimeChild child = RUNTIME_CHILD_NONE;
	char bytes[512];
	ssize_t n;

	if (!fixture)
		return;
	fixture->config->terminal = true;
	fixture_set_script(
		fixture, "tty; readlink /proc/self/fd/2; echo x >/dev/console; ls /dev/pts");
	fixture_start(fixture, &child);
	g_assert_cmpint(child.console_fd, >=, 0);
	g_assert_cmpint(child.stdout_fd, ==, -1);
	while ((n = read(child.console_fd, bytes, sizeof(bytes))) > 0)
		g_string_append_len(text, bytes, n);
	g_assert_cmpstr(text->str, ==, "/dev/pts/0\r\n/dev/pts/0\r\nx\r\n0     ptmx\r\n");
	g_assert_cmpint(waitpid(child.process.pid, NULL, 0), ==, child.process.pid);
	runtime_child_clear(&child);
}

static void test_pod(void) {
	static const char *const shared[] = {"net", "ipc", "uts"}, *const own[] = {"mnt", "pid"};
	const char *pause = g_getenv("PODCTL_PAUSE");
	g_autoptr(Fixture) fixture = fixture_new();
	g_autoptr(GError) error = NULL;
	char *sysctls[] = {(char *)"net.ipv4.ip_forward=1", NULL};
	RuntimeChild made = RUNTIME_CHILD_NONE;

	if (!fixture || !pause)
		return;
	const RuntimeInfra description = {.pause_path = pause,
		.namespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
		.hostname = "pod",
		.shm_size_bytes = 1 << 20,
		.sysctls = sysctls,
		.title = "test"};
	/* at the barrier it goes with whoever made it */
	runtime_create_infra(&description, &made, &error);
	g_assert_no_error(error);
	ProcId infra = made.process;
	g_assert_true(proc_is_alive(infra));
	runtime_child_clear(&made);
	g_assert_false(proc_is_alive(infra));
	runtime_create_infra(&description, &made, &error);
	g_assert_no_error(error);
	infra = made.process;
	runtime_start(&made, &error);
	g_assert_no_error(error);
	runtime_child_clear(&made);
	fixture->config->new_namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP;
	runtime_config_add_join(fixture->config,
		&(RuntimeJoin){.namespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
			.process = infra,
			.infra = true});
	fixture_set_script(fixture, "echo shared >/dev/shm/file; exec sleep 1000");
	RuntimeChild child = RUNTIME_CHILD_NONE;
	fixture_start(fixture, &child);
	array_foreach (name, shared)
		g_assert_cmpuint(fixture_namespace(child.process.pid, *name), ==,
			fixture_namespace(infra.pid, *name));
	array_foreach (name, own)
		g_assert_cmpuint(fixture_namespace(child.process.pid, *name), !=,
			fixture_namespace(infra.pid, *name));

	/* A sibling sees the same /dev/shm, not the other's root. */
	g_free(fixture->config->rootfs.upper_dir);
	g_free(fixture->config->rootfs.work_dir);
	fixture->config->rootfs.upper_dir = g_build_filename(fixture->dir, "upper2", NULL);
	fixture->config->rootfs.work_dir = g_build_filename(fixture->dir, "work2", NULL);
	g_mkdir_with_parents(fixture->config->rootfs.upper_dir, 0755);
	g_mkdir_with_parents(fixture->config->rootfs.work_dir, 0755);
	while (fixture_namespace(child.process.pid, "net") && !error) {
		g_autofree char *path =
			g_strdup_printf("/proc/%d/root/dev/shm/file", child.process.pid);
		if (g_file_test(path, G_FILE_TEST_EXISTS))
			break;
		g_usleep(1000);
	}
	check(fixture,
		"cat /dev/shm/file; hostname; cat /proc/sys/net/ipv4/ip_forward; "
		"ip link show lo | grep -c LOWER_UP; echo $$",
		"shared\npod\n1\n1\n1\n");

	/* --share pid: the pause process is number 1 for the member too. */
	fixture->config->new_namespaces &= ~CLONE_NEWPID;
	runtime_config_add_join(fixture->config,
		&(RuntimeJoin){.namespaces = CLONE_NEWPID, .process = infra, .infra = true});
	check(fixture, "cat /proc/1/comm; test $$ -gt 1 && echo other", "podctl-pause\nother\n");
	g_assert_cmpuint(fixture_namespace(getpid(), "pid_for_children"), ==,
		fixture_namespace(getpid(), "pid"));
	fixture_stop(&child);
	kill(infra.pid, SIGKILL);
	waitpid(infra.pid, NULL, 0);
}

static void test_exec(void) {
	g_autoptr(Fixture) fixture = fixture_new();
	RuntimeChild child = RUNTIME_CHILD_NONE;
	const char *argv[] = {"sh", "-c",
		"hostname; id -G; pwd; cat /proc/1/comm; "
		"grep -E '^(CapEff|CapBnd|Seccomp:|NoNew)' /proc/self/status; ls /proc/self/fd | "
		"wc -l; "
		"ulimit -n; exit 9",
		NULL};
	const char *env[] = {"PATH=/bin", NULL};
	int status;

	if (!fixture)
		return;
	RuntimeRlimit limit = {RLIMIT_NOFILE, 123, 456};
	fixture->config->rlimits = g_memdup2(&limit, sizeof(limit));
	fixture->config->n_rlimits = 1;
	fixture_set_script(fixture, "exec sleep 1000");
	fixture_start(fixture, &child);
	RuntimeExec exec = {.target = child.process,
		.argv = (char **)argv,
		.env = (char **)env,
		.cwd = "/tmp",
		.user = "user",
		.capabilities = runtime_capabilities_default(),
		.no_new_privs = true,
		.seccomp = SECCOMP_PROFILE,
		.seccomp_profile = fixture->config->seccomp_profile,
		.seccomp_cache_dir = fixture->config->seccomp_cache_dir,
		.umask = 022};
	g_autofree char *text = fixture_exec(&exec, &status);
	g_assert_cmpstr(text, ==,
		"inside\n1000 2000\n/tmp\nsleep\nCapEff:\t0000000000000000\n"
		"CapBnd:\t00000000800405fb\nNoNewPrivs:\t1\nSeccomp:\t2\n4\n123\n");
	g_assert_cmpint(status, ==, 9);

	/* An error comes back as an error, and nothing is left to reap. */
	g_autoptr(GError) error = NULL;
	RuntimeChild failed = RUNTIME_CHILD_NONE;
	argv[0] = "nope";
	exec.stdin_fd = exec.stdout_fd = exec.stderr_fd = -1;
	g_assert_false(runtime_exec(&exec, &failed, &error));
	g_assert_true(error_is(error, ERROR_COMMAND_NOT_FOUND));
	fixture_stop(&child);
	g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
	g_clear_error(&error);
	g_assert_false(runtime_exec(&exec, &failed, &error));
	g_assert_true(error_is(error, ERROR_STATE));
}

static void test_cgroup(void) {
	g_autoptr(Fixture) fixture = fixture_new();
	g_autoptr(GError) error = NULL;
	RuntimeChild child = RUNTIME_CHILD_NONE;
	CgroupPlan plan = {0};

	if (!fixture)
		return;
	runtime_cgroup_plan(&(CgroupRequest){.id = "podctl-test-cgroup"}, &plan, &error);
	g_assert_no_error(error);
	if (plan.mode != CGROUP_DIRECT) {
		g_test_skip("no writable cgroup2");
		return;
	}
	fixture->config->cgroup = g_strdup(plan.payload);
	fixture_set_script(fixture, "sleep 1000 & grep ^0 /proc/self/cgroup; exec sleep 1000");
	fixture_start(fixture, &child);
	char line[64] = "";
	g_assert_cmpint(read(child.stdout_fd, line, sizeof(line) - 1), >, 0);
	g_assert_cmpstr(line, ==, "0::/\n");
	g_autofree pid_t *pids = runtime_cgroup_pids(plan.payload, &error);
	g_assert_cmpint(pids[0], >, 0);
	g_assert_cmpint(pids[1], >, 0);
	/* grep may still be on its way out. */
	g_assert_true(pids[2] == -1 || pids[3] == -1);
	g_assert_true(runtime_cgroup_kill(plan.payload, 5000000, &error) ||
		      error_is(error, ERROR_TIMEOUT));
	waitpid(child.process.pid, NULL, 0);
	runtime_child_clear(&child);
	g_clear_error(&error);
	runtime_cgroup_kill(plan.payload, 5000000, &error);
	g_assert_no_error(error);
	runtime_cgroup_remove(plan.payload, &error);
	g_assert_no_error(error);
	g_assert_false(g_file_test(plan.payload, G_FILE_TEST_EXISTS));
	runtime_cgroup_plan_clear(&plan);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/create/exit-code", test_exit_code);
	g_test_add_func("/runtime/create/identity", test_identity);
	g_test_add_func("/runtime/create/mounts", test_mounts);
	g_test_add_func("/runtime/create/masks-and-devices", test_masks);
	g_test_add_func("/runtime/create/links-in-the-image", test_root_links);
	g_test_add_func("/runtime/create/many-layers", test_many_layers);
	g_test_add_func("/runtime/create/directory-root", test_directory_root);
	g_test_add_func("/runtime/create/refused-destination", test_refused_destination);
	g_test_add_func("/runtime/create/command-errors", test_command_errors);
	g_test_add_func("/runtime/create/dies-with-its-barrier", test_barrier);
	g_test_add_func("/runtime/create/terminal", test_terminal);
	g_test_add_func("/runtime/create/pod", test_pod);
	g_test_add_func("/runtime/exec/as-container", test_exec);
	g_test_add_func("/runtime/cgroup/kill-and-remove", test_cgroup);
	return g_test_run();
}
