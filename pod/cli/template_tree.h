/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A parsed template: nodes and expressions. Shared by the parser and the executor alone. */
#pragma once

#include "base/json.h"

typedef struct TemplateFunction {
	const char *name;
	int min_arguments;
	int max_arguments; /* -1: no bound */
	/* A new reference; NULL with err set. NULL function: and, or, which do not look at every
	 * argument and are the executor's. */
	json_t *(*call)(json_t *const *arguments, size_t n, GError **err);
} TemplateFunction;

/* NULL if there is none of this name. */
const TemplateFunction *template_function_find(const char *name, size_t length);

/* Go's truth: false, 0, "", nothing and everything empty are false. */
bool template_is_true(const json_t *value);

/* Appends a value as Go's %v prints it. */
void template_append_value(const json_t *value, GString *out);

typedef enum ExprKind {
	EXPR_DOT,
	EXPR_VARIABLE, /* name is "$" or "$x" */
	EXPR_LITERAL,
	EXPR_CALL,
} ExprKind;

typedef struct Expr {
	ExprKind kind;
	char *name;                       /* of the variable */
	json_t *literal;                  /* LITERAL */
	const TemplateFunction *function; /* CALL */
	GPtrArray *arguments;             /* of Expr: CALL; of a method call: {{.Label "x"}} */
	struct Expr *inner;               /* (PIPELINE).A: replaces the kind's own value */
	GPtrArray *fields;                /* names applied to the value, NULL: none */
} Expr;

typedef enum NodeKind {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_RANGE,
	NODE_WITH,
} NodeKind;

typedef struct Node {
	NodeKind kind;
	GString *text;        /* TEXT */
	Expr *expr;           /* all others */
	char *variables[2];   /* "$i", "$v" that the pipeline declares; one: only the first */
	bool assign;          /* "=" instead of ":=" */
	GPtrArray *children;  /* of Node: IF, RANGE, WITH */
	GPtrArray *otherwise; /* of Node: after {{else}}; NULL: none */
} Node;

struct Template {
	GPtrArray *nodes; /* of Node */
};

void expr_free(Expr *expr);
void node_free(Node *node);
