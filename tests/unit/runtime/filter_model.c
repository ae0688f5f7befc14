/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See filter_model.h. */
#include "filter_model.h"

#include <errno.h>
#include <glib.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

uint32_t filter_run(const struct sock_filter *program, size_t n, const struct seccomp_data *data) {
	uint32_t a = 0;

	for (size_t at = 0; at < n; at++) {
		const struct sock_filter *op = &program[at];
		bool hit = false;

		switch (op->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			g_assert_cmpuint(op->k % 4, ==, 0);
			g_assert_cmpuint(op->k, <, sizeof(*data));
			memcpy(&a, (const char *)data + op->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= op->k;
			continue;
		case BPF_RET | BPF_K:
			return op->k;
		case BPF_JMP | BPF_JA:
			at += op->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			hit = a == op->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			hit = a > op->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			hit = a >= op->k;
			break;
		default:
			g_error("unknown instruction 0x%x", op->code);
		}
		at += hit ? op->jt : op->jf;
	}
	g_error("no return");
}

/* From 451 on, for an old libseccomp. */
static const char *const recent[] = {"cachestat", "fchmodat2", "map_shadow_stack", "futex_wake",
	"futex_wait", "futex_requeue", "statmount", "listmount", "lsm_get_self_attr",
	"lsm_set_self_attr", "lsm_list_modules", "mseal", "setxattrat", "getxattrat", "listxattrat",
	"removexattrat", "open_tree_attr", "file_getattr", "file_setattr"};

/* libseccomp looks through its whole table for each name. */
int filter_call_number(const char *name) {
	static GHashTable *known;
	gpointer value;

	if (!known)
		known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (g_hash_table_lookup_extended(known, name, NULL, &value))
		return GPOINTER_TO_INT(value);
	int number = seccomp_syscall_resolve_name(name);
	for (size_t i = 0; number == __NR_SCMP_ERROR && i < G_N_ELEMENTS(recent); i++)
		if (recent[i] && strcmp(recent[i], name) == 0)
			number = 451 + (int)i;
	g_hash_table_insert(known, g_strdup(name), GINT_TO_POINTER(number));
	return number;
}

static int number_of(json_t *value) {
	static const struct {
		const char *name;
		int number;
	} names[] = {{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EINVAL", EINVAL}, {"EACCES", EACCES},
		{"ENOENT", ENOENT}};

	if (json_is_integer(value))
		return (int)json_integer_value(value);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (json_is_string(value) && strcmp(names[i].name, json_string_value(value)) == 0)
			return names[i].number;
	return EPERM;
}

/* The action and how strict it is, 0 being the strictest. */
static uint32_t action_of(const char *text, json_t *number, int *ret_rank) {
	static const struct {
		const char *name;
		uint32_t action;
		int rank;
	} names[] = {{"KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, 0},
		{"KILL_THREAD", SECCOMP_RET_KILL_THREAD, 1}, {"KILL", SECCOMP_RET_KILL_THREAD, 1},
		{"TRAP", SECCOMP_RET_TRAP, 2}, {"ERRNO", SECCOMP_RET_ERRNO, 3},
		{"TRACE", SECCOMP_RET_TRACE, 4}, {"LOG", SECCOMP_RET_LOG, 5},
		{"ALLOW", SECCOMP_RET_ALLOW, 6}};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i].name, text + strlen("SCMP_ACT_")) == 0) {
			*ret_rank = names[i].rank;
			return names[i].action | (names[i].rank == 3 || names[i].rank == 4
								 ? (uint32_t)number_of(number)
								 : 0);
		}
	g_error("no action: %s", text);
}

static bool holds_condition(json_t *condition, const struct seccomp_data *data) {
	uint64_t value = (uint64_t)json_integer_value(json_object_get(condition, "value"));
	uint64_t two = (uint64_t)json_integer_value(json_object_get(condition, "valueTwo"));
	uint64_t argument = data->args[json_integer_value(json_object_get(condition, "index"))];
	const char *op = json_string_value(json_object_get(condition, "op")) + strlen("SCMP_CMP_");

	if (strcmp(op, "EQ") == 0)
		return argument == value;
	if (strcmp(op, "NE") == 0)
		return argument != value;
	if (strcmp(op, "LT") == 0)
		return argument < value;
	if (strcmp(op, "LE") == 0)
		return argument <= value;
	if (strcmp(op, "GT") == 0)
		return argument > value;
	if (strcmp(op, "GE") == 0)
		return argument >= value;
	g_assert_cmpstr(op, ==, "MASKED_EQ");
	return (argument & value) == (two & value);
}

/* All conditions, or any of them as soon as two look at one argument. */
static bool holds_conditions(json_t *args, const struct seccomp_data *data) {
	bool all = true, any = false, repeated = false;
	unsigned seen = 0;
	size_t index;
	json_t *condition;

	json_array_foreach (args, index, condition) {
		unsigned bit = 1U << json_integer_value(json_object_get(condition, "index"));
		bool holds = holds_condition(condition, data);

		repeated |= seen & bit;
		seen |= bit;
		all &= holds;
		any |= holds;
	}
	return repeated ? any : all;
}

static bool any_is(json_t *list, const char *word, uint64_t capabilities, bool *ret_all) {
	size_t index;
	json_t *entry;
	bool any = false;

	*ret_all = true;
	json_array_foreach (list, index, entry) {
		const char *text = json_string_value(entry);
		bool is = word ? strcmp(text, word) == 0 : false;

		for (int bit = 0; !word && bit < 41; bit++) {
			static const char *const known[41] = {[18] = "CAP_SYS_CHROOT",
				[21] = "CAP_SYS_ADMIN",
				[19] = "CAP_SYS_PTRACE",
				[23] = "CAP_SYS_NICE",
				[22] = "CAP_SYS_BOOT",
				[16] = "CAP_SYS_MODULE",
				[25] = "CAP_SYS_TIME",
				[17] = "CAP_SYS_RAWIO",
				[20] = "CAP_SYS_PACCT",
				[26] = "CAP_SYS_TTY_CONFIG",
				[34] = "CAP_SYSLOG",
				[2] = "CAP_DAC_READ_SEARCH",
				[39] = "CAP_BPF",
				[38] = "CAP_PERFMON",
				[29] = "CAP_AUDIT_WRITE"};

			is |= known[bit] && strcmp(known[bit], text) == 0 &&
			      capabilities >> bit & 1;
		}
		any |= is;
		*ret_all &= is;
	}
	return any;
}

static bool kernel_is(json_t *version) {
	struct utsname kernel;

	if (!json_is_string(version) || !*json_string_value(version))
		return false;
	uname(&kernel);
	long have = strtol(kernel.release, NULL, 10) * 1000 +
		    strtol(strchr(kernel.release, '.') + 1, NULL, 10);
	const char *text = json_string_value(version), *dot = strchr(text, '.');
	return have >= strtol(text, NULL, 10) * 1000 + (dot ? strtol(dot + 1, NULL, 10) : 0);
}

static bool holds_group(json_t *group, uint64_t capabilities) {
	json_t *in = json_object_get(group, "includes"), *out = json_object_get(group, "excludes");
	json_t *arches = json_object_get(in, "arches");
	bool all, unused;

	if (any_is(json_object_get(out, "caps"), NULL, capabilities, &unused) ||
		any_is(json_object_get(out, "arches"), NATIVE_GO, 0, &unused) ||
		kernel_is(json_object_get(out, "minKernel")))
		return false;
	any_is(json_object_get(in, "caps"), NULL, capabilities, &all);
	if (!all || (json_array_size(arches) && !any_is(arches, NATIVE_GO, 0, &unused)))
		return false;
	return !json_is_string(json_object_get(in, "minKernel")) ||
	       kernel_is(json_object_get(in, "minKernel"));
}

uint32_t filter_evaluate(json_t *profile, uint64_t capabilities, const struct seccomp_data *data) {
	json_t *groups = json_object_get(profile, "syscalls"), *group, *name;
	json_t *number = json_object_get(profile, "defaultErrno");
	int rank, best = 100, last = -1, default_rank;
	size_t i, j;

	if (!number)
		number = json_object_get(profile, "defaultErrnoRet");
	uint32_t otherwise = action_of(json_string_value(json_object_get(profile, "defaultAction")),
		number, &default_rank);
	uint32_t answer = otherwise;
	json_array_foreach (groups, i, group) {
		json_array_foreach (json_object_get(group, "names"), j, name) {
			int resolved = filter_call_number(json_string_value(name));

			last = MAX(last, resolved);
			if (resolved < 0 || resolved != data->nr ||
				!holds_group(group, capabilities) ||
				!holds_conditions(json_object_get(group, "args"), data))
				continue;
			number = json_object_get(group, "errno");
			if (!number)
				number = json_object_get(group, "errnoRet");
			uint32_t action = action_of(
				json_string_value(json_object_get(group, "action")), number, &rank);
			if (rank < best) {
				best = rank;
				answer = action;
			}
		}
	}
	if (data->nr > last && last >= 0 && default_rank < 4)
		return SECCOMP_RET_ERRNO | ENOSYS;
	return answer;
}

char *filter_call_name(int number) {
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
	char *copy = g_strdup(name);

	free(name);
	return copy;
}
