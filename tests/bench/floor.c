/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor under the figures: what the kernel alone takes for the same work, without a decision, a
 * file or a message.
 *
 * floor container LOWER   a container of LOWER below an overlay: clone3 with new NET, IPC, UTS,
 * MNT, PID and CGROUP namespaces, overlay, proc, pivot_root, exec of /bin/true floor infra clone3
 * with the same namespaces, nothing else floor files IN OUT      read every file of IN, write as
 * many to OUT, and a symlink for each
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void need(int result, const char *what) {
	if (result < 0) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(1);
	}
}

static pid_t clone_with_namespaces(void) {
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

static void enter_root(const char *lower, const char *work) {
	char options[4096];
	char root[1024];
	snprintf(root, sizeof root, "%s/root", work);
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower,
		work, work);
	need(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	need(mount("overlay", root, "overlay", 0, options), "overlay");
	need(chdir(root), "chdir");
	need(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
	need((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	need(umount2(".", MNT_DETACH), "umount");
	need(chdir("/"), "chdir");
}

static int container(const char *lower) {
	char work[] = "/tmp/floor.XXXXXX";
	static const char *const parts[] = {"upper", "work", "root"};
	char path[64];
	if (!mkdtemp(work))
		return 1;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", work, parts[i]);
		need(mkdir(path, 0755), path);
	}
	pid_t child = clone_with_namespaces();
	need(child, "clone3");
	if (child == 0) {
		enter_root(lower, work);
		char *argv[] = {"true", NULL};
		char *env[] = {"PATH=/bin", NULL};
		execve("/bin/true", argv, env);
		_exit(127);
	}
	int status = 0;
	waitpid(child, &status, 0);
	snprintf(path, sizeof path, "%s/work/work", work);
	rmdir(path);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", work, parts[i]);
		rmdir(path);
	}
	rmdir(work);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int infra(void) {
	pid_t child = clone_with_namespaces();
	need(child, "clone3");
	if (child == 0)
		_exit(0);
	int status = 0;
	waitpid(child, &status, 0);
	return 0;
}

static int one_file(int in, int out, const char *name) {
	char text[65536];
	int from = openat(in, name, O_RDONLY | O_CLOEXEC);
	ssize_t size = from < 0 ? -1 : read(from, text, sizeof text);
	if (size < 0)
		return -1;
	close(from);
	int to = openat(out, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (to < 0 || write(to, text, (size_t)size) != size)
		return -1;
	close(to);
	char link_name[300];
	snprintf(link_name, sizeof link_name, "wants/%s", name);
	return symlinkat(name, out, link_name);
}

static int files(const char *in_path, const char *out_path) {
	DIR *dir = opendir(in_path);
	int out = open(out_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!dir || out < 0 || mkdirat(out, "wants", 0755) < 0)
		return 1;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			need(one_file(dirfd(dir), out, entry->d_name), entry->d_name);
	closedir(dir);
	close(out);
	return 0;
}

int main(int argc, char **argv) {
	if (argc == 3 && strcmp(argv[1], "container") == 0)
		return container(argv[2]);
	if (argc == 2 && strcmp(argv[1], "infra") == 0)
		return infra();
	if (argc == 4 && strcmp(argv[1], "files") == 0)
		return files(argv[2], argv[3]);
	fprintf(stderr, "usage: floor container LOWER | infra | files IN OUT\n");
	return 2;
}
