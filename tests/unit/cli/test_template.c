/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Templates: what Go's text/template makes of the same text, and that nothing gets out of bounds.
 */
#include "cli/template.h"

#include <string.h>

static const char data[] =
	"{\"Id\": \"0123456789abcdef\", \"Name\": \"web\", \"Count\": 3, \"Zero\": 0, \"Half\": "
	"0.5,"
	" \"Up\": true, \"Down\": false, \"Nothing\": null, \"Empty\": [],"
	" \"List\": [\"a\", \"b\", \"c\"], \"Map\": {\"z\": \"1\", \"a\": \"2\"},"
	" \"Labels\": {\"role\": \"db\", \"io.x/y\": \"v\"},"
	" \"Ports\": {\"80/tcp\": [{\"HostPort\": \"8080\"}]},"
	" \"Mounts\": [{\"Source\": \"/a\", \"RW\": true}, {\"Source\": \"/b\", \"RW\": false}],"
	" \"State\": {\"Status\": \"running\", \"Pid\": 42}}";

static json_t *load(void) {
	json_t *value = json_parse(data, strlen(data), "data", NULL);

	g_assert_nonnull(value);
	return value;
}

static void expect(const char *text, const char *wanted) {
	json_auto_t *value = load();
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) out = g_string_new(NULL);

	if (!template_render(text, value, out, &error))
		g_error("%s: %s", text, error->message);
	g_assert_cmpstr(out->str, ==, wanted);
}

static void expect_error(const char *text, const char *part) {
	json_auto_t *value = load();
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) out = g_string_new(NULL);

	if (template_render(text, value, out, &error))
		g_error("%s: no error, but \"%s\"", text, out->str);
	if (!strstr(error->message, part))
		g_error("%s: \"%s\" has no \"%s\"", text, error->message, part);
	g_assert_cmpuint(out->len, ==, 0);
}

static void test_fields(void) {
	expect("plain", "plain");
	expect("", "");
	expect("{{.Name}}-{{ .State.Pid }}", "web-42");
	expect("{{.ID}}", "0123456789abcdef");
	expect("{{.Labels.role}} {{.Labels.none}}", "db <no value>");
	expect("{{$.Name}} {{(index .Mounts 1).Source}}", "web /b");
	expect("{{.Label \"role\"}}|{{.Label \"none\"}}", "db|");
	expect("{{.Map}} {{.List}} {{.Half}} {{.Up}} {{.Empty}}",
		"map[a:2 z:1] [a b c] 0.5 true []");
}

static void test_missing_field(void) {
	expect_error("x{{.Nope}}", "can't evaluate field Nope");
	expect_error("{{.State.Nope}}", "can't evaluate field Nope");
	expect_error("{{.Name.Nope}}", "can't evaluate field Nope");
	expect_error("{{.Nothing.Nope}}", "can't evaluate field Nope");
	expect_error("{{$x}}", "undefined variable");
	expect_error("{{.Name \"x\"}}", "takes no arguments");
}

static void test_conditions(void) {
	expect("{{if .Up}}u{{else}}d{{end}}{{if .Down}}u{{else}}d{{end}}", "ud");
	expect("{{if eq .Count 1}}1{{else if eq .Count 2 3}}23{{else}}?{{end}}", "23");
	expect("{{if .Zero}}x{{end}}{{if .Empty}}x{{end}}{{if .Nothing}}x{{end}}{{if "
	       ".List}}y{{end}}",
		"y");
	expect("{{with .State}}{{.Status}}{{end}}{{with .Empty}}x{{else}}-{{end}}", "running-");
	expect("{{if and .Up (not .Down) (ne .Name \"db\")}}ok{{end}}", "ok");
	expect("{{or .Zero .Name}} {{and .Zero .Nope}}", "web 0");
	expect("{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1 2}} {{eq .Name \"web\"}}",
		"true true false false true");
	expect_error("{{eq .Name 1}}", "different types");
}

static void test_ranges(void) {
	expect("{{range .List}}[{{.}}]{{end}}", "[a][b][c]");
	expect("{{range $i, $v := .List}}{{$i}}{{$v}} {{end}}", "0a 1b 2c ");
	expect("{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}", "a=2;z=1;");
	expect("{{range .Empty}}x{{else}}none{{end}}", "none");
	expect("{{range .Mounts}}{{.Source}}{{if .RW}}:rw{{end}} {{end}}", "/a:rw /b ");
	expect("{{range .List}}{{$.Name}}{{end}}", "webwebweb");
	expect("{{$n := 0}}{{range .List}}{{$n = .}}{{end}}{{$n}}", "c");
	expect("{{range $p, $c := .Ports}}{{$p}}->{{(index $c 0).HostPort}}{{end}}",
		"80/tcp->8080");
	expect_error("{{range .Name}}{{end}}", "no list");
}

static void test_functions(void) {
	expect("{{json .List}} {{json .Labels.role}} {{.Map | json}}",
		"[\"a\",\"b\",\"c\"] \"db\" {\"z\":\"1\",\"a\":\"2\"}");
	expect("{{join .List \", \"}} {{len .List}} {{len .Name}}", "a, b, c 3 3");
	expect("{{upper .Name}} {{lower \"ABC\"}} {{title \"two words\"}}", "WEB abc Two Words");
	expect("{{index .Labels \"io.x/y\"}}{{index .List 2}}{{index .Labels \"no\"}}", "vc");
	expect("{{split \"a:b\" \":\"}} {{index (split \"a:b\" \":\") 1}}", "[a b] b");
	expect("{{truncate .Id 12}} {{pad .Name 1 2}}|", "0123456789ab  web  |");
	expect("{{printf \"%s %d %q %v %05d|%-5s|%5.2f%%\" .Name 7 .Name .List 42 \"ab\" .Half}}",
		"web 7 \"web\" [a b c] 00042|ab   | 0.50%");
	expect("{{printf \"%d\" .Name}} {{printf \"%s\"}}", "%!d(web) %!s(MISSING)");
	expect("{{println .Name 1}}{{print \"a\" 1 2 \"b\"}}", "web 1\na1 2b");
	expect("{{.Name | printf \"%s-%s\" \"x\" | upper}}", "X-WEB");
	expect_error("{{index .List 3}}", "out of range");
	expect_error("{{len 3}}", "does not take");
	expect_error("{{len}}", "wrong number of arguments");
	expect_error("{{nosuch .Name}}", "no such function");
}

static void test_text(void) {
	expect("a {{- .Name -}} b", "awebb");
	expect("a{{/* a note */}}b {{- /* note */ -}} c", "abc");
	expect("{{\"a\\tb\"}}{{`c\\t`}}", "a\tbc\\t");
	expect("{{true}} {{nil}} {{-3}} {{1.5}}", "true <no value> -3 1.5");
	expect("}} {", "}} {");
}

static void test_bad_syntax(void) {
	static const char *const bad[] = {"{{", "{{.Name", "{{}}", "{{if .Up}}", "{{end}}",
		"{{else}}", "{{range}}{{end}}", "{{.Name}} {{\"x}}", "{{.a..b}}", "{{(.Name}}",
		"{{.Name)}}", "{{| upper}}", "{{.Name |}}", "{{.Name | .Id}}", "{{/* x }}",
		"{{if 1}}{{else}}{{else}}{{end}}", "{{\"\\q\"}}", "{{12x}}", "{{- }}",
		"{{range .List}}{{else if 1}}{{end}}", "{{$ := 1}}", "{{define \"x\"}}{{end}}",
		"{{template \"x\"}}", "{{\"\xff\"}}"};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		expect_error(bad[i], "bad template");
}

/* security: B16-04 */
static void test_bounds(void) {
	g_autoptr(GString) deep = g_string_new(NULL), loops = g_string_new(NULL);
	g_autoptr(GString) doubling = g_string_new("{{$x := \"abcdefgh\"}}");

	for (int i = 0; i < 5000; i++)
		g_string_append(deep, "{{(");
	expect_error(deep->str, "bad template");
	g_string_truncate(deep, 0);
	for (int i = 0; i < 5000; i++)
		g_string_append(deep, "{{if 1}}");
	expect_error(deep->str, "nested too deeply");
	for (int i = 0; i < 30; i++)
		g_string_append(loops, "{{range $.List}}");
	for (int i = 0; i < 30; i++)
		g_string_append(loops, "{{end}}");
	expect_error(loops->str, "too much");
	for (int i = 0; i < 40; i++)
		g_string_append(doubling, "{{$x = printf \"%s%s\" $x $x}}");
	expect_error(doubling->str, "bad template");
}

static void test_headers(void) {
	g_autoptr(Template) parsed = template_parse(
		"{{.ID}}\t{{.CreatedAt}}\t{{range .Ports}}{{.HostPort}}{{end}}\t{{upper .Name}}",
		NULL);
	json_auto_t *names = json_object();
	g_autoptr(GString) out = g_string_new(NULL);

	json_put_string(names, "ID", "CONTAINER ID");
	template_append_headers(parsed, names, out);
	g_assert_cmpstr(out->str, ==, "CONTAINER ID\tCREATED AT\tHOST PORT\tNAME");
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cli/template/fields", test_fields);
	g_test_add_func("/cli/template/missing-field-is-named", test_missing_field);
	g_test_add_func("/cli/template/conditions", test_conditions);
	g_test_add_func("/cli/template/ranges", test_ranges);
	g_test_add_func("/cli/template/functions", test_functions);
	g_test_add_func("/cli/template/text-and-trimming", test_text);
	g_test_add_func("/cli/template/bad-syntax", test_bad_syntax);
	g_test_add_func("/cli/template/bounded", test_bounds);
	g_test_add_func("/cli/template/headers", test_headers);
	return g_test_run();
}
