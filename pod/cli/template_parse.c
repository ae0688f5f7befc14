/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text to tree. A recursive descent whose depth is bounded. See template.h for the language. */
#include "cli/template.h"

#include "base/cleanup.h"
#include "cli/template_tree.h"

#include <stdlib.h>
#include <string.h>

enum { NESTING_LIMIT = 64, TEXT_LIMIT = 64 << 10 };

typedef enum BlockEnd {
	BLOCK_END_OF_TEXT,
	BLOCK_END,     /* {{end}} */
	BLOCK_ELSE,    /* {{else}} */
	BLOCK_ELSE_IF, /* {{else if}}; the position is after "if" */
} BlockEnd;

typedef struct Parser {
	const char *p;
	unsigned depth;
	bool trim_next; /* the last action ended in -}} */
} Parser;

static Expr *parse_pipeline(Parser *parser, GError **err);
static bool parse_nodes(Parser *parser, GPtrArray *nodes, BlockEnd *ret_end, GError **err);

void expr_free(Expr *expr) {
	if (!expr)
		return;
	g_free(expr->name);
	json_decref(expr->literal);
	g_clear_pointer(&expr->arguments, g_ptr_array_unref);
	g_clear_pointer(&expr->fields, g_ptr_array_unref);
	expr_free(expr->inner);
	g_free(expr);
}

void node_free(Node *node) {
	if (!node)
		return;
	if (node->text)
		g_string_free(node->text, TRUE);
	expr_free(node->expr);
	g_free(node->variables[0]);
	g_free(node->variables[1]);
	g_clear_pointer(&node->children, g_ptr_array_unref);
	g_clear_pointer(&node->otherwise, g_ptr_array_unref);
	g_free(node);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expr, expr_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Node, node_free)

static void free_expr_pointer(void *expr) {
	expr_free(expr);
}

static void free_node_pointer(void *node) {
	node_free(node);
}

static bool fail_syntax(const Parser *parser, const char *what, GError **err) {
	g_autofree char *near = g_strndup(parser->p, strcspn(parser->p, " \t\r\n}"));

	if (*near)
		return fail(err, ERROR_INVALID, "bad template: %s at \"%s\"", what, near);
	return fail(err, ERROR_INVALID, "bad template: %s", what);
}

static void skip_space(Parser *parser) {
	while (g_ascii_isspace(*parser->p))
		parser->p++;
}

static bool is_word(char c) {
	return g_ascii_isalnum(c) || c == '_' || (c & 0x80);
}

static size_t word_length(const char *p) {
	size_t length = 0;

	while (is_word(p[length]))
		length++;
	return length;
}

/* Takes a word if it is this one. */
static bool take_word(Parser *parser, const char *word) {
	size_t length = strlen(word);

	if (strncmp(parser->p, word, length) != 0 || is_word(parser->p[length]))
		return false;
	parser->p += length;
	return true;
}

/* Takes "}}" or " -}}". */
static bool take_action_end(Parser *parser, GError **err) {
	bool spaced = g_ascii_isspace(parser->p[0]) || g_ascii_isspace(parser->p[-1]);

	skip_space(parser);
	parser->trim_next = false;
	if (spaced && g_str_has_prefix(parser->p, "-}}")) {
		parser->p += 3;
		parser->trim_next = true;
		return true;
	}
	if (!g_str_has_prefix(parser->p, "}}"))
		return fail_syntax(parser,
			*parser->p ? "unexpected text in an action" : "unclosed action", err);
	parser->p += 2;
	return true;
}

static bool append_escape(Parser *parser, GString *out) {
	static const char letters[] = "abfnrtv\\\"'", bytes[] = "\a\b\f\n\r\t\v\\\"'";
	const char *letter = *parser->p ? strchr(letters, *parser->p) : NULL;

	if (!letter)
		return false;
	g_string_append_c(out, bytes[letter - letters]);
	parser->p++;
	return true;
}

static json_t *parse_quoted(Parser *parser, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);
	char quote = *parser->p++;

	while (*parser->p && *parser->p != quote) {
		char c = *parser->p++;
		if (c != '\\' || quote == '`') {
			g_string_append_c(text, c);
		} else if (!append_escape(parser, text)) {
			fail_syntax(parser, "unknown escape in a string", err);
			return NULL;
		}
	}
	if (!*parser->p) {
		fail_syntax(parser, "unterminated string", err);
		return NULL;
	}
	parser->p++;
	json_t *value = json_stringn(text->str, text->len);
	if (!value)
		fail_syntax(parser, "string is not UTF-8", err);
	return value;
}

static json_t *parse_number(Parser *parser, GError **err) {
	char *end, *real_end;
	json_int_t integer = strtoll(parser->p, &end, 10);
	double real = g_ascii_strtod(parser->p, &real_end);
	json_t *value = real_end > end ? json_real(real) : json_integer(integer);

	parser->p = MAX(end, real_end);
	if (!value || is_word(*parser->p)) {
		json_decref(value);
		fail_syntax(parser, "bad number", err);
		return NULL;
	}
	return value;
}

/* .A.B directly after an operand; names go to expr->fields. */
static bool parse_fields(Parser *parser, Expr *expr, GError **err) {
	while (*parser->p == '.') {
		size_t length = word_length(parser->p + 1);
		if (length == 0)
			return fail_syntax(parser, "a field needs a name", err);
		if (!expr->fields)
			expr->fields = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(expr->fields, g_strndup(parser->p + 1, length));
		parser->p += 1 + length;
	}
	return true;
}

static bool parse_literal(Parser *parser, Expr *expr, GError **err) {
	expr->kind = EXPR_LITERAL;
	if (*parser->p == '"' || *parser->p == '`')
		expr->literal = parse_quoted(parser, err);
	else if (g_ascii_isdigit(*parser->p) || *parser->p == '-')
		expr->literal = parse_number(parser, err);
	else if (take_word(parser, "true"))
		expr->literal = json_true();
	else if (take_word(parser, "false"))
		expr->literal = json_false();
	else if (take_word(parser, "nil"))
		expr->literal = json_null();
	else
		return fail_syntax(parser, "there is no such function", err);
	return expr->literal != NULL;
}

/* One operand without arguments. A function name is an operand too: {{len}} fails later. */
static Expr *parse_operand(Parser *parser, GError **err) {
	g_autoptr(Expr) expr = g_new0(Expr, 1);
	size_t length = word_length(parser->p);
	const TemplateFunction *function = template_function_find(parser->p, length);
	bool good = true;

	if (*parser->p == '(') {
		parser->p++;
		expr->inner = parse_pipeline(parser, err);
		if (!expr->inner)
			return NULL;
		skip_space(parser);
		if (*parser->p != ')') {
			fail_syntax(parser, "missing \")\"", err);
			return NULL;
		}
		parser->p++;
	} else if (*parser->p == '$') {
		expr->kind = EXPR_VARIABLE;
		length = word_length(parser->p + 1) + 1;
		expr->name = g_strndup(parser->p, length);
		parser->p += length;
	} else if (*parser->p == '.') {
		expr->kind = EXPR_DOT;
		if (!is_word(parser->p[1])) {
			parser->p++;
			return g_steal_pointer(&expr);
		}
	} else if (length > 0 && function) {
		expr->kind = EXPR_CALL;
		expr->function = function;
		parser->p += length;
	} else {
		good = parse_literal(parser, expr, err);
	}
	return good && parse_fields(parser, expr, err) ? g_steal_pointer(&expr) : NULL;
}

static bool at_operand(const Parser *parser) {
	char c = *parser->p;

	if (c == '-')
		return g_ascii_isdigit(parser->p[1]);
	return c && (is_word(c) || strchr(".$(\"`", c));
}

/* An operand and its arguments. */
static Expr *parse_command(Parser *parser, GError **err) {
	skip_space(parser);
	if (!at_operand(parser)) {
		fail_syntax(parser, "missing value", err);
		return NULL;
	}
	g_autoptr(Expr) expr = parse_operand(parser, err);
	if (!expr)
		return NULL;
	for (skip_space(parser); at_operand(parser); skip_space(parser)) {
		Expr *argument = parse_operand(parser, err);
		if (!argument)
			return NULL;
		if (!expr->arguments)
			expr->arguments = g_ptr_array_new_with_free_func(free_expr_pointer);
		g_ptr_array_add(expr->arguments, argument);
	}
	if (expr->arguments && expr->kind != EXPR_CALL && !expr->fields) {
		fail_syntax(parser, "a value takes no arguments", err);
		return NULL;
	}
	return g_steal_pointer(&expr);
}

/* a | f b  is  f b a. */
static Expr *parse_pipe(Parser *parser, GError **err) {
	g_autoptr(Expr) expr = parse_command(parser, err);
	unsigned length = 0;

	while (expr && *parser->p == '|') {
		parser->p++;
		g_autoptr(Expr) next = parse_command(parser, err);
		if (!next)
			return NULL;
		if (next->kind != EXPR_CALL || next->inner || ++length > NESTING_LIMIT) {
			fail_syntax(parser, "after \"|\" stands a function", err);
			return NULL;
		}
		if (!next->arguments)
			next->arguments = g_ptr_array_new_with_free_func(free_expr_pointer);
		g_ptr_array_add(next->arguments, g_steal_pointer(&expr));
		expr = g_steal_pointer(&next);
	}
	return g_steal_pointer(&expr);
}

static Expr *parse_pipeline(Parser *parser, GError **err) {
	if (++parser->depth > NESTING_LIMIT) {
		fail_syntax(parser, "nested too deeply", err);
		return NULL;
	}
	Expr *expr = parse_pipe(parser, err);
	parser->depth--;
	return expr;
}

static char *take_variable(Parser *parser) {
	size_t length = *parser->p == '$' ? word_length(parser->p + 1) : 0;

	if (length == 0)
		return NULL;
	char *name = g_strndup(parser->p, length + 1);
	parser->p += length + 1;
	skip_space(parser);
	return name;
}

/* "$x :=", "$x =", "$i, $v :=" in front of a pipeline; without them the position stays. */
static void parse_declaration(Parser *parser, Node *node) {
	const char *start = parser->p;

	node->variables[0] = take_variable(parser);
	if (node->variables[0] && node->kind == NODE_RANGE && *parser->p == ',') {
		parser->p++;
		skip_space(parser);
		node->variables[1] = take_variable(parser);
	}
	if (node->variables[0] && g_str_has_prefix(parser->p, ":=")) {
		parser->p += 2;
	} else if (node->variables[0] && *parser->p == '=') {
		parser->p++;
		node->assign = true;
	} else {
		g_clear_pointer(&node->variables[0], g_free);
		g_clear_pointer(&node->variables[1], g_free);
		parser->p = start;
	}
}

/* What follows if, range, with: the pipeline, the blocks, the end. */
static bool parse_block(Parser *parser, Node *node, GError **err) {
	BlockEnd end;

	skip_space(parser);
	parse_declaration(parser, node);
	node->expr = parse_pipeline(parser, err);
	if (!node->expr || !take_action_end(parser, err))
		return false;
	node->children = g_ptr_array_new_with_free_func(free_node_pointer);
	if (!parse_nodes(parser, node->children, &end, err))
		return false;
	if (end == BLOCK_ELSE || end == BLOCK_ELSE_IF)
		node->otherwise = g_ptr_array_new_with_free_func(free_node_pointer);
	if (end == BLOCK_ELSE_IF) {
		/* The nested if takes the {{end}} of all. */
		g_autoptr(Node) nested = g_new0(Node, 1);
		nested->kind = NODE_IF;
		if (++parser->depth > NESTING_LIMIT)
			return fail_syntax(parser, "nested too deeply", err);
		if (node->kind != NODE_IF)
			return fail_syntax(parser, "\"else if\" without \"if\"", err);
		if (!parse_block(parser, nested, err))
			return false;
		parser->depth--;
		g_ptr_array_add(node->otherwise, g_steal_pointer(&nested));
		return true;
	}
	if (end == BLOCK_ELSE && !parse_nodes(parser, node->otherwise, &end, err))
		return false;
	if (end != BLOCK_END)
		return fail_syntax(parser,
			end == BLOCK_END_OF_TEXT ? "missing {{end}}" : "a second {{else}}", err);
	return true;
}

static bool parse_action(Parser *parser, GPtrArray *nodes, GError **err) {
	static const char *const absent[] = {"define", "template", "block", "break", "continue"};
	g_autoptr(Node) node = g_new0(Node, 1);

	array_foreach (word, absent)
		if (take_word(parser, *word))
			return fail(err, ERROR_UNSUPPORTED, "bad template: \"%s\" is not supported",
				*word);
	node->kind = take_word(parser, "if")      ? NODE_IF
		     : take_word(parser, "range") ? NODE_RANGE
		     : take_word(parser, "with")  ? NODE_WITH
						  : NODE_ACTION;
	if (node->kind == NODE_ACTION) {
		parse_declaration(parser, node);
		node->expr = parse_pipeline(parser, err);
		if (!node->expr || !take_action_end(parser, err))
			return false;
	} else if (!parse_block(parser, node, err)) {
		return false;
	}
	g_ptr_array_add(nodes, g_steal_pointer(&node));
	return true;
}

/* Text up to the next action, with the blanks that trimming leaves. */
static void parse_text(Parser *parser, GPtrArray *nodes) {
	const char *open = strstr(parser->p, "{{");
	const char *end = open ? open : parser->p + strlen(parser->p);
	const char *start = parser->p;

	parser->p = end;
	if (parser->trim_next)
		while (start < end && g_ascii_isspace(*start))
			start++;
	parser->trim_next = false;
	if (open && open[2] == '-' && g_ascii_isspace(open[3]))
		while (end > start && g_ascii_isspace(end[-1]))
			end--;
	if (end == start)
		return;
	Node *node = g_new0(Node, 1);
	node->kind = NODE_TEXT;
	node->text = g_string_new_len(start, end - start);
	g_ptr_array_add(nodes, node);
}

static bool skip_comment(Parser *parser, GError **err) {
	const char *end = strstr(parser->p, "*/");

	if (!end)
		return fail_syntax(parser, "unclosed comment", err);
	parser->p = end + 2;
	return take_action_end(parser, err);
}

/* {{end}}, {{else}}, {{else if: true with *ret_end; the position is left for the caller. */
static bool at_block_end(Parser *parser, BlockEnd *ret_end) {
	if (take_word(parser, "end")) {
		*ret_end = BLOCK_END;
		return true;
	}
	if (!take_word(parser, "else"))
		return false;
	*ret_end = BLOCK_ELSE;
	const char *after = parser->p;
	skip_space(parser);
	if (take_word(parser, "if"))
		*ret_end = BLOCK_ELSE_IF;
	else
		parser->p = after;
	return true;
}

static bool parse_nodes(Parser *parser, GPtrArray *nodes, BlockEnd *ret_end, GError **err) {
	if (++parser->depth > NESTING_LIMIT)
		return fail_syntax(parser, "nested too deeply", err);
	for (;;) {
		parse_text(parser, nodes);
		if (!*parser->p)
			break;
		parser->p += 2;
		if (parser->p[0] == '-' && g_ascii_isspace(parser->p[1]))
			parser->p++;
		bool comment = g_str_has_prefix(parser->p, "/*");
		skip_space(parser);
		if (comment || g_str_has_prefix(parser->p, "/*")) {
			if (!skip_comment(parser, err))
				return false;
			continue;
		}
		if (at_block_end(parser, ret_end)) {
			parser->depth--;
			return *ret_end == BLOCK_ELSE_IF || take_action_end(parser, err);
		}
		if (!parse_action(parser, nodes, err))
			return false;
	}
	parser->depth--;
	*ret_end = BLOCK_END_OF_TEXT;
	return true;
}

void template_free(Template *parsed) {
	if (!parsed)
		return;
	g_clear_pointer(&parsed->nodes, g_ptr_array_unref);
	g_free(parsed);
}

Template *template_parse(const char *text, GError **err) {
	g_autoptr(Template) parsed = g_new0(Template, 1);
	Parser parser = {.p = text};
	BlockEnd end;

	parsed->nodes = g_ptr_array_new_with_free_func(free_node_pointer);
	if (strlen(text) > TEXT_LIMIT) {
		fail(err, ERROR_INVALID, "bad template: longer than %d bytes", TEXT_LIMIT);
		return NULL;
	}
	if (!parse_nodes(&parser, parsed->nodes, &end, err))
		return NULL;
	if (end != BLOCK_END_OF_TEXT) {
		fail(err, ERROR_INVALID, "bad template: {{%s}} without a block",
			end == BLOCK_END ? "end" : "else");
		return NULL;
	}
	return g_steal_pointer(&parsed);
}
