/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executing a parsed template. See template.h. */
#include "cli/template.h"

#include "cli/template_tree.h"

#include <string.h>

enum { STEP_LIMIT = 1000000, OUTPUT_LIMIT = 64 << 20 };

typedef struct Variable {
	const char *name; /* borrowed from the tree */
	json_t *value;    /* owned */
} Variable;

typedef struct Run {
	GArray *variables; /* a stack of Variable; "$" is the first */
	GString *out;
	unsigned steps;
} Run;

static json_t *evaluate(Run *run, const Expr *expr, json_t *dot, GError **err);
static bool run_nodes(Run *run, const GPtrArray *nodes, json_t *dot, GError **err);

static bool count_step(Run *run, GError **err) {
	if (++run->steps > STEP_LIMIT || run->out->len > OUTPUT_LIMIT)
		return fail(err, ERROR_INVALID, "bad template: it makes too much of the data");
	return true;
}

static void clear_variable(void *data) {
	json_decref(((Variable *)data)->value);
}

static Variable *find_variable(Run *run, const char *name) {
	for (guint i = run->variables->len; i-- > 0;) {
		Variable *variable = &g_array_index(run->variables, Variable, i);
		if (strcmp(variable->name, name) == 0)
			return variable;
	}
	return NULL;
}

/* Takes the reference. */
static void push_variable(Run *run, const char *name, json_t *value) {
	const Variable variable = {name, value};

	g_array_append_val(run->variables, variable);
}

/* Borrowed; a member whose name differs only in capitals counts (Id, ID). */
static json_t *find_member(const json_t *object, const char *name) {
	json_t *member = json_object_get(object, name);
	const char *key;
	json_t *value;

	if (member || !g_ascii_isupper(name[0]))
		return member;
	json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
		if (g_ascii_strcasecmp(key, name) == 0)
			return value;
	}
	return NULL;
}

/* A new reference. */
static json_t *get_field(const json_t *value, const char *name, GError **err) {
	json_t *member = json_is_object(value) ? find_member(value, name) : NULL;

	if (member)
		return json_incref(member);
	if (json_is_object(value) && !g_ascii_isupper(name[0]))
		return json_null();
	fail(err, ERROR_INVALID, "bad template: can't evaluate field %s", name);
	return NULL;
}

/* {{.Label "name"}}: the one method that formats use. */
static json_t *call_method(
	Run *run, const Expr *expr, const json_t *value, json_t *dot, GError **err) {
	const char *name = expr->fields->pdata[expr->fields->len - 1];

	if (strcmp(name, "Label") != 0 || expr->arguments->len != 1) {
		fail(err, ERROR_INVALID, "bad template: \"%s\" takes no arguments", name);
		return NULL;
	}
	json_auto_t *key = evaluate(run, expr->arguments->pdata[0], dot, err);
	if (!key)
		return NULL;
	const json_t *labels = json_object_get(value, "Labels");
	json_t *label =
		json_is_string(key) ? json_object_get(labels, json_string_value(key)) : NULL;
	return label ? json_incref(label) : json_string("");
}

static json_t *apply_fields(Run *run, const Expr *expr, json_t *value, json_t *dot, GError **err) {
	json_t *current = value; /* owned */
	bool method = expr->kind != EXPR_CALL && expr->arguments;
	guint n = expr->fields ? expr->fields->len : 0;

	for (guint i = 0; i < n && current; i++) {
		json_t *next = method && i + 1 == n
				       ? call_method(run, expr, current, dot, err)
				       : get_field(current, expr->fields->pdata[i], err);
		json_decref(current);
		current = next;
	}
	return current;
}

/* and, or: the first argument that decides. */
static json_t *evaluate_lazily(Run *run, const Expr *expr, json_t *dot, GError **err) {
	bool is_or = strcmp(expr->function->name, "or") == 0;
	json_t *value = NULL;

	for (guint i = 0; i < expr->arguments->len; i++) {
		json_decref(value);
		value = evaluate(run, expr->arguments->pdata[i], dot, err);
		if (!value || template_is_true(value) == is_or)
			break;
	}
	return value;
}

static json_t *evaluate_call(Run *run, const Expr *expr, json_t *dot, GError **err) {
	const TemplateFunction *function = expr->function;
	guint n = expr->arguments ? expr->arguments->len : 0;
	json_t *result = NULL;
	guint filled = 0;

	if ((int)n < function->min_arguments ||
		(function->max_arguments >= 0 && (int)n > function->max_arguments)) {
		fail(err, ERROR_INVALID, "bad template: wrong number of arguments for \"%s\": %u",
			function->name, n);
		return NULL;
	}
	if (!function->call)
		return evaluate_lazily(run, expr, dot, err);
	g_autofree json_t **arguments = g_new0(json_t *, n + 1);
	for (; filled < n; filled++) {
		arguments[filled] = evaluate(run, expr->arguments->pdata[filled], dot, err);
		if (!arguments[filled])
			break;
	}
	if (filled == n)
		result = function->call(arguments, n, err);
	for (guint i = 0; i < filled; i++)
		json_decref(arguments[i]);
	return result;
}

/* A new reference; NULL with err set. */
static json_t *evaluate(Run *run, const Expr *expr, json_t *dot, GError **err) {
	json_t *value = NULL;

	if (!count_step(run, err))
		return NULL;
	if (expr->inner) {
		value = evaluate(run, expr->inner, dot, err);
	} else if (expr->kind == EXPR_DOT) {
		value = json_incref(dot);
	} else if (expr->kind == EXPR_LITERAL) {
		value = json_incref(expr->literal);
	} else if (expr->kind == EXPR_CALL) {
		value = evaluate_call(run, expr, dot, err);
	} else {
		const Variable *variable = find_variable(run, expr->name);
		if (variable)
			value = json_incref(variable->value);
		else
			fail(err, ERROR_INVALID, "bad template: undefined variable \"%s\"",
				expr->name);
	}
	return value ? apply_fields(run, expr, value, dot, err) : NULL;
}

/* One turn of a range: its variables live for the turn. */
static bool run_turn(Run *run, const Node *node, json_t *key, json_t *item, GError **err) {
	guint depth = run->variables->len;

	if (node->variables[1])
		push_variable(run, node->variables[0], json_incref(key));
	if (node->variables[0])
		push_variable(run, node->variables[node->variables[1] ? 1 : 0], json_incref(item));
	bool good = count_step(run, err) && run_nodes(run, node->children, item, err);
	g_array_set_size(run->variables, depth);
	return good;
}

static int compare_keys(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of the keys, as in Go. */
static bool range_object(Run *run, const Node *node, json_t *object, GError **err) {
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	const char *key;
	json_t *member;

	json_object_foreach (object, key, member)
		g_ptr_array_add(keys, (char *)(uintptr_t)key);
	g_ptr_array_sort(keys, compare_keys);
	for (guint i = 0; i < keys->len; i++) {
		json_auto_t *name = json_string(keys->pdata[i]);
		if (!run_turn(run, node, name, json_object_get(object, keys->pdata[i]), err))
			return false;
	}
	return true;
}

static bool run_range(Run *run, const Node *node, json_t *value, json_t *dot, GError **err) {
	json_t *item;
	size_t index;

	if (!template_is_true(value))
		return !node->otherwise || run_nodes(run, node->otherwise, dot, err);
	if (json_is_object(value))
		return range_object(run, node, value, err);
	if (!json_is_array(value))
		return fail(err, ERROR_INVALID, "bad template: range over a value that is no list");
	json_array_foreach (value, index, item) {
		json_auto_t *key = json_integer((json_int_t)index);
		if (!run_turn(run, node, key, item, err))
			return false;
	}
	return true;
}

static bool run_branch(Run *run, const Node *node, json_t *value, json_t *dot, GError **err) {
	const GPtrArray *nodes = template_is_true(value) ? node->children : node->otherwise;
	json_t *inner = node->kind == NODE_WITH && nodes == node->children ? value : dot;
	guint depth = run->variables->len;

	if (!nodes)
		return true;
	if (node->variables[0])
		push_variable(run, node->variables[0], json_incref(value));
	bool good = run_nodes(run, nodes, inner, err);
	g_array_set_size(run->variables, depth);
	return good;
}

static bool run_action(Run *run, const Node *node, json_t *value, GError **err) {
	if (!node->variables[0]) {
		template_append_value(value, run->out);
		return true;
	}
	if (!node->assign) {
		push_variable(run, node->variables[0], json_incref(value));
		return true;
	}
	Variable *variable = find_variable(run, node->variables[0]);
	if (!variable)
		return fail(err, ERROR_INVALID, "bad template: undefined variable \"%s\"",
			node->variables[0]);
	json_decref(variable->value);
	variable->value = json_incref(value);
	return true;
}

static bool run_node(Run *run, const Node *node, json_t *dot, GError **err) {
	if (!count_step(run, err))
		return false;
	if (node->kind == NODE_TEXT) {
		g_string_append_len(run->out, node->text->str, (gssize)node->text->len);
		return true;
	}
	json_auto_t *value = evaluate(run, node->expr, dot, err);
	if (!value)
		return false;
	if (node->kind == NODE_RANGE)
		return run_range(run, node, value, dot, err);
	if (node->kind == NODE_ACTION)
		return run_action(run, node, value, err);
	return run_branch(run, node, value, dot, err);
}

static bool run_nodes(Run *run, const GPtrArray *nodes, json_t *dot, GError **err) {
	guint depth = run->variables->len;
	bool good = true;

	for (guint i = 0; i < nodes->len && good; i++)
		good = run_node(run, nodes->pdata[i], dot, err);
	g_array_set_size(run->variables, depth);
	return good;
}

bool template_execute(const Template *parsed, json_t *data, GString *out, GError **err) {
	g_autoptr(GArray) variables = g_array_new(FALSE, FALSE, sizeof(Variable));
	g_autoptr(GString) text = g_string_new(NULL);
	Run run = {.variables = variables, .out = text};

	g_array_set_clear_func(variables, clear_variable);
	push_variable(&run, "$", json_incref(data));
	if (!run_nodes(&run, parsed->nodes, data, err))
		return false;
	g_string_append_len(out, text->str, (gssize)text->len);
	return true;
}

/* The name of the field that an expression shows, or NULL. */
static const char *shown_field(const Expr *expr) {
	if (expr->fields)
		return expr->fields->pdata[expr->fields->len - 1];
	if (expr->inner)
		return shown_field(expr->inner);
	for (guint i = 0; expr->arguments && i < expr->arguments->len; i++) {
		const char *name = shown_field(expr->arguments->pdata[i]);
		if (name)
			return name;
	}
	return NULL;
}

/* CreatedAt: CREATED AT; a run of capitals stays together. */
static void append_heading(const char *field, const json_t *names, GString *out) {
	const char *heading = json_string_value(json_object_get(names, field));

	if (heading) {
		g_string_append(out, heading);
		return;
	}
	for (const char *p = field; *p; p++) {
		if (p > field && g_ascii_isupper(*p) && g_ascii_islower(p[-1]))
			g_string_append_c(out, ' ');
		g_string_append_c(out, g_ascii_toupper(*p));
	}
}

static void append_node_headers(const GPtrArray *nodes, const json_t *names, GString *out) {
	for (guint i = 0; i < nodes->len; i++) {
		const Node *node = nodes->pdata[i];
		if (node->kind == NODE_TEXT) {
			g_string_append_len(out, node->text->str, (gssize)node->text->len);
		} else if (node->children) {
			append_node_headers(node->children, names, out);
		} else if (!node->variables[0]) {
			const char *field = shown_field(node->expr);
			if (field)
				append_heading(field, names, out);
			else if (node->expr->kind == EXPR_LITERAL)
				template_append_value(node->expr->literal, out);
		}
	}
}

void template_append_headers(const Template *parsed, const json_t *names, GString *out) {
	append_node_headers(parsed->nodes, names, out);
}

bool template_render(const char *text, json_t *data, GString *out, GError **err) {
	g_autoptr(Template) parsed = template_parse(text, err);

	return parsed && template_execute(parsed, data, out, err);
}
