/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dockerfile instructions. See image_changes.h. */
#include "image/image_changes.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"

#include <string.h>
#include <strings.h>

typedef struct Instruction Instruction;

struct Instruction {
	const char *word;
	const char *key; /* member of "config" */
	bool (*apply)(json_t *config, const Instruction *row, const char *value, GError **err);
};

static bool fail_value(const Instruction *row, const char *value, GError **err) {
	return fail(err, ERROR_INVALID, "bad value \"%s\" for the change %s", value, row->word);
}

/* The object that is a member of config, made when it is missing; borrowed. */
static json_t *member_object(json_t *config, const char *key) {
	json_t *object = json_object_get(config, key);

	if (!object) {
		object = json_object();
		json_object_set_new(config, key, object);
	}
	return object;
}

/* A JSON array of texts, or NULL (no error) when the value is something else. */
static json_t *parse_words(const char *value) {
	json_t *words = value[0] == '[' ? json_parse(value, strlen(value), value, NULL) : NULL,
	       *word;
	size_t i;

	json_array_foreach (words, i, word) {
		if (!json_is_string(word)) {
			json_decref(words);
			return NULL;
		}
	}
	return words;
}

static bool apply_command(json_t *config, const Instruction *row, const char *value, GError **err) {
	json_t *words = parse_words(value);

	if (!words)
		words = json_pack("[s, s, s]", "/bin/sh", "-c", value);
	if (!words)
		return fail_value(row, value, err);
	json_object_set_new(config, row->key, words);
	return true;
}

static bool apply_text(json_t *config, const Instruction *row, const char *value, GError **err) {
	(void)err;
	json_put_string(config, row->key, value);
	return true;
}

static bool apply_stop_signal(
	json_t *config, const Instruction *row, const char *value, GError **err) {
	int number;

	if (!parse_signal(value, &number))
		return fail_value(row, value, err);
	return apply_text(config, row, value, err);
}

static bool apply_working_dir(
	json_t *config, const Instruction *row, const char *value, GError **err) {
	if (value[0] != '/')
		return fail_value(row, value, err);
	return apply_text(config, row, value, err);
}

/* NAME=VALUE or NAME VALUE, the value perhaps in quotes. */
static bool split_pair(const char *text, char **ret_name, char **ret_value) {
	size_t length = strcspn(text, "= \t");

	if (length == 0 || text[length] == '\0')
		return false;
	g_autofree char *value = g_strstrip(g_strdup(text + length + 1));
	size_t size = strlen(value);
	if (size >= 2 && (value[0] == '"' || value[0] == '\'') && value[size - 1] == value[0]) {
		memmove(value, value + 1, size - 2);
		value[size - 2] = '\0';
	}
	*ret_name = g_strndup(text, length);
	*ret_value = g_steal_pointer(&value);
	return true;
}

static bool apply_env(json_t *config, const Instruction *row, const char *value, GError **err) {
	g_autofree char *name = NULL, *content = NULL;
	g_autoptr(GPtrArray) env = g_ptr_array_new();
	g_auto(GStrv) old = json_get_strv(config, row->key);

	if (!split_pair(value, &name, &content) || strchr(name, '*'))
		return fail_value(row, value, err);
	g_autofree char *entry = g_strconcat(name, "=", content, NULL);
	size_t prefix = strlen(name) + 1;
	for (char **item = old; *item; item++)
		if (strncmp(*item, entry, prefix) != 0)
			g_ptr_array_add(env, *item);
	g_ptr_array_add(env, entry);
	g_ptr_array_add(env, NULL);
	json_put_strv(config, row->key, (char **)env->pdata);
	return true;
}

static bool apply_label(json_t *config, const Instruction *row, const char *value, GError **err) {
	g_autofree char *name = NULL, *content = NULL;

	if (!split_pair(value, &name, &content))
		return fail_value(row, value, err);
	json_put_string(member_object(config, row->key), name, content);
	return true;
}

/* "80", "80/udp", several of them; ranges as Docker keeps them. */
static bool apply_expose(json_t *config, const Instruction *row, const char *value, GError **err) {
	static const char *const protocols[] = {"tcp", "udp", "sctp"};
	g_auto(GStrv) ports = g_strsplit_set(value, " \t", -1);

	for (char **port = ports; *port; port++) {
		char *protocol = strchr(*port, '/');
		unsigned number;
		bool is_known = !protocol;
		if (**port == '\0')
			continue;
		if (protocol)
			*protocol++ = '\0';
		array_foreach (name, protocols)
			is_known |= protocol && strcasecmp(protocol, *name) == 0;
		if (!is_known || !parse_uint(*port, 65535, &number) || number == 0)
			return fail_value(row, value, err);
		g_autofree char *lower = g_ascii_strdown(protocol ? protocol : "tcp", -1);
		g_autofree char *key = g_strdup_printf("%u/%s", number, lower);
		json_object_set_new(member_object(config, row->key), key, json_object());
	}
	return true;
}

static bool apply_volume(json_t *config, const Instruction *row, const char *value, GError **err) {
	json_auto_t *words = parse_words(value);
	json_t *word;
	json_t *volumes = member_object(config, row->key);
	size_t i;

	if (!words)
		words = json_pack("[s]", value);
	json_array_foreach (words, i, word) {
		const char *path = json_string_value(word);
		if (path[0] != '/')
			return fail_value(row, value, err);
		json_object_set_new(volumes, path, json_object());
	}
	return words || fail_value(row, value, err);
}

static const Instruction instructions[] = {
	{"CMD", "Cmd", apply_command},
	{"ENTRYPOINT", "Entrypoint", apply_command},
	{"ENV", "Env", apply_env},
	{"EXPOSE", "ExposedPorts", apply_expose},
	{"LABEL", "Labels", apply_label},
	{"STOPSIGNAL", "StopSignal", apply_stop_signal},
	{"USER", "User", apply_text},
	{"VOLUME", "Volumes", apply_volume},
	{"WORKDIR", "WorkingDir", apply_working_dir},
};

bool image_change_apply(json_t *config, const char *change, GError **err) {
	size_t length = strcspn(change, "= \t");
	g_autofree char *word = g_strndup(change, length);
	g_autofree char *value =
		change[length] ? g_strstrip(g_strdup(change + length + 1)) : g_strdup("");

	array_foreach (row, instructions) {
		if (strcasecmp(word, row->word) != 0)
			continue;
		if (!*value || !g_utf8_validate(value, -1, NULL))
			return fail_value(row, value, err);
		return row->apply(config, row, value, err);
	}
	return fail(err, ERROR_UNSUPPORTED,
		"unknown change \"%s\": CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, "
		"VOLUME and WORKDIR are possible",
		change);
}
