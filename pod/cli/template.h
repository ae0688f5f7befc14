/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of Go's text/template that --format is used with, over JSON values: text, {{.A.B}},
 * {{.}}, variables, if / else if / else, range, with, end, pipes, parentheses, {{- trimming -}},
 * comments and the functions of template_functions.c. Not there: define, template, block, break,
 * continue.
 *
 * Differences that JSON brings: a missing member whose name starts with a capital letter is an
 * error (in Go it would be no field of the struct), any other is "<no value>" (no key of the map);
 * a field is also found when only its capitals differ, so .ID and .Id are one. Text comes from
 * users only, but is bounded all the same: in nesting, in steps and in output.
 */
#pragma once

#include "base/json.h"

typedef struct Template Template;

/* NULL with ERROR_INVALID for a syntax error; free with template_free. */
Template *template_parse(const char *text, GError **err);
void template_free(Template *parsed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Template, template_free)

/* Appends the result for data. ERROR_INVALID names a field that is not there. */
bool template_execute(const Template *parsed, json_t *data, GString *out, GError **err);

/* Appends what stands above the columns: the text as it is, for each action the heading of its
 * field. names (may be NULL) gives headings that are not the field's name in capitals. */
void template_append_headers(const Template *parsed, const json_t *names, GString *out);

/* template_parse and template_execute in one. */
bool template_render(const char *text, json_t *data, GString *out, GError **err);
