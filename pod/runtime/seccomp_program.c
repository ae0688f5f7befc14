/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program: the architecture, then a binary search over ranges of numbers that have the same
 * answer, then for a number with conditions its rules one after the other, strictest first.
 */
#include "runtime/seccomp_program.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define X32_BIT  UINT32_C(0x40000000)
#define JUMP_MAX 255

/* The numbers from start to the next range's start. */
typedef struct Range {
	uint32_t start;
	uint32_t action; /* without rules, or when none of them matches */
	const ProgramRule *rules;
	size_t n_rules;
} Range;

int seccomp_program_rank(uint32_t action) {
	static const uint32_t order[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE, SECCOMP_RET_LOG,
		SECCOMP_RET_ALLOW};
	int rank = 0;

	while (rank < (int)G_N_ELEMENTS(order) && order[rank] != (action & SECCOMP_RET_ACTION_FULL))
		rank++;
	return rank;
}

static void emit(GArray *code, uint16_t op, uint32_t value, size_t when_true, size_t when_false) {
	const struct sock_filter instruction = {op, (uint8_t)when_true, (uint8_t)when_false, value};

	g_array_append_val(code, instruction);
}

static void emit_return(GArray *code, uint32_t action) {
	emit(code, BPF_RET | BPF_K, action, 0, 0);
}

/* ---- one call with conditions ---- */

/* Stand for "this condition holds" and "it does not" until the length of the code is known; no
 * condition is that long. */
enum { PASS = 254, FAIL = 255 };

static void emit_half(GArray *code, const SeccompCondition *condition, bool high) {
	bool first = high == (G_BYTE_ORDER == G_BIG_ENDIAN);

	emit(code, BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)(offsetof(struct seccomp_data, args) + condition->index * 8 +
			   (first ? 0 : 4)),
		0, 0);
}

static void emit_masked(GArray *code, const SeccompCondition *condition) {
	for (int high = 1; high >= 0; high--) {
		uint32_t mask = (uint32_t)(high ? condition->value >> 32 : condition->value);
		uint32_t wanted =
			mask & (uint32_t)(high ? condition->value_two >> 32 : condition->value_two);

		if (!mask)
			continue;
		emit_half(code, condition, high);
		if (mask != UINT32_MAX)
			emit(code, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, wanted, 0, FAIL);
	}
}

/* The upper halves decide unless they are equal; then the lower ones do. */
static void emit_compare(GArray *code, const SeccompCondition *condition) {
	uint32_t high = (uint32_t)(condition->value >> 32), low = (uint32_t)condition->value;
	bool greater = condition->op == SECCOMP_GT || condition->op == SECCOMP_GE;
	bool strict = condition->op == SECCOMP_GT || condition->op == SECCOMP_LE;

	emit_half(code, condition, true);
	if (condition->op == SECCOMP_EQ || condition->op == SECCOMP_NE) {
		bool equal = condition->op == SECCOMP_EQ;

		emit(code, BPF_JMP | BPF_JEQ | BPF_K, high, 0, equal ? FAIL : PASS);
		emit_half(code, condition, false);
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, low, equal ? PASS : FAIL,
			equal ? FAIL : PASS);
		return;
	}
	emit(code, BPF_JMP | BPF_JGT | BPF_K, high, greater ? PASS : FAIL, 0);
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, high, 0, greater ? FAIL : PASS);
	emit_half(code, condition, false);
	emit(code, (uint16_t)(BPF_JMP | BPF_K | (strict ? BPF_JGT : BPF_JGE)), low,
		greater ? PASS : FAIL, greater ? FAIL : PASS);
}

/* Puts distances for PASS (to the end of this condition) and FAIL (to the end of the rule). */
static void patch(GArray *code, size_t from, size_t to, unsigned mark, size_t target) {
	for (size_t at = from; at < to; at++) {
		struct sock_filter *instruction = &g_array_index(code, struct sock_filter, at);

		if (BPF_CLASS(instruction->code) != BPF_JMP)
			continue;
		if (instruction->jt == mark)
			instruction->jt = (uint8_t)(target - at - 1);
		if (instruction->jf == mark)
			instruction->jf = (uint8_t)(target - at - 1);
	}
}

static void emit_rule(GArray *code, const ProgramRule *rule) {
	size_t begin = code->len;

	for (unsigned i = 0; i < rule->n_conditions; i++) {
		size_t from = code->len;

		if (rule->conditions[i].op == SECCOMP_MASKED_EQ)
			emit_masked(code, &rule->conditions[i]);
		else
			emit_compare(code, &rule->conditions[i]);
		patch(code, from, code->len, PASS, code->len);
	}
	emit_return(code, rule->action);
	patch(code, begin, code->len, FAIL, code->len);
}

static void emit_range(GArray *code, const Range *range) {
	for (size_t i = 0; i < range->n_rules; i++)
		emit_rule(code, &range->rules[i]);
	emit_return(code, range->action);
}

/* ---- the search ---- */

static GArray *emit_search(const Range *ranges, size_t n) {
	GArray *code = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));

	if (n == 1) {
		emit_range(code, ranges);
		return code;
	}
	size_t middle = n / 2;
	g_autoptr(GArray) low = emit_search(ranges, middle);
	g_autoptr(GArray) high = emit_search(ranges + middle, n - middle);
	uint32_t start = ranges[middle].start;

	if (low->len <= JUMP_MAX) {
		emit(code, BPF_JMP | BPF_JGE | BPF_K, start, low->len, 0);
	} else {
		emit(code, BPF_JMP | BPF_JGE | BPF_K, start, 0, 1);
		emit(code, BPF_JMP | BPF_JA, low->len, 0, 0);
	}
	g_array_append_vals(code, low->data, low->len);
	g_array_append_vals(code, high->data, high->len);
	return code;
}

/* By number, then the strictest first; the sort is stable, so equals keep the file's order. */
static int compare_rules(const void *a, const void *b, void *unused) {
	const ProgramRule *left = a, *right = b;

	(void)unused;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return seccomp_program_rank(left->action) - seccomp_program_rank(right->action);
}

static void add_range(GArray *ranges, const Range *range) {
	const Range *last = ranges->len ? &g_array_index(ranges, Range, ranges->len - 1) : NULL;

	if (last && last->start == range->start)
		g_array_set_size(ranges, ranges->len - 1);
	last = ranges->len ? &g_array_index(ranges, Range, ranges->len - 1) : NULL;
	if (last && !last->n_rules && !range->n_rules && last->action == range->action)
		return;
	g_array_append_val(ranges, *range);
}

/* The rules of one number, as far as they can be reached. Returns how many were looked at. */
static size_t take_number(
	const ProgramRule *rules, size_t n, uint32_t default_action, Range *ret_range) {
	size_t all = 0, used = 0;

	*ret_range = (Range){rules->number, default_action, rules, 0};
	while (all < n && rules[all].number == rules->number)
		all++;
	while (used < all && rules[used].n_conditions)
		used++;
	ret_range->n_rules = used;
	if (used < all)
		ret_range->action = rules[used].action;
	return all;
}

GArray *seccomp_program_make(const ProgramInput *input, GArray *rules) {
	const ProgramRule *list = (const ProgramRule *)(void *)rules->data;
	g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(Range));
	GArray *code = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
	Range range = {.start = 0, .action = input->default_action};

	if (rules->len)
		g_qsort_with_data(
			rules->data, (int)rules->len, sizeof(ProgramRule), compare_rules, NULL);
	add_range(ranges, &range);
	for (size_t at = 0; at < rules->len;) {
		at += take_number(&list[at], rules->len - at, input->default_action, &range);
		add_range(ranges, &range);
		range = (Range){.start = range.start + 1, .action = input->default_action};
		add_range(ranges, &range);
	}
	if (input->beyond != UINT32_MAX) {
		range = (Range){.start = input->beyond, .action = input->beyond_action};
		add_range(ranges, &range);
	}
	if (input->audit_arch == AUDIT_ARCH_X86_64) {
		range = (Range){.start = X32_BIT, .action = input->foreign_action};
		add_range(ranges, &range);
	}
	emit(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, input->audit_arch, 1, 0);
	emit_return(code, input->foreign_action);
	emit(code, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	g_autoptr(GArray) search = emit_search((const Range *)(void *)ranges->data, ranges->len);
	g_array_append_vals(code, search->data, search->len);
	return code;
}
