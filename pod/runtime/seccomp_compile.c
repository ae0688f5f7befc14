/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-seccomp.so: compiles a profile into a BPF program for the native architecture. Calls of
 * every other one (x32, i386) answer ENOSYS, which closes the socketcall hole (security.md A02.2).
 * libseccomp is asked for the numbers of names alone; nothing is ever loaded by it (A02.6).
 */
#include "runtime/seccomp_compile.h"
#include "base/cleanup.h"
#include "runtime/seccomp_program.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)

static const struct {
	uint32_t token, audit_arch;
	const char *name; /* as Go has it */
} architectures[] = {
	{SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, "amd64"},
	{SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, "arm64"},
	{SCMP_ARCH_X86, AUDIT_ARCH_I386, "x86"},
	{SCMP_ARCH_ARM, AUDIT_ARCH_ARM, "arm"},
	{SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, "riscv64"},
	{SCMP_ARCH_S390X, AUDIT_ARCH_S390X, "s390x"},
	{SCMP_ARCH_PPC64LE, AUDIT_ARCH_PPC64LE, "ppc64le"},
};

/* Calls that are younger than the libseccomp of the oldest system; since 424 numbers are the same
 * on all architectures above. */
static const struct {
	const char *name;
	int number;
} recent[] = {{"cachestat", 451}, {"fchmodat2", 452}, {"map_shadow_stack", 453},
	{"futex_wake", 454}, {"futex_wait", 455}, {"futex_requeue", 456}, {"statmount", 457},
	{"listmount", 458}, {"lsm_get_self_attr", 459}, {"lsm_set_self_attr", 460},
	{"lsm_list_modules", 461}, {"mseal", 462}, {"setxattrat", 463}, {"getxattrat", 464},
	{"listxattrat", 465}, {"removexattrat", 466}, {"open_tree_attr", 467},
	{"file_getattr", 468}, {"file_setattr", 469}};

static int number_of(const char *name) {
	int number = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; number == __NR_SCMP_ERROR && i < ARRAY_LENGTH(recent); i++)
		if (strcmp(recent[i].name, name) == 0)
			return recent[i].number;
	return number;
}

/* Does the action let a call through that the profile does not know? */
static bool is_open(uint32_t action) {
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL;

	return kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG || kind == SECCOMP_RET_TRACE;
}

/* The rules by number. Names of other architectures have negative ones and are left out. */
static GArray *number_rules(const SeccompProfile *profile) {
	GArray *rules = g_array_new(FALSE, FALSE, sizeof(ProgramRule));

	for (guint i = 0; i < profile->rules->len; i++) {
		const SeccompRule *rule = &g_array_index(profile->rules, SeccompRule, i);
		int number = number_of(rule->name);
		const ProgramRule numbered = {
			(uint32_t)number, rule->action, rule->conditions, rule->n_conditions};

		if (number >= 0)
			g_array_append_val(rules, numbered);
	}
	return rules;
}

/* The first number that the profile cannot have known: beyond all of its names, also those of
 * groups that do not hold here. */
static uint32_t look_at_names(const SeccompProfile *profile, unsigned *ret_unknown) {
	uint32_t beyond = 0;

	*ret_unknown = 0;
	for (guint i = 0; i < profile->seen->len; i++) {
		int number = number_of(profile->seen->pdata[i]);

		if (number == __NR_SCMP_ERROR)
			(*ret_unknown)++;
		else if (number >= 0)
			beyond = MAX(beyond, (uint32_t)number + 1);
	}
	return beyond;
}

/* A call that is let through by one rule and denied by another, both without conditions. */
static char *find_contradictions(const SeccompProfile *profile) {
	g_autoptr(GHashTable) open = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GString) names = g_string_new(NULL);

	for (guint i = 0; i < profile->rules->len; i++) {
		const SeccompRule *rule = &g_array_index(profile->rules, SeccompRule, i);

		if (!rule->n_conditions && is_open(rule->action))
			g_hash_table_add(open, rule->name);
	}
	for (guint i = 0; i < profile->rules->len; i++) {
		const SeccompRule *rule = &g_array_index(profile->rules, SeccompRule, i);

		if (!rule->n_conditions && !is_open(rule->action) &&
			g_hash_table_contains(open, rule->name) &&
			g_hash_table_add(told, rule->name))
			g_string_append_printf(names, "%s%s", names->len ? " " : "", rule->name);
	}
	return names->len ? g_strdup(names->str) : NULL;
}

static bool look_at_machine(uint64_t capabilities, SeccompMachine *ret_machine,
	uint32_t *ret_audit_arch, GError **err) {
	uint32_t native = seccomp_arch_native();
	struct utsname kernel;

	*ret_machine = (SeccompMachine){.capabilities = capabilities};
	if (uname(&kernel) < 0 || sscanf(kernel.release, "%u.%u", &ret_machine->kernel[0],
					  &ret_machine->kernel[1]) != 2)
		return fail(err, ERROR_FAILED, "cannot learn the kernel's version");
	array_foreach (row, architectures)
		if (row->token == native) {
			ret_machine->architecture = row->name;
			*ret_audit_arch = row->audit_arch;
			return true;
		}
	return fail(err, ERROR_UNSUPPORTED, "no seccomp filters on this architecture");
}

static bool compile(const char *text, size_t size, const char *path, uint64_t capabilities,
	SeccompCompiled *ret_compiled, GError **err) {
	ProgramInput input = {.foreign_action = ENOSYS_ACTION, .beyond_action = ENOSYS_ACTION};
	SeccompMachine machine;

	if (!look_at_machine(capabilities, &machine, &input.audit_arch, err))
		return false;
	g_autoptr(SeccompProfile) profile = seccomp_profile_parse(text, size, path, &machine, err);
	if (!profile)
		return false;
	g_autoptr(GArray) rules = number_rules(profile);
	unsigned unknown;

	input.default_action = profile->default_action;
	input.beyond = look_at_names(profile, &unknown);
	/* A denial that programs do not understand would keep them from falling back (A02.4). */
	if (is_open(input.default_action) || !input.beyond)
		input.beyond = UINT32_MAX;
	*ret_compiled = (SeccompCompiled){
		.program = seccomp_program_make(&input, rules),
		.flags = profile->flags,
		.unknown = unknown,
		.unknown_keys = profile->notes->len ? g_strdup(profile->notes->str) : NULL,
		.contradictions = find_contradictions(profile),
	};
	return true;
}

extern const SeccompCompiler podctl_seccomp;
__attribute__((visibility("default"))) const SeccompCompiler podctl_seccomp = {.compile = compile};
