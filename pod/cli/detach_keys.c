/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that leave a container running. See detach_keys.h. */
#include "cli/detach_keys.h"

#include <string.h>

/* Their places are their codes; letters follow from the alphabet. */
static bool parse_key(const char *word, uint8_t *ret_key) {
	static const char others[] = "[\\]^_";
	size_t length = strlen(word);

	if (length == 1) {
		*ret_key = (uint8_t)word[0];
		return true;
	}
	if (strcmp(word, "DEL") == 0) {
		*ret_key = 127;
		return true;
	}
	if (length != strlen("ctrl-X") || !g_str_has_prefix(word, "ctrl-"))
		return false;
	char letter = word[length - 1];
	const char *other = strchr(others, letter);
	if (letter == '@')
		*ret_key = 0;
	else if (letter >= 'a' && letter <= 'z')
		*ret_key = (uint8_t)(letter - 'a' + 1);
	else if (other)
		*ret_key = (uint8_t)(27 + (other - others));
	else
		return false;
	return true;
}

bool detach_keys_parse(const char *text, DetachKeys *ret_keys, GError **err) {
	DetachKeys keys = {0};

	if (!text)
		text = DETACH_KEYS_DEFAULT;
	g_auto(GStrv) words = g_strsplit(text, ",", -1);
	for (char **word = words; *text && *word; word++) {
		if (keys.n == DETACH_KEYS_MAX)
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--detach-keys\": more than %d keys",
				text, DETACH_KEYS_MAX);
		if (!parse_key(*word, &keys.keys[keys.n++]))
			return fail(err, ERROR_INVALID,
				"invalid value \"%s\" for \"--detach-keys\": \"%s\" is no key: use "
				"one character or ctrl- with a-z, @, [, \\, ], ^ or _",
				text, *word);
	}
	*ret_keys = keys;
	return true;
}

/* After a key that does not go on with the sequence: how much of its beginning the last keys are
 * (those that matched, and this one). The rest of them was meant for the container. */
static size_t longest_beginning(const DetachKeys *keys, uint8_t key) {
	for (size_t length = keys->matched; length > 0; length--) {
		size_t skipped = keys->matched + 1 - length;
		if (keys->keys[length - 1] == key &&
			memcmp(keys->keys, keys->keys + skipped, length - 1) == 0)
			return length;
	}
	return 0;
}

bool detach_keys_scan(
	DetachKeys *keys, const char *bytes, size_t size, char *out, size_t *ret_size) {
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t key = (uint8_t)bytes[i];
		if (keys->n > 0 && key == keys->keys[keys->matched]) {
			if (++keys->matched < keys->n)
				continue;
			keys->matched = 0;
			*ret_size = used;
			return true;
		}
		size_t kept = keys->matched > 0 ? longest_beginning(keys, key) : 0;
		size_t freed = keys->matched + 1 - kept;
		size_t held = MIN(freed, keys->matched);
		memcpy(out + used, keys->keys, held);
		used += held;
		if (freed > held)
			out[used++] = (char)key;
		keys->matched = kept;
	}
	*ret_size = used;
	return false;
}
