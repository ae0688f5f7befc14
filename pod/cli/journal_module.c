/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module podctl-journal: lines of a container out of the journal, by CONTAINER_ID_FULL. Fields
 * are podman's. See log_source.h. */
#include "cli/log_source.h"

#include <string.h>
#include <systemd/sd-journal.h>

extern const LogSource podctl_journal_source;

static void journal_close(void *handle) {
	sd_journal_close(handle);
}

static void *journal_open(
	const char *id, G_GNUC_UNUSED const char *path, uint64_t since_usec, GError **err) {
	g_autofree char *match = g_strconcat("CONTAINER_ID_FULL=", id, NULL);
	sd_journal *journal = NULL;
	int r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);

	if (r >= 0)
		r = sd_journal_add_match(journal, match, 0);
	if (r >= 0)
		r = since_usec > 0 ? sd_journal_seek_realtime_usec(journal, since_usec)
				   : sd_journal_seek_head(journal);
	if (r < 0) {
		fail_errno(err, -r, "cannot read the journal");
		sd_journal_close(journal);
		return NULL;
	}
	return journal;
}

/* The value of a field; NULL if the entry has none. Free with g_free. */
static char *get_field(sd_journal *journal, const char *field) {
	size_t prefix = strlen(field) + 1, size = 0;
	const void *data = NULL;

	if (sd_journal_get_data(journal, field, &data, &size) < 0 || size < prefix)
		return NULL;
	return g_strndup((const char *)data + prefix, size - prefix);
}

static bool journal_next(void *handle, LogLine *ret_line, bool *ret_found, GError **err) {
	sd_journal *journal = handle;
	int r = sd_journal_next(journal);

	*ret_found = r > 0;
	if (r < 0)
		return fail_errno(err, -r, "cannot read the journal");
	if (r == 0)
		return true;
	g_autofree char *priority = get_field(journal, "PRIORITY");
	g_autofree char *partial = get_field(journal, "CONTAINER_PARTIAL_MESSAGE");
	*ret_line = (LogLine){
		.text = get_field(journal, "MESSAGE"),
		.is_error = priority && strcmp(priority, "3") == 0,
		.partial = partial && strcmp(partial, "true") == 0,
	};
	if (!ret_line->text)
		ret_line->text = g_strdup("");
	(void)sd_journal_get_realtime_usec(journal, &ret_line->usec);
	return true;
}

static int journal_wait_fd(void *handle) {
	return sd_journal_get_fd(handle);
}

static void journal_woken(void *handle) {
	(void)sd_journal_process(handle);
}

__attribute__((visibility("default"))) const LogSource podctl_journal_source = {
	.open = journal_open,
	.next = journal_next,
	.wait_fd = journal_wait_fd,
	.woken = journal_woken,
	.close = journal_close,
};
