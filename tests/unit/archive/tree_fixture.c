/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees and archives for the tests. See tree_fixture.h. */
#include "tree_fixture.h"

#include "base/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

Trees *trees_new(void) {
	g_autoptr(GError) error = NULL;
	Trees *trees = g_new0(Trees, 1);

	/* on a disk: tmpfs has no user attributes on older kernels */
	trees->path = g_strdup("/var/tmp/podctl-archive-XXXXXX");
	g_assert_nonnull(g_mkdtemp(trees->path));
	g_autofree char *from = g_build_filename(trees->path, "from", NULL);
	g_autofree char *to = g_build_filename(trees->path, "to", NULL);
	trees->from_fd = fd_make_dir(AT_FDCWD, from, 0755, &error);
	g_assert_no_error(error);
	trees->to_fd = fd_make_dir(AT_FDCWD, to, 0755, &error);
	g_assert_no_error(error);
	return trees;
}

void trees_free(Trees *trees) {
	close(trees->from_fd);
	close(trees->to_fd);
	g_assert_true(fd_remove_tree(AT_FDCWD, trees->path, NULL));
	g_free(trees->path);
	g_free(trees);
}

void trees_write(int dir_fd, const char *path, const char *text) {
	g_assert_true(fd_write_file(dir_fd, path, text, strlen(text), 0644, NULL));
}

void trees_link(const char *target, int dir_fd, const char *path) {
	g_assert_cmpint(symlinkat(target, dir_fd, path), ==, 0);
}

char *trees_read(int dir_fd, const char *path) {
	char *text = NULL;

	fd_read_file(dir_fd, path, 1 << 20, &text, NULL, NULL);
	return text;
}

bool trees_need_root(void) {
	if (geteuid() == 0)
		return true;
	g_test_skip("needs root");
	return false;
}

static void add_member(struct archive *tar, const char *member) {
	g_auto(GStrv) words = g_strsplit(member, " ", 3);
	struct archive_entry *entry = archive_entry_new();
	const char *text = words[2] ? words[2] : "";

	archive_entry_set_pathname(entry, words[1]);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_filetype(entry, AE_IFREG);
	switch (*words[0]) {
	case 'd':
		archive_entry_set_mode(entry, S_IFDIR | 0755);
		break;
	case 'f':
		archive_entry_set_size(entry, (la_int64_t)strlen(text));
		break;
	case 'l':
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_symlink(entry, text);
		break;
	case 'h':
		archive_entry_set_hardlink(entry, text);
		break;
	case 'p':
		archive_entry_set_filetype(entry, AE_IFIFO);
		break;
	case 'c':
		archive_entry_set_filetype(entry, AE_IFCHR);
		archive_entry_set_rdev(entry, makedev(1, 3));
		break;
	default:
		g_assert_not_reached();
	}
	g_assert_cmpint(archive_write_header(tar, entry), ==, ARCHIVE_OK);
	if (*words[0] == 'f')
		archive_write_data(tar, text, strlen(text));
	archive_entry_free(entry);
}

int trees_make_tar(const char *const *members) {
	int fd = fd_memory_file("tar", "", 0, NULL);
	struct archive *tar = archive_write_new();

	g_assert_cmpint(fd, >=, 0);
	archive_write_set_format_pax_restricted(tar);
	archive_write_open_fd(tar, fd);
	for (; *members; members++)
		add_member(tar, *members);
	archive_write_free(tar);
	lseek(fd, 0, SEEK_SET);
	return fd;
}
