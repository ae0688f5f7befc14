/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ranges of ids that objects have for themselves: STATE/ids/FIRST-COUNT -> KIND/ID, one symbolic
 * link each. They outlive a boot like the files that belong to these ids. Whoever looks for a free
 * range holds a lock and throws out the claims of objects that are gone, so that a killed call
 * keeps nothing.
 */
#include "base/fd.h"
#include "base/parse.h"
#include "store/layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define CLAIMS_DIRECTORY "ids"

typedef struct Span {
	uint64_t first, end;
} Span;

static bool parse_claim(const char *name, Span *ret_span) {
	const char *dash = strchr(name, '-');
	g_autofree char *first = dash ? g_strndup(name, (size_t)(dash - name)) : NULL;
	uint64_t start, count;

	if (!dash || !parse_uint64(first, ID_MAX, &start) ||
		!parse_uint64(dash + 1, ID_MAX, &count) || count == 0)
		return false;
	*ret_span = (Span){start, start + count};
	return true;
}

static char *read_owner(int dir_fd, const char *name) {
	char target[128];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof target - 1);

	return n <= 0 ? NULL : g_strndup(target, (size_t)n);
}

static int compare_spans(const void *a, const void *b) {
	const Span *left = a, *right = b;

	return left->first < right->first ? -1 : left->first > right->first;
}

/* Claims of living objects, sorted. An array of Span; NULL on error. */
static GArray *read_claims(Store *store, int dir_fd, GError **err) {
	g_auto(GStrv) names = fd_list_dir(dir_fd, ".", err);

	if (!names)
		return NULL;
	GArray *claims = g_array_new(FALSE, FALSE, sizeof(Span));
	for (char **name = names; *name; name++) {
		g_autofree char *owner = read_owner(dir_fd, *name);
		Span span;

		if (!owner || !parse_claim(*name, &span))
			continue;
		if (object_is_gone(store, owner))
			unlinkat(dir_fd, *name, 0);
		else
			g_array_append_val(claims, span);
	}
	g_array_sort(claims, compare_spans);
	return claims;
}

/* The first gap of count ids within one row of both pools. */
static bool find_gap(const GArray *claims, const IdRange *uids, const IdRange *gids, uint32_t count,
	uint32_t *ret_first) {
	uint64_t start = MAX(uids->outside, gids->outside);
	uint64_t end =
		MIN((uint64_t)uids->outside + uids->count, (uint64_t)gids->outside + gids->count);

	for (unsigned i = 0; i < claims->len; i++) {
		const Span *span = &g_array_index(claims, Span, i);

		if (span->end <= start)
			continue;
		if (span->first >= start + count)
			break;
		start = span->end;
	}
	if (start + count > end)
		return false;
	*ret_first = (uint32_t)start;
	return true;
}

static bool claim_gap(const StoreObject *object, int dir_fd, const GArray *claims,
	const IdMap *uids, const IdMap *gids, uint32_t count, uint32_t *ret_first, GError **err) {
	g_autofree char *owner = object_path(object->kind, object->id);

	for (size_t i = 0; i < uids->n; i++) {
		for (size_t j = 0; j < gids->n; j++) {
			if (!find_gap(claims, &uids->rows[i], &gids->rows[j], count, ret_first))
				continue;
			g_autofree char *name = g_strdup_printf(
				"%" G_GUINT32_FORMAT "-%" G_GUINT32_FORMAT, *ret_first, count);
			return symlinkat(owner, dir_fd, name) == 0 ||
			       fail_errno(err, errno, "cannot claim ids");
		}
	}
	return fail(err, ERROR_IN_USE,
		"no %" G_GUINT32_FORMAT " ids are left for another user namespace", count);
}

bool store_claim_ids(const StoreObject *object, const IdMap *uid_pool, const IdMap *gid_pool,
	uint32_t count, uint32_t *ret_first, GError **err) {
	Store *store = object->store;
	_cleanup_close_ int lock = lock_file(store, "ids.lock", LOCK_EX, err);

	if (lock < 0)
		return false;
	_cleanup_close_ int dir_fd = fd_make_dir(store->state_fd, CLAIMS_DIRECTORY, 0700, err);
	if (dir_fd < 0)
		return false;
	g_autoptr(GArray) claims = read_claims(store, dir_fd, err);
	if (!claims)
		return false;
	if (!claim_gap(object, dir_fd, claims, uid_pool, gid_pool, count, ret_first, err))
		return false;
	/* on the disk before any file belongs to these ids */
	return !object->persistent || fsync(dir_fd) == 0 ||
	       fail_errno(err, errno, "cannot claim ids");
}

void store_release_ids(const StoreObject *object) {
	g_autofree char *owner = object_path(object->kind, object->id);
	g_auto(GStrv) names = fd_list_dir(object->store->state_fd, CLAIMS_DIRECTORY, NULL);
	_cleanup_close_ int dir_fd = openat(object->store->state_fd, CLAIMS_DIRECTORY,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	for (char **name = names; dir_fd >= 0 && name && *name; name++) {
		g_autofree char *found = read_owner(dir_fd, *name);

		if (g_strcmp0(found, owner) == 0)
			unlinkat(dir_fd, *name, 0);
	}
}
