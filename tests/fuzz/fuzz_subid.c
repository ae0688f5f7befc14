/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as /etc/subuid, and as the map of a process. Ranges that are accepted hold neither root
 * nor the id that is none, and do not meet each other.
 */
#include "base/cleanup.h"
#include "base/idrange.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_file(const uint8_t *data, size_t size) {
	_cleanup_fclose_ FILE *file = size ? fmemopen((void *)data, size, "re") : NULL;
	IdMap map = {0};
	uint32_t inside;

	if (!file || !id_read_subordinate_stream(file, "subuid", "a", "1000", &map, NULL))
		return;
	g_assert_false(id_map_to_inside(&map, 0, &inside));
	g_assert_false(id_map_to_inside(&map, UINT32_MAX, &inside));
	if (map.n)
		g_assert_true(id_map_check(&map, "map", NULL));
	for (size_t i = 0; i < map.n; i++)
		g_assert_true(id_map_to_inside(&map, map.rows[i].outside, &inside) &&
			      inside == map.rows[i].inside);
	id_map_clear(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_strndup((const char *)data, size);
	IdMap map = {0}, again = {0};

	check_file(data, size);
	if (!id_map_from_text(text, &map, NULL))
		return 0;
	g_autofree char *first = id_map_to_text(&map);
	g_assert_true(id_map_from_text(first, &again, NULL));
	g_autofree char *second = id_map_to_text(&again);
	g_assert_cmpstr(first, ==, second);
	id_map_clear(&map);
	id_map_clear(&again);
	return 0;
}
