/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of trees: what is kept, what is left, what is refused. */
#include "tree_fixture.h"

#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

static bool copy(
	const Trees *trees, const ArchiveTarget *how, ArchiveReport *report, GError **err) {
	const ArchiveSource source = {.fd = trees->from_fd};
	ArchiveTarget target = *how;

	target.dir_fd = trees->to_fd;
	return archive_copy(&source, &target, report, err);
}

static void expect_failure(const Trees *trees, const char *text) {
	g_autoptr(GError) error = NULL;
	ArchiveReport report;

	g_assert_false(copy(trees, &(ArchiveTarget){0}, &report, &error));
	g_assert_true(strstr(error->message, text) != NULL);
}

static struct stat look(int dir_fd, const char *path) {
	struct stat st;

	g_assert_cmpint(fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW), ==, 0);
	return st;
}

static void test_keeps(void) {
	if (!trees_need_root())
		return;
	g_autoptr(Trees) trees = trees_new();
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000, .tv_nsec = 5}};
	ArchiveReport report;

	mkdirat(trees->from_fd, "dir", 01750);
	g_assert_cmpint(fchmodat(trees->from_fd, "dir", 01750, 0), ==, 0);
	trees_write(trees->from_fd, "dir/file", "text");
	g_assert_cmpint(fchownat(trees->from_fd, "dir/file", 5, 6, 0), ==, 0);
	g_assert_cmpint(fchmodat(trees->from_fd, "dir/file", 04711, 0), ==, 0);
	g_assert_cmpint(linkat(trees->from_fd, "dir/file", trees->from_fd, "hard", 0), ==, 0);
	trees_link("/etc/passwd", trees->from_fd, "link");
	g_assert_cmpint(fchownat(trees->from_fd, "link", 7, 8, AT_SYMLINK_NOFOLLOW), ==, 0);
	mkfifoat(trees->from_fd, "fifo", 0600);
	utimensat(trees->from_fd, "dir/file", times, 0);
	utimensat(trees->from_fd, "dir", times, 0);
	g_assert_true(copy(trees, &(ArchiveTarget){.keep_owner = true}, &report, NULL));
	struct stat file = look(trees->to_fd, "dir/file"), dir = look(trees->to_fd, "dir");
	g_assert_cmpint(file.st_uid, ==, 5);
	g_assert_cmpint(file.st_gid, ==, 6);
	g_assert_cmpint(file.st_mode & 07777, ==, 04711);
	g_assert_cmpint(file.st_mtim.tv_sec, ==, 2000);
	g_assert_cmpint(file.st_ino, ==, look(trees->to_fd, "hard").st_ino);
	g_assert_cmpint(dir.st_mode & 07777, ==, 01750);
	g_assert_cmpint(dir.st_mtim.tv_sec, ==, 2000);
	g_assert_cmpint(look(trees->to_fd, "link").st_uid, ==, 7);
	g_assert_true(S_ISFIFO(look(trees->to_fd, "fifo").st_mode));
}

static void test_drops(void) {
	if (!trees_need_root())
		return;
	g_autoptr(Trees) trees = trees_new();
	g_autofree char *text = NULL;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	ArchiveReport report;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	trees_write(trees->from_fd, "file", "text");
	g_assert_cmpint(fchmodat(trees->from_fd, "file", 06755, 0), ==, 0);
	mknodat(trees->from_fd, "device", S_IFCHR | 0666, makedev(1, 3));
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/from/socket", trees->path);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	const ArchiveTarget target = {
		.uid = 9, .gid = 10, .drop_privileges = true, .skip_devices = true};
	g_assert_true(copy(trees, &target, &report, NULL));
	g_assert_cmpuint(report.n_skipped, ==, 2);
	struct stat file = look(trees->to_fd, "file");
	g_assert_cmpint(file.st_mode & 07777, ==, 0755);
	g_assert_cmpint(file.st_uid, ==, 9);
	g_assert_cmpint(faccessat(trees->to_fd, "device", F_OK, AT_SYMLINK_NOFOLLOW), <, 0);
	g_assert_cmpint(faccessat(trees->to_fd, "socket", F_OK, AT_SYMLINK_NOFOLLOW), <, 0);
}

/* What is there already leads nowhere. */
static void test_no_link_is_followed(void) {
	g_autoptr(Trees) trees = trees_new();
	g_autofree char *outside = g_build_filename(trees->path, "outside", NULL);
	g_autofree char *victim = g_build_filename(outside, "victim", NULL);
	g_autoptr(GError) error = NULL;
	ArchiveReport report;

	g_assert_cmpint(mkdir(outside, 0755), ==, 0);
	trees_write(AT_FDCWD, victim, "safe");
	mkdirat(trees->from_fd, "dir", 0755);
	trees_write(trees->from_fd, "dir/victim", "bad");
	trees_link(outside, trees->to_fd, "dir");
	expect_failure(trees, "--overwrite");
	unlinkat(trees->to_fd, "dir", 0);
	mkdirat(trees->to_fd, "dir", 0755);
	trees_link(victim, trees->to_fd, "dir/victim");
	const ArchiveTarget target = {.uid = getuid(), .gid = getgid()};
	g_assert_true(copy(trees, &target, &report, &error));
	g_autofree char *copied = trees_read(trees->to_fd, "dir/victim");
	g_autofree char *kept = trees_read(AT_FDCWD, victim);
	g_assert_cmpstr(copied, ==, "bad");
	g_assert_cmpstr(kept, ==, "safe");
}

static void test_overwrite(void) {
	g_autoptr(Trees) trees = trees_new();
	const ArchiveTarget target = {.overwrite = true, .uid = getuid(), .gid = getgid()};
	g_autoptr(GError) error = NULL;
	ArchiveReport report;

	trees_write(trees->from_fd, "a", "file");
	mkdirat(trees->from_fd, "b", 0755);
	mkdirat(trees->to_fd, "a", 0755);
	mkdirat(trees->to_fd, "a/x", 0755);
	trees_write(trees->to_fd, "a/x/y", "y");
	trees_write(trees->to_fd, "b", "b");
	expect_failure(trees, "cannot overwrite directory \"a\"");
	g_assert_true(copy(trees, &target, &report, &error));
	g_assert_no_error(error);
	g_assert_true(S_ISREG(look(trees->to_fd, "a").st_mode));
	g_assert_true(S_ISDIR(look(trees->to_fd, "b").st_mode));
}

static void test_holes(void) {
	g_autoptr(Trees) trees = trees_new();
	const ArchiveTarget target = {.uid = getuid(), .gid = getgid()};
	ArchiveReport report;
	char text[4] = "";
	_cleanup_close_ int fd =
		openat(trees->from_fd, "sparse", O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	g_assert_cmpint(pwrite(fd, "end", 3, 1 << 30), ==, 3);
	g_assert_cmpint(ftruncate(fd, 2LL << 30), ==, 0);
	g_assert_true(copy(trees, &target, &report, NULL));
	struct stat st = look(trees->to_fd, "sparse");
	g_assert_cmpint(st.st_size, ==, 2LL << 30);
	g_assert_cmpint(st.st_blocks * 512, <, 1 << 20);
	_cleanup_close_ int copied = openat(trees->to_fd, "sparse", O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(pread(copied, text, 3, 1 << 30), ==, 3);
	g_assert_cmpstr(text, ==, "end");
}

static void test_maps(void) {
	if (!trees_need_root())
		return;
	g_autoptr(Trees) trees = trees_new();
	IdRange row = {.inside = 0, .outside = 100000, .count = 1000};
	const IdMap map = {&row, 1};
	const ArchiveTarget target = {.uid = 5, .gid = 6, .uids = &map, .gids = &map};
	ArchiveReport report;

	trees_write(trees->from_fd, "file", "x");
	g_assert_true(copy(trees, &target, &report, NULL));
	g_assert_cmpint(look(trees->to_fd, "file").st_uid, ==, 100005);
	g_assert_cmpint(fchownat(trees->from_fd, "file", 4000, 0, 0), ==, 0);
	g_autoptr(GError) error = NULL;
	const ArchiveTarget keep = {.keep_owner = true, .uids = &map, .gids = &map};
	g_assert_false(copy(trees, &keep, &report, &error));
	g_assert_true(strstr(error->message, "4000") != NULL);
}

static void test_attributes(void) {
	g_autoptr(Trees) trees = trees_new();
	const ArchiveTarget target = {.uid = getuid(), .gid = getgid()};
	ArchiveReport report;
	char value[8];

	trees_write(trees->from_fd, "file", "x");
	g_autofree char *from = g_build_filename(trees->path, "from/file", NULL);
	g_autofree char *to = g_build_filename(trees->path, "to/file", NULL);
	if (setxattr(from, "user.good", "1", 1, 0) < 0) {
		g_test_skip("this file system has no user attributes");
		return;
	}
	setxattr(from, "user.overlay.opaque", "y", 1, 0);
	setxattr(from, "trusted.secret", "1", 1, 0);
	g_assert_true(copy(trees, &target, &report, NULL));
	g_assert_cmpint(getxattr(to, "user.good", value, sizeof(value)), ==, 1);
	g_assert_cmpint(getxattr(to, "user.overlay.opaque", value, sizeof(value)), <, 0);
	g_assert_cmpint(getxattr(to, "trusted.secret", value, sizeof(value)), <, 0);
}

static void test_deep(void) {
	g_autoptr(Trees) trees = trees_new();
	_cleanup_close_ int fd = fcntl(trees->from_fd, F_DUPFD_CLOEXEC, 3);

	for (int i = 0; i < LIMIT_DEPTH + 10; i++) {
		g_assert_cmpint(mkdirat(fd, "d", 0755), ==, 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	expect_failure(trees, "nested deeper");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/archive/plant/keeps-what-a-tree-is", test_keeps);
	g_test_add_func("/archive/plant/drops-what-gives-rights", test_drops);
	g_test_add_func("/archive/plant/follows-no-link", test_no_link_is_followed);
	g_test_add_func("/archive/plant/overwrites-when-told", test_overwrite);
	g_test_add_func("/archive/plant/keeps-holes", test_holes);
	g_test_add_func("/archive/plant/maps-ids", test_maps);
	g_test_add_func("/archive/plant/attributes-of-the-list", test_attributes);
	g_test_add_func("/archive/plant/depth-has-a-bound", test_deep);
	return g_test_run();
}
