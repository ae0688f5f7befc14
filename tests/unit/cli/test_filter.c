/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --filter and --sort on the objects of ps. */
#include "cli/filter.h"
#include "cli/sort.h"

#include <string.h>

static const char data[] =
	"[{\"Id\": \"aa11\", \"Names\": [\"web\"], \"State\": \"running\", \"Pod\": \"p1\", "
	"\"PodName\":"
	" \"pod\", \"Image\": \"localhost/bb:latest\", \"ImageID\": \"ff00\", \"Exited\": false,"
	" \"ExitCode\": 0, \"Labels\": {\"a\": \"1\", \"b\": \"2\"}, \"_created_usec\": 3},"
	" {\"Id\": \"bb22\", \"Names\": [\"db\"], \"State\": \"exited\", \"Pod\": \"\", "
	"\"PodName\": \"\","
	" \"Image\": \"other:1\", \"ImageID\": \"ee00\", \"Exited\": true, \"ExitCode\": 3,"
	" \"Labels\": {\"a\": \"1\"}, \"_created_usec\": 1},"
	" {\"Id\": \"cc33\", \"Names\": [\"web2\"], \"State\": \"created\", \"Pod\": \"\", "
	"\"PodName\": \"\","
	" \"Image\": \"localhost/bb:old\", \"ImageID\": \"dd00\", \"Exited\": false, \"ExitCode\": "
	"0,"
	" \"Labels\": {}, \"_created_usec\": 2}]";

static char *names_of(const json_t *objects) {
	g_autoptr(GString) names = g_string_new(NULL);
	const json_t *object;
	size_t index;

	json_array_foreach (objects, index, object)
		g_string_append_printf(names, "%s%s", index ? " " : "",
			json_string_value(json_array_get(json_object_get(object, "Names"), 0)));
	return g_string_free(g_steal_pointer(&names), FALSE);
}

static void expect(const char *filters, const char *wanted) {
	json_auto_t *objects = json_parse(data, strlen(data), "data", NULL);
	g_auto(GStrv) list = g_strsplit(filters, " ", -1);
	g_autoptr(GError) error = NULL;

	if (!filter_objects(objects, list, false, &error))
		g_error("%s: %s", filters, error->message);
	g_autofree char *names = names_of(objects);
	if (strcmp(names, wanted) != 0)
		g_error("%s: \"%s\", not \"%s\"", filters, names, wanted);
}

static void test_filters(void) {
	expect("name=web", "web web2");
	expect("name=^web$", "web");
	expect("name=db name=web2", "db web2");
	expect("name=web status=created", "web2");
	expect("id=bb", "db");
	expect("status=exited", "db");
	expect("status=stopped", "db");
	expect("label=a", "web db");
	expect("label=a=1 label=b", "web");
	expect("label=a=2", "");
	expect("pod=pod", "web");
	expect("pod=p1", "web");
	expect("ancestor=bb", "web web2");
	expect("ancestor=localhost/bb:old", "web2");
	expect("ancestor=ee", "db");
	expect("exited=3", "db");
	expect("exited=0", "");
	expect("before=web2", "db");
	expect("since=web2", "web");
}

/* security: B16-07 */
static void test_bad_filters(void) {
	static const char *const bad[] = {"name", "nosuch=1", "exited=x", "ctr-names=x", "=x"};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		json_auto_t *objects = json_parse(data, strlen(data), "data", NULL);
		char *list[] = {(char *)(uintptr_t)bad[i], NULL};
		g_autoptr(GError) error = NULL;
		g_assert_false(filter_objects(objects, list, false, &error));
		g_assert_nonnull(strstr(error->message, bad[i]));
	}
}

static void test_sort(void) {
	static const SortKey keys[] = {
		{"created", "_created_usec"},
		{"names", "Names"},
		{"newest", "_created_usec", true},
		{NULL, NULL},
	};
	static const char *const cases[][2] = {
		{"created", "db web2 web"},
		{"names", "db web web2"},
		{"newest", "web web2 db"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		json_auto_t *objects = json_parse(data, strlen(data), "data", NULL);
		g_assert_true(sort_objects(objects, keys, cases[i][0], NULL));
		g_autofree char *names = names_of(objects);
		g_assert_cmpstr(names, ==, cases[i][1]);
	}
	json_auto_t *objects = json_parse(data, strlen(data), "data", NULL);
	g_assert_false(sort_objects(objects, keys, "nosuch", NULL));
	g_assert_cmpuint(json_array_size(objects), ==, 3);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cli/filter/what-passes", test_filters);
	g_test_add_func("/cli/filter/bad-filters-are-named", test_bad_filters);
	g_test_add_func("/cli/sort/keys", test_sort);
	return g_test_run();
}
