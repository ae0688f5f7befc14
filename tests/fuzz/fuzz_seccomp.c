/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a seccomp profile. What was accepted makes a program that always comes to an end. */
#include "runtime/seccomp_profile.h"
#include "runtime/seccomp_program.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_jumps(const GArray *program) {
	for (guint at = 0; at < program->len; at++) {
		const struct sock_filter *op = &g_array_index(program, struct sock_filter, at);

		if (op->code == (BPF_JMP | BPF_JA))
			g_assert_cmpuint(at + 1 + op->k, <, program->len);
		else if (BPF_CLASS(op->code) == BPF_JMP)
			g_assert_cmpuint(at + 1 + MAX(op->jt, op->jf), <, program->len);
		else if (BPF_CLASS(op->code) != BPF_RET)
			g_assert_cmpuint(at + 1, <, program->len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const SeccompMachine machine = {
		.capabilities = 0xa80425fb, .architecture = "amd64", .kernel = {6, 1}};
	const ProgramInput input = {.audit_arch = AUDIT_ARCH_X86_64, .beyond = 600};
	g_autoptr(GError) error = NULL;
	g_autoptr(SeccompProfile) profile =
		seccomp_profile_parse((const char *)data, size, "profile", &machine, &error);
	g_autoptr(GArray) rules = g_array_new(FALSE, FALSE, sizeof(ProgramRule));

	g_assert_true(!profile == !!error);
	for (guint i = 0; profile && i < profile->rules->len; i++) {
		const SeccompRule *rule = &g_array_index(profile->rules, SeccompRule, i);
		const ProgramRule numbered = {g_str_hash(rule->name) % 600, rule->action,
			rule->conditions, rule->n_conditions};

		g_assert_cmpuint(rule->n_conditions, <=, SECCOMP_ARGUMENTS);
		g_array_append_val(rules, numbered);
	}
	g_autoptr(GArray) program = seccomp_program_make(&input, rules);
	check_jumps(program);
	return 0;
}
