/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the options of a user namespace to its maps. See user_maps.h. */
#include "engine/user_maps.h"

#include "base/fd.h"
#include "model/namespace_mode.h"
#include "runtime/runtime.h"

#include <fcntl.h>

#define SUBUID_FILE "/etc/subuid"
#define SUBGID_FILE "/etc/subgid"

/* Whose ranges "auto" takes. */
#define POOL_NAME "containers"

/* Without such an entry: above what systemd and the distributions give out. */
enum { AUTO_IDS = 65536, AUTO_IDS_MAX = 1 << 20, PASSWD_SIZE_MAX = 1 << 20 };
static const IdRange default_pool = {0, UINT32_C(0x80000000), UINT32_C(0x7fff0000)};

/* How many ids the users and groups of the image need. */
static bool image_size(char *const *layers, uint32_t *ret_size, GError **err) {
	static const char *const files[] = {"/etc/passwd", "/etc/group"};
	uint32_t highest = AUTO_IDS - 1;

	for (size_t i = 0; layers && i < ARRAY_LENGTH(files); i++) {
		g_autofree char *text = NULL;

		if (!runtime_read_layer_file(layers, files[i], PASSWD_SIZE_MAX, &text, NULL, err))
			return fail_prefix(err, "--userns=auto");
		if (text)
			highest = MAX(highest, id_highest_account(text));
	}
	if (highest >= AUTO_IDS_MAX)
		return fail(err, ERROR_INVALID,
			"--userns=auto: the image has id %" G_GUINT32_FORMAT
			", more than %d ids are only taken with \"size=\"",
			highest, AUTO_IDS_MAX);
	*ret_size = highest + 1;
	return true;
}

static bool read_pools(IdMap *uids, IdMap *gids, GError **err) {
	if (!id_read_subordinate(SUBUID_FILE, POOL_NAME, NULL, uids, err) ||
		!id_read_subordinate(SUBGID_FILE, POOL_NAME, NULL, gids, err))
		return false;
	if (uids->n == 0 && gids->n == 0) {
		id_map_append(uids, 0, default_pool.outside, default_pool.count);
		id_map_append(gids, 0, default_pool.outside, default_pool.count);
	}
	if (uids->n == 0 || gids->n == 0)
		return fail(err, ERROR_INVALID, "--userns=auto: \"%s\" has no entry for \"%s\"",
			uids->n ? SUBGID_FILE : SUBUID_FILE, POOL_NAME);
	return true;
}

static bool claim(const StoreObject *object, uint32_t size, uint32_t *ret_first, GError **err) {
	IdMap uids = {0}, gids = {0};
	bool good = read_pools(&uids, &gids, err) &&
		    (store_claim_ids(object, &uids, &gids, size, ret_first, err) ||
			    fail_prefix(err, "--userns=auto"));

	id_map_clear(&uids);
	id_map_clear(&gids);
	return good;
}

static bool decide_auto(const UserMapsRequest *request, const UserNsRequest *wanted,
	const StoreObject *object, IdMap *uids, IdMap *gids, GError **err) {
	uint32_t size = wanted->size, first;

	if ((size == 0 && !image_size(request->layers, &size, err)) ||
		!claim(object, size, &first, err))
		return false;
	id_map_append(uids, 0, first, size);
	id_map_append(gids, 0, first, size);
	for (size_t i = 0; i < wanted->uid_map.n; i++) {
		const IdRange *row = &wanted->uid_map.rows[i];
		id_map_override(uids, row->inside, row->outside, row->count);
	}
	for (size_t i = 0; i < wanted->gid_map.n; i++) {
		const IdRange *row = &wanted->gid_map.rows[i];
		id_map_override(gids, row->inside, row->outside, row->count);
	}
	return true;
}

/* The ids that we have, each on itself. */
static bool same_ids(const char *file, IdMap *map, GError **err) {
	g_autofree char *text = NULL;

	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, errno, "cannot open \"%s\"", file);
	if (!fd_read_all(fd, file, 65536, &text, NULL, err) || !id_map_from_text(text, map, err))
		return false;
	for (size_t i = 0; i < map->n; i++)
		map->rows[i].outside = map->rows[i].inside;
	return true;
}

static bool read_named(const char *path, const char *name, IdMap *map, GError **err) {
	if (!name)
		return true;
	return id_read_subordinate(path, name, NULL, map, err) &&
	       (map->n > 0 ||
		       fail(err, ERROR_INVALID, "\"%s\" has no entry for \"%s\"", path, name));
}

/* podman's rule: what is given for one kind of id holds for the other. */
static bool decide_given(const UserMapsRequest *request, IdMap *uids, IdMap *gids, GError **err) {
	const char *subuid = request->subuid_name ? request->subuid_name : request->subgid_name;
	const char *subgid = request->subgid_name ? request->subgid_name : request->subuid_name;
	char *const *uid_rows = request->uid_maps ? request->uid_maps : request->gid_maps;
	char *const *gid_rows = request->gid_maps ? request->gid_maps : request->uid_maps;

	return read_named(SUBUID_FILE, subuid, uids, err) &&
	       read_named(SUBGID_FILE, subgid, gids, err) &&
	       spec_parse_id_map(uid_rows, false, uids, err) &&
	       spec_parse_id_map(gid_rows, true, gids, err);
}

static bool check(const IdMap *map, const char *what, GError **err) {
	uint32_t outside;

	return id_map_check(map, what, err) &&
	       (id_map_to_outside(map, 0, &outside) ||
		       fail(err, ERROR_UNSUPPORTED,
			       "%s has no id 0: a container without root is not supported", what));
}

static bool decide(const UserMapsRequest *request, const UserNsRequest *wanted,
	const StoreObject *object, IdMap *uids, IdMap *gids, GError **err) {
	bool given = request->uid_maps || request->gid_maps || request->subuid_name ||
		     request->subgid_name;
	bool good = true;

	if (wanted->kind == USERNS_AUTO)
		good = decide_auto(request, wanted, object, uids, gids, err);
	else if (wanted->kind == USERNS_KEEP_ID)
		good = same_ids("/proc/self/uid_map", uids, err) &&
		       same_ids("/proc/self/gid_map", gids, err);
	else if (given)
		good = decide_given(request, uids, gids, err);
	else
		return true;
	return good && check(uids, "the map of user ids", err) &&
	       check(gids, "the map of group ids", err);
}

bool user_maps_decide(const UserMapsRequest *request, const StoreObject *object, char **ret_uid_map,
	char **ret_gid_map, GError **err) {
	IdMap uids = {0}, gids = {0};
	UserNsRequest wanted;

	if (!spec_parse_userns(request->user_ns, &wanted, err))
		return false;
	bool good = decide(request, &wanted, object, &uids, &gids, err);
	*ret_uid_map = good && uids.n ? id_map_to_text(&uids) : NULL;
	*ret_gid_map = good && uids.n ? id_map_to_text(&gids) : NULL;
	id_map_clear(&uids);
	id_map_clear(&gids);
	userns_request_clear(&wanted);
	return good;
}
