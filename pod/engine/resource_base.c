/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What generated files are made from besides options: the base of /etc/hosts, the time zone. See
 * resource.h. */
#include "base/fd.h"
#include "engine/resource.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { HOSTS_LIMIT = 1 << 20, ZONE_LIMIT = 1 << 20 };

#define ZONE_DIRECTORY "/usr/share/zoneinfo"
#define LOCAL_ZONE     "/etc/localtime"

/* The directories that make the root of a container, lowest first; the list is new, its strings are
 * not. */
static char **image_layers(const ResolveInput *input) {
	const ContainerSpec *spec = input->container->definition->spec;

	if (input->image)
		return g_memdup2(input->image->layers,
			(g_strv_length(input->image->layers) + 1) * sizeof(char *));
	char **layers = g_new0(char *, 2);
	layers[0] = spec->image;
	return layers;
}

static bool read_image_file(const ResolveInput *input, const char *path, size_t limit,
	char **ret_text, size_t *ret_size, GError **err) {
	g_autofree char **layers = image_layers(input);
	const ContainerSpec *spec = input->container->definition->spec;
	g_autofree char *plain = NULL;

	/* "DIR:O" of --rootfs */
	if (!input->image && g_str_has_suffix(spec->image, ":O"))
		layers[0] = plain = g_strndup(spec->image, strlen(spec->image) - 2);
	return runtime_read_layer_file(layers, path, limit, ret_text, ret_size, err);
}

/* Address and names as they are; notes, empty lines and what is neither are left out. */
static void append_host_line(GString *out, char *line) {
	line[strcspn(line, "#")] = '\0';
	g_auto(GStrv) words = g_strsplit_set(g_strstrip(line), " \t", -1);
	g_autofree char *address = words[0] ? spec_parse_ip(words[0], "a host", NULL) : NULL;
	unsigned names = 0;

	if (!address)
		return;
	GString *text = g_string_new(address);
	for (char **word = words + 1; *word; word++) {
		if (!**word || (*word)[strspn(*word, "abcdefghijklmnopqrstuvwxyz"
						     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
			continue;
		g_string_append_printf(text, "%c%s", names ? ' ' : '\t', *word);
		names++;
	}
	if (names)
		g_string_append_printf(out, "%s\n", text->str);
	g_string_free(text, TRUE);
}

char *resource_base_hosts(const ResolveInput *input, GError **err) {
	const ContainerSpec *spec = input->container->definition->spec;
	const char *asked =
		input->pod ? input->pod->definition->spec->hosts_file : spec->hosts_file;
	g_autofree char *text = NULL;
	GString *out;

	if (!asked || !*asked || strcmp(asked, "none") == 0)
		return g_strdup("");
	bool good = strcmp(asked, "image") == 0
			    ? read_image_file(input, "/etc/hosts", HOSTS_LIMIT, &text, NULL, err)
			    : fd_read_file(AT_FDCWD, asked, HOSTS_LIMIT, &text, NULL, err);
	if (!good) {
		fail_prefix(err, "cannot read the file of \"--hosts-file\"");
		return NULL;
	}
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	out = g_string_new(NULL);
	for (char **line = lines; *line; line++)
		append_host_line(out, *line);
	return g_string_free(out, FALSE);
}

/* Every zone file begins so (RFC 9636). */
static bool is_zone(const char *data, size_t size) {
	return data && size >= 44 && memcmp(data, "TZif", 4) == 0;
}

bool resource_read_timezone(
	const ResolveInput *input, char **ret_data, size_t *ret_size, GError **err) {
	const char *zone = input->container->definition->spec->timezone;
	const char *directory = g_getenv("TZDIR");
	g_autofree char *data = NULL, *found = NULL;

	*ret_data = NULL;
	if (!zone || !*zone)
		return true;
	bool local = strcmp(zone, "local") == 0;
	g_autofree char *path =
		local ? g_strdup(LOCAL_ZONE)
		      : g_build_filename(
				directory && *directory == '/' ? directory : ZONE_DIRECTORY, zone,
				NULL);
	/* the host's is a link to a zone, which is the host's own affair */
	found = realpath(path, NULL);
	if (found)
		fd_read_file(AT_FDCWD, found, ZONE_LIMIT, &data, ret_size, NULL);
	/* a host without the setting is on UTC, which is what nobody's file says */
	if (local && !found)
		return true;
	if (!is_zone(data, data ? *ret_size : 0) && !local) {
		g_autofree char *inside = g_build_filename(ZONE_DIRECTORY, zone, NULL);
		g_clear_pointer(&data, g_free);
		if (!read_image_file(input, inside, ZONE_LIMIT, &data, ret_size, err))
			return false;
	}
	if (!is_zone(data, data ? *ret_size : 0))
		return fail(err, ERROR_INVALID, "cannot find time zone \"%s\" of \"--tz\"", zone);
	*ret_data = g_steal_pointer(&data);
	return true;
}
