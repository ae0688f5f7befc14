/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and directories: replacing, reading with bounds, removing without following links. */
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

typedef struct Fixture {
	char *path;
	int fd;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data) {
	(void)data;
	fixture->path = g_dir_make_tmp("fd-test-XXXXXX", NULL);
	fixture->fd = fd_open_dir(AT_FDCWD, fixture->path, NULL);
	g_assert_cmpint(fixture->fd, >=, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data) {
	(void)data;
	close(fixture->fd);
	g_assert_true(fd_remove_tree(AT_FDCWD, fixture->path, NULL));
	g_free(fixture->path);
}

/* name may have directories in front. */
static void put(const Fixture *fixture, const char *name, const char *text) {
	g_autofree char *directory = g_path_get_dirname(name), *base = g_path_get_basename(name);
	_cleanup_close_ int fd = fd_open_dir(fixture->fd, directory, NULL);

	g_assert_true(fd_replace_file(fd, base, text, strlen(text), 0600, FD_REPLACE_PLAIN, NULL));
}

static guint count(const Fixture *fixture, const char *name) {
	g_auto(GStrv) names = fd_list_dir(fixture->fd, name, NULL);

	g_assert_nonnull(names);
	return g_strv_length(names);
}

static void test_replace(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *text = NULL, *stale = NULL;
	struct stat st;
	size_t size;

	(void)data;
	put(fixture, "a", "first");
	/* a reader that has it open keeps the old bytes */
	_cleanup_close_ int old = openat(fixture->fd, "a", O_RDONLY | O_CLOEXEC);
	g_assert_true(fd_replace_file(fixture->fd, "a", "xy", 2, 0640, FD_REPLACE_SYNC, &err));
	g_assert_true(fd_read_file(fixture->fd, "a", 100, &text, &size, &err));
	g_assert_cmpstr(text, ==, "xy");
	g_assert_cmpuint(size, ==, 2);
	g_assert_true(fd_read_all(old, "a", 100, &stale, NULL, &err));
	g_assert_cmpstr(stale, ==, "first");
	g_assert_cmpint(fstatat(fixture->fd, "a", &st, 0), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0640);
	g_assert_cmpuint(count(fixture, "."), ==, 1);
	g_assert_false(fd_replace_file(fixture->fd, "no/a", "x", 1, 0600, 0, &err));
	g_assert_true(error_is(err, ERROR_NOT_FOUND));
}

/* A process with our pid was killed in the middle of a replacement. */
static void test_replace_over_leftover(Fixture *fixture, gconstpointer data) {
	(void)data;
	for (int i = 0; i < 64; i++) {
		g_autofree char *name = g_strdup_printf(".b.%d-%d.tmp", (int)getpid(), i);
		_cleanup_close_ int fd =
			openat(fixture->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		g_assert_cmpint(fd, >=, 0);
	}
	put(fixture, "b", "x");
}

static void test_read(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *text = NULL, *exact = NULL;

	(void)data;
	put(fixture, "a", "12345");
	g_assert_false(fd_read_file(fixture->fd, "a", 4, &text, NULL, &err));
	g_assert_true(error_is(err, ERROR_CORRUPT));
	g_clear_error(&err);
	g_assert_true(fd_read_file(fixture->fd, "a", 5, &exact, NULL, &err));
	g_assert_false(fd_read_file(fixture->fd, "none", 5, &text, NULL, &err));
	g_assert_true(error_is(err, ERROR_NOT_FOUND));
	g_clear_error(&err);
	/* neither hangs */
	g_assert_cmpint(mkfifoat(fixture->fd, "fifo", 0600), ==, 0);
	g_assert_false(fd_read_file(fixture->fd, "fifo", 5, &text, NULL, &err));
	g_assert_true(error_is(err, ERROR_INVALID));
	g_assert_false(fd_read_file(fixture->fd, ".", 5, &text, NULL, NULL));
	g_assert_null(text);
}

static void test_directories(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;

	(void)data;
	g_assert_true(fd_mkdir_parents(fixture->fd, "a/b/c", 0700, &err));
	g_assert_true(fd_mkdir_parents(fixture->fd, "a/b/c", 0700, &err));
	_cleanup_close_ int made = fd_make_dir(fixture->fd, "a/d", 0700, &err);
	g_assert_cmpint(made, >=, 0);
	g_assert_true(fcntl(made, F_GETFD) & FD_CLOEXEC);
	g_auto(GStrv) names = fd_list_dir(fixture->fd, "a", &err);
	g_assert_cmpstr(names[0], ==, "b");
	g_assert_cmpstr(names[1], ==, "d");
	g_assert_cmpuint(count(fixture, "none"), ==, 0);
	put(fixture, "file", "x");
	g_assert_null(fd_list_dir(fixture->fd, "file", NULL));
	g_assert_cmpint(symlinkat("a", fixture->fd, "link"), ==, 0);
	g_assert_cmpint(fd_open_dir(fixture->fd, "link", &err), <, 0);
	g_assert_nonnull(err);
}

static void test_remove_tree(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *target = g_build_filename(fixture->path, "kept", NULL);

	(void)data;
	g_assert_true(fd_mkdir_parents(fixture->fd, "kept", 0700, &err));
	put(fixture, "kept/file", "x");
	g_assert_true(fd_mkdir_parents(fixture->fd, "tree/a/b", 0700, &err));
	put(fixture, "tree/a/file", "x");
	g_assert_cmpint(symlinkat(target, fixture->fd, "tree/a/link"), ==, 0);
	g_assert_cmpint(symlinkat("nowhere", fixture->fd, "tree/dangling"), ==, 0);
	g_assert_cmpint(mkfifoat(fixture->fd, "tree/fifo", 0600), ==, 0);
	g_assert_true(fd_remove_tree(fixture->fd, "tree", &err));
	g_assert_true(fd_remove_tree(fixture->fd, "tree", &err));
	g_assert_cmpuint(count(fixture, "."), ==, 1);
	g_assert_cmpuint(count(fixture, "kept"), ==, 1);
	g_assert_cmpint(symlinkat(target, fixture->fd, "link"), ==, 0);
	g_assert_true(fd_remove_tree(fixture->fd, "link", &err));
	g_assert_cmpuint(count(fixture, "kept"), ==, 1);
}

/* Deeper than any path can be, and than there are descriptors. */
static void test_remove_deep_tree(Fixture *fixture, gconstpointer data) {
	const struct rlimit few = {64, 64};
	g_autoptr(GError) err = NULL;
	int fd = fd_make_dir(fixture->fd, "tree", 0700, &err);

	(void)data;
	g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
	for (int depth = 0; depth < 10000; depth++) {
		int next = fd_make_dir(fd, "d", 0700, &err);
		g_assert_no_error(err);
		close(fd);
		fd = next;
	}
	close(fd);
	g_assert_true(fd_remove_tree(fixture->fd, "tree", &err));
	g_assert_no_error(err);
	g_assert_cmpuint(count(fixture, "."), ==, 0);
}

static void test_place(Fixture *fixture, gconstpointer data) {
	_cleanup_close_ int placed = -1;

	(void)data;
	g_assert_false(fd_is_open(500));
	g_assert_true(fd_place(fixture->fd, 500, NULL));
	placed = 500;
	g_assert_false(fcntl(500, F_GETFD) & FD_CLOEXEC);
	g_assert_true(fd_ensure_stdio(NULL));
	g_assert_true(fd_place(fixture->fd, fixture->fd, NULL));
	g_assert_false(fcntl(fixture->fd, F_GETFD) & FD_CLOEXEC);
}

#define CASE(path, function) \
	g_test_add("/base/fd/" path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	CASE("replace", test_replace);
	CASE("replace-over-a-leftover", test_replace_over_leftover);
	CASE("read-is-bounded", test_read);
	CASE("directories", test_directories);
	CASE("remove-tree-follows-nothing", test_remove_tree);
	CASE("place", test_place);
	CASE("remove-tree-of-any-depth", test_remove_deep_tree);
	return g_test_run();
}
