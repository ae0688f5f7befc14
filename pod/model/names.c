/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and ids. See names.h. */
#include "model/names.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

enum { NAME_MAX_BYTES = 255, HOSTNAME_MAX_BYTES = 64, LABEL_MAX_BYTES = 63 };

/* clang-format off */
static const char *const adjectives[] = {
	"amber", "ample", "azure", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid",
	"cheery", "clear", "clever", "cosy", "crisp", "dainty", "daring", "deft", "eager",
	"early", "fair", "fancy", "fleet", "fond", "frank", "fresh", "gentle", "golden", "grand",
	"handy", "happy", "hardy", "jolly", "keen", "kind", "lively", "lucky", "mellow", "merry",
	"mild", "neat", "nimble", "plucky", "polite", "proud", "quiet", "rapid", "sunny", "tidy",
	"witty",
};

static const char *const nouns[] = {
	"acorn", "anchor", "apple", "badger", "basket", "beacon", "birch", "bridge", "candle",
	"cedar", "clover", "comet", "copper", "cricket", "dolphin", "ember", "falcon", "fern",
	"fiddle", "garden", "glacier", "harbour", "hazel", "heron", "island", "juniper", "kettle",
	"lantern", "lark", "linden", "maple", "meadow", "mill", "otter", "pebble", "pepper",
	"pine", "plum", "quill", "raven", "river", "robin", "saddle", "sparrow", "spruce",
	"thimble", "tulip", "valley", "walnut", "willow",
};
/* clang-format on */

/* The kernel's pool is ready long before anything here runs; a signal can interrupt the call. */
static void fill_random(void *bytes, size_t size) {
	unsigned char *p = bytes;

	while (size > 0) {
		ssize_t n = getrandom(p, size, 0);
		if (n < 0)
			continue;
		p += n;
		size -= (size_t)n;
	}
}

char *id_generate(void) {
	unsigned char bytes[ID_LENGTH / 2];

	fill_random(bytes, sizeof bytes);
	return str_hex(bytes, sizeof bytes);
}

char *name_generate(void) {
	uint32_t picks[2];

	fill_random(picks, sizeof picks);
	return g_strdup_printf("%s_%s", adjectives[picks[0] % ARRAY_LENGTH(adjectives)],
		nouns[picks[1] % ARRAY_LENGTH(nouns)]);
}

bool name_check(const char *name, const char *what, GError **err) {
	bool good = g_ascii_isalnum(*name) && strlen(name) <= NAME_MAX_BYTES;

	for (const char *p = name; good && *p; p++)
		good = g_ascii_isalnum(*p) || strchr("_.-", *p);
	if (!good)
		return fail(err, ERROR_INVALID,
			"invalid %s \"%s\": names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*", what,
			name);
	return true;
}

bool hostname_check(const char *hostname, GError **err) {
	g_auto(GStrv) labels = g_strsplit(hostname, ".", -1);
	bool good = *hostname && strlen(hostname) <= HOSTNAME_MAX_BYTES;

	for (char **label = labels; good && *label; label++) {
		size_t length = strlen(*label);
		good = length >= 1 && length <= LABEL_MAX_BYTES && **label != '-';
		for (const char *p = *label; good && *p; p++)
			good = g_ascii_isalnum(*p) || *p == '-';
	}
	if (!good)
		return fail(err, ERROR_INVALID,
			"invalid host name \"%s\": labels of letters, digits and \"-\", at most %d "
			"bytes",
			hostname, HOSTNAME_MAX_BYTES);
	return true;
}
