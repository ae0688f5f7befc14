/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an attached client may say: see attach_message.h. */
#include "supervisor/attach_message.h"

#include <string.h>

#include "model/handoff.h"

static bool read_hello(const char *bytes, size_t length, AttachMessage *message) {
	AttachHello hello;

	if (length != sizeof(hello))
		return false;
	memcpy(&hello, bytes, sizeof(hello));
	message->flags = hello.flags;
	return hello.version == ATTACH_VERSION &&
	       (hello.flags & ~(ATTACH_WANT_OUTPUT | ATTACH_WANT_ERROR)) == 0;
}

static bool read_resize(const char *bytes, size_t length, AttachMessage *message) {
	AttachResize resize;

	if (length != sizeof(resize))
		return false;
	memcpy(&resize, bytes, sizeof(resize));
	if (resize.rows > UINT16_MAX || resize.columns > UINT16_MAX)
		return false;
	message->rows = (uint16_t)resize.rows;
	message->columns = (uint16_t)resize.columns;
	return true;
}

bool attach_message_read(
	const char *bytes, size_t length, bool greeted, AttachMessage *ret_message) {
	AttachMessage message = {0};
	bool good = false;

	if (length > 0)
		message.kind = (uint8_t)bytes[0];
	if (greeted != (message.kind != ATTACH_HELLO))
		message.kind = 0;
	switch (message.kind) {
	case ATTACH_HELLO:
		good = read_hello(bytes, length, &message);
		break;
	case ATTACH_INPUT:
		message.input = bytes + 1;
		message.input_size = length - 1;
		good = length > 1 && length <= ATTACH_INPUT_MAX;
		break;
	case ATTACH_INPUT_END:
		good = length == 1;
		break;
	case ATTACH_RESIZE:
		good = read_resize(bytes, length, &message);
		break;
	default:
		break;
	}
	if (!good)
		message = (AttachMessage){0};
	*ret_message = message;
	return good;
}
