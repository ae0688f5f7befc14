/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * security: A02.1 A02.4 A02.5 A02.6 B18-01
 * sec_A02_emu: what a compiled profile answers is what its JSON says, for every call and for every
 * value that could make a difference; for our own profile and for random ones.
 */
#include "base/cleanup.h"
#include "base/module.h"
#include "filter_model.h"
#include "runtime/runtime.h"
#include "runtime/seccomp_compile.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

enum { VALUES_MAX = 512, NUMBERS = 700 };

static const SeccompCompiler *compiler(void) {
	g_autoptr(GError) error = NULL;
	const SeccompCompiler *found = module_symbol(SECCOMP_MODULE, SECCOMP_SYMBOL, &error);

	g_assert_no_error(error);
	return found;
}

static GArray *compile_text(const char *text, uint64_t capabilities) {
	SeccompCompiled compiled = {0};
	g_autoptr(GError) error = NULL;

	compiler()->compile(text, strlen(text), "test", capabilities, &compiled, &error);
	g_assert_no_error(error);
	GArray *program = g_steal_pointer(&compiled.program);
	seccomp_compiled_clear(&compiled);
	return program;
}

/* Values of each argument around those that the profile compares with. */
typedef struct Values {
	uint64_t list[6][VALUES_MAX];
	size_t n[6];
} Values;

static void add_value(Values *values, size_t index, uint64_t value) {
	for (size_t i = 0; i < values->n[index]; i++)
		if (values->list[index][i] == value)
			return;
	if (values->n[index] < VALUES_MAX)
		values->list[index][values->n[index]++] = value;
}

static void add_condition(Values *values, json_t *condition) {
	size_t index = (size_t)json_integer_value(json_object_get(condition, "index"));
	const char *keys[] = {"value", "valueTwo"};

	for (size_t i = 0; i < 2; i++) {
		uint64_t value = (uint64_t)json_integer_value(json_object_get(condition, keys[i]));

		add_value(values, index, value);
		add_value(values, index, value - 1);
		add_value(values, index, value + 1);
		add_value(values, index, value ^ UINT64_C(1) << 32);
		add_value(values, index, ~value);
	}
}

static void collect(json_t *profile, int number, Values *values) {
	json_t *group, *name, *condition;
	size_t i, j, k;

	memset(values->n, 0, sizeof(values->n));
	for (i = 0; i < 6; i++)
		add_value(values, i, 0);
	json_array_foreach (json_object_get(profile, "syscalls"), i, group) {
		bool named = false;
		g_autofree char *own = filter_call_name(number);

		json_array_foreach (json_object_get(group, "names"), j, name)
			named |= own && strcmp(own, json_string_value(name)) == 0;
		if (named)
			json_array_foreach (json_object_get(group, "args"), k, condition)
				add_condition(values, condition);
	}
}

static void compare(json_t *profile, const GArray *program, uint64_t capabilities,
	const struct seccomp_data *data) {
	uint32_t got =
		filter_run((const struct sock_filter *)(void *)program->data, program->len, data);
	uint32_t wanted = filter_evaluate(profile, capabilities, data);

	if (got == wanted)
		return;
	char *text = json_dumps(profile, JSON_INDENT(1));
	g_error("call %d (%llx, %llx, %llx, %llx, %llx, %llx): 0x%x instead of 0x%x by %s",
		data->nr, data->args[0], data->args[1], data->args[2], data->args[3], data->args[4],
		data->args[5], got, wanted, text);
}

/* Every pair of arguments with every pair of their values. */
static void compare_call(json_t *profile, const GArray *program, uint64_t capabilities, int number,
	const Values *values) {
	for (size_t first = 0; first < 6; first++)
		for (size_t second = first + 1; second < 6; second++) {
			if (values->n[first] == 1 && values->n[second] == 1 && second > 1)
				continue;
			for (size_t i = 0; i < values->n[first]; i++)
				for (size_t j = 0; j < values->n[second]; j++) {
					struct seccomp_data data = {
						.nr = number, .arch = NATIVE_ARCH};
					data.args[first] = values->list[first][i];
					data.args[second] = values->list[second][j];
					compare(profile, program, capabilities, &data);
				}
		}
}

/* All arguments at once, from the values that matter. */
static void sample_call(GRand *rand, json_t *profile, const GArray *program, uint64_t capabilities,
	int number, const Values *values) {
	for (int round = 0; round < 100; round++) {
		struct seccomp_data data = {.nr = number, .arch = NATIVE_ARCH};

		for (size_t i = 0; i < 6; i++)
			data.args[i] =
				values->list[i][g_rand_int_range(rand, 0, (gint32)values->n[i])];
		compare(profile, program, capabilities, &data);
	}
}

static void check_foreign(const GArray *program) {
	static const uint32_t arches[] = {
		AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_S390X, 0, UINT32_MAX};
	const struct sock_filter *code = (const struct sock_filter *)(void *)program->data;

	for (int number = 0; number < NUMBERS; number++) {
		struct seccomp_data data = {.nr = number};

		for (size_t i = 0; i < G_N_ELEMENTS(arches); i++) {
			data.arch = arches[i];
			g_assert_cmphex(filter_run(code, program->len, &data), ==,
				SECCOMP_RET_ERRNO | ENOSYS);
		}
#ifdef __x86_64__
		data.arch = NATIVE_ARCH;
		data.nr |= 0x40000000;
		g_assert_cmphex(
			filter_run(code, program->len, &data), ==, SECCOMP_RET_ERRNO | ENOSYS);
#endif
	}
}

static void compare_profile(const char *text, uint64_t capabilities) {
	json_auto_t *profile = json_loads(text, 0, NULL);
	g_autoptr(GArray) program = compile_text(text, capabilities);
	g_autofree Values *values = g_new(Values, 1);

	g_assert_nonnull(profile);
	g_assert_cmpuint(program->len, <=, BPF_MAXINSNS);
	for (int number = 0; number < NUMBERS; number++) {
		collect(profile, number, values);
		compare_call(profile, program, capabilities, number, values);
	}
	check_foreign(program);
}

static void test_own_profile(void) {
	g_autofree char *text = NULL;
	uint64_t base = runtime_capabilities_default();
	const uint64_t sets[] = {base, 0, base | UINT64_C(1) << 21, UINT64_MAX >> 23,
		base | UINT64_C(1) << 39, base & ~(UINT64_C(1) << 18), base | UINT64_C(1) << 29};

	g_assert_true(g_file_get_contents(g_getenv("PODCTL_SECCOMP_PROFILE"), &text, NULL, NULL));
	for (size_t i = 0; i < G_N_ELEMENTS(sets); i++)
		compare_profile(text, sets[i]);
}

/* The profiles that podman installs, where they are: no name of theirs is read in another way. */
static void test_foreign_profiles(void) {
	g_autofree char *text = NULL;

	if (!g_file_get_contents("/usr/share/containers/seccomp.json", &text, NULL, NULL)) {
		g_test_skip("no /usr/share/containers/seccomp.json");
		return;
	}
	compare_profile(text, runtime_capabilities_default());
	compare_profile(text, UINT64_MAX >> 23);
}

/* ---- random profiles ---- */

static const char *const call_names[] = {"read", "write", "open", "close", "stat", "mmap", "ioctl",
	"socket", "clone", "personality", "unshare", "mount", "keyctl", "statx", "openat2", "futex",
	"prctl", "no_such_call", "socketcall", "fork", "dup", "dup2", "pause", "nanosleep"};
static const char *const action_names[] = {"ALLOW", "ALLOW", "ALLOW", "ERRNO", "ERRNO", "KILL",
	"KILL_PROCESS", "TRAP", "LOG", "TRACE"};
static const char *const operator_names[] = {"NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"};
static const uint64_t edges[] = {0, 1, 2, 16, 38, 40, 0xff, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, 0x100000001, 0x1ffffffff, 0x7fffffff00000000, 0x7fffffffffffffff};

#define PICK(rand, list) (list)[g_rand_int_range(rand, 0, G_N_ELEMENTS(list))]

static json_t *random_action(GRand *rand, const char *key, const char *errno_key) {
	const char *name = PICK(rand, action_names);
	g_autofree char *full = g_strconcat("SCMP_ACT_", name, NULL);
	json_t *object = json_pack("{ss}", key, full);

	if ((strcmp(name, "ERRNO") == 0 || strcmp(name, "TRACE") == 0) && g_rand_boolean(rand))
		json_object_set_new(
			object, errno_key, json_integer(g_rand_int_range(rand, 0, 4095)));
	return object;
}

static json_t *random_group(GRand *rand) {
	json_t *group = random_action(rand, "action", "errnoRet");
	json_t *names = json_array(), *args = json_array();

	for (int n = g_rand_int_range(rand, 1, 5); n > 0; n--)
		json_array_append_new(names, json_string(PICK(rand, call_names)));
	for (int n = MAX(0, g_rand_int_range(rand, -2, 4)); n > 0; n--) {
		g_autofree char *op = g_strconcat("SCMP_CMP_", PICK(rand, operator_names), NULL);
		json_array_append_new(
			args, json_pack("{sisssIsI}", "index", g_rand_int_range(rand, 0, 4), "op",
				      op, "value", (json_int_t)PICK(rand, edges), "valueTwo",
				      (json_int_t)PICK(rand, edges)));
	}
	json_object_set_new(group, "names", names);
	json_object_set_new(group, "args", args);
	if (g_rand_int_range(rand, 0, 4) == 0)
		json_object_set_new(group, g_rand_boolean(rand) ? "includes" : "excludes",
			json_pack("{s[s]}", "caps", "CAP_SYS_ADMIN"));
	return group;
}

static void test_random_profiles(void) {
	int rounds = g_getenv("PODCTL_TEST_FULL") ? 10000 : 300;
	guint32 seed = (guint32)g_test_rand_int();
	g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

	g_test_message("seed %u, %d profiles", seed, rounds);
	for (int round = 0; round < rounds; round++) {
		json_auto_t *profile = random_action(rand, "defaultAction", "defaultErrnoRet");
		json_t *groups = json_array();

		for (int n = g_rand_int_range(rand, 0, 12); n > 0; n--)
			json_array_append_new(groups, random_group(rand));
		json_object_set_new(profile, "syscalls", groups);
		char *text = json_dumps(profile, JSON_COMPACT);
		uint64_t capabilities = g_rand_boolean(rand) ? UINT64_C(1) << 21 : 0;
		g_autoptr(GArray) program = compile_text(text, capabilities);
		g_autofree Values *values = g_new(Values, 1);

		free(text);
		for (size_t i = 0; i < G_N_ELEMENTS(call_names); i++) {
			int number = filter_call_number(call_names[i]);

			if (number < 0)
				continue;
			collect(profile, number, values);
			sample_call(rand, profile, program, capabilities, number, values);
		}
		const struct seccomp_data late = {.nr = 9999, .arch = NATIVE_ARCH};
		compare(profile, program, capabilities, &late);
	}
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/seccomp/emu/own-profile", test_own_profile);
	g_test_add_func("/runtime/seccomp/emu/installed-profile", test_foreign_profiles);
	g_test_add_func("/runtime/seccomp/emu/random-profiles", test_random_profiles);
	return g_test_run();
}
