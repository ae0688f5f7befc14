/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times. See log_time.h. */
#include "cli/log_time.h"

#include "base/parse.h"

#include <glib.h>
#include <string.h>
#include <time.h>

/* Exactly n digits, within bounds. */
static bool take_digits(const char **text, int n, int max, int *ret_value) {
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (!g_ascii_isdigit((*text)[i]))
			return false;
		value = value * 10 + (*text)[i] - '0';
	}
	if (value > max)
		return false;
	*text += n;
	*ret_value = value;
	return true;
}

static bool take_char(const char **text, char wanted) {
	if (**text != wanted)
		return false;
	(*text)++;
	return true;
}

static uint64_t take_fraction(const char **text) {
	uint64_t usec = 0, unit = USEC_PER_SEC / 10;

	for (; g_ascii_isdigit(**text); (*text)++, unit /= 10)
		usec += (uint64_t)(**text - '0') * unit;
	return usec;
}

/* Z or +HH:MM; *ret_offset in seconds; *ret_local true when there is no zone. */
static bool take_zone(const char **text, int *ret_offset, bool *ret_local) {
	int hours = 0, minutes = 0;
	bool negative = **text == '-';

	*ret_offset = 0;
	*ret_local = !**text;
	if (!**text || take_char(text, 'Z'))
		return true;
	if (!take_char(text, '+') && !take_char(text, '-'))
		return false;
	if (!take_digits(text, 2, 23, &hours))
		return false;
	(void)take_char(text, ':');
	if (!take_digits(text, 2, 59, &minutes))
		return false;
	*ret_offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
	return true;
}

bool log_time_parse_stamp(const char *text, uint64_t *ret_usec) {
	struct tm tm = {.tm_isdst = -1};
	uint64_t fraction = 0;
	int year, month, offset;
	bool local;

	if (!take_digits(&text, 4, 9999, &year) || !take_char(&text, '-') ||
		!take_digits(&text, 2, 12, &month) || !take_char(&text, '-') ||
		!take_digits(&text, 2, 31, &tm.tm_mday))
		return false;
	if (take_char(&text, 'T') || take_char(&text, ' ')) {
		if (!take_digits(&text, 2, 23, &tm.tm_hour) || !take_char(&text, ':') ||
			!take_digits(&text, 2, 59, &tm.tm_min))
			return false;
		if (take_char(&text, ':') && !take_digits(&text, 2, 60, &tm.tm_sec))
			return false;
		if (take_char(&text, '.'))
			fraction = take_fraction(&text);
	}
	if (!take_zone(&text, &offset, &local) || *text)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	time_t seconds = local ? mktime(&tm) : timegm(&tm) - offset;
	if (seconds < 0)
		return false;
	*ret_usec = (uint64_t)seconds * USEC_PER_SEC + fraction;
	return true;
}

bool log_time_parse(const char *text, uint64_t now_usec, uint64_t *ret_usec) {
	uint64_t value;

	if (log_time_parse_stamp(text, ret_usec))
		return true;
	/* A bare number is a time, not a duration. */
	if (strspn(text, "0123456789.") == strlen(text) && g_ascii_isdigit(*text)) {
		const char *dot = strchr(text, '.');
		g_autofree char *seconds =
			g_strndup(text, dot ? (size_t)(dot - text) : strlen(text));
		if (!parse_uint64(seconds, UINT64_MAX / USEC_PER_SEC - 1, &value))
			return false;
		const char *fraction = dot ? dot + 1 : "";
		*ret_usec = value * USEC_PER_SEC + take_fraction(&fraction);
		return !*fraction;
	}
	if (!parse_duration(text, &value))
		return false;
	*ret_usec = value > now_usec ? 0 : now_usec - value;
	return true;
}

char *log_time_format(uint64_t usec) {
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	char date[64], zone[16];
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return g_strdup("");
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	return g_strdup_printf("%s.%06u000%.3s:%s", date, (unsigned)(usec % USEC_PER_SEC), zone,
		strlen(zone) > 3 ? zone + 3 : "");
}
