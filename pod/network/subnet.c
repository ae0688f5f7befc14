/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IPv4 subnets. See subnet.h. */
#include "network/subnet.h"

#include "base/parse.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

enum { PREFIX_MIN = 8, PREFIX_MAX = 30 };

bool subnet_parse_address(const char *text, uint32_t *ret_address) {
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*ret_address = ntohl(address.s_addr);
	return true;
}

char *subnet_format_address(uint32_t address) {
	return g_strdup_printf("%u.%u.%u.%u", address >> 24, address >> 16 & 0xff,
		address >> 8 & 0xff, address & 0xff);
}

static bool parse_subnet(const char *text, Subnet *ret_subnet, GError **err) {
	const char *slash = strchr(text, '/');
	g_autofree char *base_text = slash ? g_strndup(text, (gsize)(slash - text)) : NULL;
	Subnet subnet = {0};

	if (strchr(text, ':'))
		return fail(err, ERROR_UNSUPPORTED, "IPv6 subnet \"%s\" is not offered", text);
	if (!slash || !subnet_parse_address(base_text, &subnet.base) ||
		!parse_uint(slash + 1, 32, &subnet.prefix))
		return fail(err, ERROR_INVALID, "bad subnet \"%s\": want ADDRESS/PREFIX", text);
	if (subnet.prefix < PREFIX_MIN || subnet.prefix > PREFIX_MAX)
		return fail(err, ERROR_INVALID, "bad subnet \"%s\": the prefix must be %d to %d",
			text, PREFIX_MIN, PREFIX_MAX);
	subnet.mask = UINT32_MAX << (32 - subnet.prefix);
	if (subnet.base & ~subnet.mask)
		return fail(
			err, ERROR_INVALID, "bad subnet \"%s\": bits set behind the prefix", text);
	*ret_subnet = subnet;
	return true;
}

char *subnet_first_address(const char *text, GError **err) {
	Subnet subnet;

	return parse_subnet(text, &subnet, err) ? subnet_format_address(subnet.base + 1) : NULL;
}

static bool name_is_plain(const char *name, size_t limit) {
	if (!g_ascii_isalnum(name[0]) || strlen(name) > limit)
		return false;
	return name[strspn(name,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] ==
	       '\0';
}

bool subnet_has_host(const Subnet *subnet, uint32_t address) {
	return (address & subnet->mask) == subnet->base && address != subnet->base &&
	       address != (subnet->base | ~subnet->mask) && address != subnet->gateway;
}

bool subnet_check_def(const NetworkDef *def, Subnet *ret_subnet, GError **err) {
	Subnet subnet;

	if (!name_is_plain(def->name, 128))
		return fail(err, ERROR_INVALID, "bad network name \"%s\"", def->name);
	if (!name_is_plain(def->bridge, IFNAMSIZ - 1))
		return fail(err, ERROR_INVALID, "bad interface name \"%s\"", def->bridge);
	if (!parse_subnet(def->subnet, &subnet, err))
		return false;
	/* no gateway is known yet: 0 is outside every subnet */
	if (!subnet_parse_address(def->gateway, &subnet.gateway))
		return fail(err, ERROR_INVALID, "bad gateway \"%s\"", def->gateway);
	uint32_t gateway = subnet.gateway;
	subnet.gateway = 0;
	if (!subnet_has_host(&subnet, gateway))
		return fail(err, ERROR_INVALID, "gateway %s is not an address of subnet %s",
			def->gateway, def->subnet);
	subnet.gateway = gateway;
	*ret_subnet = subnet;
	return true;
}
