/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Merging logs. See log_merge.h. Each container has a cursor with its next line; the earliest of
 * them is printed. */
#include "cli/log_merge.h"

#include "base/cleanup.h"
#include "base/module.h"
#include "base/parse.h"
#include "base/proc.h"
#include "cli/log_source.h"
#include "cli/log_time.h"
#include "model/names.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* How often it is asked whether a container still runs. */
enum { RUNNING_CHECK_MSEC = 300 };

typedef struct Cursor {
	const LogSource *source;
	void *handle;
	char *id;
	char *prefix; /* printed in front of lines, or NULL */
	GArray *tail; /* of LogLine: what --tail kept, handed out first */
	guint tail_next;
	LogLine line; /* the next one, when has_line */
	bool has_line;
	bool running;
	bool continues; /* the last printed line was partial */
} Cursor;

static void clear_cursor(void *data) {
	Cursor *cursor = data;

	if (cursor->handle)
		cursor->source->close(cursor->handle);
	if (cursor->tail)
		g_array_unref(cursor->tail);
	log_line_clear(&cursor->line);
	g_free(cursor->id);
	g_free(cursor->prefix);
}

static void clear_line(void *line) {
	log_line_clear(line);
}

static char *make_prefix(Engine *engine, const LogRequest *request, const char *id, guint index) {
	static const char *const colors[] = {
		"\033[37m", "\033[31m", "\033[33m", "\033[34m", "\033[35m", "\033[36m", "\033[32m"};
	const char *color = request->color ? colors[index % ARRAY_LENGTH(colors)] : "";
	const char *end = request->color ? "\033[0m" : "";
	g_autofree char *text = g_strndup(id, ID_SHORT_LENGTH);

	if (!request->names && !request->containers[1])
		return NULL;
	if (request->names) {
		json_auto_t *inspected = engine_inspect_container(engine, id, NULL);
		const char *name = json_get_string(inspected, "Name", NULL);
		if (name) {
			g_free(text);
			text = g_strdup(name);
		}
	}
	return g_strdup_printf("%s%s%s ", color, text, end);
}

static const LogSource *source_of_driver(const char *driver, const char *container, GError **err) {
	if (strcmp(driver, "k8s-file") == 0)
		return &log_file_source;
	if (strcmp(driver, "journald") == 0)
		return module_symbol(JOURNAL_MODULE, JOURNAL_SYMBOL, err);
	fail(err, ERROR_STATE, "cannot show the log of \"%s\": its log driver \"%s\" keeps none",
		container, driver);
	return NULL;
}

static bool open_cursor(
	Engine *engine, const LogRequest *request, guint index, Cursor *cursor, GError **err) {
	const char *container = request->containers[index];
	g_autofree char *driver = NULL, *path = NULL;

	if (!engine_container_log(
		    engine, container, &cursor->id, &driver, &path, &cursor->running, err))
		return false;
	cursor->source = source_of_driver(driver ? driver : "none", container, err);
	if (!cursor->source)
		return false;
	cursor->handle = cursor->source->open(cursor->id, path, request->since_usec, err);
	cursor->prefix = make_prefix(engine, request, cursor->id, index);
	return cursor->handle != NULL;
}

static bool in_range(const LogRequest *request, const LogLine *line) {
	return line->usec >= request->since_usec &&
	       (request->until_usec == 0 || line->usec <= request->until_usec);
}

/* The next line of the source that is asked for. */
static bool next_in_range(Cursor *cursor, const LogRequest *request, LogLine *ret_line,
	bool *ret_found, GError **err) {
	for (;;) {
		if (!cursor->source->next(cursor->handle, ret_line, ret_found, err))
			return false;
		if (!*ret_found || in_range(request, ret_line))
			return true;
		log_line_clear(ret_line);
	}
}

/* Reads to the end and keeps the last lines. */
static bool keep_tail(Cursor *cursor, const LogRequest *request, GError **err) {
	cursor->tail = g_array_new(FALSE, FALSE, sizeof(LogLine));
	g_array_set_clear_func(cursor->tail, clear_line);
	for (;;) {
		bool found;
		LogLine line;
		if (!next_in_range(cursor, request, &line, &found, err))
			return false;
		if (!found)
			break;
		g_array_append_val(cursor->tail, line);
		/* In batches, because removing at the front moves everything. */
		if (cursor->tail->len > 2 * (guint)request->tail + 64)
			g_array_remove_range(
				cursor->tail, 0, cursor->tail->len - (guint)request->tail);
	}
	if (cursor->tail->len > (guint)request->tail)
		cursor->tail_next = cursor->tail->len - (guint)request->tail;
	return true;
}

static bool fill_cursor(Cursor *cursor, const LogRequest *request, GError **err) {
	if (cursor->has_line)
		return true;
	if (cursor->tail && cursor->tail_next < cursor->tail->len) {
		LogLine *kept = &g_array_index(cursor->tail, LogLine, cursor->tail_next++);
		cursor->line = *kept;
		*kept = (LogLine){0};
		cursor->has_line = true;
		return true;
	}
	return next_in_range(cursor, request, &cursor->line, &cursor->has_line, err);
}

static void print_line(Cursor *cursor, const LogRequest *request) {
	LogLine *line = &cursor->line;
	FILE *out = line->is_error ? stderr : stdout;

	if (!cursor->continues) {
		fputs(cursor->prefix ? cursor->prefix : "", out);
		if (request->timestamps) {
			g_autofree char *stamp = line->stamp ? NULL : log_time_format(line->usec);
			fprintf(out, "%s ", stamp ? stamp : line->stamp);
		}
	}
	fputs(line->text, out);
	if (!line->partial)
		fputc('\n', out);
	cursor->continues = line->partial;
	log_line_clear(line);
	cursor->has_line = false;
}

/* Prints everything there is now. */
static bool print_available(GArray *cursors, const LogRequest *request, GError **err) {
	for (;;) {
		Cursor *first = NULL;
		for (guint i = 0; i < cursors->len; i++) {
			Cursor *cursor = &g_array_index(cursors, Cursor, i);
			if (!fill_cursor(cursor, request, err))
				return false;
			if (cursor->has_line && (!first || cursor->line.usec < first->line.usec))
				first = cursor;
		}
		if (!first)
			break;
		print_line(first, request);
	}
	if (fflush(stdout) != 0 && errno != EPIPE)
		return fail_errno(err, errno, "cannot write standard output");
	return true;
}

static bool any_runs(Engine *engine, GArray *cursors) {
	bool any = false;

	for (guint i = 0; i < cursors->len; i++) {
		Cursor *cursor = &g_array_index(cursors, Cursor, i);
		g_autofree char *id = NULL, *driver = NULL, *path = NULL;
		/* One that is gone was removed at its end. */
		if (!engine_container_log(
			    engine, cursor->id, &id, &driver, &path, &cursor->running, NULL))
			cursor->running = false;
		any = any || cursor->running;
	}
	return any;
}

static void wait_for_more(GArray *cursors) {
	g_autofree struct pollfd *fds = g_new0(struct pollfd, cursors->len);

	for (guint i = 0; i < cursors->len; i++) {
		const Cursor *cursor = &g_array_index(cursors, Cursor, i);
		fds[i].fd = cursor->source->wait_fd(cursor->handle);
		fds[i].events = POLLIN;
	}
	if (poll(fds, cursors->len, RUNNING_CHECK_MSEC) <= 0)
		return;
	for (guint i = 0; i < cursors->len; i++) {
		const Cursor *cursor = &g_array_index(cursors, Cursor, i);
		if (fds[i].revents)
			cursor->source->woken(cursor->handle);
	}
}

static bool follow(Engine *engine, GArray *cursors, const LogRequest *request, GError **err) {
	for (;;) {
		bool over = !any_runs(engine, cursors) ||
			    (request->until_usec > 0 && proc_now_realtime() > request->until_usec);
		/* After the question, so that the last words are not missed. */
		if (!print_available(cursors, request, err))
			return false;
		if (over)
			return true;
		wait_for_more(cursors);
	}
}

bool log_merge_print(Engine *engine, const LogRequest *request, GError **err) {
	g_autoptr(GArray) cursors = g_array_new(FALSE, TRUE, sizeof(Cursor));
	guint n = g_strv_length((char **)(uintptr_t)request->containers);

	g_array_set_clear_func(cursors, clear_cursor);
	g_array_set_size(cursors, n);
	for (guint i = 0; i < n; i++) {
		Cursor *cursor = &g_array_index(cursors, Cursor, i);
		if (!open_cursor(engine, request, i, cursor, err))
			return false;
		if (request->tail >= 0 && !keep_tail(cursor, request, err))
			return false;
	}
	if (!print_available(cursors, request, err))
		return false;
	return !request->follow || follow(engine, cursors, request, err);
}
