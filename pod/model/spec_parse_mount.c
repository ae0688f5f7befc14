/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --volume, --tmpfs and --mount. Every word is known or refused: a misspelt propagation or a lost
 * "ro" must not pass in silence. See spec_parse.h. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "model/names.h"
#include "model/spec_parse.h"

#include <string.h>

enum { TMPFS_DEFAULT_MODE = 01777 };

/* What the flag words of all three syntaxes set. */
typedef struct MountFlags {
	bool read_only, read_write;
	bool nosuid, nodev, noexec;
} MountFlags;

static const MountFlags default_flags = {.nosuid = true, .nodev = true};

static const char *const propagations[] = {
	"private", "rprivate", "shared", "rshared", "slave", "rslave", NULL};

/* A flag word; false if it is none. */
static bool set_flag(MountFlags *flags, const char *word) {
	static const struct {
		const char *word;
		size_t offset;
		bool value;
	} words[] = {
		{"ro", offsetof(MountFlags, read_only), true},
		{"readonly", offsetof(MountFlags, read_only), true},
		{"rw", offsetof(MountFlags, read_write), true},
		{"nosuid", offsetof(MountFlags, nosuid), true},
		{"suid", offsetof(MountFlags, nosuid), false},
		{"nodev", offsetof(MountFlags, nodev), true},
		{"dev", offsetof(MountFlags, nodev), false},
		{"noexec", offsetof(MountFlags, noexec), true},
		{"exec", offsetof(MountFlags, noexec), false},
	};

	array_foreach (row, words) {
		if (strcmp(row->word, word) == 0) {
			*(bool *)((char *)flags + row->offset) = row->value;
			return true;
		}
	}
	return false;
}

/* An absolute, clean path other than "/". */
static char *read_destination(const char *path, GError **err) {
	if (*path != '/') {
		fail(err, ERROR_INVALID, "container path \"%s\" is not absolute", path);
		return NULL;
	}
	g_autofree char *clean = str_clean_path(path);
	if (strcmp(clean, "/") == 0) {
		fail(err, ERROR_INVALID, "container path \"%s\" is the root itself", path);
		return NULL;
	}
	return g_steal_pointer(&clean);
}

/* A path or the name of a volume. */
static bool read_source(VolumeRequest *request, const char *source, GError **err) {
	if (*source == '/') {
		request->source = str_clean_path(source);
		return true;
	}
	if (*source == '.' || strchr(source, '/'))
		return fail(err, ERROR_INVALID, "host path \"%s\" is not absolute", source);
	request->source = g_strdup(source);
	return name_check(source, "volume name", err);
}

static bool set_propagation(VolumeRequest *request, const char *word, GError **err) {
	if (strcmp(word, "unbindable") == 0 || strcmp(word, "runbindable") == 0)
		return fail(err, ERROR_UNSUPPORTED, "propagation \"%s\" is not supported", word);
	if (!str_in_list(word, propagations))
		return fail(err, ERROR_INVALID, "unknown propagation \"%s\"", word);
	if (request->propagation)
		return fail(err, ERROR_INVALID, "propagation is given twice");
	request->propagation = g_strdup(word);
	return true;
}

static bool set_relabel(VolumeRequest *request, char letter, GError **err) {
	if (request->relabel && request->relabel != letter)
		return fail(err, ERROR_INVALID, "\"z\" and \"Z\" exclude each other");
	request->relabel = letter;
	return true;
}

static bool set_volume_flags(VolumeRequest *request, const MountFlags *flags, GError **err) {
	if (flags->read_only && flags->read_write)
		return fail(err, ERROR_INVALID, "\"ro\" and \"rw\" exclude each other");
	request->read_only = flags->read_only;
	request->read_write_set = flags->read_write;
	request->nosuid = flags->nosuid;
	request->nodev = flags->nodev;
	request->noexec = flags->noexec;
	return true;
}

static bool read_volume_word(
	VolumeRequest *request, MountFlags *flags, const char *word, GError **err) {
	if (set_flag(flags, word))
		return true;
	if (strcmp(word, "z") == 0 || strcmp(word, "Z") == 0)
		return set_relabel(request, *word, err);
	if (strcmp(word, "O") == 0)
		request->overlay = true;
	else if (strcmp(word, "U") == 0)
		request->chown = true;
	else if (strcmp(word, "copy") == 0 || strcmp(word, "nocopy") == 0)
		request->no_copy = *word == 'n';
	else if (strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0)
		request->recursive = *word == 'r';
	else if (strcmp(word, "idmap") == 0 || g_str_has_prefix(word, "idmap=") ||
		 g_str_has_prefix(word, "upperdir=") || g_str_has_prefix(word, "workdir="))
		return fail(err, ERROR_UNSUPPORTED, "option \"%s\" is not supported", word);
	else if (str_in_list(word, propagations) || g_str_has_suffix(word, "unbindable"))
		return set_propagation(request, word, err);
	else
		return fail(err, ERROR_INVALID, "unknown option \"%s\"", word);
	return true;
}

/* Splits at colons; "\:" is a colon in a path, as in podman. */
static char **split_volume(const char *text) {
	g_autoptr(GPtrArray) parts = g_ptr_array_new();
	g_autoptr(GString) part = g_string_new(NULL);

	for (const char *p = text;; p++) {
		if (*p == '\\' && p[1] == ':') {
			g_string_append_c(part, *++p);
		} else if (*p == ':' || !*p) {
			g_ptr_array_add(parts, g_strdup(part->str));
			g_string_truncate(part, 0);
			if (!*p)
				break;
		} else {
			g_string_append_c(part, *p);
		}
	}
	g_ptr_array_add(parts, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&parts), FALSE);
}

static bool read_volume(VolumeRequest *request, const char *text, GError **err) {
	g_auto(GStrv) parts = split_volume(text);
	size_t n = g_strv_length(parts);
	MountFlags flags = default_flags;

	if (n > 3)
		return fail(err, ERROR_INVALID, "it is [SOURCE:]DESTINATION[:OPTIONS]");
	if (n > 1 && !read_source(request, parts[0], err))
		return false;
	request->destination = read_destination(parts[n > 1 ? 1 : 0], err);
	if (!request->destination)
		return false;
	g_auto(GStrv) words = g_strsplit(n == 3 ? parts[2] : "", ",", -1);
	for (char **word = words; *word; word++)
		if (!read_volume_word(request, &flags, *word, err))
			return false;
	return set_volume_flags(request, &flags, err);
}

void volume_request_free(VolumeRequest *request) {
	if (!request)
		return;
	g_free(request->source);
	g_free(request->destination);
	g_free(request->propagation);
	g_free(request);
}

VolumeRequest *spec_parse_volume(const char *text, GError **err) {
	g_autoptr(VolumeRequest) request = g_new0(VolumeRequest, 1);

	request->recursive = true;
	if (!read_volume(request, text, err)) {
		fail_prefix(err, "invalid volume \"%s\"", text);
		return NULL;
	}
	return g_steal_pointer(&request);
}

static bool read_tmpfs_word(
	TmpfsRequest *request, MountFlags *flags, const char *word, GError **err) {
	if (set_flag(flags, word))
		return true;
	if (strcmp(word, "tmpcopyup") == 0 || strcmp(word, "notmpcopyup") == 0) {
		request->no_copy_up = *word == 'n';
		return true;
	}
	if (g_str_has_prefix(word, "size="))
		return parse_size(word + 5, &request->size_bytes) ||
		       fail(err, ERROR_INVALID, "invalid size \"%s\"", word + 5);
	if (g_str_has_prefix(word, "mode="))
		return parse_mode(word + 5, &request->mode) ||
		       fail(err, ERROR_INVALID, "invalid mode \"%s\"", word + 5);
	/* every tmpfs is private: these change nothing */
	if (str_in_list(word, (const char *const[]){"private", "rprivate", NULL}))
		return true;
	if (str_in_list(word, (const char *const[]){"U", "chown", NULL}) ||
		g_str_has_prefix(word, "uid=") || g_str_has_prefix(word, "gid=") ||
		g_str_has_prefix(word, "nr_inodes=") || str_in_list(word, propagations))
		return fail(err, ERROR_UNSUPPORTED, "option \"%s\" is not supported", word);
	return fail(err, ERROR_INVALID, "unknown option \"%s\"", word);
}

static bool set_tmpfs_flags(TmpfsRequest *request, const MountFlags *flags, GError **err) {
	if (flags->read_only && flags->read_write)
		return fail(err, ERROR_INVALID, "\"ro\" and \"rw\" exclude each other");
	request->read_only = flags->read_only;
	request->nosuid = flags->nosuid;
	request->nodev = flags->nodev;
	request->noexec = flags->noexec;
	return true;
}

static bool read_tmpfs(TmpfsRequest *request, const char *text, GError **err) {
	g_auto(GStrv) parts = split_volume(text);
	size_t n = g_strv_length(parts);
	MountFlags flags = default_flags;

	if (n > 2)
		return fail(err, ERROR_INVALID, "it is DESTINATION[:OPTIONS]");
	request->destination = read_destination(parts[0], err);
	if (!request->destination)
		return false;
	g_auto(GStrv) words = g_strsplit(n == 2 ? parts[1] : "", ",", -1);
	for (char **word = words; *word; word++)
		if (!read_tmpfs_word(request, &flags, *word, err))
			return false;
	return set_tmpfs_flags(request, &flags, err);
}

void tmpfs_request_free(TmpfsRequest *request) {
	if (!request)
		return;
	g_free(request->destination);
	g_free(request);
}

TmpfsRequest *spec_parse_tmpfs(const char *text, GError **err) {
	g_autoptr(TmpfsRequest) request = g_new0(TmpfsRequest, 1);

	request->mode = TMPFS_DEFAULT_MODE;
	if (!read_tmpfs(request, text, err)) {
		fail_prefix(err, "invalid tmpfs \"%s\"", text);
		return NULL;
	}
	return g_steal_pointer(&request);
}

/* KEY[=VALUE] of --mount. */
typedef struct MountField {
	char *key;
	const char *value; /* NULL: none */
} MountField;

static void split_field(char *text, MountField *ret_field) {
	char *equals = strchr(text, '=');

	if (equals)
		*equals = '\0';
	*ret_field = (MountField){.key = text, .value = equals ? equals + 1 : NULL};
}

/* A boolean key: alone it is true. */
static bool field_bool(const MountField *field, bool *ret_value, GError **err) {
	*ret_value = true;
	if (field->value && !parse_bool(field->value, ret_value))
		return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"%s\"", field->value,
			field->key);
	return true;
}

/* The keys that bind and tmpfs share: destination and flags. *ret_known is false for another key.
 */
static bool read_common_field(MountFlags *flags, char **destination, const MountField *field,
	bool *ret_known, GError **err) {
	static const char *const destinations[] = {"dst", "destination", "target", NULL};
	bool value;

	*ret_known = true;
	if (str_in_list(field->key, destinations)) {
		g_free(*destination);
		*destination = read_destination(field->value ? field->value : "", err);
		return *destination != NULL;
	}
	if (!field->value && set_flag(flags, field->key))
		return true;
	if (str_in_list(field->key, (const char *const[]){"ro", "readonly", "rw", NULL})) {
		if (!field_bool(field, &value, err))
			return false;
		set_flag(
			flags, value == (*field->key == 'r' && field->key[1] == 'w') ? "rw" : "ro");
		return true;
	}
	*ret_known = false;
	return true;
}

static bool read_bind_field(VolumeRequest *request, const MountField *field, GError **err) {
	const char *value = field->value ? field->value : "";
	bool truth;

	if (strcmp(field->key, "src") == 0 || strcmp(field->key, "source") == 0) {
		if (*value != '/')
			return fail(err, ERROR_INVALID, "host path \"%s\" is not absolute", value);
		g_free(request->source);
		request->source = str_clean_path(value);
		return true;
	}
	if (strcmp(field->key, "bind-propagation") == 0)
		return set_propagation(request, value, err);
	if (strcmp(field->key, "bind-nonrecursive") == 0) {
		if (!field_bool(field, &truth, err))
			return false;
		request->recursive = !truth;
		return true;
	}
	if (strcmp(field->key, "U") == 0 || strcmp(field->key, "chown") == 0)
		return field_bool(field, &request->chown, err);
	if (strcmp(field->key, "relabel") == 0) {
		if (strcmp(value, "shared") == 0 || strcmp(value, "private") == 0)
			return set_relabel(request, *value == 's' ? 'z' : 'Z', err);
		return fail(err, ERROR_INVALID, "invalid value \"%s\" for \"relabel\"", value);
	}
	/* a hint for another platform, which podman accepts and drops as well */
	if (strcmp(field->key, "consistency") == 0)
		return true;
	if (str_in_list(field->key, (const char *const[]){"idmap", "no-dereference", NULL}))
		return fail(err, ERROR_UNSUPPORTED, "option \"%s\" is not supported", field->key);
	return fail(err, ERROR_INVALID, "unknown option \"%s\"", field->key);
}

static bool read_bind(VolumeRequest *request, char **fields, GError **err) {
	MountFlags flags = default_flags;
	MountField field;
	bool known;

	for (; *fields; fields++) {
		split_field(*fields, &field);
		if (strcmp(field.key, "type") == 0)
			continue;
		if (!read_common_field(&flags, &request->destination, &field, &known, err) ||
			(!known && !read_bind_field(request, &field, err)))
			return false;
	}
	if (!request->source || !request->destination)
		return fail(err, ERROR_INVALID, "a bind mount needs a source and a destination");
	return set_volume_flags(request, &flags, err);
}

static bool read_tmpfs_mount(TmpfsRequest *request, char **fields, GError **err) {
	MountFlags flags = default_flags;
	MountField field;
	bool known;

	for (; *fields; fields++) {
		split_field(*fields, &field);
		if (strcmp(field.key, "type") == 0)
			continue;
		if (!read_common_field(&flags, &request->destination, &field, &known, err))
			return false;
		if (known)
			continue;
		const char *key = g_str_has_prefix(field.key, "tmpfs-") ? field.key + 6 : field.key;
		g_autofree char *word =
			field.value ? g_strconcat(key, "=", field.value, NULL) : g_strdup(key);
		if (!read_tmpfs_word(request, &flags, word, err))
			return false;
	}
	if (!request->destination)
		return fail(err, ERROR_INVALID, "a tmpfs needs a destination");
	return set_tmpfs_flags(request, &flags, err);
}

static const char *mount_type(char *const *fields) {
	for (; *fields; fields++)
		if (g_str_has_prefix(*fields, "type="))
			return *fields + 5;
	return "volume";
}

bool spec_parse_mount(
	const char *text, VolumeRequest **ret_volume, TmpfsRequest **ret_tmpfs, GError **err) {
	g_auto(GStrv) fields = str_split_csv(text);
	g_autoptr(VolumeRequest) volume = NULL;
	g_autoptr(TmpfsRequest) tmpfs = NULL;
	bool good;

	if (!fields)
		return fail(
			err, ERROR_INVALID, "invalid mount \"%s\": a quote is open or stray", text);
	g_autofree char *type = g_strdup(mount_type(fields));
	if (strcmp(type, "bind") == 0) {
		volume = g_new0(VolumeRequest, 1);
		volume->recursive = true;
		good = read_bind(volume, fields, err);
	} else if (strcmp(type, "tmpfs") == 0) {
		tmpfs = g_new0(TmpfsRequest, 1);
		tmpfs->mode = TMPFS_DEFAULT_MODE;
		good = read_tmpfs_mount(tmpfs, fields, err);
	} else {
		return fail(err, ERROR_UNSUPPORTED,
			"invalid mount \"%s\": type \"%s\" is not supported", text, type);
	}
	if (!good)
		return fail_prefix(err, "invalid mount \"%s\"", text);
	*ret_volume = g_steal_pointer(&volume);
	*ret_tmpfs = g_steal_pointer(&tmpfs);
	return true;
}

char *spec_absolute_volume(const char *text, const char *directory) {
	size_t length = strcspn(text, ":");

	/* without a colon it is a destination; only "." marks a path, as in podman */
	if (*text != '.' || !text[length])
		return g_strdup(text);
	g_autofree char *source = g_strndup(text, length);
	g_autofree char *path = g_build_filename(directory, source, NULL);
	g_autofree char *clean = str_clean_path(path);
	return g_strconcat(clean, text + length, NULL);
}

static void append_csv_field(GString *out, const char *field) {
	if (out->len)
		g_string_append_c(out, ',');
	if (!strpbrk(field, ",\"")) {
		g_string_append(out, field);
		return;
	}
	g_string_append_c(out, '"');
	for (const char *p = field; *p; p++) {
		if (*p == '"')
			g_string_append_c(out, '"');
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
}

char *spec_absolute_mount(const char *text, const char *directory) {
	g_auto(GStrv) fields = str_split_csv(text);
	g_autoptr(GString) out = g_string_new(NULL);

	if (!fields || strcmp(mount_type(fields), "bind") != 0)
		return g_strdup(text);
	for (char **field = fields; *field; field++) {
		bool source =
			g_str_has_prefix(*field, "src=") || g_str_has_prefix(*field, "source=");
		char *value = strchr(*field, '=');
		if (source && value[1] && value[1] != '/') {
			g_autofree char *path = g_build_filename(directory, value + 1, NULL);
			g_autofree char *clean = str_clean_path(path);
			value[0] = '\0';
			g_autofree char *whole = g_strconcat(*field, "=", clean, NULL);
			append_csv_field(out, whole);
		} else {
			append_csv_field(out, *field);
		}
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}
