/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See fixture.h. */
#include "fixture.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BUSYBOX "/bin/busybox"

static char *read_file(const char *path) {
	g_autoptr(GError) error = NULL;
	char *text = NULL;

	fd_read_file(AT_FDCWD, path, 1 << 24, &text, NULL, &error);
	g_assert_no_error(error);
	return text;
}

static void put_file(const char *dir, const char *name, const char *text) {
	g_autofree char *path = g_build_filename(dir, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void make_lower(const char *lower) {
	static const char *const folders[] = {"bin", "etc", "tmp", "proc", "sys", "dev", "home"};
	static const char *const applets[] = {"sh", "cat", "id", "ls", "sleep", "grep", "stat",
		"mount", "touch", "mkdir", "hostname", "ip", "cut", "env", "pwd", "readlink", "tty",
		"test", "wc", "ln", "rm", "echo", "mknod", "kill", "chmod", "unshare", "dd", "sed"};
	g_autofree char *busybox = g_build_filename(lower, "bin/busybox", NULL);
	g_autofree char *bytes = NULL;
	gsize size;

	g_mkdir_with_parents(lower, 0755);
	array_foreach (folder, folders) {
		g_autofree char *path = g_build_filename(lower, *folder, NULL);
		g_mkdir_with_parents(path, 0755);
	}
	g_assert_true(g_file_get_contents(BUSYBOX, &bytes, &size, NULL));
	g_assert_true(g_file_set_contents(busybox, bytes, (gssize)size, NULL));
	g_assert_cmpint(chmod(busybox, 0755), ==, 0);
	array_foreach (applet, applets) {
		g_autofree char *path = g_build_filename(lower, "bin", *applet, NULL);
		g_assert_cmpint(symlink("busybox", path), ==, 0);
	}
	put_file(lower, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:\n");
	put_file(lower, "etc/group", "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n");
	put_file(lower, "etc/plain", "no program\n");
}

static RuntimeConfig *make_config(Fixture *fixture) {
	RuntimeConfig *config = runtime_config_new();
	const char *profile = g_getenv("PODCTL_SECCOMP_PROFILE");

	config->id = g_strdup("0123456789ab");
	config->new_namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
				 CLONE_NEWUTS | CLONE_NEWCGROUP;
	config->hostname = g_strdup("inside");
	config->rootfs.kind = ROOTFS_OVERLAY;
	config->rootfs.lower_dirs = g_new0(char *, 2);
	config->rootfs.lower_dirs[0] = g_strdup(fixture->lower);
	config->rootfs.upper_dir = g_build_filename(fixture->dir, "upper", NULL);
	config->rootfs.work_dir = g_build_filename(fixture->dir, "work", NULL);
	config->rootfs.volatile_upper = true;
	config->shm_size_bytes = UINT64_C(64) << 20;
	config->masked_paths = g_strdupv((char **)runtime_masked_paths());
	config->read_only_paths = g_strdupv((char **)runtime_read_only_paths());
	config->env = g_strsplit("PATH=/usr/bin:/bin|TERM=dumb", "|", -1);
	config->user = g_strdup("");
	config->capabilities = runtime_capabilities_default();
	config->seccomp = profile ? SECCOMP_PROFILE : SECCOMP_UNCONFINED;
	config->seccomp_profile = g_strdup(profile);
	config->seccomp_cache_dir = g_build_filename(fixture->dir, "cache", NULL);
	g_mkdir_with_parents(config->rootfs.upper_dir, 0755);
	g_mkdir_with_parents(config->rootfs.work_dir, 0755);
	return config;
}

Fixture *fixture_new(void) {
	if (geteuid() != 0 || access(BUSYBOX, X_OK) != 0) {
		g_test_skip("needs root and a static busybox");
		return NULL;
	}
	Fixture *fixture = g_new0(Fixture, 1);
	umask(022);
	fixture->dir = g_dir_make_tmp("podctl-runtime-XXXXXX", NULL);
	g_assert_nonnull(fixture->dir);
	fixture->lower = g_build_filename(fixture->dir, "lower", NULL);
	fixture->mounts = read_file("/proc/self/mountinfo");
	make_lower(fixture->lower);
	fixture->config = make_config(fixture);
	return fixture;
}

void fixture_free(Fixture *fixture) {
	g_autoptr(GError) error = NULL;
	g_autofree char *mounts = NULL;

	if (!fixture)
		return;
	mounts = read_file("/proc/self/mountinfo");
	g_assert_cmpstr(mounts, ==, fixture->mounts);
	fd_remove_tree(AT_FDCWD, fixture->dir, &error);
	g_assert_no_error(error);
	runtime_config_free(fixture->config);
	g_free(fixture->dir);
	g_free(fixture->lower);
	g_free(fixture->mounts);
	g_free(fixture);
}

void fixture_set_script(Fixture *fixture, const char *script) {
	const char *argv[] = {"sh", "-c", script, NULL};

	g_strfreev(fixture->config->argv);
	fixture->config->argv = g_strdupv((char **)argv);
}

static char *read_all(int fd) {
	g_autoptr(GError) error = NULL;
	char *text = NULL;

	fd_read_all(fd, "output", 1 << 24, &text, NULL, &error);
	g_assert_no_error(error);
	return text;
}

static int reap(pid_t pid) {
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void fixture_start(Fixture *fixture, RuntimeChild *child) {
	g_autoptr(GError) error = NULL;

	runtime_create(fixture->config, child, &error);
	g_assert_no_error(error);
	runtime_start(child, &error);
	g_assert_no_error(error);
}

char *fixture_run(Fixture *fixture, int *ret_status) {
	RuntimeChild child = RUNTIME_CHILD_NONE;

	fixture_start(fixture, &child);
	g_autofree char *out = read_all(child.stdout_fd);
	g_autofree char *err = read_all(child.stderr_fd);
	*ret_status = reap(child.process.pid);
	runtime_child_clear(&child);
	return g_strconcat(out, err, NULL);
}

GError *fixture_run_failing(Fixture *fixture) {
	RuntimeChild child = RUNTIME_CHILD_NONE;
	GError *error = NULL;

	if (runtime_create(fixture->config, &child, &error))
		runtime_start(&child, &error);
	g_assert_nonnull(error);
	g_assert_cmpint(child.barrier_fd, ==, -1);
	/* Nothing is left to reap. */
	g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
	return error;
}

void fixture_stop(RuntimeChild *child) {
	kill(child->process.pid, SIGKILL);
	reap(child->process.pid);
	runtime_child_clear(child);
}

char *fixture_exec(const RuntimeExec *exec, int *ret_status) {
	g_autoptr(GError) error = NULL;
	RuntimeChild child = RUNTIME_CHILD_NONE;
	RuntimeExec copy = *exec;
	int ends[2];

	g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
	copy.stdin_fd = -1;
	copy.stdout_fd = copy.stderr_fd = ends[1];
	runtime_exec(&copy, &child, &error);
	g_assert_no_error(error);
	close(ends[1]);
	char *text = read_all(ends[0]);
	close(ends[0]);
	*ret_status = reap(child.process.pid);
	runtime_child_clear(&child);
	return text;
}

unsigned long fixture_namespace(pid_t pid, const char *name) {
	g_autofree char *path = g_strdup_printf("/proc/%d/ns/%s", pid, name);
	struct stat info;

	g_assert_cmpint(stat(path, &info), ==, 0);
	return info.st_ino;
}
