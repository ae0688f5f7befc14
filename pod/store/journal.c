/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was done to the host for an object, one JSON line each, written before it is done. It lives
 * below RUN: at a reboot the changes are gone, and so is their list. */
#include "base/fd.h"
#include "base/log.h"
#include "store/layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { JOURNAL_LIMIT = 4 << 20 };

/* True if a writer was killed in the middle of the last line. */
static bool ends_torn(int fd) {
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
	       last != '\n';
}

bool store_journal_add(const StoreObject *object, const json_t *entry, GError **err) {
	g_autofree char *text = json_to_text(entry, false);
	_cleanup_close_ int fd = openat(object->run_fd, "journal",
		O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail_errno(err, errno, "cannot open the journal of %s %s",
			kind_word(object->kind), object->id);
	g_autofree char *line = g_strconcat(ends_torn(fd) ? "\n" : "", text, "\n", NULL);
	return fd_write_all(fd, line, strlen(line), "journal", err);
}

json_t *store_journal_read(const StoreObject *object, GError **err) {
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	if (!fd_read_file(object->run_fd, "journal", JOURNAL_LIMIT, &text, NULL, &error)) {
		if (error_is(error, ERROR_NOT_FOUND))
			return json_array();
		g_propagate_error(err, g_steal_pointer(&error));
		return NULL;
	}
	json_t *entries = json_array();
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		g_autoptr(GError) torn = NULL;
		json_t *entry = json_parse(line, (size_t)(end - line), "journal", &torn);
		if (entry)
			json_array_append_new(entries, entry);
		else
			log_debug("%s %s: %s, ignoring", kind_word(object->kind), object->id,
				torn->message);
	}
	return entries;
}

bool store_journal_clear(const StoreObject *object, GError **err) {
	return unlinkat(object->run_fd, "journal", 0) == 0 || errno == ENOENT ||
	       fail_errno(err, errno, "cannot remove the journal of %s %s", kind_word(object->kind),
		       object->id);
}
