/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IPv4 subnets as numbers. All addresses in host byte order. */
#pragma once

#include "network/network.h"

typedef struct Subnet {
	uint32_t base;
	uint32_t mask;
	uint32_t gateway;
	unsigned prefix;
} Subnet;

/* Dotted quad, nothing else. */
bool subnet_parse_address(const char *text, uint32_t *ret_address);

/* Free with g_free. */
char *subnet_format_address(uint32_t address);

/* The first usable address of "10.87.0.0/16"; free with g_free. NULL with ERROR_INVALID. */
char *subnet_first_address(const char *subnet, GError **err);

/* Checks name, interface name, subnet and gateway of a definition (ERROR_INVALID names the value;
 * ERROR_UNSUPPORTED for IPv6) and returns the numbers. What passed may stand in nft's language. */
bool subnet_check_def(const NetworkDef *def, Subnet *ret_subnet, GError **err);

/* True for an address that may be leased: inside, neither network, broadcast nor gateway. */
bool subnet_has_host(const Subnet *subnet, uint32_t address);
