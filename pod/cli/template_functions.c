/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions of templates: Go's own that make sense for JSON, and those podman adds. */
#include "base/cleanup.h"
#include "cli/template_tree.h"

#include <stdlib.h>
#include <string.h>

enum { STRING_LIMIT = 16 << 20, WIDTH_LIMIT = 4096 };

bool template_is_true(const json_t *value) {
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return json_object_size(value) > 0;
	case JSON_ARRAY:
		return json_array_size(value) > 0;
	case JSON_STRING:
		return json_string_length(value) > 0;
	case JSON_INTEGER:
		return json_integer_value(value) != 0;
	case JSON_REAL:
		return json_real_value(value) < 0 || json_real_value(value) > 0;
	case JSON_TRUE:
		return true;
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return false;
}

static int compare_keys(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void append_object(const json_t *object, GString *out) {
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	const char *key;
	json_t *member;

	json_object_foreach ((json_t *)(uintptr_t)object, key, member)
		g_ptr_array_add(keys, (char *)(uintptr_t)key);
	g_ptr_array_sort(keys, compare_keys);
	g_string_append(out, "map[");
	for (guint i = 0; i < keys->len; i++) {
		g_string_append_printf(out, "%s%s:", i ? " " : "", (char *)keys->pdata[i]);
		template_append_value(json_object_get(object, keys->pdata[i]), out);
	}
	g_string_append_c(out, ']');
}

void template_append_value(const json_t *value, GString *out) {
	const json_t *member;
	size_t index;

	if (out->len > STRING_LIMIT)
		return;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		append_object(value, out);
		break;
	case JSON_ARRAY:
		g_string_append_c(out, '[');
		json_array_foreach (value, index, member) {
			if (index > 0)
				g_string_append_c(out, ' ');
			template_append_value(member, out);
		}
		g_string_append_c(out, ']');
		break;
	case JSON_STRING:
		g_string_append_len(
			out, json_string_value(value), (gssize)json_string_length(value));
		break;
	case JSON_INTEGER:
		g_string_append_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		g_string_append_printf(out, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		g_string_append(out, json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		g_string_append(out, "<no value>");
		break;
	}
}

static json_t *new_text(const GString *text, GError **err) {
	json_t *value = text->len > STRING_LIMIT ? NULL : json_stringn(text->str, text->len);

	if (!value)
		fail(err, ERROR_INVALID, "bad template: text too long or not UTF-8");
	return value;
}

static json_t *fail_type(const char *function, const json_t *value, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	template_append_value(value, text);
	g_string_truncate(text, MIN(text->len, 40));
	fail(err, ERROR_INVALID, "bad template: \"%s\" does not take \"%s\"", function, text->str);
	return NULL;
}

static json_t *call_not(
	json_t *const *arguments, G_GNUC_UNUSED size_t n, G_GNUC_UNUSED GError **err) {
	return json_boolean(!template_is_true(arguments[0]));
}

/* -1, 0, 1; false for values that have no order. */
static bool compare_values(
	const char *function, const json_t *a, const json_t *b, int *ret_order, GError **err) {
	if (json_is_string(a) && json_is_string(b)) {
		int order = strcmp(json_string_value(a), json_string_value(b));
		*ret_order = (order > 0) - (order < 0);
	} else if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t x = json_integer_value(a), y = json_integer_value(b);
		*ret_order = (x > y) - (x < y);
	} else if (json_is_number(a) && json_is_number(b)) {
		double x = json_number_value(a), y = json_number_value(b);
		*ret_order = (x > y) - (x < y);
	} else if ((json_is_boolean(a) && json_is_boolean(b)) || json_is_null(a) ||
		   json_is_null(b)) {
		*ret_order = json_typeof(a) != json_typeof(b);
	} else {
		return fail(err, ERROR_INVALID,
			"bad template: \"%s\" got values of different types", function);
	}
	return true;
}

static json_t *call_eq(json_t *const *arguments, size_t n, GError **err) {
	bool equal = false;

	for (size_t i = 1; i < n; i++) {
		int order;
		if (!compare_values("eq", arguments[0], arguments[i], &order, err))
			return NULL;
		equal = equal || order == 0;
	}
	return json_boolean(equal);
}

static json_t *call_ne(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	int order;

	return compare_values("ne", arguments[0], arguments[1], &order, err)
		       ? json_boolean(order != 0)
		       : NULL;
}

static json_t *call_lt(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	int order;

	return compare_values("lt", arguments[0], arguments[1], &order, err)
		       ? json_boolean(order < 0)
		       : NULL;
}

static json_t *call_le(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	int order;

	return compare_values("le", arguments[0], arguments[1], &order, err)
		       ? json_boolean(order <= 0)
		       : NULL;
}

static json_t *call_gt(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	int order;

	return compare_values("gt", arguments[0], arguments[1], &order, err)
		       ? json_boolean(order > 0)
		       : NULL;
}

static json_t *call_ge(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	int order;

	return compare_values("ge", arguments[0], arguments[1], &order, err)
		       ? json_boolean(order >= 0)
		       : NULL;
}

static json_t *call_len(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	const json_t *value = arguments[0];

	if (json_is_object(value))
		return json_integer((json_int_t)json_object_size(value));
	if (json_is_array(value))
		return json_integer((json_int_t)json_array_size(value));
	if (json_is_string(value))
		return json_integer((json_int_t)json_string_length(value));
	return fail_type("len", value, err);
}

/* A key that is not in a map gives the empty text, as Go's map[string]string does. */
static json_t *call_index(json_t *const *arguments, size_t n, GError **err) {
	json_t *value = arguments[0];

	for (size_t i = 1; i < n; i++) {
		const json_t *key = arguments[i];
		if (json_is_object(value) && json_is_string(key)) {
			value = json_object_get(value, json_string_value(key));
			if (!value)
				return json_string("");
		} else if (json_is_array(value) && json_is_integer(key)) {
			json_int_t index = json_integer_value(key);
			value = index < 0 ? NULL : json_array_get(value, (size_t)index);
			if (!value) {
				fail(err, ERROR_INVALID,
					"bad template: index %" JSON_INTEGER_FORMAT
					" is out of range",
					index);
				return NULL;
			}
		} else {
			return fail_type("index", json_is_string(key) ? value : key, err);
		}
	}
	return json_incref(value);
}

static json_t *call_json(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	g_autofree char *dumped = json_to_text(arguments[0], false);
	g_autoptr(GString) text = g_string_new(dumped);

	return new_text(text, err);
}

static json_t *call_join(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);
	const json_t *member;
	size_t index;

	if (!json_is_array(arguments[0]) || !json_is_string(arguments[1]))
		return fail_type("join", arguments[0], err);
	json_array_foreach (arguments[0], index, member) {
		if (index > 0)
			g_string_append(text, json_string_value(arguments[1]));
		template_append_value(member, text);
	}
	return new_text(text, err);
}

static json_t *call_split(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	if (!json_is_string(arguments[0]) || !json_is_string(arguments[1]) ||
		json_string_length(arguments[1]) == 0)
		return fail_type("split", arguments[0], err);
	g_auto(GStrv) parts =
		g_strsplit(json_string_value(arguments[0]), json_string_value(arguments[1]), -1);
	return json_from_strv(parts);
}

static json_t *map_text(json_t *const *arguments, const char *function,
	char *(*map)(const char *, gssize), GError **err) {
	if (!json_is_string(arguments[0]))
		return fail_type(function, arguments[0], err);
	g_autofree char *text = map(json_string_value(arguments[0]), -1);
	return json_string(text);
}

static json_t *call_lower(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	return map_text(arguments, "lower", g_utf8_strdown, err);
}

static json_t *call_upper(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	return map_text(arguments, "upper", g_utf8_strup, err);
}

static char *title_text(const char *text, G_GNUC_UNUSED gssize length) {
	char *title = g_strdup(text);

	for (char *p = title; *p; p++)
		if (p == title || g_ascii_isspace(p[-1]))
			*p = g_ascii_toupper(*p);
	return title;
}

static json_t *call_title(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	return map_text(arguments, "title", title_text, err);
}

static json_t *call_truncate(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	if (!json_is_string(arguments[0]) || !json_is_integer(arguments[1]) ||
		json_integer_value(arguments[1]) < 0)
		return fail_type("truncate", arguments[0], err);
	json_int_t length = MIN(json_integer_value(arguments[1]),
		(json_int_t)g_utf8_strlen(json_string_value(arguments[0]), -1));
	g_autofree char *text = g_utf8_substring(json_string_value(arguments[0]), 0, (glong)length);
	return json_string(text);
}

static void append_spaces(GString *out, json_int_t n) {
	for (json_int_t i = 0; i < MIN(n, WIDTH_LIMIT); i++)
		g_string_append_c(out, ' ');
}

/* pad TEXT BEFORE AFTER, as podman has it; nothing for an empty text. */
static json_t *call_pad(json_t *const *arguments, G_GNUC_UNUSED size_t n, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	if (!json_is_string(arguments[0]) || !json_is_integer(arguments[1]) ||
		!json_is_integer(arguments[2]))
		return fail_type("pad", arguments[0], err);
	if (json_string_length(arguments[0]) > 0) {
		append_spaces(text, json_integer_value(arguments[1]));
		g_string_append(text, json_string_value(arguments[0]));
		append_spaces(text, json_integer_value(arguments[2]));
	}
	return new_text(text, err);
}

static json_t *call_print(json_t *const *arguments, size_t n, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		/* Go's Print: a blank only between two values that are no strings. */
		if (i > 0 && !json_is_string(arguments[i - 1]) && !json_is_string(arguments[i]))
			g_string_append_c(text, ' ');
		template_append_value(arguments[i], text);
	}
	return new_text(text, err);
}

static json_t *call_println(json_t *const *arguments, size_t n, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			g_string_append_c(text, ' ');
		template_append_value(arguments[i], text);
	}
	g_string_append_c(text, '\n');
	return new_text(text, err);
}

static void append_quoted(const json_t *value, GString *out) {
	if (json_is_string(value)) {
		g_autofree char *quoted = json_to_text(value, false);
		g_string_append(out, quoted);
	} else {
		template_append_value(value, out);
	}
}

typedef struct Verb {
	bool left, zero;
	int width, precision; /* precision -1: none */
	char letter;
} Verb;

/* After the '%'. Returns the position behind the verb. */
static const char *parse_verb(const char *p, Verb *verb) {
	char *end;

	*verb = (Verb){.precision = -1};
	for (; *p == '-' || *p == '0' || *p == '+' || *p == '#' || *p == ' '; p++) {
		verb->left = verb->left || *p == '-';
		verb->zero = verb->zero || *p == '0';
	}
	if (g_ascii_isdigit(*p)) {
		verb->width = (int)MIN(strtoul(p, &end, 10), WIDTH_LIMIT);
		p = end;
	}
	if (*p == '.') {
		verb->precision = (int)MIN(strtoul(p + 1, &end, 10), WIDTH_LIMIT);
		p = g_ascii_isdigit(p[1]) ? end : p + 1;
	}
	verb->letter = *p;
	return *p ? p + 1 : p;
}

static bool append_number(const Verb *verb, const json_t *value, GString *out) {
	int precision = verb->precision < 0 ? 6 : MIN(verb->precision, 40);

	if (verb->letter == 'd' && json_is_integer(value))
		g_string_append_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (verb->letter == 'x' && json_is_integer(value))
		g_string_append_printf(out, "%llx", (unsigned long long)json_integer_value(value));
	else if (verb->letter == 'f' && json_is_number(value))
		g_string_append_printf(out, "%.*f", precision, json_number_value(value));
	else if (verb->letter == 't' && json_is_boolean(value))
		template_append_value(value, out);
	else
		return false;
	return true;
}

static void append_verb(const Verb *verb, const json_t *value, GString *out) {
	g_autoptr(GString) text = g_string_new(NULL);

	if (verb->letter == 's' || verb->letter == 'v') {
		template_append_value(value, text);
		if (verb->precision >= 0 && verb->letter == 's') {
			glong length = g_utf8_strlen(text->str, -1);
			const char *cut =
				g_utf8_offset_to_pointer(text->str, MIN(length, verb->precision));
			g_string_truncate(text, (gsize)(cut - text->str));
		}
	} else if (verb->letter == 'q') {
		append_quoted(value, text);
	} else if (!append_number(verb, value, text)) {
		/* Go prints the mistake instead of failing. */
		g_string_append_printf(text, "%%!%c(", verb->letter ? verb->letter : ' ');
		template_append_value(value, text);
		g_string_append_c(text, ')');
	}
	glong fill = verb->width - g_utf8_strlen(text->str, -1);
	for (glong i = 0; i < fill && !verb->left; i++)
		g_string_append_c(out, verb->zero ? '0' : ' ');
	g_string_append_len(out, text->str, (gssize)text->len);
	for (glong i = 0; i < fill && verb->left; i++)
		g_string_append_c(out, ' ');
}

static json_t *call_printf(json_t *const *arguments, size_t n, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);
	size_t next = 1;

	if (!json_is_string(arguments[0]))
		return fail_type("printf", arguments[0], err);
	for (const char *p = json_string_value(arguments[0]); *p && text->len <= STRING_LIMIT;) {
		Verb verb;
		if (*p != '%') {
			g_string_append_c(text, *p++);
			continue;
		}
		if (p[1] == '%') {
			g_string_append_c(text, '%');
			p += 2;
			continue;
		}
		p = parse_verb(p + 1, &verb);
		if (next < n)
			append_verb(&verb, arguments[next++], text);
		else
			g_string_append_printf(
				text, "%%!%c(MISSING)", verb.letter ? verb.letter : ' ');
	}
	return new_text(text, err);
}

static const TemplateFunction functions[] = {
	{"and", 1, -1, NULL},
	{"eq", 2, -1, call_eq},
	{"ge", 2, 2, call_ge},
	{"gt", 2, 2, call_gt},
	{"index", 1, -1, call_index},
	{"join", 2, 2, call_join},
	{"json", 1, 1, call_json},
	{"le", 2, 2, call_le},
	{"len", 1, 1, call_len},
	{"lower", 1, 1, call_lower},
	{"lt", 2, 2, call_lt},
	{"ne", 2, 2, call_ne},
	{"not", 1, 1, call_not},
	{"or", 1, -1, NULL},
	{"pad", 3, 3, call_pad},
	{"print", 0, -1, call_print},
	{"printf", 1, -1, call_printf},
	{"println", 0, -1, call_println},
	{"split", 2, 2, call_split},
	{"title", 1, 1, call_title},
	{"truncate", 2, 2, call_truncate},
	{"upper", 1, 1, call_upper},
};

const TemplateFunction *template_function_find(const char *name, size_t length) {
	array_foreach (function, functions)
		if (strlen(function->name) == length && strncmp(function->name, name, length) == 0)
			return function;
	return NULL;
}
