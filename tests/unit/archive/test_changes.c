/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an upper layer changes: new, changed, hidden, opaque. */
#include "tree_fixture.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static char *list(const Trees *trees) {
	g_autofree char *upper = g_build_filename(trees->path, "to", NULL);
	g_autofree char *lower = g_build_filename(trees->path, "from", NULL);
	g_autofree char *lowest = g_build_filename(trees->path, "lowest", NULL);
	char *lowers[] = {lowest, lower, NULL};
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) changes = archive_changes(upper, lowers, &error);

	g_assert_no_error(error);
	for (guint i = 0; i < changes->len; i++) {
		const ArchiveChange *change = changes->pdata[i];
		g_string_append_printf(text, "%c %s\n", "CAD"[change->kind], change -> path);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void hide(int dir_fd, const char *name) {
	g_assert_cmpint(mknodat(dir_fd, name, S_IFCHR, makedev(0, 0)), ==, 0);
}

static void test_changes(void) {
	if (!trees_need_root())
		return;
	g_autoptr(Trees) trees = trees_new();
	g_autofree char *lowest = g_build_filename(trees->path, "lowest", NULL);
	g_autofree char *opaque = g_build_filename(trees->path, "to/opaque", NULL);
	_cleanup_close_ int lowest_fd = fd_make_dir(AT_FDCWD, lowest, 0755, NULL);
	int lower = trees->from_fd, upper = trees->to_fd;

	mkdirat(lowest_fd, "dir", 0755);
	trees_write(lowest_fd, "dir/deep", "x");
	trees_write(lowest_fd, "hidden", "x");
	trees_write(lowest_fd, "gone", "x");
	mkdirat(lowest_fd, "opaque", 0755);
	trees_write(lowest_fd, "opaque/old", "x");
	trees_write(lowest_fd, "opaque/both", "x");
	mkdirat(lower, "dir", 0755);
	trees_write(lower, "dir/file", "x");
	hide(lower, "hidden");
	mkdirat(upper, "dir", 0755);
	trees_write(upper, "dir/file", "y");
	trees_write(upper, "dir/deep", "y");
	trees_write(upper, "dir/new", "y");
	trees_write(upper, "hidden", "y");
	hide(upper, "gone");
	hide(upper, "never");
	mkdirat(upper, "opaque", 0755);
	trees_write(upper, "opaque/both", "y");
	mkdirat(upper, "fresh", 0755);
	trees_link("/etc", upper, "link");
	g_assert_cmpint(setxattr(opaque, "trusted.overlay.opaque", "y", 1, 0), ==, 0);
	g_autofree char *text = list(trees);
	g_assert_cmpstr(text, ==,
		"C /dir\nC /dir/deep\nC /dir/file\nA /dir/new\nA /fresh\nD /gone\nA /hidden\n"
		"A /link\nC /opaque\nC /opaque/both\nD /opaque/old\n");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/archive/changes/each-kind", test_changes);
	return g_test_run();
}
