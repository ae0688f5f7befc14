/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as namespace modes, id maps, limits and what else options say of a process. Maps that
 * came out have no id twice, numbers are within their bounds.
 */
#include "base/parse.h"
#include "model/limits.h"
#include "model/namespace_mode.h"
#include "model/spec_parse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path that does not climb. */
static void check_parts(const char *text) {
	g_autofree char *framed = g_strconcat("/", text, "/", NULL);

	g_assert_null(strstr(framed, "/../"));
}

static void check_map(char *text, bool group) {
	char *rows[] = {text, text, NULL};
	IdMap map = {0}, again = {0};

	if (spec_parse_id_map(rows, group, &map, NULL) && map.n &&
		id_map_check(&map, "map", NULL)) {
		g_autofree char *first = id_map_to_text(&map);
		g_assert_true(id_map_from_text(first, &again, NULL));
		g_autofree char *second = id_map_to_text(&again);
		g_assert_cmpstr(first, ==, second);
	}
	id_map_clear(&map);
	id_map_clear(&again);
}

static void check_namespaces(char *text) {
	NamespaceMode mode;
	UserNsRequest request;

	if (spec_parse_namespace(text, &mode, NULL) && mode.kind == NAMESPACE_PATH)
		g_assert_true(mode.value[0] == '/');
	if (spec_parse_userns(text, &request, NULL)) {
		g_assert_true(!request.uid_given || request.uid <= ID_MAX);
		userns_request_clear(&request);
	}
	check_map(text, false);
	check_map(text, true);
}

static void check_limits(char *text) {
	char *list[] = {text, NULL};
	const LimitSpec specs[] = {{.memory = text}, {.memory = (char *)"1g", .memory_swap = text},
		{.memory_reservation = text}, {.cpus = text}, {.cpu_quota = text},
		{.cpu_period = text}, {.cpu_shares = text}, {.cpuset_cpus = text},
		{.cpuset_mems = text}, {.pids_limit = text}, {.blkio_weight = text},
		{.blkio_weight_devices = list}, {.device_read_bps = list},
		{.device_write_iops = list}};
	g_autofree char *key = NULL, *value = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
		Limits limits;

		if (!limits_parse(&specs[i], &limits, NULL))
			continue;
		g_assert_true(limits.swap_bytes != LIMIT_NONE ||
			      limits.memory_bytes == LIMIT_NONE || strcmp(text, "-1") == 0 ||
			      limits.memory_bytes == LIMIT_UNSET);
		limits_clear(&limits);
	}
	if (limits_parse_conf(text, &key, &value, NULL))
		g_assert_true(!strchr(key, '/') && !strchr(key, '\n') && *key != '.');
	if (limits_check_parent(text, NULL))
		check_parts(text);
}

static void check_process(char *text) {
	char *list[] = {text, NULL};
	g_auto(GStrv) options = NULL;
	g_autofree int *fds = NULL;
	unsigned long persona;
	uint64_t number;
	size_t count;
	int signal_number;

	spec_check_account(text, "account", NULL);
	spec_check_user(text, NULL);
	spec_parse_personality(text, &persona, NULL);
	spec_parse_proc_options(text, &options, NULL);
	parse_size(text, &number);
	parse_duration(text, &number);
	if (spec_parse_timezone(text, NULL)) {
		g_assert_true(*text != '/');
		check_parts(text);
	}
	if (spec_parse_fd_list(list, &fds, &count, NULL))
		for (size_t i = 0; i < count; i++)
			g_assert_true(fds[i] > 2 && fds[i] < 1024);
	if (parse_signal(text, &signal_number))
		g_assert_true(signal_number >= 1 && signal_number <= 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *text = g_strndup((const char *)data, size);

	check_namespaces(text);
	check_limits(text);
	check_process(text);
	return 0;
}
