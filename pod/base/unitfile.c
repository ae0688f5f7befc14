/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unit files: parse, look up, change, write. See unitfile.h. */
#include "base/unitfile.h"

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static void unit_group_free(void *data) {
	UnitGroup *group = data;

	if (group->comments)
		g_ptr_array_unref(group->comments);
	g_array_unref(group->lines);
	g_free(group);
}

UnitFile *unit_file_new(void) {
	UnitFile *file = g_new0(UnitFile, 1);

	file->groups = g_ptr_array_new_with_free_func(unit_group_free);
	file->texts = g_ptr_array_new_with_free_func(g_free);
	file->strings = g_string_chunk_new(2048);
	return file;
}

void unit_file_free(UnitFile *file) {
	if (!file)
		return;
	g_ptr_array_unref(file->groups);
	g_ptr_array_unref(file->texts);
	g_string_chunk_free(file->strings);
	g_free(file);
}

UnitGroup *unit_file_group(const UnitFile *file, const char *name) {
	for (guint i = 0; i < file->groups->len; i++) {
		UnitGroup *group = g_ptr_array_index(file->groups, i);
		if (strcmp(group->name, name) == 0)
			return group;
	}
	return NULL;
}

static UnitGroup *ensure_group(UnitFile *file, const char *name) {
	UnitGroup *group = unit_file_group(file, name);

	if (group)
		return group;
	group = g_new0(UnitGroup, 1);
	group->name = name;
	group->lines = g_array_sized_new(FALSE, FALSE, sizeof(UnitLine), 16);
	g_ptr_array_add(file->groups, group);
	return group;
}

/* Length in bytes of a white space character at p, as Unicode has them; 0 if it is none. */
static size_t space_length(const char *p, const char *end) {
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r');
	gunichar wide = g_utf8_get_char_validated(p, end - p);
	if (wide == (gunichar)-1 || wide == (gunichar)-2)
		return 0;
	bool space = wide == 0x85 || wide == 0xa0 || wide == 0x1680 ||
		     (wide >= 0x2000 && wide <= 0x200a) || wide == 0x2028 || wide == 0x2029 ||
		     wide == 0x202f || wide == 0x205f || wide == 0x3000;
	return space ? (size_t)(g_utf8_next_char(p) - p) : 0;
}

static const char *skip_space(const char *p, const char *end) {
	size_t length;

	while (p < end && (length = space_length(p, end)) > 0)
		p += length;
	return p;
}

/* End of the text without its trailing white space. */
static const char *trim_space(const char *start, const char *end) {
	while (end > start) {
		const char *last = end - 1;
		while (last > start && ((unsigned char)*last & 0xc0) == 0x80)
			last--;
		size_t length = space_length(last, end);
		if (length == 0 || last + length != end)
			break;
		end = last;
	}
	return end;
}

/* State of one parse. pending is a logical line that is being joined in place: every piece comes
 * from further behind in the same buffer, so it can be moved down. */
typedef struct Parser {
	UnitFile *file;
	const char *path;
	UnitGroup *group;    /* NULL before the first header */
	GPtrArray *comments; /* held back until it is known where they belong; may be NULL */
	char *pending;       /* NULL: no line is open */
	char *pending_end;
	unsigned first_number; /* where the pending line began */
	unsigned number;
} Parser;

static void add_line(UnitGroup *group, const UnitLine *line) {
	g_array_append_vals(group->lines, line, 1);
}

static void flush_comments_to_lines(Parser *parser) {
	if (!parser->comments)
		return;
	for (guint i = 0; i < parser->comments->len; i++) {
		UnitLine line = {.value = g_ptr_array_index(parser->comments, i)};
		add_line(parser->group, &line);
	}
	g_ptr_array_set_size(parser->comments, 0);
}

static void flush_comments_to_header(Parser *parser) {
	UnitGroup *group = parser->group;

	if (!parser->comments)
		return;
	for (guint i = 0; i < parser->comments->len; i++) {
		char *text = g_ptr_array_index(parser->comments, i);
		/* The blank line between groups is written anyway. */
		if (i == 0 && !*text)
			continue;
		if (!group->comments)
			group->comments = g_ptr_array_new();
		g_ptr_array_add(group->comments, text);
	}
	g_ptr_array_set_size(parser->comments, 0);
}

/* True if the line has the form of a header: "[", "]" and then only blanks. */
static bool is_header(const char *line, char **ret_close) {
	char *close = *line == '[' ? strchr(line, ']') : NULL;

	if (!close || close[1 + strspn(close + 1, " \t")] != '\0')
		return false;
	*ret_close = close;
	return true;
}

static bool parse_header(Parser *parser, char *line, char *close, GError **err) {
	char *name = line + 1;
	bool bad = close == name;

	*close = '\0';
	for (const char *p = name; *p; p++)
		bad = bad || *p == '[' || (unsigned char)*p < 0x20 || *p == 0x7f;
	if (bad)
		return fail(err, ERROR_CORRUPT, "%s:%u: bad group name \"%s\"", parser->path,
			parser->first_number, name);
	parser->group = ensure_group(parser->file, name);
	flush_comments_to_header(parser);
	return true;
}

/* A complete logical line, stripped, at [line, end); it is neither blank nor a comment. */
static bool parse_line(Parser *parser, char *line, char *end, GError **err) {
	char *close;

	*end = '\0';
	if (is_header(line, &close))
		return parse_header(parser, line, close, err);
	char *equals = strchr(line, '=');
	if (!equals || equals == line)
		return fail(err, ERROR_CORRUPT,
			"%s:%u: neither \"[Group]\" nor \"Key=value\": \"%.80s\"", parser->path,
			parser->first_number, line);
	*(char *)trim_space(line, equals) = '\0';
	if (!parser->group)
		return fail(err, ERROR_CORRUPT, "%s:%u: key \"%.80s\" before the first [Group]",
			parser->path, parser->first_number, line);
	flush_comments_to_lines(parser);
	UnitLine added = {.key = line,
		.value = skip_space(equals + 1, end),
		.path = parser->path,
		.number = parser->first_number};
	add_line(parser->group, &added);
	return true;
}

/* One physical line at [start, end). */
static bool parse_physical(Parser *parser, char *start, char *end, bool is_last, GError **err) {
	start = (char *)skip_space(start, end);
	end = (char *)trim_space(start, end);
	if (start == end || *start == '#' || *start == ';') {
		if (parser->pending)
			return true;
		*end = '\0';
		if (!parser->comments)
			parser->comments = g_ptr_array_new();
		g_ptr_array_add(parser->comments, start);
		return true;
	}
	bool continued = end[-1] == '\\';
	if (continued)
		end--;
	if (!parser->pending) {
		parser->first_number = parser->number;
		parser->pending = start;
		parser->pending_end = start;
	}
	size_t length = (size_t)(end - start);
	memmove(parser->pending_end, start, length);
	parser->pending_end += length;
	if (continued && !is_last)
		return true;
	char *line = g_steal_pointer(&parser->pending);
	if (line == parser->pending_end)
		return true;
	return parse_line(parser, line, parser->pending_end, err);
}

/* A file that has comments only keeps them in a group without a name. */
static void parse_end(Parser *parser) {
	if (!parser->comments || parser->comments->len == 0)
		return;
	if (parser->group) {
		flush_comments_to_lines(parser);
		return;
	}
	parser->group = ensure_group(parser->file, "");
	flush_comments_to_header(parser);
}

bool unit_file_parse(UnitFile *file, const char *path, char *text, size_t size,
	unsigned *ret_lost_line, GError **err) {
	Parser parser = {.file = file, .path = unit_file_intern(file, path)};
	char *end = text + size;
	bool ok = true;

	g_ptr_array_add(file->texts, text);
	*ret_lost_line = 0;
	if (size == 0)
		return true;
	if (end[-1] == '\n')
		end--;
	for (char *line = text; ok; parser.number++) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *stop = newline ? newline : end;
		if (parser.number == 0)
			parser.number = 1;
		if (memchr(line, '\0', (size_t)(stop - line)))
			ok = fail(err, ERROR_CORRUPT, "%s:%u: NUL byte, this is not a text file",
				path, parser.number);
		else
			ok = parse_physical(&parser, line, stop, !newline, err);
		if (!newline)
			break;
		line = newline + 1;
	}
	if (ok && parser.pending)
		*ret_lost_line = parser.first_number;
	if (ok)
		parse_end(&parser);
	if (parser.comments)
		g_ptr_array_unref(parser.comments);
	return ok;
}

void unit_file_merge(UnitFile *file, UnitFile *from) {
	for (guint i = 0; i < from->groups->len; i++) {
		UnitGroup *source = g_ptr_array_index(from->groups, i);
		if (!*source->name)
			continue;
		UnitGroup *group = ensure_group(file, unit_file_intern(file, source->name));
		for (guint j = 0; source->comments && j < source->comments->len; j++) {
			UnitLine comment = {.value = unit_file_intern(
						    file, g_ptr_array_index(source->comments, j))};
			add_line(group, &comment);
		}
		for (guint j = 0; j < source->lines->len; j++) {
			UnitLine line = g_array_index(source->lines, UnitLine, j);
			line.path = line.path ? unit_file_intern(file, line.path) : NULL;
			add_line(group, &line);
		}
	}
	/* Keys and values point into the buffers, which change hands. */
	for (guint i = 0; i < from->texts->len; i++)
		g_ptr_array_add(file->texts, g_ptr_array_index(from->texts, i));
	g_ptr_array_set_free_func(from->texts, NULL);
	unit_file_free(from);
}

const UnitLine *unit_group_last(const UnitGroup *group, const char *key) {
	if (!group)
		return NULL;
	for (guint i = group->lines->len; i > 0; i--) {
		const UnitLine *line = &g_array_index(group->lines, UnitLine, i - 1);
		if (line->key && strcmp(line->key, key) == 0)
			return line;
	}
	return NULL;
}

const UnitLine *unit_file_last(const UnitFile *file, const char *group, const char *key) {
	return unit_group_last(unit_file_group(file, group), key);
}

const char *unit_file_value(UnitFile *file, const char *group, const char *key) {
	const UnitLine *line = unit_file_last(file, group, key);

	return line ? unit_file_string(file, line->value) : NULL;
}

const char *unit_file_string(UnitFile *file, const char *raw) {
	size_t length = strlen(raw);
	size_t trimmed = (size_t)(trim_space(raw, raw + length) - raw);

	if (trimmed >= 2 && raw[0] == '"' && raw[trimmed - 1] == '"')
		return g_string_chunk_insert_len(file->strings, raw + 1, (gssize)trimmed - 2);
	if (trimmed == length)
		return raw;
	return g_string_chunk_insert_len(file->strings, raw, (gssize)trimmed);
}

bool unit_value_is_true(const char *value) {
	return g_ascii_strcasecmp(value, "1") == 0 || g_ascii_strcasecmp(value, "yes") == 0 ||
	       g_ascii_strcasecmp(value, "true") == 0 || g_ascii_strcasecmp(value, "on") == 0;
}

void unit_file_add(UnitFile *file, const char *group, const char *key, const char *value) {
	UnitLine line = {.key = key, .value = value};

	add_line(ensure_group(file, group), &line);
}

void unit_file_set(UnitFile *file, const char *group, const char *key, const char *value) {
	UnitLine *line = (UnitLine *)unit_file_last(file, group, key);

	if (line)
		line->value = value;
	else
		unit_file_add(file, group, key, value);
}

void unit_file_prepend(UnitFile *file, const char *group, const char *key, const char *value) {
	UnitLine line = {.key = key, .value = value};

	g_array_prepend_vals(ensure_group(file, group)->lines, &line, 1);
}

void unit_file_unset(UnitFile *file, const char *group, const char *key) {
	UnitGroup *found = unit_file_group(file, group);

	for (guint i = found ? found->lines->len : 0; i > 0; i--) {
		const UnitLine *line = &g_array_index(found->lines, UnitLine, i - 1);
		if (line->key && strcmp(line->key, key) == 0)
			g_array_remove_index(found->lines, i - 1);
	}
}

void unit_file_rename_group(UnitFile *file, const char *old_name, const char *new_name) {
	UnitGroup *old_group = unit_file_group(file, old_name);
	UnitGroup *new_group = unit_file_group(file, new_name);

	if (old_group && !new_group)
		old_group->name = new_name;
	if (!old_group || !new_group)
		return;
	for (guint i = 0; old_group->comments && i < old_group->comments->len; i++) {
		UnitLine comment = {.value = g_ptr_array_index(old_group->comments, i)};
		add_line(new_group, &comment);
	}
	g_array_append_vals(new_group->lines, old_group->lines->data, old_group->lines->len);
	g_ptr_array_remove(file->groups, old_group);
}

const char *unit_file_intern(UnitFile *file, const char *text) {
	return g_string_chunk_insert(file->strings, text);
}

const char *unit_file_concat(UnitFile *file, const char *first, ...) {
	char buffer[512];
	size_t size = 0;
	va_list args;

	va_start(args, first);
	for (const char *text = first; text; text = va_arg(args, const char *)) {
		size_t length = strlen(text);
		if (size + length >= sizeof(buffer)) {
			size = SIZE_MAX;
			break;
		}
		memcpy(buffer + size, text, length);
		size += length;
	}
	va_end(args);
	if (size != SIZE_MAX)
		return g_string_chunk_insert_len(file->strings, buffer, (gssize)size);
	g_autoptr(GString) joined = g_string_new(NULL);
	va_start(args, first);
	for (const char *text = first; text; text = va_arg(args, const char *))
		g_string_append(joined, text);
	va_end(args);
	return g_string_chunk_insert_len(file->strings, joined->str, (gssize)joined->len);
}

static void write_text_line(GString *out, const char *text) {
	g_string_append(out, text);
	g_string_append_c(out, '\n');
}

void unit_file_write(const UnitFile *file, GString *out) {
	for (guint i = 0; i < file->groups->len; i++) {
		const UnitGroup *group = g_ptr_array_index(file->groups, i);
		if (i > 0)
			g_string_append_c(out, '\n');
		for (guint j = 0; group->comments && j < group->comments->len; j++)
			write_text_line(out, g_ptr_array_index(group->comments, j));
		if (!*group->name)
			continue;
		g_string_append_c(out, '[');
		g_string_append(out, group->name);
		g_string_append(out, "]\n");
		for (guint j = 0; j < group->lines->len; j++) {
			const UnitLine *line = &g_array_index(group->lines, UnitLine, j);
			if (line->key) {
				g_string_append(out, line->key);
				g_string_append_c(out, '=');
			}
			write_text_line(out, line->value);
		}
	}
}
