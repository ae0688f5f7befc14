/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids and maps of ids. See idrange.h. */
#include "base/idrange.h"

#include "base/cleanup.h"
#include "base/parse.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of a file of ranges. */
#define FILE_SIZE_MAX (INT64_C(64) << 20)

void id_map_clear(IdMap *map) {
	g_clear_pointer(&map->rows, g_free);
	map->n = 0;
}

void id_map_append(IdMap *map, uint32_t inside, uint32_t outside, uint32_t count) {
	map->rows = g_renew(IdRange, map->rows, map->n + 1);
	map->rows[map->n++] = (IdRange){inside, outside, count};
}

void id_map_copy(const IdMap *map, IdMap *ret_copy) {
	*ret_copy = (IdMap){0};
	for (size_t i = 0; i < map->n; i++)
		id_map_append(
			ret_copy, map->rows[i].inside, map->rows[i].outside, map->rows[i].count);
}

bool id_parse(const char *text, uint32_t *ret_id) {
	uint64_t value;

	if (!parse_uint64(text, ID_MAX, &value))
		return false;
	*ret_id = (uint32_t)value;
	return true;
}

static int compare_starts(const void *a, const void *b) {
	const uint32_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

/* One side of the rows. */
static bool has_overlap(const IdMap *map, bool inside, uint32_t *ret_id) {
	g_autofree uint32_t(*spans)[2] = g_malloc_n(map->n, sizeof(*spans));
	bool found = false;

	for (size_t i = 0; i < map->n; i++) {
		spans[i][0] = inside ? map->rows[i].inside : map->rows[i].outside;
		spans[i][1] = map->rows[i].count;
	}
	qsort(spans, map->n, sizeof(*spans), compare_starts);
	for (size_t i = 1; i < map->n && !found; i++) {
		found = spans[i][0] - spans[i - 1][0] < spans[i - 1][1];
		*ret_id = spans[i][0];
	}
	return found;
}

bool id_map_check(const IdMap *map, const char *what, GError **err) {
	uint32_t id = 0;

	if (map->n == 0)
		return fail(err, ERROR_INVALID, "%s maps no id", what);
	if (map->n > ID_MAP_ROWS_MAX)
		return fail(err, ERROR_INVALID, "%s has %zu ranges, more than the kernel's %d",
			what, map->n, ID_MAP_ROWS_MAX);
	for (size_t i = 0; i < map->n; i++) {
		const IdRange *row = &map->rows[i];

		if (row->count == 0)
			return fail(err, ERROR_INVALID, "%s has a range of no ids", what);
		if (row->inside > ID_MAX || row->outside > ID_MAX ||
			row->count - 1 > ID_MAX - row->inside ||
			row->count - 1 > ID_MAX - row->outside)
			return fail(err, ERROR_INVALID,
				"%s has a range that goes beyond id %" G_GUINT32_FORMAT, what,
				ID_MAX);
	}
	if (has_overlap(map, true, &id))
		return fail(err, ERROR_INVALID, "%s maps id %" G_GUINT32_FORMAT " twice", what, id);
	if (has_overlap(map, false, &id))
		return fail(
			err, ERROR_INVALID, "%s maps to id %" G_GUINT32_FORMAT " twice", what, id);
	return true;
}

bool id_map_to_outside(const IdMap *map, uint32_t inside, uint32_t *ret_outside) {
	for (size_t i = 0; i < map->n; i++) {
		const IdRange *row = &map->rows[i];

		if (inside < row->inside || inside - row->inside >= row->count)
			continue;
		*ret_outside = row->outside + (inside - row->inside);
		return true;
	}
	return false;
}

bool id_map_to_inside(const IdMap *map, uint32_t outside, uint32_t *ret_inside) {
	for (size_t i = 0; i < map->n; i++) {
		const IdRange *row = &map->rows[i];

		if (outside < row->outside || outside - row->outside >= row->count)
			continue;
		*ret_inside = row->inside + (outside - row->outside);
		return true;
	}
	return false;
}

char *id_map_to_text(const IdMap *map) {
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < map->n; i++)
		g_string_append_printf(text,
			"%" G_GUINT32_FORMAT " %" G_GUINT32_FORMAT " %" G_GUINT32_FORMAT "\n",
			map->rows[i].inside, map->rows[i].outside, map->rows[i].count);
	return g_string_free(text, FALSE);
}

bool id_map_from_text(const char *text, IdMap *ret_map, GError **err) {
	g_auto(GStrv) lines = g_strsplit(text, "\n", ID_MAP_ROWS_MAX + 2);
	IdMap map = {0};

	for (char **line = lines; *line; line++) {
		uint32_t values[3];
		unsigned n = 0;
		g_auto(GStrv) words = g_strsplit(*line, " ", 64);

		if (!**line)
			continue;
		for (char **word = words; *word; word++) {
			uint64_t value;

			if (!**word)
				continue;
			if (n == 3 || !parse_uint64(*word, UINT32_MAX, &value)) {
				n = 0;
				break;
			}
			values[n++] = (uint32_t)value;
		}
		if (n != 3) {
			id_map_clear(&map);
			return fail(err, ERROR_CORRUPT, "\"%s\" is no line of an id map", *line);
		}
		id_map_append(&map, values[0], values[1], values[2]);
	}
	*ret_map = map;
	return true;
}

/* ---- files of ranges ---- */

static FILE *open_regular(const char *path, bool *ret_missing, GError **err) {
	struct stat info;
	/* not blocking: somebody may have put a FIFO there */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	*ret_missing = fd < 0 && errno == ENOENT;
	if (*ret_missing)
		return NULL;
	if (fd < 0 || fstat(fd, &info) < 0) {
		fail_errno(err, errno, "cannot open \"%s\"", path);
		return NULL;
	}
	if (!S_ISREG(info.st_mode) || info.st_size > FILE_SIZE_MAX) {
		fail(err, ERROR_CORRUPT, "\"%s\" is no regular file of at most 64 MiB", path);
		return NULL;
	}
	FILE *file = fdopen(fd, "re");
	if (!file)
		fail_errno(err, errno, "cannot read \"%s\"", path);
	else
		steal_fd(&fd);
	return file;
}

/* line: "NAME:FIRST:COUNT" without its newline; it is cut up. False: not this one's. */
static bool line_is_for(char *line, const char *name, const char *id_text, char **ret_numbers) {
	char *colon = strchr(line, ':');

	if (!colon)
		return false;
	*colon = '\0';
	*ret_numbers = colon + 1;
	return strcmp(line, name) == 0 || (id_text && strcmp(line, id_text) == 0);
}

static bool read_numbers(char *text, uint32_t *ret_first, uint32_t *ret_count) {
	char *colon = strchr(text, ':');
	uint64_t first, count;

	if (!colon)
		return false;
	*colon = '\0';
	if (!parse_uint64(text, ID_MAX, &first) || !parse_uint64(colon + 1, ID_MAX, &count) ||
		first == 0 || count == 0 || count - 1 > ID_MAX - first)
		return false;
	*ret_first = (uint32_t)first;
	*ret_count = (uint32_t)count;
	return true;
}

static bool read_lines(FILE *file, const char *path, const char *name, const char *id_text,
	IdMap *map, GError **err) {
	g_autofree char *line = NULL;
	size_t room = 0;
	uint64_t total = 0;
	ssize_t size;

	for (unsigned long number = 1; (size = getline(&line, &room, file)) > 0; number++) {
		uint32_t first, count;
		char *numbers;

		if (line[size - 1] == '\n')
			line[--size] = '\0';
		/* a zero byte: what follows it would be hidden */
		if (line[0] == '#' || strlen(line) != (size_t)size ||
			!line_is_for(line, name, id_text, &numbers))
			continue;
		if (!read_numbers(numbers, &first, &count) || total + count > ID_MAX)
			return fail(err, ERROR_INVALID, "\"%s\" line %lu is no range of ids", path,
				number);
		if (map->n == ID_MAP_ROWS_MAX)
			return fail(err, ERROR_INVALID, "\"%s\" has more than %d ranges for \"%s\"",
				path, ID_MAP_ROWS_MAX, name);
		id_map_append(map, (uint32_t)total, first, count);
		total += count;
	}
	if (ferror(file))
		return fail_errno(err, errno, "cannot read \"%s\"", path);
	return true;
}

bool id_read_subordinate_stream(FILE *file, const char *path, const char *name, const char *id_text,
	IdMap *ret_map, GError **err) {
	IdMap map = {0};

	if (!read_lines(file, path, name, id_text, &map, err) ||
		(map.n > 0 && !id_map_check(&map, path, err))) {
		id_map_clear(&map);
		return false;
	}
	*ret_map = map;
	return true;
}

bool id_read_subordinate(
	const char *path, const char *name, const char *id_text, IdMap *ret_map, GError **err) {
	bool missing;
	_cleanup_fclose_ FILE *file = open_regular(path, &missing, err);

	if (file)
		return id_read_subordinate_stream(file, path, name, id_text, ret_map, err);
	if (missing)
		*ret_map = (IdMap){0};
	return missing;
}

uint32_t id_highest_account(const char *text) {
	uint32_t highest = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		uint32_t id;

		line += *line == '\n';
		size_t length = strcspn(line, "\n");
		/* no line of these files is longer */
		g_autofree char *copy = g_strndup(line, MIN(length, 4096));
		g_auto(GStrv) fields = g_strsplit(copy, ":", 4);
		if (g_strv_length(fields) == 4 && id_parse(fields[2], &id) && id > highest)
			highest = id;
		if (!*line)
			break;
	}
	return highest;
}
