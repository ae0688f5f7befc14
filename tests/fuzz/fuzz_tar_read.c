/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as an archive that `cp -` receives. Whatever is accepted has a relative, plain name,
 * content within its size, and only attributes of the allow list.
 */
#include "archive/tar_read.h"

#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *path) {
	g_autofree char *framed = g_strconcat("/", path, "/", NULL);

	g_assert_cmpuint(strlen(path), <=, LIMIT_PATH);
	g_assert_true(*path && *path != '/');
	g_assert_null(strstr(framed, "/../"));
	g_assert_null(strstr(framed, "/./"));
	g_assert_null(strstr(framed, "//"));
}

static bool take(void *taker, const Entry *entry, GError **err) {
	const void *block;
	size_t n;
	uint64_t offset;
	int more;

	(void)taker;
	check_name(entry->path);
	if (entry->hard_link && *entry->hard_link)
		check_name(entry->hard_link);
	for (guint i = 0; entry->xattrs && i < entry->xattrs->len; i++) {
		const EntryXattr *xattr = entry->xattrs->pdata[i];
		g_assert_true(entry_xattr_is_allowed(xattr->name));
	}
	if (!S_ISREG(entry->mode) || entry->hard_link)
		return true;
	while ((more = entry->next(entry->content, &block, &n, &offset, err)) > 0)
		g_assert_true(offset <= entry->size && n <= entry->size - offset);
	return more == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autoptr(GError) error = NULL;
	ArchiveReport report = {0};
	bool done =
		tar_read(-1, size ? data : (const uint8_t *)"", size, take, NULL, &report, &error);

	g_assert_true(done == (error == NULL));
	return 0;
}
