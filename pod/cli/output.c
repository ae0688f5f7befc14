/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people read. See output.h. */
#include "cli/output.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "cli/template.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COLUMN_WIDTH_MIN = 12, COLUMN_PADDING = 2 };

bool output_print(const char *text, GError **err) {
	g_autoptr(GError) error = NULL;
	/* a program gets the bytes as they are; a terminal nothing that could act on it */
	g_autofree char *harmless =
		isatty(STDOUT_FILENO) ? str_strip_control_lines(g_strdup(text)) : NULL;

	errno = 0;
	if (harmless)
		text = harmless;
	if (fd_write_all(STDOUT_FILENO, text, strlen(text), "standard output", &error))
		return true;
	if (errno == EPIPE)
		return true;
	g_propagate_error(err, g_steal_pointer(&error));
	return false;
}

static void append_padded(GString *out, const char *cell, glong width) {
	g_string_append(out, cell);
	for (glong fill = width - g_utf8_strlen(cell, -1); fill > 0; fill--)
		g_string_append_c(out, ' ');
}

char *output_align(const char *text) {
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GArray) widths = g_array_new(FALSE, TRUE, sizeof(glong));
	g_autoptr(GString) out = g_string_new(NULL);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) cells = g_strsplit(*line, "\t", -1);
		for (guint i = 0; cells[0] && cells[i + 1]; i++) {
			glong width = g_utf8_strlen(cells[i], -1) + COLUMN_PADDING;
			if (i >= widths->len)
				g_array_set_size(widths, i + 1);
			glong *column = &g_array_index(widths, glong, i);
			*column = MAX(*column, MAX(width, COLUMN_WIDTH_MIN));
		}
	}
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) cells = g_strsplit(*line, "\t", -1);
		for (guint i = 0; cells[0] && cells[i]; i++)
			append_padded(
				out, cells[i], cells[i + 1] ? g_array_index(widths, glong, i) : 0);
		if (line[1])
			g_string_append_c(out, '\n');
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *output_duration(uint64_t usec) {
	static const struct {
		uint64_t below, unit; /* seconds */
		const char *name;
	} steps[] = {
		{60, 1, "seconds"},
		{3600, 60, "minutes"},
		{48 * 3600, 3600, "hours"},
		{14 * 86400, 86400, "days"},
		{60 * 86400, 7 * 86400, "weeks"},
		{730 * 86400, 30 * 86400, "months"},
		{UINT64_MAX, 365 * 86400, "years"},
	};
	uint64_t seconds = usec / USEC_PER_SEC;

	if (seconds < 1)
		return g_strdup("Less than a second");
	if (seconds == 1)
		return g_strdup("1 second");
	if (seconds >= 60 && seconds < 120)
		return g_strdup("About a minute");
	/* Hours are rounded, everything else is cut off. */
	if (seconds >= 3600 && seconds < 5400)
		return g_strdup("About an hour");
	array_foreach (step, steps) {
		uint64_t rounding = step->unit == 3600 ? 1800 : 0;
		if (seconds < step->below)
			return g_strdup_printf("%" G_GUINT64_FORMAT " %s",
				(seconds + rounding) / step->unit, step->name);
	}
	return g_strdup("");
}

char *output_size(uint64_t bytes) {
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double size = (double)bytes;
	size_t unit = 0;

	while (size >= 1000 && unit + 1 < ARRAY_LENGTH(units)) {
		size /= 1000;
		unit++;
	}
	/* %.3g would turn 999.6 into 1e+03. */
	return size >= 999.5 ? g_strdup_printf("%.0f %s", size, units[unit])
			     : g_strdup_printf("%.3g %s", size, units[unit]);
}

char *output_time(uint64_t usec) {
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	char date[64], zone[64];
	struct tm local;

	if (usec == 0 || !localtime_r(&seconds, &local))
		return g_strdup("");
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z %Z", &local);
	return g_strdup_printf("%s.%06u %s", date, (unsigned)(usec % USEC_PER_SEC), zone);
}

/* \t and \n outside of actions; in a table a blank there separates columns too, as in podman. */
static char *unescape(const char *format, bool table) {
	g_autoptr(GString) text = g_string_new(NULL);
	bool action = false;

	for (const char *p = format; *p; p++) {
		if (g_str_has_prefix(p, "{{") || g_str_has_prefix(p, "}}"))
			action = *p == '{';
		if (!action && p[0] == '\\' && (p[1] == 't' || p[1] == 'n'))
			g_string_append_c(text, *++p == 't' ? '\t' : '\n');
		else
			g_string_append_c(text, !action && table && *p == ' ' ? '\t' : *p);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static json_t *heading_names(const ListFormat *list) {
	json_t *names = json_object();

	for (const Heading *heading = list->headings; heading && heading->field; heading++)
		json_put_string(names, heading->field, heading->text);
	return names;
}

bool output_list(json_t *rows, const json_t *raw, const ListFormat *list, GError **err) {
	const char *format = list->format;
	g_autoptr(GString) out = g_string_new(NULL);
	json_t *row;
	size_t index;

	if (format && strcmp(format, "json") == 0) {
		g_autofree char *dumped = json_to_text(raw, true);
		g_string_append_printf(out, "%s\n", dumped);
		return output_print(out->str, err);
	}
	bool table = !format || strcmp(format, "table") == 0 || g_str_has_prefix(format, "table ");
	if (!format || strcmp(format, "table") == 0)
		format = list->standard;
	else if (table)
		format += strlen("table ");
	g_autofree char *text = unescape(format, table);
	g_autoptr(Template) parsed = template_parse(text, err);
	if (!parsed)
		return false;
	if (table && !list->no_heading) {
		json_auto_t *names = heading_names(list);
		template_append_headers(parsed, names, out);
		g_string_append_c(out, '\n');
	}
	json_array_foreach (rows, index, row) {
		if (!template_execute(parsed, row, out, err))
			return false;
		if (!g_str_has_suffix(text, "\n"))
			g_string_append_c(out, '\n');
	}
	g_autofree char *aligned = table ? output_align(out->str) : NULL;
	return output_print(aligned ? aligned : out->str, err);
}

bool output_value(json_t *value, const char *format, GError **err) {
	g_autoptr(GString) out = g_string_new(NULL);

	if (!format || strcmp(format, "json") == 0) {
		g_autofree char *dumped = json_to_text(value, true);
		g_string_append(out, dumped);
	} else {
		g_autofree char *text = unescape(format, false);
		if (!template_render(text, value, out, err))
			return false;
	}
	if (!g_str_has_suffix(out->str, "\n"))
		g_string_append_c(out, '\n');
	return output_print(out->str, err);
}
