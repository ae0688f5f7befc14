/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See confirm.h. */
#include "cli/confirm.h"

#include "cli/output.h"

#include <stdio.h>

bool confirm(const char *what, bool *ret_yes, GError **err) {
	g_autofree char *question =
		g_strdup_printf("WARNING! %s\nAre you sure you want to continue? [y/N] ", what);
	char answer[16] = "";

	if (!output_print(question, err))
		return false;
	if (!fgets(answer, sizeof answer, stdin))
		answer[0] = '\0';
	g_strstrip(answer);
	*ret_yes = g_ascii_strcasecmp(answer, "y") == 0 || g_ascii_strcasecmp(answer, "yes") == 0;
	return true;
}
