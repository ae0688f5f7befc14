/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits in a tree of plain files that stands for a cgroup file system, and the device program: in
 * an interpreter, and in a cgroup where there is one. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_limits.h"
#include "runtime/device_filter.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

typedef struct Tree {
	char *mount, *parent, *leaf;
	int leaf_fd;
} Tree;

static void put(const char *directory, const char *file, const char *text) {
	g_autofree char *path = g_build_filename(directory, file, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static char *get(const char *directory, const char *file) {
	g_autofree char *path = g_build_filename(directory, file, NULL);
	char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

static Tree tree_new(void) {
	Tree tree = {.mount = g_dir_make_tmp("podctl-cgroup-XXXXXX", NULL)};

	tree.parent = g_build_filename(tree.mount, "podctl", NULL);
	tree.leaf = g_build_filename(tree.parent, "id", NULL);
	g_assert_cmpint(g_mkdir_with_parents(tree.leaf, 0755), ==, 0);
	put(tree.mount, "cgroup.controllers", "cpu io memory pids\n");
	put(tree.mount, "cgroup.subtree_control", "cpu\n");
	put(tree.parent, "cgroup.controllers", "cpu memory\n");
	put(tree.parent, "cgroup.subtree_control", "\n");
	put(tree.leaf, "cgroup.controllers", "\n");
	put(tree.leaf, "memory.max", "max\n");
	put(tree.leaf, "cpu.max", "max 100000\n");
	tree.leaf_fd = open(tree.leaf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return tree;
}

static void tree_clear(Tree *tree) {
	g_autofree char *name = g_path_get_basename(tree->mount);
	g_autofree char *above = g_path_get_dirname(tree->mount);
	_cleanup_close_ int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	fd_remove_tree(fd, name, NULL);
	close_fd_ptr(&tree->leaf_fd);
	g_free(tree->mount);
	g_free(tree->parent);
	g_free(tree->leaf);
}

#define TREE(tree) __attribute__((cleanup(tree_clear))) Tree tree = tree_new()

static RuntimeLimit limit_of(const char *option, const char *file, const char *value) {
	static char controller[32];

	g_strlcpy(controller, file, sizeof(controller));
	*strchr(controller, '.') = '\0';
	return (RuntimeLimit){.option = (char *)(uintptr_t)option,
		.controller = controller,
		.file = (char *)(uintptr_t)file,
		.value = (char *)(uintptr_t)value};
}

static bool apply(const Tree *tree, RuntimeLimit limit, GError **err) {
	return cgroup_apply_limits(tree->mount, tree->leaf_fd, tree->leaf, &limit, 1, err);
}

static void test_controllers_are_enabled_on_the_way(void) {
	g_autoptr(GError) err = NULL;
	TREE(tree);

	apply(&tree, limit_of("--memory", "memory.max", "1048576"), &err);
	g_assert_no_error(err);
	g_autofree char *value = get(tree.leaf, "memory.max");
	g_autofree char *root = get(tree.mount, "cgroup.subtree_control");
	g_autofree char *parent = get(tree.parent, "cgroup.subtree_control");
	g_assert_true(g_str_has_prefix(value, "1048576"));
	g_assert_true(g_str_has_prefix(root, "+memory"));
	g_assert_true(g_str_has_prefix(parent, "+memory"));
}

static void test_what_is_enabled_is_left_alone(void) {
	g_autoptr(GError) err = NULL;
	TREE(tree);

	put(tree.leaf, "cgroup.controllers", "cpu\n");
	put(tree.parent, "cgroup.controllers", "\n");
	apply(&tree, limit_of("--cpus", "cpu.max", "50000 100000"), &err);
	g_assert_no_error(err);
	g_autofree char *root = get(tree.mount, "cgroup.subtree_control");
	g_assert_cmpstr(root, ==, "cpu\n");
}

static void assert_missing(const Tree *tree, RuntimeLimit limit, const char *where) {
	g_autoptr(GError) err = NULL;

	g_assert_false(apply(tree, limit, &err));
	g_assert_true(error_is(err, ERROR_UNSUPPORTED));
	g_assert_nonnull(strstr(err->message, limit.option));
	g_assert_nonnull(strstr(err->message, limit.controller));
	g_assert_nonnull(strstr(err->message, where));
	limit.optional = true;
	g_assert_true(apply(tree, limit, NULL));
}

static void test_missing_controller(void) {
	TREE(tree);

	assert_missing(&tree, limit_of("--cpuset-cpus", "cpuset.cpus", "0"), tree.mount);
	assert_missing(&tree, limit_of("--pids-limit", "pids.max", "7"), tree.parent);
}

static void test_missing_file(void) {
	g_autoptr(GError) err = NULL;
	TREE(tree);
	RuntimeLimit pair[] = {limit_of("--blkio-weight", "memory.bfq", "default 10"),
		limit_of("--blkio-weight", "memory.max", "default 1")};

	g_assert_false(apply(&tree, limit_of("--cgroup-conf", "memory.nothing", "1"), &err));
	g_assert_nonnull(strstr(err->message, "memory.nothing"));
	pair[0].or_next = true;
	g_assert_true(cgroup_apply_limits(tree.mount, tree.leaf_fd, tree.leaf, pair, 2, NULL));
	g_autofree char *second = get(tree.leaf, "memory.max");
	g_assert_true(g_str_has_prefix(second, "default 1"));
	/* where the first one is there, the second is not wanted */
	put(tree.leaf, "memory.bfq", "");
	put(tree.leaf, "memory.max", "untouched");
	g_assert_true(cgroup_apply_limits(tree.mount, tree.leaf_fd, tree.leaf, pair, 2, NULL));
	g_autofree char *first = get(tree.leaf, "memory.bfq");
	g_autofree char *other = get(tree.leaf, "memory.max");
	g_assert_cmpstr(first, ==, "default 10");
	g_assert_cmpstr(other, ==, "untouched");
}

static void test_files_are_no_links(void) {
	g_autoptr(GError) err = NULL;
	TREE(tree);
	g_autofree char *link = g_build_filename(tree.leaf, "memory.high", NULL);
	g_autofree char *victim = g_build_filename(tree.mount, "victim", NULL);

	put(tree.mount, "victim", "whole");
	g_assert_cmpint(symlink(victim, link), ==, 0);
	g_assert_false(apply(&tree, limit_of("--cgroup-conf", "memory.high", "1"), &err));
	g_autofree char *text = get(tree.mount, "victim");
	g_assert_cmpstr(text, ==, "whole");
}

static void test_statistics(void) {
	CgroupStats stats;
	TREE(tree);

	g_assert_false(runtime_cgroup_stats(NULL, &stats));
	g_assert_cmpuint(stats.pids, ==, CGROUP_STAT_UNKNOWN);
	put(tree.leaf, "cpu.stat", "usage_usec 1500\nuser_usec 1\n");
	g_assert_true(runtime_cgroup_stats(tree.leaf, &stats));
	g_assert_cmpuint(stats.cpu_usec, ==, 1500);
	g_assert_cmpuint(stats.memory_bytes, ==, CGROUP_STAT_UNKNOWN);
	g_assert_cmpuint(stats.memory_limit_bytes, ==, CGROUP_STAT_UNKNOWN);
	g_assert_cmpuint(stats.block_input_bytes, ==, CGROUP_STAT_UNKNOWN);
	put(tree.leaf, "memory.current", "5000\n");
	put(tree.leaf, "memory.stat", "anon 1\ninactive_file 2000\n");
	put(tree.leaf, "memory.max", "max\n");
	put(tree.parent, "memory.max", "70000\n");
	put(tree.leaf, "pids.current", "3\n");
	put(tree.leaf, "io.stat",
		"8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2 rios=1\n");
	g_assert_true(runtime_cgroup_stats(tree.leaf, &stats));
	g_assert_cmpuint(stats.memory_bytes, ==, 3000);
	g_assert_cmpuint(stats.memory_limit_bytes, ==, 70000);
	g_assert_cmpuint(stats.pids, ==, 3);
	g_assert_cmpuint(stats.block_input_bytes, ==, 11);
	g_assert_cmpuint(stats.block_output_bytes, ==, 22);
}

/* --- the device program ---------------------------------------------------------------------- */

/* What the kernel would do with the few instructions that are used. */
static bool run_program(
	const struct bpf_insn *program, size_t n, struct bpf_cgroup_dev_ctx context) {
	uint64_t r[11] = {0};
	size_t at = 0;

	for (size_t steps = 0; steps < n; steps++) {
		const struct bpf_insn *insn = &program[at++];
		uint64_t operand = insn->code & BPF_X ? r[insn->src_reg] : (uint64_t)insn->imm;
		g_assert_cmpuint(at, <=, n);
		switch (insn->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			memcpy(&r[insn->dst_reg], (const char *)&context + insn->off, 4);
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[insn->dst_reg] = operand;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			r[insn->dst_reg] &= operand;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			r[insn->dst_reg] >>= operand;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			at += r[insn->dst_reg] != operand ? (size_t)insn->off : 0;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += r[insn->dst_reg] == operand ? (size_t)insn->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return r[0];
		default:
			g_error("instruction %x", insn->code);
		}
	}
	g_error("the program does not end");
}

static bool allows(const RuntimeDeviceRule *rules, size_t n_rules, char type, unsigned major_number,
	unsigned minor_number, unsigned access_bits) {
	size_t n = 0;
	g_autofree struct bpf_insn *program = device_filter_build(rules, n_rules, &n);
	struct bpf_cgroup_dev_ctx context = {
		.access_type = access_bits << 16 |
			       (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = major_number,
		.minor = minor_number};

	return run_program(program, n, context);
}

enum { M = DEVICE_MKNOD, R = DEVICE_READ, W = DEVICE_WRITE };

static void test_default_devices(void) {
	static const struct {
		char type;
		unsigned major, minor;
	} harmless[] = {{'c', 1, 3}, {'c', 1, 5}, {'c', 1, 7}, {'c', 1, 8}, {'c', 1, 9},
		{'c', 5, 0}, {'c', 5, 1}, {'c', 5, 2}, {'c', 136, 0}, {'c', 136, 77}},
	  others[] = {{'b', 8, 0}, {'b', 254, 0}, {'c', 1, 1}, {'c', 1, 2}, {'c', 1, 4},
		  {'c', 1, 11}, {'c', 10, 200}, {'c', 10, 144}, {'c', 10, 229}, {'c', 4, 64},
		  {'b', 1, 3}, {'b', 136, 0}, {'c', 137, 0}};

	array_foreach (row, harmless)
		g_assert_true(allows(NULL, 0, row->type, row->major, row->minor, R | W | M));
	array_foreach (row, others) {
		g_assert_true(allows(NULL, 0, row->type, row->major, row->minor, M));
		for (unsigned bits = R; bits <= (R | W | M); bits++)
			g_assert_cmpint(allows(NULL, 0, row->type, row->major, row->minor, bits),
				==, bits == M);
	}
}

/* B5-04: lists that only allow, only deny, or are empty never allow all. */
static void test_device_rules(void) {
	const RuntimeDeviceRule one = {'c', 10, 200, R | W | M, true};
	const RuntimeDeviceRule reading = {'b', 8, -1, R, true};
	const RuntimeDeviceRule no_writing = {'c', 1, 3, W, false};
	const RuntimeDeviceRule no_making = {'a', -1, -1, M, false};
	const RuntimeDeviceRule all = {'a', -1, -1, R | W | M, true};
	const RuntimeDeviceRule nothing = {'a', -1, -1, R | W | M, false};

	g_assert_true(allows(&one, 1, 'c', 10, 200, R | W));
	g_assert_false(allows(&one, 1, 'c', 10, 201, R));
	g_assert_false(allows(&one, 1, 'b', 10, 200, R));
	g_assert_true(allows(&reading, 1, 'b', 8, 1, R));
	g_assert_false(allows(&reading, 1, 'b', 8, 1, R | W));
	g_assert_true(allows(&reading, 1, 'b', 8, 1, M));
	g_assert_true(allows(&no_writing, 1, 'c', 1, 3, R));
	/* a denied part is enough */
	g_assert_false(allows(&no_writing, 1, 'c', 1, 3, R | W));
	g_assert_false(allows(&no_writing, 1, 'b', 8, 0, R));
	g_assert_false(allows(&no_making, 1, 'b', 8, 0, M));
	g_assert_true(allows(&no_making, 1, 'c', 1, 3, R | W));
	g_assert_true(allows(&all, 1, 'b', 8, 0, R | W | M));
	g_assert_false(allows(&nothing, 1, 'c', 1, 3, R));
	/* the last one that matches decides */
	const RuntimeDeviceRule both[] = {nothing, one}, reversed[] = {one, nothing};
	g_assert_true(allows(both, 2, 'c', 10, 200, R));
	g_assert_false(allows(both, 2, 'c', 1, 3, R));
	g_assert_false(allows(reversed, 2, 'c', 10, 200, R));
}

static int open_error(const char *directory, const char *name, mode_t type, dev_t device) {
	g_autofree char *path = g_build_filename(directory, name, NULL);

	if (mknod(path, type | 0600, device) < 0)
		return -errno;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	unlink(path);
	return error;
}

/* In the cgroup: 0 if all is as it should be. */
static int try_devices(const char *cgroup, const char *directory) {
	g_autofree char *procs = g_build_filename(cgroup, "cgroup.procs", NULL);
	_cleanup_close_ int fd = open(procs, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		return 2;
	if (open_error(directory, "null", S_IFCHR, makedev(1, 3)) != 0)
		return 3;
	if (open_error(directory, "mem", S_IFCHR, makedev(1, 1)) != EPERM)
		return 4;
	return open_error(directory, "disk", S_IFBLK, makedev(8, 0)) == EPERM ? 0 : 5;
}

static void test_kernel_takes_it(void) {
	g_autofree char *mount_point = NULL, *root = NULL;
	g_autofree char *directory = g_dir_make_tmp("podctl-devices-XXXXXX", NULL);
	g_autoptr(GError) err = NULL;
	int status = 0;

	if (geteuid() != 0 || !cgroup_find_mount(&mount_point, &root) ||
		open_error(directory, "null", S_IFCHR, makedev(1, 3)) != 0) {
		rmdir(directory);
		g_test_skip("needs root, cgroup2 and a place where device nodes work");
		return;
	}
	g_autofree char *leaf = g_strdup_printf("podctl-unit-%d", (int)getpid());
	g_autofree char *cgroup = g_build_filename(mount_point, leaf, NULL);
	bool made = false;
	_cleanup_close_ int fd = cgroup_make(cgroup, &made, &err);
	g_assert_no_error(err);
	device_filter_attach(fd, NULL, 0, &err);
	g_assert_no_error(err);
	pid_t pid = fork();
	if (pid == 0)
		_exit(try_devices(cgroup, directory));
	waitpid(pid, &status, 0);
	g_assert_true(runtime_cgroup_remove(cgroup, NULL));
	rmdir(directory);
	g_assert_cmpint(status, ==, 0);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/cgroup/controllers-are-enabled-on-the-way",
		test_controllers_are_enabled_on_the_way);
	g_test_add_func("/runtime/cgroup/what-is-enabled-is-left-alone",
		test_what_is_enabled_is_left_alone);
	g_test_add_func("/runtime/cgroup/missing-controller", test_missing_controller);
	g_test_add_func("/runtime/cgroup/missing-file", test_missing_file);
	g_test_add_func("/runtime/cgroup/files-are-no-links", test_files_are_no_links);
	g_test_add_func("/runtime/cgroup/statistics", test_statistics);
	g_test_add_func("/runtime/devices/defaults", test_default_devices);
	g_test_add_func("/runtime/devices/rules", test_device_rules);
	g_test_add_func("/runtime/devices/kernel-takes-it", test_kernel_takes_it);
	return g_test_run();
}
