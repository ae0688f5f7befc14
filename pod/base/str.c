/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text helpers that GLib does not have. See str.h. */
#include "base/str.h"

#include <string.h>

bool str_in_list(const char *text, const char *const *list) {
	for (; *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/* One CSV field at *text into out; leaves *text at the comma or the end. */
static bool split_field(const char **text, GString *out) {
	const char *p = *text;

	if (*p != '"') {
		size_t length = strcspn(p, ",\"");
		if (p[length] == '"')
			return false;
		g_string_append_len(out, p, (gssize)length);
		*text = p + length;
		return true;
	}
	for (p++; *p; p++) {
		if (*p != '"')
			g_string_append_c(out, *p);
		else if (p[1] == '"')
			g_string_append_c(out, *p++);
		else
			break;
	}
	if (*p != '"' || (p[1] && p[1] != ','))
		return false;
	*text = p + 1;
	return true;
}

char **str_split_csv(const char *text) {
	g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);

	for (;;) {
		g_autoptr(GString) field = g_string_new(NULL);
		if (!split_field(&text, field))
			return NULL;
		g_ptr_array_add(fields, g_string_free(g_steal_pointer(&field), FALSE));
		if (*text != ',')
			break;
		text++;
	}
	g_ptr_array_add(fields, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&fields), FALSE);
}

static size_t edit_distance(const char *a, const char *b) {
	size_t length = strlen(b);
	g_autofree size_t *row = g_new(size_t, length + 1);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t above = row[j + 1];
			size_t cost = g_ascii_tolower(a[i]) == g_ascii_tolower(b[j]) ? 0 : 1;
			row[j + 1] = MIN(MIN(above, row[j]) + 1, diagonal + cost);
			diagonal = above;
		}
	}
	return row[length];
}

const char *str_nearest(const char *text, const char *const *candidates) {
	size_t best = strlen(text) / 3 + 1;
	const char *nearest = NULL;

	if (strlen(text) > 64)
		return NULL;
	for (; *candidates; candidates++) {
		size_t distance = edit_distance(text, *candidates);
		if (distance < best || (!nearest && distance == best)) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}

char *str_hex(const unsigned char *bytes, size_t size) {
	static const char digits[] = "0123456789abcdef";
	char *text = g_malloc(2 * size + 1);

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

bool str_is_hex(const char *text) {
	return *text && text[strspn(text, "0123456789abcdef")] == '\0';
}

/* Bytes of the character at p that could act on a terminal: C0, DEL, C1 and the marks that turn
 * the direction of the text; 0 for every other. */
static size_t control_length(const char *p) {
	const unsigned char *c = (const unsigned char *)p;

	if (c[0] < 0x20 || c[0] == 0x7f)
		return 1;
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
		return 2;
	if (c[0] != 0xe2)
		return 0;
	bool direction = (c[1] == 0x80 && c[2] >= 0xaa && c[2] <= 0xae) ||
			 (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
	return direction ? 3 : 0;
}

static char *strip(char *text, const char *except) {
	for (char *p = text; *p; p++)
		for (size_t n = strchr(except, *p) ? 0 : control_length(p); n > 0; n--) {
			*p = '?';
			p += n > 1;
		}
	return text;
}

char *str_strip_control(char *text) {
	return strip(text, "");
}

char *str_strip_control_lines(char *text) {
	return strip(text, "\n\t");
}

char *str_clean_path(const char *path) {
	bool absolute = *path == '/';
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();

	for (char **part = parts; *part; part++) {
		const char *last = kept->len ? g_ptr_array_index(kept, kept->len - 1) : NULL;
		if (!**part || strcmp(*part, ".") == 0)
			continue;
		if (strcmp(*part, "..") != 0 || (!absolute && (!last || strcmp(last, "..") == 0)))
			g_ptr_array_add(kept, *part);
		else if (last)
			g_ptr_array_set_size(kept, (int)kept->len - 1);
	}
	g_ptr_array_add(kept, NULL);
	g_autofree char *joined = g_strjoinv("/", (char **)kept->pdata);
	if (absolute)
		return g_strconcat("/", joined, NULL);
	return g_strdup(*joined ? joined : ".");
}
