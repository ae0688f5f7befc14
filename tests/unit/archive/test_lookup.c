/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two ends of a copy: links stay inside the root, and what is missing is said. */
#include "tree_fixture.h"

#include "archive/lookup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void expect_source(int root_fd, const char *path, const char *name, const char *text) {
	const ArchivePlace place = {root_fd, "in the test"};
	g_autoptr(GError) error = NULL;
	g_autofree char *found = NULL;
	_cleanup_close_ int fd = archive_find_source(&place, path, &found, &error);

	if (!text) {
		g_assert_true(error_is(error, ERROR_NOT_FOUND));
		return;
	}
	g_assert_no_error(error);
	g_assert_cmpstr(found, ==, name);
	if (!*text)
		return;
	_cleanup_close_ int file_fd = lookup_again(fd, O_RDONLY);
	char content[64] = "";
	g_assert_cmpint(read(file_fd, content, sizeof(content) - 1), >=, 0);
	g_assert_cmpstr(content, ==, text);
}

static void test_source(void) {
	g_autoptr(Trees) trees = trees_new();
	int fd = trees->from_fd;

	mkdirat(fd, "dir", 0755);
	trees_write(fd, "dir/file", "inside");
	trees_link("/dir/file", fd, "absolute");
	trees_link("../../../../dir/file", fd, "up");
	trees_link("/etc/passwd", fd, "out");
	trees_link("/proc/self/root/etc/passwd", fd, "magic");
	expect_source(fd, "/dir/file", "file", "inside");
	expect_source(fd, "dir//file", "file", "inside");
	expect_source(fd, "/absolute", "absolute", "inside");
	expect_source(fd, "/up", "up", "inside");
	expect_source(fd, "/../../dir/file", "file", "inside");
	expect_source(fd, "/dir/", "dir", "");
	expect_source(fd, "/dir/.", NULL, "");
	expect_source(fd, "/", NULL, "");
	expect_source(fd, "/out", NULL, NULL);
	expect_source(fd, "/magic", NULL, NULL);
	expect_source(fd, "/dir/file/", NULL, NULL);
	expect_source(fd, "/none", NULL, NULL);
}

static void expect_target(int root_fd, const char *path, const char *name, bool exists) {
	const ArchivePlace place = {root_fd, "in the test"};
	g_autoptr(GError) error = NULL;
	__attribute__((cleanup(archive_spot_clear))) ArchiveSpot spot = {.dir_fd = -1};
	bool good = archive_find_target(&place, path, &spot, &error);

	g_assert_no_error(error);
	g_assert_true(good);
	g_assert_cmpstr(spot.name, ==, name);
	g_assert_true(spot.exists == exists);
}

static void expect_no_target(int root_fd, const char *path) {
	const ArchivePlace place = {root_fd, "in the test"};
	g_autoptr(GError) error = NULL;
	ArchiveSpot spot = {.dir_fd = -1};

	g_assert_false(archive_find_target(&place, path, &spot, &error));
	g_assert_nonnull(error);
}

static void test_target(void) {
	g_autoptr(Trees) trees = trees_new();
	int fd = trees->from_fd;

	mkdirat(fd, "dir", 0755);
	trees_write(fd, "dir/file", "x");
	trees_link("/dir", fd, "todir");
	trees_link("/dir/file", fd, "tofile");
	trees_link("dir/new", fd, "dangling");
	trees_link("loop", fd, "loop");
	trees_link("/etc/new", fd, "out");
	expect_target(fd, "/dir", NULL, true);
	expect_target(fd, "/todir", NULL, true);
	expect_target(fd, "/dir/file", "file", true);
	expect_target(fd, "/tofile", "file", true);
	expect_target(fd, "/dangling", "new", false);
	expect_target(fd, "/fresh", "fresh", false);
	expect_no_target(fd, "/fresh/");
	expect_no_target(fd, "/none/fresh");
	expect_no_target(fd, "/dir/file/x");
	expect_no_target(fd, "/loop");
	/* the container has no /etc: nothing is found outside */
	expect_no_target(fd, "/out");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/archive/lookup/source", test_source);
	g_test_add_func("/archive/lookup/target", test_target);
	return g_test_run();
}
