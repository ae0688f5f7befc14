/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives in and out: foreign ones lead nowhere, ours read back as what they were. */
#include "tree_fixture.h"

#include "archive/tar_read.h"
#include "archive/tar_write.h"
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static bool extract(const Trees *trees, const char *const *members, GError **err) {
	const ArchiveTarget target = {.dir_fd = trees->to_fd, .uid = getuid(), .gid = getgid()};
	ArchiveReport report = {0};
	_cleanup_close_ int fd = trees_make_tar(members);

	return tar_extract(fd, &target, &report, err);
}

static void test_extract(void) {
	static const char *const members[] = {"d dir", "f dir/file text", "h again dir/file",
		"l link dir", "p fifo", "f a/b/c deep", NULL};
	g_autoptr(Trees) trees = trees_new();
	g_autoptr(GError) error = NULL;

	g_assert_true(extract(trees, members, &error));
	g_assert_no_error(error);
	g_autofree char *again = trees_read(trees->to_fd, "again");
	g_autofree char *deep = trees_read(trees->to_fd, "a/b/c");
	g_assert_cmpstr(again, ==, "text");
	g_assert_cmpstr(deep, ==, "deep");
}

/* security: B6-24 */
static void test_hostile(void) {
	static const char *const archives[][4] = {
		{"f ../out bad"},
		{"f /tmp/out bad"},
		{"f a/../../out bad"},
		{"l dir /tmp", "f dir/out bad"},
		{"l dir ..", "f dir/out bad"},
		{"l dir ..", "d dir/sub", "f dir/sub/out bad"},
		{"l file ../out", "h again file"},
		{"h out ../../../etc/passwd"},
		{"h out /etc/passwd"},
		{"l dir ..", "h again dir/from"},
		{"d dir", "l dir/up ..", "f dir/up/up/out bad"},
		{"f . bad"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(archives); i++) {
		g_autoptr(Trees) trees = trees_new();
		g_autoptr(GError) error = NULL;

		g_assert_false(extract(trees, archives[i], &error));
		g_assert_true(error_is(error, ERROR_INVALID));
		g_autofree char *out = g_build_filename(trees->path, "out", NULL);
		g_assert_cmpint(access(out, F_OK), <, 0);
		g_assert_cmpint(access("/tmp/out", F_OK), <, 0);
	}
}

/* A link of the archive itself is replaced, never written through. */
static void test_link_then_file(void) {
	static const char *const members[] = {"l file ../victim", "f file text", NULL};
	g_autoptr(Trees) trees = trees_new();
	g_autofree char *victim = g_build_filename(trees->path, "victim", NULL);

	trees_write(AT_FDCWD, victim, "safe");
	g_assert_true(extract(trees, members, NULL));
	g_autofree char *kept = trees_read(AT_FDCWD, victim);
	g_autofree char *made = trees_read(trees->to_fd, "file");
	g_assert_cmpstr(kept, ==, "safe");
	g_assert_cmpstr(made, ==, "text");
}

static void test_no_archive(void) {
	g_autoptr(Trees) trees = trees_new();
	const ArchiveTarget target = {.dir_fd = trees->to_fd};
	const char *texts[] = {"no archive", "\x1f\x8b\x08 neither"};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		ArchiveReport report = {0};
		_cleanup_close_ int fd = fd_memory_file("text", texts[i], strlen(texts[i]), NULL);
		g_assert_false(tar_extract(fd, &target, &report, &error));
		g_assert_true(error_is(error, ERROR_CORRUPT));
	}
}

static void fill(const Trees *trees) {
	int fd = trees->from_fd;
	_cleanup_close_ int sparse = openat(fd, "sparse", O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	mkdirat(fd, "dir", 0755);
	trees_write(fd, "dir/a name\nof \xff bytes", "odd");
	trees_link("dir", fd, "link");
	trees_write(fd, "file", "text");
	g_assert_cmpint(linkat(fd, "file", fd, "hard", 0), ==, 0);
	g_assert_cmpint(pwrite(sparse, "end", 3, 1 << 30), ==, 3);
	g_assert_cmpint(ftruncate(sparse, 2LL << 30), ==, 0);
}

static void check_round_trip(ArchiveWriteFlags flags) {
	g_autoptr(Trees) trees = trees_new();
	g_autoptr(GError) error = NULL;
	const ArchiveSource source = {.fd = trees->from_fd};
	const ArchiveTarget target = {.dir_fd = trees->to_fd, .uid = getuid(), .gid = getgid()};
	ArchiveReport report = {0};
	struct stat file, hard, sparse;
	_cleanup_close_ int fd = fd_memory_file("tar", "", 0, NULL);

	fill(trees);
	g_assert_true(tar_write(&source, fd, flags, &report, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(report.diff_digest), ==, 64);
	g_assert_cmpint(lseek(fd, 0, SEEK_END), <, 8 << 20);
	lseek(fd, 0, SEEK_SET);
	g_assert_true(tar_extract(fd, &target, &report, &error));
	g_assert_no_error(error);
	g_autofree char *odd = trees_read(trees->to_fd, "dir/a name\nof \xff bytes");
	g_assert_cmpstr(odd, ==, "odd");
	fstatat(trees->to_fd, "file", &file, 0);
	fstatat(trees->to_fd, "hard", &hard, 0);
	fstatat(trees->to_fd, "sparse", &sparse, 0);
	g_assert_cmpint(file.st_ino, ==, hard.st_ino);
	g_assert_cmpint(sparse.st_size, ==, 2LL << 30);
	if (!(flags & ARCHIVE_WRITE_DENSE))
		g_assert_cmpint(sparse.st_blocks * 512, <, 1 << 20);
}

static void test_round_trip(void) {
	check_round_trip(ARCHIVE_WRITE_PLAIN);
	check_round_trip(ARCHIVE_WRITE_GZIP);
}

static bool note(void *data, const Entry *entry, GError **err) {
	GString *names = data;

	(void)err;
	g_string_append_printf(names, "%s ", entry->path);
	return true;
}

/* An upper layer's own marks become those of an image; a name that would be one is left out. */
static void test_whiteouts(void) {
	if (!trees_need_root())
		return;
	g_autoptr(Trees) trees = trees_new();
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *opaque = g_build_filename(trees->path, "from/opaque", NULL);
	const ArchiveSource source = {.fd = trees->from_fd, .is_upper = true};
	ArchiveReport report = {0};
	_cleanup_close_ int fd = fd_memory_file("tar", "", 0, NULL);

	mkdirat(trees->from_fd, "opaque", 0755);
	trees_write(trees->from_fd, "opaque/new", "x");
	g_assert_cmpint(mknodat(trees->from_fd, "gone", S_IFCHR, makedev(0, 0)), ==, 0);
	g_assert_cmpint(mknodat(trees->from_fd, "opaque/too", S_IFCHR, makedev(0, 0)), ==, 0);
	trees_write(trees->from_fd, ".wh.passwd", "x");
	mkdirat(trees->from_fd, "opaque/.wh..wh..opq", 0755);
	setxattr(opaque, "trusted.overlay.opaque", "y", 1, 0);
	g_assert_true(tar_write(&source, fd, ARCHIVE_WRITE_GZIP, &report, &error));
	g_assert_cmpuint(report.n_skipped, ==, 2);
	lseek(fd, 0, SEEK_SET);
	g_assert_true(tar_read(fd, NULL, 0, note, names, &report, &error));
	g_assert_cmpstr(
		names->str, ==, ".wh.gone opaque opaque/.wh..wh..opq opaque/new opaque/.wh.too ");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/archive/tar/extracts", test_extract);
	g_test_add_func("/archive/tar/hostile-archives-lead-nowhere", test_hostile);
	g_test_add_func("/archive/tar/link-is-replaced", test_link_then_file);
	g_test_add_func("/archive/tar/other-bytes-are-refused", test_no_archive);
	g_test_add_func("/archive/tar/round-trip", test_round_trip);
	g_test_add_func("/archive/tar/whiteouts", test_whiteouts);
	return g_test_run();
}
