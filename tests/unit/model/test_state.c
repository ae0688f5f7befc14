/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Definitions and states through JSON and back; names and ids. */
#include "base/str.h"
#include "model/names.h"
#include "model/state.h"

#include <string.h>

static void test_container_definition(void) {
	g_autoptr(GError) err = NULL;
	g_autoptr(ContainerDefinition) definition = g_new0(ContainerDefinition, 1);

	definition->id = g_strdup("1");
	definition->name = g_strdup("web");
	definition->created_usec = 1234567890123456;
	definition->create_command = g_strsplit("podctl run web", " ", -1);
	definition->spec = container_spec_new();
	definition->spec->image = g_strdup("busybox");
	json_auto_t *json = container_definition_to_json(definition);
	g_autoptr(ContainerDefinition) back = container_definition_from_json(json, &err);
	g_assert_no_error(err);
	json_auto_t *again = container_definition_to_json(back);
	g_assert_true(json_equal(json, again));
	g_assert_cmpstr(json_get_string(json, "name", NULL), ==, "web");
	g_assert_cmpuint(back->created_usec, ==, 1234567890123456);

	json_object_del(json, "spec");
	g_assert_null(container_definition_from_json(json, &err));
	g_assert_true(error_is(err, ERROR_CORRUPT));
	g_assert_null(container_definition_from_json(NULL, NULL));
}

static void test_container_state(void) {
	g_autoptr(ContainerState) none = container_state_from_json(NULL);
	g_autoptr(ContainerState) state = container_state_from_json(NULL);

	g_assert_cmpint(none->status, ==, CONTAINER_CREATED);
	state->status = CONTAINER_STOPPING;
	state->init = (ProcId){.pid = 7, .start_time = 99};
	state->exit_code = 137;
	state->cgroup = g_strdup("/sys/fs/cgroup/x");
	state->network = json_pack("{s:s}", "ip", "10.0.0.1");
	json_auto_t *json = container_state_to_json(state);
	g_autoptr(ContainerState) back = container_state_from_json(json);
	json_auto_t *again = container_state_to_json(back);
	g_assert_true(json_equal(json, again));
	g_assert_cmpint(back->status, ==, CONTAINER_STOPPING);
	g_assert_cmpint(back->init.pid, ==, 7);
	g_assert_cmpuint(back->init.start_time, ==, 99);
}

static void test_pod(void) {
	g_autoptr(GError) err = NULL;
	g_autoptr(PodDefinition) definition = g_new0(PodDefinition, 1);
	g_autoptr(PodState) state = pod_state_from_json(NULL);

	definition->id = g_strdup("2");
	definition->spec = pod_spec_new();
	definition->spec->share = g_strdup("net");
	json_auto_t *json = pod_definition_to_json(definition);
	g_autoptr(PodDefinition) back = pod_definition_from_json(json, &err);
	g_assert_no_error(err);
	g_assert_cmpstr(back->spec->share, ==, "net");
	state->infra = (ProcId){.pid = 5, .start_time = 6};
	json_auto_t *state_json = pod_state_to_json(state);
	g_autoptr(PodState) state_back = pod_state_from_json(state_json);
	g_assert_cmpint(state_back->infra.pid, ==, 5);
	container_definition_free(NULL);
	container_state_free(NULL);
	pod_definition_free(NULL);
	pod_state_free(NULL);
}

static void test_status_words(void) {
	for (int i = CONTAINER_CREATED; i <= CONTAINER_PAUSED; i++) {
		ContainerStatus status;
		const char *word = container_status_to_string((ContainerStatus)i);
		g_assert_true(container_status_from_string(word, &status));
		g_assert_cmpint(status, ==, i);
	}
	g_assert_false(container_status_from_string("frozen", &(ContainerStatus){0}));
}

static void test_generate(void) {
	g_autofree char *id = id_generate(), *other = id_generate();
	g_autofree char *name = name_generate();

	g_assert_cmpuint(strlen(id), ==, ID_LENGTH);
	g_assert_true(str_is_hex(id));
	g_assert_cmpstr(id, !=, other);
	g_assert_true(name_check(name, "name", NULL));
	g_assert_nonnull(strchr(name, '_'));
}

static void test_checks(void) {
	g_autofree char *label = g_strnfill(63, 'a'), *long_label = g_strnfill(64, 'a');
	g_autofree char *name = g_strnfill(255, 'a'), *long_name = g_strnfill(256, 'a');
	g_autofree char *long_host = g_strdup_printf("%s.%s", label, label);

	g_assert_true(name_check("a", "name", NULL));
	g_assert_true(name_check("9_.-Z", "name", NULL));
	g_assert_true(name_check(name, "name", NULL));
	g_assert_false(name_check(long_name, "name", NULL));
	g_assert_false(name_check("", "name", NULL));
	g_assert_false(name_check("_a", "name", NULL));
	g_assert_false(name_check("a/b", "name", NULL));
	g_assert_false(name_check("\xc3\xa9", "name", NULL));
	g_assert_true(hostname_check("web-1.example.org", NULL));
	g_assert_true(hostname_check(label, NULL));
	g_assert_false(hostname_check(long_label, NULL));
	g_assert_false(hostname_check(long_host, NULL));
	g_assert_false(hostname_check("", NULL));
	g_assert_false(hostname_check("a..b", NULL));
	g_assert_false(hostname_check("-a", NULL));
	g_assert_false(hostname_check("a b", NULL));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/state/container-definition", test_container_definition);
	g_test_add_func("/model/state/container-state", test_container_state);
	g_test_add_func("/model/state/pod", test_pod);
	g_test_add_func("/model/state/status-words", test_status_words);
	g_test_add_func("/model/names/generate", test_generate);
	g_test_add_func("/model/names/checks", test_checks);
	return g_test_run();
}
