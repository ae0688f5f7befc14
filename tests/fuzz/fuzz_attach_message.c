/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a message of an attached client; the first says whether the hello has come. */
#include "model/handoff.h"
#include "supervisor/attach_message.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AttachMessage message;

	if (size == 0)
		return 0;
	bool greeted = data[0] & 1;
	/* a copy of exactly that size: one byte further is seen */
	g_autofree char *bytes = g_memdup2(data + 1, size - 1);
	bool good = attach_message_read(bytes, size - 1, greeted, &message);
	g_assert_true(good == (message.kind != 0));
	if (!good)
		return 0;
	g_assert_true(greeted == (message.kind != ATTACH_HELLO));
	g_assert_cmpuint(message.input_size, <, ATTACH_INPUT_MAX);
	g_assert_cmpuint(message.input_size, <, size);
	for (size_t i = 0; i < message.input_size; i++)
		g_assert_true(message.input[i] == bytes[1 + i]);
	return 0;
}
