/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small syntaxes of options about the process and its sandbox. See spec_parse.h. */
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "model/spec_parse.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>

enum { FD_FIRST = 3, FD_LAST = 1023 };

bool spec_parse_personality(const char *text, unsigned long *ret_persona, GError **err) {
	if (g_ascii_strcasecmp(text, "LINUX") == 0)
		*ret_persona = PER_LINUX;
	else if (g_ascii_strcasecmp(text, "LINUX32") == 0)
		*ret_persona = PER_LINUX32;
	else
		return fail(err, ERROR_INVALID, "bad value \"%s\": it is LINUX or LINUX32", text);
	return true;
}

bool spec_parse_timezone(const char *text, GError **err) {
	g_auto(GStrv) parts = g_strsplit(text, "/", -1);
	bool good = *parts != NULL;

	for (char **part = parts; *part; part++)
		good = good && **part && strcmp(*part, "..") != 0 && strcmp(*part, ".") != 0 &&
		       strspn(*part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789._+-") == strlen(*part);
	return good ||
	       fail(err, ERROR_INVALID,
		       "bad value \"%s\": it is \"local\" or a name such as Europe/Vienna", text);
}

static int compare_ints(const void *left, const void *right) {
	return *(const int *)left - *(const int *)right;
}

bool spec_parse_fd_list(char *const *texts, int **ret_fds, size_t *ret_count, GError **err) {
	size_t count = texts ? g_strv_length((char **)(uintptr_t)texts) : 0, kept = 0;
	g_autofree int *fds = g_new0(int, count + 1);

	for (size_t i = 0; i < count; i++)
		if (!parse_int(texts[i], FD_FIRST, FD_LAST, &fds[i]))
			return fail(err, ERROR_INVALID,
				"bad value \"%s\": it is a descriptor number from %d to %d",
				texts[i], FD_FIRST, FD_LAST);
	qsort(fds, count, sizeof(int), compare_ints);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || fds[i] != fds[i - 1])
			fds[kept++] = fds[i];
	*ret_fds = g_steal_pointer(&fds);
	*ret_count = kept;
	return true;
}

bool spec_parse_proc_options(const char *text, char ***ret_options, GError **err) {
	static const char *const hidepid[] = {
		"0", "1", "2", "4", "off", "noaccess", "invisible", "ptraceable", NULL};
	g_auto(GStrv) options = g_strsplit(text, ",", -1);

	for (char **option = options; *option; option++) {
		bool good = strcmp(*option, "subset=pid") == 0;
		if (g_str_has_prefix(*option, "hidepid="))
			good = str_in_list(*option + strlen("hidepid="), hidepid);
		if (!good)
			return fail(err, ERROR_INVALID,
				"bad option \"%s\" of /proc: it is hidepid=0, 1, 2, 4 or "
				"subset=pid",
				*option);
	}
	if (!*options)
		return fail(err, ERROR_INVALID, "proc-opts= has no options");
	*ret_options = g_steal_pointer(&options);
	return true;
}

bool spec_check_account(const char *text, const char *what, GError **err) {
	unsigned id;

	if (*text && strspn(text, "0123456789") == strlen(text))
		return parse_uint(text, UINT_MAX - 1, &id) ||
		       fail(err, ERROR_INVALID, "%s id \"%s\" is out of range", what, text);
	if (!g_ascii_isalpha(*text) && *text != '_')
		return fail(
			err, ERROR_INVALID, "bad %s \"%s\": it is a number or a name", what, text);
	for (const char *p = text; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("_.-@$", *p))
			return fail(err, ERROR_INVALID, "bad %s \"%s\": it is a number or a name",
				what, text);
	return true;
}

bool spec_check_user(const char *text, GError **err) {
	const char *colon = strchr(text, ':');
	g_autofree char *user = colon ? g_strndup(text, (size_t)(colon - text)) : g_strdup(text);

	return (!*user || spec_check_account(user, "user", err)) &&
	       (!colon || spec_check_account(colon + 1, "group", err));
}
