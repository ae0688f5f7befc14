/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small syntaxes that are neither mounts (spec_parse_mount.c) nor addresses
 * (spec_parse_network.c). See spec_parse.h. */
#include "model/spec_parse.h"

#include "base/cleanup.h"
#include "base/parse.h"

#include <sched.h>
#include <string.h>
#include <sys/resource.h>

bool spec_parse_restart(
	const char *text, RestartPolicy *ret_policy, unsigned *ret_retries, GError **err) {
	static const struct {
		const char *word;
		RestartPolicy policy;
	} words[] = {
		{"", RESTART_NO},
		{"no", RESTART_NO},
		{"never", RESTART_NO},
		{"on-failure", RESTART_ON_FAILURE},
		{"always", RESTART_ALWAYS},
		{"unless-stopped", RESTART_UNLESS_STOPPED},
	};
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	unsigned retries = 0;

	array_foreach (row, words) {
		if (strlen(row->word) != length || strncmp(row->word, text, length) != 0)
			continue;
		if (colon && row->policy != RESTART_ON_FAILURE)
			return fail(err, ERROR_INVALID,
				"invalid restart policy \"%s\": only \"on-failure\" takes a number",
				text);
		if (colon && !parse_uint(colon + 1, INT32_MAX, &retries))
			return fail(err, ERROR_INVALID,
				"invalid restart policy \"%s\": \"%s\" is no number of retries",
				text, colon + 1);
		*ret_policy = row->policy;
		*ret_retries = retries;
		return true;
	}
	return fail(err, ERROR_INVALID,
		"invalid restart policy \"%s\": it is no, on-failure[:N], always or "
		"unless-stopped",
		text);
}

/* A plus or minus in front of the first word changes the usual ones, without it they are replaced.
 */
static bool share_word(const char *word, bool changes, int *flags, GError **err) {
	static const struct {
		const char *word;
		int flag;
	} words[] = {
		{"net", CLONE_NEWNET},
		{"ipc", CLONE_NEWIPC},
		{"uts", CLONE_NEWUTS},
		{"pid", CLONE_NEWPID},
		{"cgroup", CLONE_NEWCGROUP},
		{"user", CLONE_NEWUSER},
		{"none", 0},
		{"", 0},
	};
	bool remove = changes && *word == '-';

	if (changes && (*word == '+' || *word == '-'))
		word++;
	array_foreach (row, words) {
		if (strcmp(row->word, word) != 0)
			continue;
		*flags = remove ? *flags & ~row->flag : *flags | row->flag;
		return true;
	}
	return fail(err, ERROR_INVALID,
		"invalid namespace \"%s\" to share: it is net, ipc, uts, pid, cgroup, user or none",
		word);
}

bool spec_parse_share(const char *text, int *ret_flags, GError **err) {
	const int usual = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	bool changes = text && (*text == '+' || *text == '-');
	int flags = changes || !text ? usual : 0;
	g_auto(GStrv) parts = g_strsplit(text ? text : "", ",", -1);

	for (char **part = parts; *part; part++)
		if (!share_word(*part, changes, &flags, err))
			return false;
	*ret_flags = flags;
	return true;
}

static const struct UlimitName {
	const char *name;
	int resource;
} ulimit_names[] = {
	{"core", RLIMIT_CORE},
	{"cpu", RLIMIT_CPU},
	{"data", RLIMIT_DATA},
	{"fsize", RLIMIT_FSIZE},
	{"locks", RLIMIT_LOCKS},
	{"memlock", RLIMIT_MEMLOCK},
	{"msgqueue", RLIMIT_MSGQUEUE},
	{"nice", RLIMIT_NICE},
	{"nofile", RLIMIT_NOFILE},
	{"nproc", RLIMIT_NPROC},
	{"rss", RLIMIT_RSS},
	{"rtprio", RLIMIT_RTPRIO},
	{"rttime", RLIMIT_RTTIME},
	{"sigpending", RLIMIT_SIGPENDING},
	{"stack", RLIMIT_STACK},
	{"as", RLIMIT_AS},
};

static bool parse_limit(const char *text, uint64_t *ret_limit) {
	if (strcmp(text, "-1") == 0) {
		*ret_limit = RLIM_INFINITY;
		return true;
	}
	return parse_uint64(text, INT64_MAX, ret_limit);
}

bool spec_parse_ulimit(
	const char *text, int *ret_resource, uint64_t *ret_soft, uint64_t *ret_hard, GError **err) {
	uint64_t soft, hard;

	if (strcmp(text, "host") == 0) {
		*ret_resource = -1;
		*ret_soft = *ret_hard = 0;
		return true;
	}
	g_auto(GStrv) sides = g_strsplit(text, "=", 2);
	if (g_strv_length(sides) != 2)
		return fail(
			err, ERROR_INVALID, "invalid limit \"%s\": it is NAME=SOFT[:HARD]", text);
	g_auto(GStrv) values = g_strsplit(sides[1], ":", -1);
	size_t n = g_strv_length(values);
	if (n < 1 || n > 2 || !parse_limit(values[0], &soft) || !parse_limit(values[n - 1], &hard))
		return fail(
			err, ERROR_INVALID, "invalid limit \"%s\": it is NAME=SOFT[:HARD]", text);
	if (soft > hard)
		return fail(err, ERROR_INVALID,
			"invalid limit \"%s\": the soft limit is above the hard one", text);
	array_foreach (row, ulimit_names) {
		if (strcmp(row->name, sides[0]) == 0) {
			*ret_resource = row->resource;
			*ret_soft = soft;
			*ret_hard = hard;
			return true;
		}
	}
	return fail(err, ERROR_INVALID, "invalid limit \"%s\": there is no limit \"%s\"", text,
		sides[0]);
}

bool spec_env_name_ok(const char *assignment) {
	size_t length = strcspn(assignment, "=");

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)assignment[i] <= 0x20 || assignment[i] == 0x7f)
			return false;
	return true;
}
