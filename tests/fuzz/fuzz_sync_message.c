/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as what a first process tells its launcher: an error it makes has a code of ours. */
#include "runtime/sync.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	g_autoptr(GError) error = NULL;
	g_autofree SyncMessage *message = g_new0(SyncMessage, 1);

	size = MIN(size, sizeof(*message));
	if (size)
		memcpy(message, data, size);
	SyncResult result = sync_decode(message, size, &error);
	g_assert_true((result == SYNC_ERROR) == !!error);
	if (error) {
		g_assert_true(error->domain == PODCTL_ERROR);
		g_assert_cmpint(error->code, >=, ERROR_FAILED);
		g_assert_cmpint(error->code, <=, ERROR_COMMAND_NOT_FOUND);
	}
	return 0;
}
