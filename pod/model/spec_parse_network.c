/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports, networks, hosts and addresses. Addresses are read into binary and printed again, so that
 * what is passed on is an address and nothing else. See spec_parse.h. */
#include "base/cleanup.h"
#include "base/options.h"
#include "base/parse.h"
#include "model/names.h"
#include "model/spec_parse.h"

#include <arpa/inet.h>
#include <string.h>

char *spec_parse_ip(const char *text, const char *what, GError **err) {
	unsigned char address[sizeof(struct in6_addr)];
	char printed[INET6_ADDRSTRLEN];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, text, address) != 1 ||
		!inet_ntop(family, address, printed, sizeof printed)) {
		fail(err, ERROR_INVALID, "invalid address \"%s\" for %s", text, what);
		return NULL;
	}
	return g_strdup(printed);
}

static const char *const protocol_names[] = {
	[PORT_TCP] = "tcp",
	[PORT_UDP] = "udp",
	[PORT_SCTP] = "sctp",
};

const char *port_protocol_to_string(PortProtocol protocol) {
	return protocol_names[protocol];
}

void port_mapping_clear(PortMapping *mapping) {
	g_clear_pointer(&mapping->host_address, g_free);
}

static bool parse_protocol(const char *text, PortProtocol *ret_protocol) {
	for (size_t i = 0; i < ARRAY_LENGTH(protocol_names); i++) {
		if (g_ascii_strcasecmp(protocol_names[i], text) == 0) {
			*ret_protocol = (PortProtocol)i;
			return true;
		}
	}
	return false;
}

/* PORT or FIRST-LAST, 1..65535. */
static bool parse_port_range(const char *text, unsigned *ret_first, unsigned *ret_count) {
	g_auto(GStrv) ends = g_strsplit(text, "-", 2);
	size_t n = g_strv_length(ends);
	unsigned first, last;

	if (n < 1 || !parse_uint(ends[0], UINT16_MAX, &first) ||
		!parse_uint(ends[n - 1], UINT16_MAX, &last) || first == 0 || last < first)
		return false;
	*ret_first = first;
	*ret_count = last - first + 1;
	return true;
}

/* Cuts "ADDRESS:" off the front: *rest is advanced, *ret_address is NULL if there is none. False on
 * a bad bracket. */
static bool cut_address(const char **rest, char **ret_address) {
	const char *text = *rest, *end;

	*ret_address = NULL;
	if (*text == '[') {
		end = strchr(text, ']');
		/* only an IPv6 address stands in brackets */
		if (!end || end[1] != ':' || !memchr(text, ':', (size_t)(end - text)))
			return false;
		*ret_address = g_strndup(text + 1, (size_t)(end - text - 1));
		*rest = end + 2;
		return true;
	}
	end = strchr(text, ':');
	if (end && strchr(end + 1, ':')) {
		*ret_address = g_strndup(text, (size_t)(end - text));
		*rest = end + 1;
	}
	return true;
}

static bool read_ports(const char *ports, const char *text, PortMapping *mapping, GError **err) {
	const char *colon = strchr(ports, ':');
	g_autofree char *host = colon ? g_strndup(ports, (size_t)(colon - ports)) : g_strdup("");
	const char *container = colon ? colon + 1 : ports;
	unsigned host_first = 0, host_count = 0, first, count;

	if (!parse_port_range(container, &first, &count))
		return fail(err, ERROR_INVALID,
			"invalid port \"%s\": \"%s\" is no port or range within 1-65535", text,
			container);
	if (*host && strcmp(host, "0") != 0) {
		if (!parse_port_range(host, &host_first, &host_count))
			return fail(err, ERROR_INVALID,
				"invalid port \"%s\": \"%s\" is no port or range within 1-65535",
				text, host);
		if (host_count != count)
			return fail(err, ERROR_INVALID,
				"invalid port \"%s\": host and container ranges differ in length",
				text);
	}
	mapping->host_port = (uint16_t)host_first;
	mapping->container_port = (uint16_t)first;
	mapping->count = (uint16_t)count;
	return true;
}

bool spec_parse_port(const char *text, PortMapping *ret_mapping, GError **err) {
	g_autofree char *address = NULL, *printed = NULL;
	g_auto(GStrv) sides = g_strsplit(text, "/", 2);
	const char *rest = sides[0] ? sides[0] : "";
	PortMapping mapping = {.protocol = PORT_TCP};

	if (sides[0] && sides[1] && !parse_protocol(sides[1], &mapping.protocol))
		return fail(err, ERROR_INVALID,
			"invalid port \"%s\": \"%s\" is no protocol; it is tcp, udp or sctp", text,
			sides[1]);
	if (!cut_address(&rest, &address))
		return fail(err, ERROR_INVALID,
			"invalid port \"%s\": an IPv6 address stands in [] before a colon", text);
	if (address) {
		printed = spec_parse_ip(address, "a published port", err);
		if (!printed)
			return fail_prefix(err, "invalid port \"%s\"", text);
	}
	if (!read_ports(rest, text, &mapping, err))
		return false;
	mapping.host_address = g_steal_pointer(&printed);
	*ret_mapping = mapping;
	return true;
}

void network_request_free(NetworkRequest *request) {
	if (!request)
		return;
	g_free(request->name);
	g_free(request->ip);
	g_free(request->mac);
	g_strfreev(request->aliases);
	g_free(request->interface_name);
	g_free(request);
}

char *spec_parse_mac(const char *text, GError **err) {
	g_auto(GStrv) parts = g_strsplit_set(text, ":-", -1);
	g_autoptr(GString) printed = g_string_new(NULL);
	bool good = g_strv_length(parts) == 6;

	for (char **part = parts; good && *part; part++) {
		good = strlen(*part) == 2 && g_ascii_isxdigit((*part)[0]) &&
		       g_ascii_isxdigit((*part)[1]);
		g_string_append_printf(printed, "%s%s", printed->len ? ":" : "", *part);
	}
	/* the lowest bit of the first byte marks a group address: no interface can have it */
	if (!good || (g_ascii_xdigit_value(text[1]) & 1)) {
		fail(err, ERROR_INVALID, "invalid MAC address \"%s\"", text);
		return NULL;
	}
	g_string_ascii_down(printed);
	return g_string_free(g_steal_pointer(&printed), FALSE);
}

/* IFNAMSIZ is 16 with the NUL; the kernel forbids '/', blanks and the two dot names. */
static bool interface_name_ok(const char *name) {
	size_t length = strlen(name);

	if (length == 0 || length > 15 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *p = name; *p; p++)
		if (!g_ascii_isgraph(*p) || *p == '/' || *p == ':' || *p == '%')
			return false;
	return true;
}

static bool read_network_option(NetworkRequest *request, const char *option, GError **err) {
	const char *equals = strchr(option, '=');
	const char *value = equals ? equals + 1 : "";

	if (g_str_has_prefix(option, "ip=")) {
		g_free(request->ip);
		request->ip = spec_parse_ip(value, "a network", err);
		return request->ip != NULL;
	}
	if (g_str_has_prefix(option, "mac=")) {
		g_free(request->mac);
		request->mac = spec_parse_mac(value, err);
		return request->mac != NULL;
	}
	if (g_str_has_prefix(option, "alias=")) {
		options_append(&request->aliases, value);
		return name_check(value, "network alias", err);
	}
	if (g_str_has_prefix(option, "interface_name=")) {
		g_free(request->interface_name);
		request->interface_name = g_strdup(value);
		return interface_name_ok(value) ||
		       fail(err, ERROR_INVALID, "invalid interface name \"%s\"", value);
	}
	if (g_str_has_prefix(option, "ip6=") || g_str_has_prefix(option, "host_interface_name="))
		return fail(
			err, ERROR_UNSUPPORTED, "network option \"%s\" is not supported", option);
	return fail(err, ERROR_INVALID, "unknown network option \"%s\"", option);
}

/* What follows "NAME:". */
static bool read_network_options(NetworkRequest *request, const char *options, GError **err) {
	g_auto(GStrv) list = g_strsplit(options, ",", -1);

	for (char **option = list; *option; option++)
		if (!read_network_option(request, *option, err))
			return false;
	return true;
}

static bool read_network(NetworkRequest *request, const char *text, GError **err) {
	static const char *const other_modes[] = {"slirp4netns", "pasta", "pod"};
	const char *colon = strchr(text, ':');
	g_autofree char *word = colon ? g_strndup(text, (size_t)(colon - text)) : g_strdup(text);
	const char *value = colon ? colon + 1 : NULL;

	if (strcmp(word, "none") == 0 || strcmp(word, "host") == 0) {
		request->mode = *word == 'n' ? NETWORK_NONE : NETWORK_HOST;
		return !value || fail(err, ERROR_INVALID, "\"%s\" takes no options", word);
	}
	if (strcmp(word, "container") == 0 || strcmp(word, "ns") == 0) {
		request->mode = *word == 'c' ? NETWORK_CONTAINER : NETWORK_NAMESPACE;
		request->name = g_strdup(value);
		if (!value || !*value)
			return fail(err, ERROR_INVALID, "\"%s:\" needs a name", word);
		if (request->mode == NETWORK_CONTAINER)
			return name_check(value, "container name", err);
		return *value == '/' || fail(err, ERROR_INVALID, "the path is not absolute");
	}
	for (size_t i = 0; i < ARRAY_LENGTH(other_modes); i++)
		if (strcmp(word, other_modes[i]) == 0)
			return fail(err, ERROR_UNSUPPORTED, "it is not supported");
	request->mode = NETWORK_BRIDGE;
	if (*word && strcmp(word, "bridge") != 0 && strcmp(word, "private") != 0 &&
		strcmp(word, "default") != 0) {
		request->name = g_strdup(word);
		if (!name_check(word, "network name", err))
			return false;
	}
	return !value || read_network_options(request, value, err);
}

NetworkRequest *spec_parse_network(const char *text, GError **err) {
	g_autoptr(NetworkRequest) request = g_new0(NetworkRequest, 1);

	if (!read_network(request, text, err)) {
		fail_prefix(err, "cannot use network \"%s\"", text);
		return NULL;
	}
	return g_steal_pointer(&request);
}

static bool host_name_ok(const char *name) {
	return *name && strlen(name) <= 253 &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789._-")] == '\0';
}

bool spec_parse_add_host(const char *text, char ***ret_names, char **ret_address, GError **err) {
	const char *colon = strchr(text, ':');

	if (!colon)
		return fail(err, ERROR_INVALID,
			"invalid host entry \"%s\": it is NAME[;NAME...]:ADDRESS", text);
	g_autofree char *left = g_strndup(text, (size_t)(colon - text));
	g_auto(GStrv) names = g_strsplit(left, ";", -1);
	for (size_t i = 0; i == 0 || names[i]; i++)
		if (!names[i] || !host_name_ok(names[i]))
			return fail(err, ERROR_INVALID,
				"invalid host entry \"%s\": \"%s\" is no host name", text,
				names[i] ? names[i] : "");
	g_autofree char *address = NULL;
	if (strcmp(colon + 1, "host-gateway") != 0) {
		g_autofree char *bare = g_strdup(colon + 1);
		size_t length = strlen(bare);
		const char *start = bare;
		if (length > 2 && bare[0] == '[' && bare[length - 1] == ']') {
			bare[length - 1] = '\0';
			start++;
		}
		address = spec_parse_ip(start, "a host entry", err);
		if (!address)
			return fail_prefix(err, "invalid host entry \"%s\"", text);
	}
	*ret_names = g_steal_pointer(&names);
	*ret_address = g_steal_pointer(&address);
	return true;
}
