/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of stats. See stats_view.h. */
#include "cli/stats_view.h"

#include "base/cleanup.h"
#include "base/parse.h"
#include "model/names.h"

#include <string.h>

#define UNKNOWN      "--"
#define NSEC_PER_SEC UINT64_C(1000000000)

/* "3.092MB", "12KiB": four digits. */
static char *size_text(uint64_t bytes, double base, const char *const *units) {
	double value = (double)bytes;

	for (; value >= base && units[1]; units++)
		value /= base;
	return g_strdup_printf("%.4g%s", value, *units);
}

static char *decimal_size(uint64_t bytes) {
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", NULL};

	return size_text(bytes, 1000, units);
}

static char *binary_size(uint64_t bytes) {
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL};

	return size_text(bytes, 1024, units);
}

/* Digits of a fraction without its trailing zeros, with the point; nothing for 0. */
static char *fraction_text(uint64_t fraction, int digits) {
	char *text = g_strdup_printf(".%0*" G_GUINT64_FORMAT, digits, fraction);
	size_t length = strlen(text);

	while (length > 0 && (text[length - 1] == '0' || text[length - 1] == '.'))
		if (text[--length] == '.')
			break;
	text[length] = '\0';
	return text;
}

char *stats_view_span(uint64_t nsec) {
	static const struct {
		uint64_t unit;
		int digits;
		const char *name;
	} small[] = {{1000000, 6, "ms"}, {1000, 3, "\302\265s"}, {1, 0, "ns"}};

	if (nsec == 0)
		return g_strdup("0s");
	for (size_t i = 0; nsec < NSEC_PER_SEC; i++) {
		if (nsec < small[i].unit)
			continue;
		g_autofree char *rest =
			small[i].digits ? fraction_text(nsec % small[i].unit, small[i].digits)
					: g_strdup("");
		return g_strdup_printf(
			"%" G_GUINT64_FORMAT "%s%s", nsec / small[i].unit, rest, small[i].name);
	}
	uint64_t seconds = nsec / NSEC_PER_SEC, minutes = seconds / 60, hours = minutes / 60;
	g_autofree char *rest = fraction_text(nsec % NSEC_PER_SEC, 9);
	g_autoptr(GString) text = g_string_new(NULL);
	if (hours)
		g_string_append_printf(text, "%" G_GUINT64_FORMAT "h", hours);
	if (minutes)
		g_string_append_printf(text, "%" G_GUINT64_FORMAT "m", minutes % 60);
	g_string_append_printf(text, "%" G_GUINT64_FORMAT "%ss", seconds % 60, rest);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool has(const json_t *object, const char *key) {
	return json_is_integer(json_object_get(object, key));
}

static uint64_t value_of(const json_t *object, const char *key) {
	int64_t value = json_get_int(object, key, 0);

	return value > 0 ? (uint64_t)value : 0;
}

static char *pair_text(
	const json_t *object, const char *first, const char *second, char *(*format)(uint64_t)) {
	g_autofree char *left = has(object, first) ? format(value_of(object, first)) : NULL;
	g_autofree char *right = has(object, second) ? format(value_of(object, second)) : NULL;

	return g_strdup_printf("%s / %s", left ? left : UNKNOWN, right ? right : UNKNOWN);
}

/* Processor time over a span in percent of one processor; negative: not known. */
static double cpu_share(const json_t *now, const json_t *before) {
	uint64_t since = value_of(before ? before : now, before ? "_now_usec" : "started_usec");
	uint64_t until = value_of(now, "_now_usec"), used = value_of(now, "cpu_nsec");
	uint64_t already = before ? value_of(before, "cpu_nsec") : 0;

	if (!has(now, "cpu_nsec") || (before && !has(before, "cpu_nsec")))
		return -1;
	/* started again in between, or the clock was set */
	if (until <= since || used < already)
		return 0;
	return (double)(used - already) / 1000 / (double)(until - since) * 100;
}

static double memory_share(const json_t *now) {
	uint64_t limit = value_of(now, "memory_limit_bytes");

	if (!has(now, "memory_bytes") || limit == 0)
		return -1;
	return (double)value_of(now, "memory_bytes") / (double)limit * 100;
}

static void put_owned(json_t *row, const char *key, char *text) {
	json_put_string(row, key, text);
	g_free(text);
}

static void put_percent(json_t *row, const char *key, double percent) {
	put_owned(row, key, percent < 0 ? g_strdup(UNKNOWN) : g_strdup_printf("%.2f%%", percent));
}

static void put_number(json_t *row, const char *key, const json_t *now, const char *from) {
	json_put_int(row, key, (int64_t)value_of(now, from));
}

static char *short_id(const json_t *object, const char *key, bool no_trunc) {
	const char *id = json_get_string(object, key, "");

	return no_trunc ? g_strdup(id) : g_strndup(id, ID_SHORT_LENGTH);
}

static char *pids_text(const json_t *now) {
	return has(now, "pids") ? g_strdup_printf("%" G_GUINT64_FORMAT, value_of(now, "pids"))
				: g_strdup(UNKNOWN);
}

/* What both kinds of rows have, under podman's names of the fields. */
static json_t *common_row(const json_t *now) {
	json_t *row = json_object();

	json_put_string(row, "Name", json_get_string(now, "Name", ""));
	put_owned(row, "MemUsage",
		pair_text(now, "memory_bytes", "memory_limit_bytes", decimal_size));
	put_owned(row, "MemUsageBytes",
		pair_text(now, "memory_bytes", "memory_limit_bytes", binary_size));
	put_owned(
		row, "NetIO", pair_text(now, "net_input_bytes", "net_output_bytes", decimal_size));
	put_owned(row, "BlockIO",
		pair_text(now, "block_input_bytes", "block_output_bytes", decimal_size));
	put_owned(row, "PIDS", pids_text(now));
	return row;
}

json_t *stats_view_container(const json_t *now, const json_t *before, bool no_trunc) {
	json_t *row = common_row(now);
	double cpu = cpu_share(now, before), average = cpu_share(now, NULL);
	g_autofree char *span = has(now, "cpu_nsec") ? stats_view_span(value_of(now, "cpu_nsec"))
						     : g_strdup(UNKNOWN);

	put_owned(row, "ID", short_id(now, "Id", no_trunc));
	json_put_string(row, "ContainerID", json_get_string(now, "Id", ""));
	put_percent(row, "CPUPerc", cpu);
	put_percent(row, "AVGCPU", average);
	json_object_set_new(row, "CPU", json_real(MAX(cpu, 0)));
	json_object_set_new(row, "AvgCPU", json_real(MAX(average, 0)));
	put_number(row, "CPUNano", now, "cpu_nsec");
	json_put_int(row, "SystemNano", (int64_t)value_of(now, "_now_usec") * 1000);
	put_percent(row, "MemPerc", memory_share(now));
	put_number(row, "MemLimit", now, "memory_limit_bytes");
	put_number(row, "NetInput", now, "net_input_bytes");
	put_number(row, "NetOutput", now, "net_output_bytes");
	put_number(row, "BlockInput", now, "block_input_bytes");
	put_number(row, "BlockOutput", now, "block_output_bytes");
	put_number(row, "PIDs", now, "pids");
	json_put_string(row, "UpTime", span);
	json_put_string(row, "Up", span);
	return row;
}

json_t *stats_view_pod(const json_t *now, const json_t *before, bool no_trunc) {
	json_t *row = common_row(now);

	put_owned(row, "Pod", short_id(now, "Pod", no_trunc));
	put_owned(row, "CID",
		json_object_get(now, "Id") ? short_id(now, "Id", no_trunc) : g_strdup(UNKNOWN));
	put_percent(row, "CPU", cpu_share(now, before));
	put_percent(row, "Mem", memory_share(now));
	return row;
}

typedef struct NamePair {
	const char *key, *field;
} NamePair;

static json_t *pick_fields(const json_t *rows, const NamePair *names, size_t n) {
	json_t *list = json_array();
	const json_t *row;
	size_t index;

	json_array_foreach (rows, index, row) {
		json_t *object = json_object();
		for (size_t i = 0; i < n; i++)
			json_put_string(
				object, names[i].key, json_get_string(row, names[i].field, ""));
		json_array_append_new(list, object);
	}
	return list;
}

json_t *stats_view_json(const json_t *rows) {
	static const NamePair names[] = {{"id", "ID"}, {"name", "Name"}, {"cpu_time", "UpTime"},
		{"cpu_percent", "CPUPerc"}, {"avg_cpu", "AVGCPU"}, {"mem_usage", "MemUsage"},
		{"mem_percent", "MemPerc"}, {"net_io", "NetIO"}, {"block_io", "BlockIO"},
		{"pids", "PIDS"}};

	return pick_fields(rows, names, ARRAY_LENGTH(names));
}

json_t *stats_view_pod_json(const json_t *rows) {
	static const NamePair names[] = {{"CPU", "CPU"}, {"MemUsage", "MemUsage"},
		{"MemUsageBytes", "MemUsageBytes"}, {"Mem", "Mem"}, {"NetIO", "NetIO"},
		{"BlockIO", "BlockIO"}, {"PIDS", "PIDS"}, {"Pod", "Pod"}, {"CID", "CID"},
		{"Name", "Name"}};

	return pick_fields(rows, names, ARRAY_LENGTH(names));
}
