/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads seccomp profiles. See seccomp_profile.h. */
#include "runtime/seccomp_profile.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/runtime.h"

#include <linux/seccomp.h>
#include <string.h>

enum { SIZE_LIMIT = 1 << 20, DEPTH_LIMIT = 8, ERRNO_LIMIT = 4095, CONDITIONS_LIMIT = 256 };

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#	define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

static const struct {
	const char *name;
	uint32_t action;
	bool has_errno;
} actions[] = {
	{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false},
	{"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true},
	{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false},
	{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false},
	{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false},
	{"SCMP_ACT_LOG", SECCOMP_RET_LOG, false},
	{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true},
	{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false},
};

static const struct {
	const char *name;
	SeccompOperator op;
} operators[] = {{"SCMP_CMP_NE", SECCOMP_NE}, {"SCMP_CMP_LT", SECCOMP_LT},
	{"SCMP_CMP_LE", SECCOMP_LE}, {"SCMP_CMP_EQ", SECCOMP_EQ}, {"SCMP_CMP_GE", SECCOMP_GE},
	{"SCMP_CMP_GT", SECCOMP_GT}, {"SCMP_CMP_MASKED_EQ", SECCOMP_MASKED_EQ}};

/* TSYNC is for programs with threads, which a first process is not. */
static const struct {
	const char *name;
	uint32_t flag;
} flags[] = {{"SECCOMP_FILTER_FLAG_TSYNC", 0}, {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW}};

typedef enum ValueType {
	TYPE_STRING,
	TYPE_INTEGER, /* not negative */
	TYPE_ERRNO,   /* a name or a number */
	TYPE_STRINGS,
	TYPE_OBJECTS,
	TYPE_OBJECT,
} ValueType;

typedef struct Key {
	const char *name;
	ValueType type;
} Key;

static const Key profile_keys[] = {{"defaultAction", TYPE_STRING}, {"defaultErrno", TYPE_ERRNO},
	{"defaultErrnoRet", TYPE_INTEGER}, {"architectures", TYPE_STRINGS},
	{"archMap", TYPE_OBJECTS}, {"flags", TYPE_STRINGS}, {"listenerPath", TYPE_STRING},
	{"listenerMetadata", TYPE_STRING}, {"syscalls", TYPE_OBJECTS}, {"comment", TYPE_STRING}};
static const Key map_keys[] = {{"architecture", TYPE_STRING}, {"subArchitectures", TYPE_STRINGS}};
static const Key group_keys[] = {{"name", TYPE_STRING}, {"names", TYPE_STRINGS},
	{"action", TYPE_STRING}, {"errno", TYPE_ERRNO}, {"errnoRet", TYPE_INTEGER},
	{"args", TYPE_OBJECTS}, {"comment", TYPE_STRING}, {"includes", TYPE_OBJECT},
	{"excludes", TYPE_OBJECT}};
static const Key filter_keys[] = {
	{"caps", TYPE_STRINGS}, {"arches", TYPE_STRINGS}, {"minKernel", TYPE_STRING}};
static const Key argument_keys[] = {{"index", TYPE_INTEGER}, {"value", TYPE_INTEGER},
	{"valueTwo", TYPE_INTEGER}, {"op", TYPE_STRING}};

typedef struct Reader {
	const char *path;
	const SeccompMachine *machine;
	SeccompProfile *profile;
} Reader;

G_GNUC_PRINTF(3, 4)
static bool refuse(const Reader *reader, GError **err, const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	return fail(err, ERROR_INVALID, "seccomp profile \"%s\": %s", reader->path, text);
}

/* ---- types ---- */

static bool is_list_of(const json_t *list, bool (*is)(const json_t *value)) {
	size_t index;
	json_t *value;

	json_array_foreach (list, index, value)
		if (!is(value))
			return false;
	return json_is_array(list);
}

static bool is_string(const json_t *value) {
	return json_is_string(value);
}

static bool is_object(const json_t *value) {
	return json_is_object(value);
}

static bool has_type(const json_t *value, ValueType type) {
	switch (type) {
	case TYPE_STRING:
		return json_is_string(value);
	case TYPE_INTEGER:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case TYPE_ERRNO:
		return json_is_string(value) || json_is_integer(value);
	case TYPE_STRINGS:
		return is_list_of(value, is_string);
	case TYPE_OBJECTS:
		return is_list_of(value, is_object);
	case TYPE_OBJECT:
		return json_is_object(value);
	}
	return false;
}

/* Every member is one of keys and of its type; null stands for a member that is not there. What
 * is no key of ours is noted, not refused: newer tools may have more. */
static bool check_keys(
	const Reader *reader, json_t *object, const Key *keys, size_t n, GError **err) {
	const char *name;
	json_t *value;

	json_object_foreach (object, name, value) {
		size_t i = 0;

		while (i < n && strcmp(keys[i].name, name) != 0)
			i++;
		if (i == n)
			g_string_append_printf(reader->profile->notes, "%s\"%s\"",
				reader->profile->notes->len ? " " : "", name);
		else if (!json_is_null(value) && !has_type(value, keys[i].type))
			return refuse(reader, err, "\"%s\" has a value of the wrong kind", name);
	}
	return true;
}

static unsigned depth_of(const json_t *value) {
	const char *name;
	json_t *member;
	size_t index;
	unsigned deepest = 0;

	if (json_is_array(value))
		json_array_foreach (value, index, member)
			deepest = MAX(deepest, depth_of(member));
	json_object_foreach ((json_t *)(uintptr_t)value, name, member)
		deepest = MAX(deepest, depth_of(member));
	return json_is_array(value) || json_is_object(value) ? deepest + 1 : 0;
}

/* ---- values ---- */

/* Two names for one number: strerrorname_np() knows the other one. */
static const struct {
	const char *name;
	int number;
} errno_aliases[] = {{"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}};

static bool errno_from_string(const char *name, int *ret_errno) {
	array_foreach (row, errno_aliases)
		if (strcmp(row->name, name) == 0) {
			*ret_errno = row->number;
			return true;
		}
	for (int number = 1; number < 256; number++) {
		const char *known = strerrorname_np(number);

		if (known && strcmp(known, name) == 0) {
			*ret_errno = number;
			return true;
		}
	}
	return false;
}

/* "errno" (a name or a number) wins over "errnoRet" (a number); EPERM without either. */
static bool read_errno(const Reader *reader, json_t *object, const char *key,
	const char *number_key, bool *ret_given, int *ret_errno, GError **err) {
	json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		value = json_object_get(object, number_key);
	*ret_given = value && !json_is_null(value);
	*ret_errno = EPERM;
	if (!*ret_given)
		return true;
	if (json_is_string(value))
		return errno_from_string(json_string_value(value), ret_errno) ||
		       refuse(reader, err, "unknown errno \"%s\"", json_string_value(value));
	if (json_integer_value(value) < 0 || json_integer_value(value) > ERRNO_LIMIT)
		return refuse(reader, err, "errno %" JSON_INTEGER_FORMAT " is out of range",
			json_integer_value(value));
	*ret_errno = (int)json_integer_value(value);
	return true;
}

static bool read_action(const Reader *reader, json_t *object, const char *key,
	const char *errno_key, const char *number_key, uint32_t *ret_action, GError **err) {
	const char *name = json_get_string(object, key, "");
	bool given;
	int number;

	if (!read_errno(reader, object, errno_key, number_key, &given, &number, err))
		return false;
	array_foreach (row, actions) {
		if (strcmp(row->name, name) != 0)
			continue;
		if (given && !row->has_errno)
			return refuse(reader, err, "%s has no errno", name);
		*ret_action = row->action | (row->has_errno ? (uint32_t)number : 0);
		return true;
	}
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return refuse(reader, err, "a listener (SCMP_ACT_NOTIFY) is not supported");
	return refuse(reader, err, "unknown action \"%s\"", name);
}

static bool read_condition(
	const Reader *reader, json_t *object, SeccompCondition *ret_condition, GError **err) {
	int64_t index = json_get_int(object, "index", -1);
	const char *op = json_get_string(object, "op", "");

	if (!check_keys(reader, object, argument_keys, ARRAY_LENGTH(argument_keys), err))
		return false;
	if (index < 0 || index >= SECCOMP_ARGUMENTS)
		return refuse(reader, err, "an argument's index is not 0 to 5");
	array_foreach (row, operators)
		if (strcmp(row->name, op) == 0) {
			*ret_condition = (SeccompCondition){(unsigned)index, row->op,
				(uint64_t)json_get_int(object, "value", 0),
				(uint64_t)json_get_int(object, "valueTwo", 0)};
			return true;
		}
	return refuse(reader, err, "unknown operator \"%s\"", op);
}

/* ---- selection ---- */

static bool list_has(json_t *list, const char *word) {
	size_t index;
	json_t *entry;

	json_array_foreach (list, index, entry)
		if (strcmp(json_string_value(entry), word) == 0)
			return true;
	return false;
}

static bool has_capability(const SeccompMachine *machine, const char *name) {
	int bit = runtime_capability_from_string(name);

	return bit >= 0 && machine->capabilities & UINT64_C(1) << bit;
}

static bool kernel_at_least(const SeccompMachine *machine, const char *wanted) {
	unsigned major = 0, minor = 0;

	if (sscanf(wanted, "%u.%u", &major, &minor) < 1)
		return false;
	return machine->kernel[0] > major ||
	       (machine->kernel[0] == major && machine->kernel[1] >= minor);
}

static bool is_excluded(const SeccompMachine *machine, json_t *excludes) {
	const char *kernel = json_get_string(excludes, "minKernel", NULL);
	size_t index;
	json_t *name;

	json_array_foreach (json_object_get(excludes, "caps"), index, name)
		if (has_capability(machine, json_string_value(name)))
			return true;
	return list_has(json_object_get(excludes, "arches"), machine->architecture) ||
	       (kernel && *kernel && kernel_at_least(machine, kernel));
}

static bool is_included(const SeccompMachine *machine, json_t *includes) {
	const char *kernel = json_get_string(includes, "minKernel", NULL);
	json_t *arches = json_object_get(includes, "arches"), *name;
	size_t index;

	json_array_foreach (json_object_get(includes, "caps"), index, name)
		if (!has_capability(machine, json_string_value(name)))
			return false;
	return (!json_array_size(arches) || list_has(arches, machine->architecture)) &&
	       (!kernel || !*kernel || kernel_at_least(machine, kernel));
}

/* ---- rules ---- */

static void add_rule(const Reader *reader, const char *name, uint32_t action,
	const SeccompCondition *conditions, unsigned n) {
	SeccompRule rule = {.name = g_strdup(name), .action = action, .n_conditions = n};

	for (unsigned i = 0; i < n; i++)
		rule.conditions[i] = conditions[i];
	g_array_append_val(reader->profile->rules, rule);
}

/* Several conditions on one argument are alternatives, in this dialect: a rule for each condition
 * (security.md A02, trap b). */
static void add_call(const Reader *reader, const char *name, uint32_t action,
	const SeccompCondition *conditions, unsigned n) {
	unsigned seen = 0;
	bool repeated = false;

	for (unsigned i = 0; i < n; i++) {
		repeated |= seen >> conditions[i].index & 1;
		seen |= 1U << conditions[i].index;
	}
	if (!repeated) {
		add_rule(reader, name, action, conditions, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		add_rule(reader, name, action, &conditions[i], 1);
}

static bool read_conditions(
	const Reader *reader, json_t *args, SeccompCondition *conditions, GError **err) {
	size_t index;
	json_t *entry;

	if (json_array_size(args) > CONDITIONS_LIMIT)
		return refuse(reader, err, "more than %d conditions", CONDITIONS_LIMIT);
	json_array_foreach (args, index, entry)
		if (!read_condition(reader, entry, &conditions[index], err))
			return false;
	return true;
}

static bool read_group(const Reader *reader, json_t *group, GError **err) {
	SeccompCondition conditions[CONDITIONS_LIMIT];
	json_t *names = json_object_get(group, "names"), *name = json_object_get(group, "name");
	json_t *includes = json_object_get(group, "includes"), *entry;
	json_t *excludes = json_object_get(group, "excludes");
	json_t *args = json_object_get(group, "args");
	unsigned n = (unsigned)json_array_size(args);
	uint32_t action;
	size_t index;

	if (!check_keys(reader, group, group_keys, ARRAY_LENGTH(group_keys), err) ||
		!check_keys(reader, includes, filter_keys, ARRAY_LENGTH(filter_keys), err) ||
		!check_keys(reader, excludes, filter_keys, ARRAY_LENGTH(filter_keys), err) ||
		!read_action(reader, group, "action", "errno", "errnoRet", &action, err) ||
		!read_conditions(reader, args, conditions, err))
		return false;
	if (json_is_string(name) == json_is_array(names))
		return refuse(reader, err, "a group must have \"names\" (or the old \"name\")");
	bool holds =
		!is_excluded(reader->machine, excludes) && is_included(reader->machine, includes);
	json_auto_t *single = json_is_string(name) ? json_pack("[O]", name) : NULL;
	json_array_foreach (single ? single : names, index, entry) {
		g_ptr_array_add(reader->profile->seen, g_strdup(json_string_value(entry)));
		if (holds)
			add_call(reader, json_string_value(entry), action, conditions, n);
	}
	return true;
}

static bool read_flags(const Reader *reader, json_t *list, GError **err) {
	size_t index;
	json_t *entry;

	json_array_foreach (list, index, entry) {
		size_t i = 0;

		while (i < ARRAY_LENGTH(flags) &&
			strcmp(flags[i].name, json_string_value(entry)) != 0)
			i++;
		if (i == ARRAY_LENGTH(flags))
			return refuse(reader, err, "flag \"%s\" is not supported",
				json_string_value(entry));
		reader->profile->flags |= flags[i].flag;
	}
	return true;
}

/* Foreign architectures of a profile are not taken over: their calls answer ENOSYS. */
static bool check_architectures(const Reader *reader, json_t *profile, GError **err) {
	json_t *list = json_object_get(profile, "architectures"), *entry;
	json_t *map = json_object_get(profile, "archMap");
	size_t index;

	if (json_array_size(list) && json_array_size(map))
		return refuse(reader, err, "both \"architectures\" and \"archMap\"");
	json_array_foreach (list, index, entry)
		if (!g_str_has_prefix(json_string_value(entry), "SCMP_ARCH_"))
			return refuse(reader, err, "unknown architecture \"%s\"",
				json_string_value(entry));
	json_array_foreach (map, index, entry)
		if (!check_keys(reader, entry, map_keys, ARRAY_LENGTH(map_keys), err))
			return false;
	return true;
}

static bool read_profile(const Reader *reader, json_t *profile, GError **err) {
	json_t *groups = json_object_get(profile, "syscalls"), *group;
	size_t index;

	if (!json_is_object(profile))
		return refuse(reader, err, "not an object");
	if (!check_keys(reader, profile, profile_keys, ARRAY_LENGTH(profile_keys), err) ||
		!read_action(reader, profile, "defaultAction", "defaultErrno", "defaultErrnoRet",
			&reader->profile->default_action, err) ||
		!read_flags(reader, json_object_get(profile, "flags"), err) ||
		!check_architectures(reader, profile, err))
		return false;
	if (*json_get_string(profile, "listenerPath", "") ||
		*json_get_string(profile, "listenerMetadata", ""))
		return refuse(reader, err, "a listener (listenerPath) is not supported");
	json_array_foreach (groups, index, group)
		if (!read_group(reader, group, err))
			return false;
	return true;
}

static void clear_rule(void *rule) {
	g_free(((SeccompRule *)rule)->name);
}

SeccompProfile *seccomp_profile_parse(const char *text, size_t size, const char *path,
	const SeccompMachine *machine, GError **err) {
	g_autoptr(SeccompProfile) profile = g_new0(SeccompProfile, 1);
	const Reader reader = {path, machine, profile};

	profile->rules = g_array_new(FALSE, FALSE, sizeof(SeccompRule));
	g_array_set_clear_func(profile->rules, clear_rule);
	profile->seen = g_ptr_array_new_with_free_func(g_free);
	profile->notes = g_string_new(NULL);
	if (size > SIZE_LIMIT) {
		refuse(&reader, err, "bigger than 1 MiB");
		return NULL;
	}
	json_auto_t *json = json_parse(text, size, path, err);
	if (!json)
		return NULL;
	if (depth_of(json) > DEPTH_LIMIT) {
		refuse(&reader, err, "nested too deeply");
		return NULL;
	}
	return read_profile(&reader, json, err) ? g_steal_pointer(&profile) : NULL;
}

void seccomp_profile_free(SeccompProfile *profile) {
	if (!profile)
		return;
	g_array_unref(profile->rules);
	g_ptr_array_unref(profile->seen);
	g_string_free(profile->notes, TRUE);
	g_free(profile);
}
