/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records and marks of one object: small files, replaced as a whole. */
#include "base/fd.h"
#include "store/layout.h"

#include <fcntl.h>
#include <string.h>

/* What a persistent object must still know after a reboot. */
static bool survives_reboot(const char *record) {
	return strcmp(record, "definition") == 0 || strcmp(record, "exit") == 0;
}

static int record_directory(const StoreObject *object, const char *record) {
	return object->persistent && survives_reboot(record) ? object->state_fd : object->run_fd;
}

json_t *store_read(const StoreObject *object, const char *record, GError **err) {
	g_autofree char *file = g_strconcat(record, ".json", NULL);
	g_autoptr(GError) error = NULL;
	int directory = record_directory(object, record);
	json_t *value = directory < 0 ? NULL : json_read_file(directory, file, &error);

	if (!value && error && !error_is(error, ERROR_NOT_FOUND)) {
		g_propagate_prefixed_error(err, g_steal_pointer(&error),
			"%s %s: ", kind_word(object->kind), object->id);
		return NULL;
	}
	return value;
}

bool store_write(const StoreObject *object, const char *record, const json_t *value, GError **err) {
	g_autofree char *file = g_strconcat(record, ".json", NULL);
	g_autofree char *text = json_to_text(value, false);
	int directory = record_directory(object, record);
	/* a definition is a promise to the user; everything else can be found out again */
	bool sync = object->persistent && strcmp(record, "definition") == 0;

	return fd_replace_file(directory, file, text, strlen(text), 0600,
		sync ? FD_REPLACE_SYNC : FD_REPLACE_PLAIN, err);
}

bool store_mark(const StoreObject *object, const char *name, bool present, GError **err) {
	if (!present)
		return unlinkat(object->run_fd, name, 0) == 0 || errno == ENOENT ||
		       fail_errno(err, errno, "cannot remove the mark \"%s\"", name);
	_cleanup_close_ int fd =
		openat(object->run_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 || fail_errno(err, errno, "cannot set the mark \"%s\"", name);
}

bool store_is_marked(const StoreObject *object, const char *name) {
	return path_exists(object->run_fd, name);
}
