/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-seccomp.so: compiles a seccomp profile in the JSON dialect that podman and docker share
 * into a BPF program, by libseccomp. Native architecture only: calls of every other one (x32,
 * i386) answer ENOSYS, which closes the socketcall hole (security.md A02.2).
 */
#include "runtime/seccomp_compile.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"
#include "runtime/runtime.h"

#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ARGUMENTS_MAX 6

static const struct {
	const char *name;
	uint32_t action;
} actions[] = {{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW}, {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
	{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD}, {"SCMP_ACT_LOG", SCMP_ACT_LOG},
	{"SCMP_ACT_TRAP", SCMP_ACT_TRAP}};

static const struct {
	const char *name;
	enum scmp_compare op;
} operators[] = {{"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT},
	{"SCMP_CMP_LE", SCMP_CMP_LE}, {"SCMP_CMP_EQ", SCMP_CMP_EQ}, {"SCMP_CMP_GE", SCMP_CMP_GE},
	{"SCMP_CMP_GT", SCMP_CMP_GT}, {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};

static const struct {
	const char *name;
	int number;
} errnos[] = {{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EINVAL", EINVAL}, {"EACCES", EACCES},
	{"ENOENT", ENOENT}, {"EAFNOSUPPORT", EAFNOSUPPORT}, {"ENOTSUP", ENOTSUP}};

typedef struct Compiler {
	scmp_filter_ctx filter;
	const char *path; /* for errors */
	uint64_t capabilities;
	uint32_t default_action;
	unsigned unknown; /* names that the library does not know */
} Compiler;

/* "errnoRet" (a number) and "errno" (a name or a number, wins). */
static bool read_errno(const Compiler *compiler, json_t *object, const char *number_key,
	const char *name_key, int *ret_errno, GError **err) {
	json_t *value = json_object_get(object, name_key);

	*ret_errno = EPERM;
	if (!value)
		value = json_object_get(object, number_key);
	if (!value)
		return true;
	if (json_is_string(value))
		array_foreach (row, errnos)
			if (strcmp(row->name, json_string_value(value)) == 0) {
				*ret_errno = row->number;
				return true;
			}
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > 4095)
		return fail(err, ERROR_INVALID, "seccomp profile \"%s\": unknown errno",
			compiler->path);
	*ret_errno = (int)json_integer_value(value);
	return true;
}

static bool read_action(const Compiler *compiler, const char *name, int errno_value,
	uint32_t *ret_action, GError **err) {
	if (name && strcmp(name, "SCMP_ACT_ERRNO") == 0) {
		*ret_action = SCMP_ACT_ERRNO((unsigned)errno_value);
		return true;
	}
	array_foreach (row, actions)
		if (name && strcmp(row->name, name) == 0) {
			*ret_action = row->action;
			return true;
		}
	return fail(err, ERROR_INVALID, "seccomp profile \"%s\": unknown action \"%s\"",
		compiler->path, name ? name : "");
}

static bool list_has(json_t *list, const char *word) {
	size_t index;
	json_t *entry;

	json_array_foreach (list, index, entry)
		if (json_is_string(entry) && strcmp(json_string_value(entry), word) == 0)
			return true;
	return false;
}

static bool has_capability(const Compiler *compiler, json_t *name) {
	int bit =
		runtime_capability_from_string(json_is_string(name) ? json_string_value(name) : "");

	return bit >= 0 && compiler->capabilities & UINT64_C(1) << bit;
}

static const char *native_arch(void) {
	switch (seccomp_arch_native()) {
	case SCMP_ARCH_X86_64:
		return "amd64";
	case SCMP_ARCH_AARCH64:
		return "arm64";
	case SCMP_ARCH_X86:
		return "x86";
	case SCMP_ARCH_ARM:
		return "arm";
	case SCMP_ARCH_RISCV64:
		return "riscv64";
	case SCMP_ARCH_S390X:
		return "s390x";
	case SCMP_ARCH_PPC64LE:
		return "ppc64le";
	default:
		return "";
	}
}

static bool kernel_at_least(const char *wanted) {
	struct utsname kernel;
	unsigned major = 0, minor = 0, wanted_major = 0, wanted_minor = 0;

	if (uname(&kernel) < 0 || sscanf(kernel.release, "%u.%u", &major, &minor) != 2 ||
		sscanf(wanted, "%u.%u", &wanted_major, &wanted_minor) < 1)
		return false;
	return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
}

/* Does a group of calls apply to this container on this machine? */
static bool selected(const Compiler *compiler, json_t *group) {
	json_t *includes = json_object_get(group, "includes");
	json_t *excludes = json_object_get(group, "excludes");
	json_t *arches = json_object_get(includes, "arches");
	const char *kernel = json_get_string(includes, "minKernel", NULL);
	size_t index;
	json_t *name;

	if (list_has(json_object_get(excludes, "arches"), native_arch()))
		return false;
	json_array_foreach (json_object_get(excludes, "caps"), index, name)
		if (has_capability(compiler, name))
			return false;
	if (json_array_size(arches) && !list_has(arches, native_arch()))
		return false;
	json_array_foreach (json_object_get(includes, "caps"), index, name)
		if (!has_capability(compiler, name))
			return false;
	if (kernel && !kernel_at_least(kernel))
		return false;
	kernel = json_get_string(excludes, "minKernel", NULL);
	return !kernel || !kernel_at_least(kernel);
}

static bool read_condition(const Compiler *compiler, json_t *object,
	struct scmp_arg_cmp *ret_condition, GError **err) {
	int64_t index = json_get_int(object, "index", -1);
	uint64_t value = (uint64_t)json_get_int(object, "value", 0);
	uint64_t value_two = (uint64_t)json_get_int(object, "valueTwo", 0);
	const char *op = json_get_string(object, "op", "");

	if (index < 0 || index >= ARGUMENTS_MAX)
		return fail(err, ERROR_INVALID, "seccomp profile \"%s\": bad argument index",
			compiler->path);
	array_foreach (row, operators)
		if (strcmp(row->name, op) == 0) {
			*ret_condition =
				(struct scmp_arg_cmp){(unsigned)index, row->op, value, value_two};
			return true;
		}
	return fail(err, ERROR_INVALID, "seccomp profile \"%s\": unknown operator \"%s\"",
		compiler->path, op);
}

static bool add_rule(Compiler *compiler, const char *name, int number, uint32_t action,
	const struct scmp_arg_cmp *conditions, unsigned n, GError **err) {
	int r = seccomp_rule_add_array(compiler->filter, action, number, n, conditions);

	/* EDOM: a call that only another architecture has. */
	if (r < 0 && r != -EDOM)
		return fail_errno(
			err, -r, "seccomp profile \"%s\": cannot add \"%s\"", compiler->path, name);
	return true;
}

/* Several conditions on one argument are alternatives, in this dialect: a rule for each. The
 * library would take them all at once (security.md A02, trap b). */
static bool add_call(Compiler *compiler, const char *name, uint32_t action,
	const struct scmp_arg_cmp *conditions, unsigned n, GError **err) {
	int number = seccomp_syscall_resolve_name(name);
	unsigned seen = 0;
	bool repeated = false;

	if (number == __NR_SCMP_ERROR) {
		compiler->unknown++;
		return true;
	}
	for (unsigned i = 0; i < n; i++) {
		repeated |= seen >> conditions[i].arg & 1;
		seen |= 1U << conditions[i].arg;
	}
	if (!repeated)
		return add_rule(compiler, name, number, action, conditions, n, err);
	for (unsigned i = 0; i < n; i++)
		if (!add_rule(compiler, name, number, action, &conditions[i], 1, err))
			return false;
	return true;
}

static bool add_group(Compiler *compiler, json_t *group, GError **err) {
	struct scmp_arg_cmp conditions[16];
	json_t *names = json_object_get(group, "names"), *args = json_object_get(group, "args");
	const char *single = json_get_string(group, "name", NULL);
	size_t index, n = json_array_size(args);
	json_t *entry;
	uint32_t action;
	int errno_value;

	if (n > ARRAY_LENGTH(conditions) || (names && single) || (!json_is_array(names) && !single))
		return fail(err, ERROR_INVALID, "seccomp profile \"%s\": malformed group of calls",
			compiler->path);
	if (!read_errno(compiler, group, "errnoRet", "errno", &errno_value, err) ||
		!read_action(compiler, json_get_string(group, "action", NULL), errno_value, &action,
			err))
		return false;
	if (action == compiler->default_action || !selected(compiler, group))
		return true;
	json_array_foreach (args, index, entry)
		if (!read_condition(compiler, entry, &conditions[index], err))
			return false;
	if (single)
		return add_call(compiler, single, action, conditions, (unsigned)n, err);
	json_array_foreach (names, index, entry)
		if (!json_is_string(entry) || !add_call(compiler, json_string_value(entry), action,
						      conditions, (unsigned)n, err))
			return err && *err ? false
					   : fail(err, ERROR_INVALID,
						     "seccomp profile \"%s\": a name is no text",
						     compiler->path);
	return true;
}

static bool export_program(Compiler *compiler, void **ret_program, size_t *ret_size, GError **err) {
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : seccomp_export_bpf(compiler->filter, fd);
	off_t size = r < 0 ? -1 : lseek(fd, 0, SEEK_CUR);

	if (size <= 0)
		return fail_errno(err, r < 0 ? -r : EIO, "cannot compile seccomp profile \"%s\"",
			compiler->path);
	g_autofree void *program = g_malloc((size_t)size);
	if (pread(fd, program, (size_t)size, 0) != size)
		return fail_errno(
			err, EIO, "cannot compile seccomp profile \"%s\"", compiler->path);
	*ret_program = g_steal_pointer(&program);
	*ret_size = (size_t)size;
	return true;
}

static bool set_up_filter(Compiler *compiler, json_t *profile, GError **err) {
	int errno_value, r;

	if (!read_errno(compiler, profile, "defaultErrnoRet", "defaultErrno", &errno_value, err) ||
		!read_action(compiler, json_get_string(profile, "defaultAction", NULL), errno_value,
			&compiler->default_action, err))
		return false;
	compiler->filter = seccomp_init(compiler->default_action);
	if (!compiler->filter)
		return fail(err, ERROR_FAILED, "cannot use libseccomp");
	if ((r = seccomp_attr_set(
		     compiler->filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS))) < 0 ||
		(r = seccomp_attr_set(compiler->filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) < 0)
		return fail_errno(err, -r, "cannot use libseccomp");
	return true;
}

static bool compile_profile(
	Compiler *compiler, json_t *profile, void **ret_program, size_t *ret_size, GError **err) {
	json_t *groups = json_object_get(profile, "syscalls"), *group;
	size_t index;

	if (json_object_get(profile, "listenerPath"))
		return fail(err, ERROR_UNSUPPORTED,
			"seccomp profile \"%s\": listenerPath is not supported", compiler->path);
	if (!set_up_filter(compiler, profile, err))
		return false;
	/* Denials first: of two rules without conditions the library keeps the first, and a
	 * contradiction must end in a denial (security.md A02.5). */
	json_array_foreach (groups, index, group)
		if (strcmp(json_get_string(group, "action", ""), "SCMP_ACT_ALLOW") != 0 &&
			!add_group(compiler, group, err))
			return false;
	json_array_foreach (groups, index, group)
		if (strcmp(json_get_string(group, "action", ""), "SCMP_ACT_ALLOW") == 0 &&
			!add_group(compiler, group, err))
			return false;
	if (compiler->unknown)
		log_debug("seccomp profile \"%s\": %u system calls unknown to libseccomp, ignoring",
			compiler->path, compiler->unknown);
	return export_program(compiler, ret_program, ret_size, err);
}

static bool compile(const char *text, size_t size, const char *path, uint64_t capabilities,
	void **ret_program, size_t *ret_size, GError **err) {
	json_auto_t *profile = json_parse(text, size, path, err);
	Compiler compiler = {.path = path, .capabilities = capabilities};

	if (!profile)
		return false;
	bool done = compile_profile(&compiler, profile, ret_program, ret_size, err);
	if (compiler.filter)
		seccomp_release(compiler.filter);
	return done;
}

extern const SeccompCompiler podctl_seccomp;
__attribute__((visibility("default"))) const SeccompCompiler podctl_seccomp = {.compile = compile};
