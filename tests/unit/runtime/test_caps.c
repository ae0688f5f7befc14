/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability names and sets. */
#include "runtime/runtime.h"

#include <linux/capability.h>
#include <string.h>

static void test_names(void) {
	for (int bit = 0; bit <= CAP_LAST_CAP; bit++) {
		const char *name = runtime_capability_to_string(bit);
		g_autofree char *lower = g_ascii_strdown(name + strlen("CAP_"), -1);

		g_assert_true(g_str_has_prefix(name, "CAP_"));
		g_assert_cmpint(runtime_capability_from_string(name), ==, bit);
		g_assert_cmpint(runtime_capability_from_string(lower), ==, bit);
	}
	g_assert_cmpint(runtime_capability_from_string("NET_RAW"), ==, CAP_NET_RAW);
	g_assert_cmpint(runtime_capability_from_string("cap_bpf"), ==, CAP_BPF);
	g_assert_cmpint(runtime_capability_from_string("NET_RA"), ==, -1);
	g_assert_cmpint(runtime_capability_from_string("ALL"), ==, -1);
	g_assert_cmpint(runtime_capability_from_string(""), ==, -1);
	g_assert_null(runtime_capability_to_string(-1));
	g_assert_null(runtime_capability_to_string(CAP_LAST_CAP + 1));
}

static void test_default(void) {
	/* podman's eleven. */
	g_assert_cmpuint(runtime_capabilities_default(), ==, UINT64_C(0x800405fb));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/runtime/caps/names", test_names);
	g_test_add_func("/runtime/caps/default", test_default);
	return g_test_run();
}
