/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* podctl version and info: about podctl and the machine. */
#include "base/cleanup.h"
#include "cli/cmd.h"
#include "cli/output.h"

#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

typedef struct InfoOptions {
	char *format;
} InfoOptions;

static const OptionRow info_options[] = {
	{"format", 'f', OPTION_STRING, offsetof(InfoOptions, format), "FORMAT",
		"json, or a template"},
	{NULL},
};

/* Go's names of architectures, which is what people compare with. */
static const char *architecture(const char *machine) {
	static const char *const names[][2] = {
		{"x86_64", "amd64"},
		{"aarch64", "arm64"},
		{"i686", "386"},
		{"armv7l", "arm"},
	};

	array_foreach (name, names)
		if (g_str_equal((*name)[0], machine))
			return (*name)[1];
	return machine;
}

static int run_version(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	const InfoOptions *options = cli->options;
	struct utsname uts;

	uname(&uts);
	g_autofree char *platform = g_strconcat("linux/", architecture(uts.machine), NULL);
	if (!options->format) {
		g_autofree char *text = g_strdup_printf(
			"Client:       podctl\nVersion:      %s\nOS/Arch:      %s\n",
			PODCTL_VERSION, platform);
		return output_print(text, err) ? 0 : -1;
	}
	json_auto_t *version = json_object();
	json_t *client = json_object();
	json_object_set_new(version, "Client", client);
	json_put_string(client, "Name", "podctl");
	json_put_string(client, "APIVersion", PODCTL_VERSION);
	json_put_string(client, "Version", PODCTL_VERSION);
	json_put_string(client, "OsArch", platform);
	json_put_string(client, "Os", "linux");
	return output_value(version, options->format, err) ? 0 : -1;
}

const Command command_version = {
	.usage = "[options]",
	.help = "Show the version",
	.options = info_options,
	.options_size = sizeof(InfoOptions),
	.run = run_version,
};

static void append_yaml(const json_t *value, int depth, GString *out);

static void append_yaml_member(const json_t *value, int depth, GString *out) {
	bool nested = json_array_size(value) > 0 || json_object_size(value) > 0;

	g_string_append_c(out, nested ? '\n' : ' ');
	append_yaml(value, depth, out);
}

/* Enough of YAML to be read by people and by parsers: strings are plain or JSON. */
static void append_yaml(const json_t *value, int depth, GString *out) {
	const char *key;
	json_t *member;
	size_t index;

	if (json_object_size(value) > 0) {
		json_object_foreach ((json_t *)(uintptr_t)value, key, member) {
			g_string_append_printf(out, "%*s%s:", depth * 2, "", key);
			append_yaml_member(member, depth + 1, out);
		}
	} else if (json_array_size(value) > 0) {
		json_array_foreach (value, index, member) {
			g_string_append_printf(out, "%*s-", depth * 2, "");
			append_yaml_member(member, depth + 1, out);
		}
	} else {
		g_autofree char *text = json_to_text(value, false);
		const char *plain = json_string_value(value);
		bool simple = plain && *plain &&
			      strspn(plain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "0123456789/._-") == strlen(plain) &&
			      (g_ascii_isalpha(*plain) || *plain == '/');
		g_string_append_printf(out, "%s\n", simple ? plain : text);
	}
}

static int run_info(Cli *cli, G_GNUC_UNUSED char **arguments, GError **err) {
	const InfoOptions *options = cli->options;
	Engine *engine = cli_engine(cli, err);
	json_auto_t *info = engine ? engine_info(engine, err) : NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	if (!info)
		return -1;
	if (options->format)
		return output_value(info, options->format, err) ? 0 : -1;
	append_yaml(info, 0, text);
	return output_print(text->str, err) ? 0 : -1;
}

const Command command_info = {
	.usage = "[options]",
	.help = "Show what podctl found on this machine",
	.options = info_options,
	.options_size = sizeof(InfoOptions),
	.run = run_info,
};
