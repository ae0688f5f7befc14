/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict parsers of small values. See parse.h. */
#include "base/parse.h"

#include "base/cleanup.h"

#include <signal.h>
#include <string.h>

bool parse_uint64(const char *text, uint64_t max, uint64_t *ret_value) {
	uint64_t value = 0;

	if (!*text)
		return false;
	for (const char *p = text; *p; p++) {
		if (!g_ascii_isdigit(*p))
			return false;
		uint64_t digit = (uint64_t)(*p - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

bool parse_uint(const char *text, unsigned max, unsigned *ret_value) {
	uint64_t value;

	if (!parse_uint64(text, max, &value))
		return false;
	*ret_value = (unsigned)value;
	return true;
}

bool parse_int(const char *text, int min, int max, int *ret_value) {
	bool negative = *text == '-';
	uint64_t magnitude;

	if (!parse_uint64(text + negative, INT32_MAX, &magnitude))
		return false;
	int value = negative ? -(int)magnitude : (int)magnitude;
	if (value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

bool parse_bool(const char *text, bool *ret_value) {
	static const char *const yes[] = {"1", "t", "true"}, *const no[] = {"0", "f", "false"};

	for (size_t i = 0; i < ARRAY_LENGTH(yes); i++) {
		if (g_ascii_strcasecmp(text, yes[i]) == 0 || g_ascii_strcasecmp(text, no[i]) == 0) {
			*ret_value = g_ascii_strcasecmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

bool parse_size(const char *text, uint64_t *ret_bytes) {
	static const char units[] = "bkmgtp";
	size_t digits = strspn(text, "0123456789");
	g_autofree char *number = g_strndup(text, digits);
	g_autofree char *unit = g_ascii_strdown(text + digits, -1);
	unsigned power = 0;
	uint64_t value;

	if (*unit) {
		const char *found = strchr(units, *unit);
		if (!found)
			return false;
		power = (unsigned)(found - units);
		if (unit[1] &&
			(power == 0 || (strcmp(unit + 1, "b") != 0 && strcmp(unit + 1, "ib") != 0)))
			return false;
	}
	if (!parse_uint64(number, UINT64_MAX >> (10 * power), &value))
		return false;
	*ret_bytes = value << (10 * power);
	return true;
}

/* One "12.5ms" at *text; advances it. */
static bool parse_duration_part(const char **text, uint64_t *ret_usec) {
	static const struct {
		const char *unit;
		double usec;
	} units[] = {
		{"ns", 1e-3},
		{"us", 1},
		{"µs", 1},
		{"ms", 1e3},
		{"s", 1e6},
		{"m", 60e6},
		{"h", 3600e6},
	};
	char *end = NULL;

	if (!g_ascii_isdigit(**text) && **text != '.')
		return false;
	double number = g_ascii_strtod(*text, &end);
	size_t length = strcspn(end, "0123456789.");
	array_foreach (row, units) {
		if (strlen(row->unit) != length || strncmp(row->unit, end, length) != 0)
			continue;
		if (number < 0 || number * row->usec > 9e18)
			return false;
		*ret_usec = (uint64_t)(number * row->usec);
		*text = end + length;
		return true;
	}
	return false;
}

bool parse_duration(const char *text, uint64_t *ret_usec) {
	uint64_t total = 0, part;

	if (strcmp(text, "0") == 0) {
		*ret_usec = 0;
		return true;
	}
	if (!*text)
		return false;
	while (*text) {
		/* strtod would read these as hexadecimal, infinity or an exponent */
		if (strpbrk(text, "xXeEpPiI"))
			return false;
		if (!parse_duration_part(&text, &part) || part > UINT64_MAX - 1 - total)
			return false;
		total += part;
	}
	*ret_usec = total;
	return true;
}

bool parse_mode(const char *text, unsigned *ret_mode) {
	unsigned mode = 0;

	if (!*text || strlen(text) > 5)
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '7')
			return false;
		mode = mode * 8 + (unsigned)(*p - '0');
	}
	if (mode > 07777)
		return false;
	*ret_mode = mode;
	return true;
}

static const struct SignalName {
	const char *name;
	int number;
} signal_names[] = {
	{"HUP", SIGHUP},
	{"INT", SIGINT},
	{"QUIT", SIGQUIT},
	{"ILL", SIGILL},
	{"TRAP", SIGTRAP},
	{"ABRT", SIGABRT},
	{"BUS", SIGBUS},
	{"FPE", SIGFPE},
	{"KILL", SIGKILL},
	{"USR1", SIGUSR1},
	{"SEGV", SIGSEGV},
	{"USR2", SIGUSR2},
	{"PIPE", SIGPIPE},
	{"ALRM", SIGALRM},
	{"TERM", SIGTERM},
	{"STKFLT", 16},
	{"CHLD", SIGCHLD},
	{"CONT", SIGCONT},
	{"STOP", SIGSTOP},
	{"TSTP", SIGTSTP},
	{"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU},
	{"URG", SIGURG},
	{"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ},
	{"VTALRM", SIGVTALRM},
	{"PROF", SIGPROF},
	{"WINCH", SIGWINCH},
	{"IO", SIGIO},
	{"PWR", SIGPWR},
	{"SYS", SIGSYS},
};

bool parse_signal(const char *text, int *ret_signal) {
	static const char realtime[] = "RTMIN+";

	if (parse_int(text, 1, 64, ret_signal))
		return true;
	if (g_ascii_strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (g_ascii_strncasecmp(text, realtime, strlen(realtime)) == 0) {
		int offset;
		if (!parse_int(text + strlen(realtime), 0, 30, &offset))
			return false;
		*ret_signal = 34 + offset;
		return true;
	}
	array_foreach (row, signal_names) {
		if (g_ascii_strcasecmp(row->name, text) == 0) {
			*ret_signal = row->number;
			return true;
		}
	}
	return false;
}

const char *signal_to_string(int signal_number) {
	static const char *with_prefix[32];
	static char storage[ARRAY_LENGTH(signal_names)][12];
	static char realtime[65][16];

	if (signal_number >= 34 && signal_number <= 64) {
		char *name = realtime[signal_number];
		if (!*name)
			g_snprintf(name, sizeof realtime[0],
				signal_number == 34 ? "SIGRTMIN" : "SIGRTMIN+%d",
				signal_number - 34);
		return name;
	}
	if (signal_number < 1 || signal_number > 31)
		return NULL;
	for (size_t i = 0; !with_prefix[signal_number] && i < ARRAY_LENGTH(signal_names); i++) {
		if (signal_names[i].number != signal_number)
			continue;
		g_snprintf(storage[i], sizeof storage[i], "SIG%s", signal_names[i].name);
		with_prefix[signal_number] = storage[i];
	}
	return with_prefix[signal_number];
}
