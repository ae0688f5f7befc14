/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers to digits and back. The supervisor has no stdio: printf alone would weigh more than the
 * rest of the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_DIGITS 20 /* of the greatest uint64_t */

/* Writes the decimal digits (at most NUMBER_DIGITS, no NUL); returns how many. */
static inline size_t number_put(char *at, uint64_t number) {
	char digits[NUMBER_DIGITS];
	size_t count = 0;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (size_t i = 0; i < count; i++)
		at[i] = digits[count - 1 - i];
	return count;
}

/* Reads digits up to the end or the first other byte; true if there was one and it fits. */
static inline bool number_get(const char *text, size_t length, uint64_t *ret_number) {
	uint64_t number = 0;
	size_t i = 0;
	for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
		unsigned digit = (unsigned)(text[i] - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	if (i == 0)
		return false;
	*ret_number = number;
	return true;
}
