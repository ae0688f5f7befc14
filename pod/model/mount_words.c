/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of --volume, --tmpfs and --mount: one row each. See mount_request.h. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "model/mount_request.h"
#include "model/names.h"

#include <stddef.h>
#include <string.h>

typedef bool (*WordReader)(MountRequest *request, const char *key, const char *value, GError **err);

static const char *const propagations[] = {"private", "rprivate", "shared", "rshared", "slave",
	"rslave", "unbindable", "runbindable", NULL};

static bool fail_value(GError **err, const char *key, const char *value) {
	return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"%s\"", value, key);
}

/* Alone it is true. */
static bool read_truth(const char *key, const char *value, bool *ret_truth, GError **err) {
	*ret_truth = true;
	return !value || parse_bool(value, ret_truth) || fail_value(err, key, value);
}

static bool needs_value(const char *key, const char *value, GError **err) {
	return (value && *value) || fail(err, ERROR_INVALID, "\"%s\" needs a value", key);
}

static bool read_access(MountRequest *request, const char *key, const char *value, GError **err) {
	bool truth, read_only = key[1] == 'o' || strcmp(key, "readonly") == 0;

	if (!read_truth(key, value, &truth, err))
		return false;
	*(truth == read_only ? &request->read_only : &request->read_write) = true;
	return true;
}

/* nosuid suid nodev dev noexec exec */
static bool read_flag(MountRequest *request, const char *key, const char *value, GError **err) {
	bool truth, negated = key[0] == 'n';
	const char *word = negated ? key + 2 : key;

	if (!read_truth(key, value, &truth, err))
		return false;
	bool *field = strcmp(word, "suid") == 0  ? &request->nosuid
		      : strcmp(word, "dev") == 0 ? &request->nodev
						 : &request->noexec;
	*field = truth == negated;
	if (field == &request->nodev)
		request->nodev_given = true;
	return true;
}

static bool set_propagation(MountRequest *request, const char *word, GError **err) {
	if (!str_in_list(word, propagations))
		return fail(err, ERROR_INVALID, "unknown propagation \"%s\"", word);
	if (request->propagation)
		return fail(err, ERROR_INVALID, "propagation is given twice");
	request->propagation = g_strdup(word);
	return true;
}

static bool read_propagation(
	MountRequest *request, const char *key, const char *value, GError **err) {
	if (strcmp(key, "bind-propagation") == 0)
		return set_propagation(request, value ? value : "", err);
	return value ? fail_value(err, key, value) : set_propagation(request, key, err);
}

/* Every tmpfs is private: these change nothing. */
static bool read_private(
	G_GNUC_UNUSED MountRequest *request, const char *key, const char *value, GError **err) {
	return !value || fail_value(err, key, value);
}

static bool read_recursion(
	MountRequest *request, const char *key, const char *value, GError **err) {
	bool truth;

	if (!read_truth(key, value, &truth, err))
		return false;
	request->recursive = strcmp(key, "rbind") == 0 ? truth : !truth;
	return true;
}

static bool set_relabel(MountRequest *request, char letter, GError **err) {
	if (request->relabel && request->relabel != letter)
		return fail(err, ERROR_INVALID, "\"z\" and \"Z\" exclude each other");
	request->relabel = letter;
	return true;
}

static bool read_relabel(MountRequest *request, const char *key, const char *value, GError **err) {
	if (strcmp(key, "relabel") != 0)
		return value ? fail_value(err, key, value) : set_relabel(request, *key, err);
	if (g_strcmp0(value, "shared") == 0 || g_strcmp0(value, "private") == 0)
		return set_relabel(request, *value == 's' ? 'z' : 'Z', err);
	return fail_value(err, key, value ? value : "");
}

static bool read_overlay(MountRequest *request, const char *key, const char *value, GError **err) {
	request->overlay = true;
	return !value || fail_value(err, key, value);
}

static bool read_layer(MountRequest *request, const char *key, const char *value, GError **err) {
	char **field = *key == 'u' ? &request->upper_dir : &request->work_dir;

	if (!value || *value != '/')
		return fail(
			err, ERROR_INVALID, "\"%s\" is not an absolute path", value ? value : key);
	g_free(*field);
	*field = str_clean_path(value);
	return true;
}

static bool read_chown(MountRequest *request, const char *key, const char *value, GError **err) {
	return read_truth(key, value, &request->chown, err);
}

/* copy nocopy tmpcopyup notmpcopyup */
static bool read_copy(MountRequest *request, const char *key, const char *value, GError **err) {
	bool truth;

	if (!read_truth(key, value, &truth, err))
		return false;
	request->no_copy = truth == (*key == 'n' || *key == 'v');
	return true;
}

/* "0-1000-10#20-2000-5", with "@" in front of a row: relative to the container's ids. */
static bool read_id_rows(const char *text, IdMap *map, bool *relative, GError **err) {
	g_auto(GStrv) rows = g_strsplit(text, "#", -1);

	for (char **row = rows; *row; row++) {
		g_auto(GStrv) numbers = g_strsplit(*row + (**row == '@'), "-", -1);
		uint32_t values[3];
		bool good = g_strv_length(numbers) == 3;

		for (size_t i = 0; good && i < 3; i++)
			good = id_parse(numbers[i], &values[i]);
		if (!good || (row != rows && *relative != (**row == '@')))
			return fail(err, ERROR_INVALID, "invalid row \"%s\" in \"idmap\"", *row);
		*relative = **row == '@';
		id_map_append(map, values[0], values[1], values[2]);
	}
	return id_map_check(map, "idmap", err);
}

static bool read_idmap(MountRequest *request, const char *key, const char *value, GError **err) {
	bool truth = true;

	request->idmap = true;
	if (!value || parse_bool(value, &truth)) {
		request->idmap = truth;
		return true;
	}
	g_auto(GStrv) parts = g_strsplit(value, ";", -1);
	for (char **part = parts; *part; part++) {
		bool uids = g_str_has_prefix(*part, "uids="),
		     gids = g_str_has_prefix(*part, "gids=");
		IdMap *map = uids ? &request->idmap_uids : &request->idmap_gids;

		if ((!uids && !gids) || map->n > 0)
			return fail_value(err, key, value);
		if (!read_id_rows(*part + strlen("uids="), map,
			    uids ? &request->idmap_relative_uids : &request->idmap_relative_gids,
			    err))
			return false;
	}
	if (request->idmap_uids.n == 0 || request->idmap_gids.n == 0)
		return fail(err, ERROR_INVALID, "\"idmap\" needs both \"uids=\" and \"gids=\"");
	return true;
}

static bool read_subpath(MountRequest *request, const char *key, const char *value, GError **err) {
	if (!needs_value(key, value, err))
		return false;
	g_auto(GStrv) names = g_strsplit(value, "/", -1);
	if (str_in_list("..", (const char *const *)names) || *value == '/')
		return fail(err, ERROR_INVALID,
			"\"%s\" is not a path below the mount's source: it is relative and without "
			"\"..\"",
			value);
	g_free(request->subpath);
	request->subpath = g_strdup(value);
	return true;
}

static bool read_size(MountRequest *request, const char *key, const char *value, GError **err) {
	return needs_value(key, value, err) &&
	       (parse_size(value, &request->size_bytes) || fail_value(err, key, value));
}

static bool read_inodes(MountRequest *request, const char *key, const char *value, GError **err) {
	return needs_value(key, value, err) &&
	       (parse_size(value, &request->max_inodes) || fail_value(err, key, value));
}

static bool read_mode(MountRequest *request, const char *key, const char *value, GError **err) {
	request->mode_given = true;
	return needs_value(key, value, err) &&
	       ((parse_mode(value, &request->mode) && request->mode <= 07777) ||
		       fail_value(err, key, value));
}

static bool read_no_swap(MountRequest *request, const char *key, const char *value, GError **err) {
	return read_truth(key, value, &request->no_swap, err);
}

static bool read_owner(MountRequest *request, const char *key, const char *value, GError **err) {
	uint32_t id;

	if (!needs_value(key, value, err))
		return false;
	if (!id_parse(value, &id))
		return fail_value(err, key, value);
	*(*key == 'u' ? &request->uid : &request->gid) = id;
	return true;
}

static bool read_max(MountRequest *request, const char *key, const char *value, GError **err) {
	int number;

	if (!needs_value(key, value, err))
		return false;
	if (!parse_int(value, 1, 1 << 20, &number))
		return fail_value(err, key, value);
	request->max = (unsigned)number;
	return true;
}

/* An absolute, clean path other than "/". */
static bool read_destination(
	MountRequest *request, G_GNUC_UNUSED const char *key, const char *value, GError **err) {
	if (!value || *value != '/')
		return fail(err, ERROR_INVALID, "container path \"%s\" is not absolute",
			value ? value : "");
	g_autofree char *clean = str_clean_path(value);
	if (strcmp(clean, "/") == 0)
		return fail(err, ERROR_INVALID, "container path \"%s\" is the root itself", value);
	g_free(request->destination);
	request->destination = g_steal_pointer(&clean);
	return true;
}

static bool read_source(MountRequest *request, const char *key, const char *value, GError **err) {
	if (!needs_value(key, value, err))
		return false;
	g_clear_pointer(&request->source, g_free);
	if (request->type == MOUNT_TYPE_BIND || request->type == MOUNT_TYPE_GLOB) {
		if (*value != '/')
			return fail(err, ERROR_INVALID, "host path \"%s\" is not absolute", value);
		request->source = str_clean_path(value);
		return true;
	}
	if (request->type == MOUNT_TYPE_VOLUME && !name_check(value, "volume name", err))
		return false;
	request->source = g_strdup(value);
	return true;
}

/* A hint for another platform, which podman accepts and drops as well. */
static bool read_nothing(G_GNUC_UNUSED MountRequest *request, G_GNUC_UNUSED const char *key,
	G_GNUC_UNUSED const char *value, G_GNUC_UNUSED GError **err) {
	return true;
}

static bool refuse(
	G_GNUC_UNUSED MountRequest *request, const char *key, const char *value, GError **err) {
	return fail(err, ERROR_UNSUPPORTED, "option \"%s%s%s\" is not supported", key,
		value ? "=" : "", value ? value : "");
}

#define VOL    PLACE_VOLUME
#define TMP    PLACE_TMPFS
#define AS(t)  (PLACE_MOUNT << (MOUNT_TYPE_##t))
#define BINDS  (AS(BIND) | AS(GLOB))
#define MEMORY (TMP | AS(TMPFS) | AS(RAMFS))
#define MOUNTS (BINDS | AS(VOLUME) | AS(TMPFS) | AS(RAMFS) | AS(IMAGE) | AS(DEVPTS))
#define FILES  (VOL | BINDS | AS(VOLUME) | MEMORY)

static const struct {
	const char *key;
	unsigned places;
	WordReader read;
} words[] = {
	{"src", BINDS | AS(VOLUME) | AS(IMAGE), read_source},
	{"source", BINDS | AS(VOLUME) | AS(IMAGE), read_source},
	{"dst", MOUNTS, read_destination},
	{"destination", MOUNTS, read_destination},
	{"target", MOUNTS, read_destination},
	{"ro", FILES | AS(IMAGE), read_access},
	{"readonly", FILES | AS(IMAGE), read_access},
	{"rw", FILES | AS(IMAGE), read_access},
	{"readwrite", AS(IMAGE), read_access},
	{"nosuid", FILES, read_flag},
	{"suid", FILES, read_flag},
	{"nodev", FILES, read_flag},
	{"dev", FILES, read_flag},
	{"noexec", FILES, read_flag},
	{"exec", FILES, read_flag},
	{"bind-propagation", BINDS | AS(VOLUME), read_propagation},
	{"private", VOL | BINDS | AS(VOLUME), read_propagation},
	{"rprivate", VOL | BINDS | AS(VOLUME), read_propagation},
	{"shared", VOL | BINDS | AS(VOLUME), read_propagation},
	{"rshared", VOL | BINDS | AS(VOLUME), read_propagation},
	{"slave", VOL | BINDS | AS(VOLUME), read_propagation},
	{"rslave", VOL | BINDS | AS(VOLUME), read_propagation},
	{"unbindable", VOL | BINDS | AS(VOLUME), read_propagation},
	{"runbindable", VOL | BINDS | AS(VOLUME), read_propagation},
	{"private", MEMORY, read_private},
	{"rprivate", MEMORY, read_private},
	{"rbind", VOL, read_recursion},
	{"bind", VOL, read_recursion},
	{"bind-nonrecursive", BINDS, read_recursion},
	{"norecurse", BINDS, read_recursion},
	{"z", VOL, read_relabel},
	{"Z", VOL, read_relabel},
	{"relabel", BINDS | AS(VOLUME), read_relabel},
	{"O", VOL, read_overlay},
	{"upperdir", VOL, read_layer},
	{"workdir", VOL, read_layer},
	{"U", VOL | BINDS | AS(VOLUME) | MEMORY, read_chown},
	{"chown", BINDS | AS(VOLUME) | MEMORY, read_chown},
	{"copy", VOL | AS(VOLUME), read_copy},
	{"nocopy", VOL | AS(VOLUME), read_copy},
	{"tmpcopyup", MEMORY, read_copy},
	{"notmpcopyup", MEMORY, read_copy},
	{"idmap", VOL | BINDS | AS(VOLUME), read_idmap},
	{"subpath", AS(VOLUME) | AS(IMAGE), read_subpath},
	{"volume-subpath", AS(VOLUME), read_subpath},
	{"size", TMP | AS(TMPFS), read_size},
	{"tmpfs-size", AS(TMPFS), read_size},
	{"nr_inodes", TMP | AS(TMPFS), read_inodes},
	{"noswap", TMP | AS(TMPFS), read_no_swap},
	{"mode", MEMORY | AS(DEVPTS), read_mode},
	{"tmpfs-mode", AS(TMPFS) | AS(RAMFS), read_mode},
	{"uid", TMP | AS(TMPFS) | AS(DEVPTS), read_owner},
	{"gid", TMP | AS(TMPFS) | AS(DEVPTS), read_owner},
	{"max", AS(DEVPTS), read_max},
	{"consistency", BINDS | AS(VOLUME) | AS(TMPFS), read_nothing},
	{"no-dereference", BINDS, refuse},
	{"volume-driver", AS(VOLUME), refuse},
	{"volume-label", AS(VOLUME), refuse},
	{"volume-opt", AS(VOLUME), refuse},
	{"volume-nocopy", AS(VOLUME), read_copy},
};

/* A word that another place or type has, or nobody. */
bool mount_request_read_word(
	MountRequest *request, unsigned place, const char *key, const char *value, GError **err) {
	array_foreach (word, words)
		if (word->places & place && strcmp(word->key, key) == 0)
			return word->read(request, key, value, err);
	return fail(err, ERROR_INVALID, "unknown option \"%s\"", key);
}
