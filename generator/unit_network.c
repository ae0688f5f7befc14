/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAME.network -> NAME-network.service: a network that is made when it is needed. */
#include "cmdline.h"
#include "common.h"
#include "graph.h"
#include "keys.h"

static const char *line_value(const GPtrArray *lines, guint i) {
	return ((const UnitLine *)g_ptr_array_index(lines, i))->value;
}

static bool check_count(Conversion *c, const GPtrArray *subnets, const GPtrArray *lines,
	const char *key, GError **err) {
	if (lines->len <= subnets->len)
		return true;
	if (subnets->len == 0)
		return unit_fail(c->unit, g_ptr_array_index(lines, 0), err, ERROR_INVALID,
			"%s= needs Subnet=", key);
	return unit_fail(c->unit, g_ptr_array_index(lines, subnets->len), err, ERROR_INVALID,
		"more lines of %s= than of Subnet=", key);
}

/* Subnets, gateways and ranges belong together by position. */
static bool emit_subnets(Conversion *c, const KeyRow *row G_GNUC_UNUSED, GError **err) {
	const Section *section = c->unit->section;
	g_autoptr(GPtrArray) subnets = section_lines(section, "Subnet");
	g_autoptr(GPtrArray) gateways = section_lines(section, "Gateway");
	g_autoptr(GPtrArray) ranges = section_lines(section, "IPRange");

	if (!check_count(c, subnets, gateways, "Gateway", err) ||
		!check_count(c, subnets, ranges, "IPRange", err))
		return false;
	for (guint i = 0; i < subnets->len; i++) {
		common_emit(c, "--subnet", line_value(subnets, i), NULL);
		if (i < gateways->len)
			common_emit(c, "--gateway", line_value(gateways, i), NULL);
		if (i < ranges->len)
			common_emit(c, "--ip-range", line_value(ranges, i), NULL);
	}
	return true;
}

static const KeyRow rows[] = {
	{NULL, KEY_FIXED, "network"},
	{NULL, KEY_FIXED, "create"},
	{NULL, KEY_FIXED, "--ignore"},
	{"DisableDNS", KEY_BOOL, "--disable-dns"},
	{"Internal", KEY_BOOL, "--internal"},
	{"IPv6", KEY_BOOL, "--ipv6"},
	{"Driver", KEY_STRING, "--driver"},
	{"IPAMDriver", KEY_STRING, "--ipam-driver"},
	{"InterfaceName", KEY_STRING, "--interface-name"},
	{"DNS", KEY_LINES, "--dns"},
	{"Subnet", KEY_ALWAYS, .call = emit_subnets},
	{"Gateway", KEY_READ},
	{"IPRange", KEY_READ},
	{"Options", KEY_PAIRS, "--opt"},
	{"Label", KEY_PAIRS, "--label"},
	{"PodmanArgs", KEY_ARGS},
	{"NetworkName", KEY_ALWAYS, .call = common_emit_own_name},
	{"NetworkDeleteOnStop", KEY_READ},
	{"ServiceName", KEY_READ},
	{"ContainersConfModule", KEY_READ},
	{"GlobalArgs", KEY_READ},
};

static void prepare(Unit *unit) {
	const char *name = keys_string(unit, "NetworkName");

	unit->own_name = name ? name : unit_default_resource(unit);
	unit->resource = unit->own_name;
}

static bool convert(Conversion *c, GError **err) {
	if (keys_tristate(c->unit, "NetworkDeleteOnStop") == 1)
		cmdline_add(c, "ExecStopPost", "", NULL, "network", "rm", c->unit->own_name, NULL);
	cmdline_begin(c);
	if (!keys_emit(c, err))
		return false;
	cmdline_add_built(c, "ExecStart");
	common_oneshot_defaults(c, true);
	return true;
}

const UnitType unit_type_network = {
	.extension = ".network",
	.group = "Network",
	.renamed = "X-Network",
	.suffix = "-network",
	.order = 2,
	.rows = rows,
	.n_rows = ARRAY_LENGTH(rows),
	.prepare = prepare,
	.convert = convert,
};
