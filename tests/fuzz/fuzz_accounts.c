/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as an image's passwd and group, and any user looked up in them. Every id that comes out
 * is one; with the lines that podctl adds, the user is found.
 */
#include "base/idrange.h"
#include "runtime/accounts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text up to the next zero byte; empty at the end. */
static char *take_text(const uint8_t **data, size_t *size) {
	size_t length = strnlen((const char *)*data, *size);
	char *text = g_strndup((const char *)*data, length);
	size_t step = MIN(length + 1, *size);

	*data += step;
	*size -= step;
	return text;
}

static void check_added(const AccountsRequest *request, const ProcessUser *user, const char *passwd,
	const char *group) {
	g_autofree char *more = accounts_passwd_text(passwd, request, user);
	g_autofree char *groups = accounts_group_text(group, request, user);
	g_autofree char *uid = g_strdup_printf("%u", user->uid);
	ProcessUser found;

	g_assert_true(!more || g_str_has_prefix(more, passwd));
	g_assert_true(!groups || g_str_has_prefix(groups, group));
	if (user->name || !more)
		return;
	g_assert_true(process_parse_user(uid, more, groups, NULL, NULL, 0, &found, NULL));
	g_assert_nonnull(found.name);
	g_assert_cmpuint(found.uid, ==, user->uid);
	process_user_clear(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autofree char *name = take_text(&data, &size), *passwd = take_text(&data, &size),
			*group = take_text(&data, &size);
	char *more_groups[] = {group, NULL};
	const AccountsRequest request = {.user = name, .home = "/root"};
	ProcessUser user;

	g_assert_cmpuint(id_highest_account(passwd), <=, ID_MAX);
	if (process_parse_user(name, passwd, group, NULL, NULL, 0, &user, NULL)) {
		g_assert_cmpuint(user.uid, <=, ID_MAX);
		g_assert_cmpuint(user.n_groups, >=, 1);
		for (size_t i = 0; i < user.n_groups; i++)
			g_assert_cmpuint(user.groups[i], <=, ID_MAX);
		g_assert_true(user.home && user.home[0] == '/');
		check_added(&request, &user, passwd, group);
	}
	process_user_clear(&user);
	process_parse_user(name, passwd, group, more_groups, NULL, 0, &user, NULL);
	process_user_clear(&user);
	return 0;
}
