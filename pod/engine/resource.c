/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that podctl makes for a container. See resource.h. */
#include "engine/resource.h"

#include "base/fd.h"

#include <fcntl.h>
#include <string.h>

enum {
	RESOLV_LIMIT = 64 << 10,
	MAX_NAMESERVERS = 3,
	MAX_SEARCHES = 6,
	MAX_TOKEN = 256,
	FILE_MODE = 0644
};

typedef struct Resolv {
	GPtrArray *servers, *searches, *options;
} Resolv;

static void resolv_clear(Resolv *resolv) {
	g_ptr_array_unref(resolv->servers);
	g_ptr_array_unref(resolv->searches);
	g_ptr_array_unref(resolv->options);
}

static bool is_loopback(const char *address) {
	return g_str_has_prefix(address, "127.") || strcmp(address, "::1") == 0;
}

static bool is_token(const char *text) {
	return *text && strlen(text) <= MAX_TOKEN &&
	       !text[strspn(
		       text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")];
}

static void add_words(GPtrArray *list, char *const *words, unsigned limit) {
	for (; words && *words && list->len < limit; words++)
		if (is_token(*words))
			g_ptr_array_add(list, g_strdup(*words));
}

/* What the host's file says; loopback servers are of no use in another network namespace. */
static void read_host_resolv(Resolv *resolv, const char *path, bool own_network) {
	g_autofree char *text = NULL;

	if (!fd_read_file(AT_FDCWD, path, RESOLV_LIMIT, &text, NULL, NULL))
		return;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", -1);
		if (!words[0] || !words[1])
			continue;
		if (strcmp(words[0], "nameserver") == 0) {
			g_autofree char *server = spec_parse_ip(words[1], "nameserver", NULL);
			if (server && !(own_network && is_loopback(server)) &&
				resolv->servers->len < MAX_NAMESERVERS)
				g_ptr_array_add(resolv->servers, g_steal_pointer(&server));
		} else if (strcmp(words[0], "search") == 0) {
			add_words(resolv->searches, words + 1, MAX_SEARCHES);
		} else if (strcmp(words[0], "options") == 0) {
			add_words(resolv->options, words + 1, MAX_SEARCHES);
		}
	}
}

static void append_joined(GString *out, const char *keyword, const GPtrArray *words) {
	if (!words->len)
		return;
	g_string_append(out, keyword);
	for (unsigned i = 0; i < words->len; i++)
		g_string_append_printf(out, " %s", (char *)g_ptr_array_index(words, i));
	g_string_append_c(out, '\n');
}

static char *make_resolv(
	char *const *dns, char *const *searches, char *const *options, bool own_network) {
	static const char stub_free[] = "/run/systemd/resolve/resolv.conf";
	GString *out = g_string_new(NULL);
	Resolv host = {g_ptr_array_new_with_free_func(g_free),
		g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free)};
	Resolv asked = {g_ptr_array_new_with_free_func(g_free),
		g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free)};

	read_host_resolv(&host, "/etc/resolv.conf", own_network);
	/* systemd-resolved's stub listens on loopback: its list of real servers is here */
	if (!host.servers->len)
		read_host_resolv(&host, stub_free, own_network);
	add_words(asked.servers, dns, MAX_NAMESERVERS);
	add_words(asked.searches, searches, MAX_SEARCHES);
	add_words(asked.options, options, MAX_SEARCHES);
	append_joined(out, "search", searches ? asked.searches : host.searches);
	const GPtrArray *servers = dns ? asked.servers : host.servers;
	for (unsigned i = 0; i < servers->len; i++)
		g_string_append_printf(
			out, "nameserver %s\n", (char *)g_ptr_array_index(servers, i));
	append_joined(out, "options", options ? asked.options : host.options);
	resolv_clear(&host);
	resolv_clear(&asked);
	return g_string_free(out, FALSE);
}

static bool append_added_hosts(
	GString *out, char *const *add_hosts, const char *gateway, GError **err) {
	for (; add_hosts && *add_hosts; add_hosts++) {
		g_auto(GStrv) names = NULL;
		g_autofree char *address = NULL;
		if (!spec_parse_add_host(*add_hosts, &names, &address, err))
			return false;
		if (!address && !gateway)
			continue;
		g_autofree char *joined = g_strjoinv(" ", names);
		g_string_append_printf(out, "%s\t%s\n", address ? address : gateway, joined);
	}
	return true;
}

/* Names of the pod's members, so that each can be reached by its name. */
static bool append_members(
	GString *out, const ResolveInput *input, const char *address, GError **err) {
	g_autoptr(GPtrArray) members = pod_members(input->engine, input->pod->definition->id, err);

	if (!members)
		return false;
	g_string_append_printf(out, "%s\t%s", address, input->pod->definition->name);
	for (unsigned i = 0; i < members->len; i++) {
		const Container *member = g_ptr_array_index(members, i);
		g_string_append_printf(out, " %s", member->definition->name);
	}
	g_string_append_c(out, '\n');
	return true;
}

static bool make_hosts(GString *out, const ResolveInput *input, const char *hostname,
	const char *address, const char *gateway, GError **err) {
	g_autofree char *base = resource_base_hosts(input, err);
	const ContainerDefinition *definition = input->container->definition;
	char *const *add_hosts =
		input->pod ? input->pod->definition->spec->add_hosts : definition->spec->add_hosts;

	if (!base || !append_added_hosts(out, add_hosts, gateway, err))
		return false;
	g_string_append(out, base);
	g_string_append(out, "127.0.0.1\tlocalhost localhost.localdomain\n"
			     "::1\tlocalhost localhost.localdomain\n");
	if (gateway)
		g_string_append_printf(
			out, "%s\thost.containers.internal host.docker.internal\n", gateway);
	if (address)
		g_string_append_printf(out, "%s\t%s %s\n", address, hostname,
			input->pod ? input->pod->definition->name : definition->name);
	else
		g_string_append_printf(out, "127.0.1.1\t%s %s\n", hostname, definition->name);
	if (address && input->pod)
		return append_members(out, input, address, err);
	return true;
}

static bool write_text(int dir_fd, const char *name, const char *text, GError **err) {
	return fd_write_file(dir_fd, name, text, strlen(text), FILE_MODE, err);
}

bool resource_write_files(const ResolveInput *input, const char *address, const char *gateway,
	char **ret_dir, GError **err) {
	const ContainerDefinition *definition = input->container->definition;
	const ContainerSpec *spec = definition->spec;
	const PodSpec *pod_spec = input->pod ? input->pod->definition->spec : NULL;
	bool own_network = input->network_mode != NETWORK_HOST;
	g_autofree char *data = store_data_path(input->container->object, err);
	/* Not below /run: the container may write to them, and must not fill memory with that. */
	g_autofree char *dir = data ? g_build_filename(data, "files", NULL) : NULL;
	g_autoptr(GString) hosts = g_string_new(NULL);
	g_autofree char *resolv = make_resolv(pod_spec ? pod_spec->dns : spec->dns,
		pod_spec ? pod_spec->dns_searches : spec->dns_searches,
		pod_spec ? pod_spec->dns_options : spec->dns_options, own_network);
	g_autofree char *hostname = resolve_hostname(input->container, input->pod);
	g_autofree char *hostname_line = g_strconcat(hostname, "\n", NULL);
	g_autofree char *environment = g_strdup_printf("engine=\"podctl-%s\"\nname=\"%s\"\n"
						       "id=\"%s\"\nimage=\"%s\"\nrootless=0\n",
		PODCTL_VERSION, definition->name, definition->id,
		definition->image_name ? definition->image_name : "");
	g_autofree char *zone = NULL;
	size_t zone_size = 0;
	_cleanup_close_ int dir_fd = dir ? fd_make_dir(AT_FDCWD, dir, 0700, err) : -1;

	if (dir_fd < 0 || !resource_read_timezone(input, &zone, &zone_size, err) ||
		(zone && !fd_write_file(dir_fd, "localtime", zone, zone_size, FILE_MODE, err)) ||
		!make_hosts(hosts, input, hostname, address, gateway, err) ||
		!write_text(dir_fd, "hosts", hosts->str, err) ||
		!write_text(dir_fd, "resolv.conf", resolv, err) ||
		!write_text(dir_fd, "hostname", hostname_line, err) ||
		!write_text(dir_fd, "containerenv", environment, err))
		return false;
	*ret_dir = g_steal_pointer(&dir);
	return true;
}
