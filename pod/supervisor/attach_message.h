/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading what an attached client sends. It is root's process, but nothing of it is believed: each
 * message has exactly its size, and numbers that fit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AttachMessage {
	uint8_t kind;      /* enum AttachKind; 0 after a refusal */
	unsigned flags;    /* HELLO */
	uint16_t rows;     /* RESIZE */
	uint16_t columns;  /* RESIZE */
	const char *input; /* INPUT: within the message */
	size_t input_size;
} AttachMessage;

/* False for everything that no client of this version sends. greeted: the hello has come. */
bool attach_message_read(
	const char *bytes, size_t length, bool greeted, AttachMessage *ret_message);
