/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds and attaches the device program: a dozen comparisons for each rule, no library needed.
 * See device_filter.h. */
#include "runtime/device_filter.h"
#include "base/cleanup.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

enum {
	RULE_INSNS_MAX = 10,
	OTHER_INSNS = 8,
	ALL_ACCESS = DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE,
};

/* Registers: the kernel's facts of the access that is asked for. */
enum { R_RESULT = BPF_REG_0, R_CONTEXT, R_TYPE, R_ACCESS, R_MAJOR, R_MINOR, R_SCRATCH };

/* Nodes may be made; only the harmless ones may be opened. */
static const RuntimeDeviceRule defaults[] = {
	{'c', -1, -1, DEVICE_MKNOD, true}, {'b', -1, -1, DEVICE_MKNOD, true},
	{'c', 1, 3, ALL_ACCESS, true},    /* null */
	{'c', 1, 5, ALL_ACCESS, true},    /* zero */
	{'c', 1, 7, ALL_ACCESS, true},    /* full */
	{'c', 1, 8, ALL_ACCESS, true},    /* random */
	{'c', 1, 9, ALL_ACCESS, true},    /* urandom */
	{'c', 5, 0, ALL_ACCESS, true},    /* tty */
	{'c', 5, 1, ALL_ACCESS, true},    /* console */
	{'c', 5, 2, ALL_ACCESS, true},    /* ptmx */
	{'c', 136, -1, ALL_ACCESS, true}, /* pts */
};

typedef struct Program {
	struct bpf_insn *insns;
	size_t n;
	bool ended; /* nothing after this is ever reached, which the kernel would refuse */
} Program;

static void add(Program *program, uint8_t code, int dst, int src, int16_t off, int32_t value) {
	program->insns[program->n++] = (struct bpf_insn){.code = code,
		.dst_reg = (unsigned)dst & 0xfU,
		.src_reg = (unsigned)src & 0xfU,
		.off = off,
		.imm = value};
}

/* A jump whose target is the end of the rule: its distance is filled in later. */
static void add_skip(Program *program, uint8_t test, int reg, int value) {
	add(program, BPF_JMP | BPF_K | test, reg, 0, -1, value);
}

static void add_exit(Program *program, bool allow) {
	add(program, BPF_ALU64 | BPF_MOV | BPF_K, R_RESULT, 0, 0, allow);
	add(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void add_access(Program *program, const RuntimeDeviceRule *rule) {
	int outside = ALL_ACCESS & ~rule->access;

	if (outside == 0)
		return;
	add(program, BPF_ALU64 | BPF_MOV | BPF_X, R_SCRATCH, R_ACCESS, 0, 0);
	add(program, BPF_ALU64 | BPF_AND | BPF_K, R_SCRATCH, 0, 0,
		rule->allow ? outside : rule->access);
	add_skip(program, rule->allow ? BPF_JNE : BPF_JEQ, R_SCRATCH, 0);
}

static void add_rule(Program *program, const RuntimeDeviceRule *rule) {
	size_t begin = program->n;

	if (rule->type != 'a')
		add_skip(program, BPF_JNE, R_TYPE,
			rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	add_access(program, rule);
	if (rule->major >= 0)
		add_skip(program, BPF_JNE, R_MAJOR, rule->major);
	if (rule->minor >= 0)
		add_skip(program, BPF_JNE, R_MINOR, rule->minor);
	program->ended = program->n == begin;
	add_exit(program, rule->allow);
	for (size_t i = begin; i < program->n; i++)
		if (program->insns[i].off == -1)
			program->insns[i].off = (int16_t)(program->n - i - 1);
}

struct bpf_insn *device_filter_build(
	const RuntimeDeviceRule *rules, size_t n_rules, size_t *ret_n) {
	size_t count = n_rules + ARRAY_LENGTH(defaults);
	Program program = {.insns = g_new0(struct bpf_insn, count * RULE_INSNS_MAX + OTHER_INSNS)};

	add(&program, BPF_LDX | BPF_MEM | BPF_W, R_TYPE, R_CONTEXT,
		offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	add(&program, BPF_ALU64 | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
	add(&program, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
	add(&program, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
	add(&program, BPF_LDX | BPF_MEM | BPF_W, R_MAJOR, R_CONTEXT,
		offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	add(&program, BPF_LDX | BPF_MEM | BPF_W, R_MINOR, R_CONTEXT,
		offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	for (size_t i = count; i > 0 && !program.ended; i--)
		add_rule(&program, i > ARRAY_LENGTH(defaults)
					   ? &rules[i - ARRAY_LENGTH(defaults) - 1]
					   : &defaults[i - 1]);
	if (!program.ended)
		add_exit(&program, false);
	*ret_n = program.n;
	return program.insns;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attributes) {
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

bool device_filter_attach(
	int cgroup_fd, const RuntimeDeviceRule *rules, size_t n_rules, GError **err) {
	union bpf_attr load, attach;
	size_t n = 0;
	g_autofree struct bpf_insn *insns = device_filter_build(rules, n_rules, &n);

	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uint64_t)(uintptr_t)insns;
	load.insn_cnt = (uint32_t)n;
	load.license = (uint64_t)(uintptr_t) "LGPL-2.1-or-later";
	_cleanup_close_ int program_fd = bpf(BPF_PROG_LOAD, &load);
	if (program_fd < 0)
		return fail_errno(err, errno, "cannot load the container's device program");
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)cgroup_fd;
	attach.attach_bpf_fd = (uint32_t)program_fd;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	if (bpf(BPF_PROG_ATTACH, &attach) < 0)
		return fail_errno(
			err, errno, "cannot attach the device program to the container's cgroup");
	return true;
}
