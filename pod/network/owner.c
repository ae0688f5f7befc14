/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of owners. See owner.h. */
#include "network/owner.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "network/network_result.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

enum { ID_LENGTH_MIN = 12, ID_LENGTH_MAX = 64 };

void owner_record_free(OwnerRecord *record) {
	if (!record)
		return;
	g_free(record->network);
	g_free(record->bridge);
	g_free(record->host_interface);
	g_free(record->interface);
	g_free(record->address);
	g_free(record->mac);
	network_ports_free(record->ports, record->n_ports);
	g_free(record);
}

bool owner_id_is_valid(const char *id) {
	size_t length = strlen(id);

	return length >= ID_LENGTH_MIN && length <= ID_LENGTH_MAX && str_is_hex(id);
}

int owner_open_state(const char *path, bool make, GError **err) {
	static const char *const folders[] = {"owners", "leases", "ports", "networks", "hints"};

	_cleanup_close_ int state_fd =
		make ? fd_make_dir(AT_FDCWD, path, 0700, err) : fd_open_dir(AT_FDCWD, path, err);
	if (state_fd < 0)
		return -1;
	if (make) {
		array_foreach (folder, folders) {
			if (mkdirat(state_fd, *folder, 0700) < 0 && errno != EEXIST) {
				fail_errno(err, errno, "cannot make \"%s/%s\"", path, *folder);
				return -1;
			}
		}
	}
	return steal_fd(&state_fd);
}

bool owner_write(int state_fd, const char *id, const OwnerRecord *record, GError **err) {
	json_auto_t *json = json_object();

	json_put_string(json, "network", record->network);
	json_put_string(json, "bridge", record->bridge);
	json_put_string(json, "host_interface", record->host_interface);
	json_put_string(json, "interface", record->interface);
	json_put_string(json, "address", record->address);
	json_put_string(json, "mac", record->mac);
	json_put_int(json, "pid", record->target.pid);
	json_put_int(json, "start_time", (int64_t)record->target.start_time);
	json_object_set_new(json, "ports", network_ports_to_json(record->ports, record->n_ports));
	g_autofree char *text = json_to_text(json, false);
	_cleanup_close_ int dir_fd = fd_open_dir(state_fd, "owners", err);
	return dir_fd >= 0 &&
	       fd_replace_file(dir_fd, id, text, strlen(text), 0600, FD_REPLACE_PLAIN, err);
}

OwnerRecord *owner_read(int state_fd, const char *id, GError **err) {
	g_autofree char *path = g_strconcat("owners/", id, NULL);
	g_autoptr(GError) failure = NULL;
	json_auto_t *json = json_read_file(state_fd, path, &failure);

	if (!json && !error_is(failure, ERROR_CORRUPT)) {
		g_propagate_error(err, g_steal_pointer(&failure));
		return NULL;
	}
	OwnerRecord *record = g_new0(OwnerRecord, 1);
	record->network = g_strdup(json_get_string(json, "network", NULL));
	record->bridge = g_strdup(json_get_string(json, "bridge", NULL));
	record->host_interface = g_strdup(json_get_string(json, "host_interface", NULL));
	record->interface = g_strdup(json_get_string(json, "interface", NULL));
	record->address = g_strdup(json_get_string(json, "address", NULL));
	record->mac = g_strdup(json_get_string(json, "mac", NULL));
	record->target.pid = (pid_t)json_get_int(json, "pid", 0);
	record->target.start_time = (uint64_t)json_get_int(json, "start_time", 0);
	record->ports = network_ports_from_json(json_object_get(json, "ports"), &record->n_ports);
	return record;
}

bool owner_remove(int state_fd, const char *id, GError **err) {
	g_autofree char *path = g_strconcat("owners/", id, NULL);

	if (unlinkat(state_fd, path, 0) < 0 && errno != ENOENT)
		return fail_errno(err, errno, "cannot remove \"%s\"", path);
	return true;
}

bool owner_holds(int dir_fd, const char *name, const char *id) {
	char target[ID_LENGTH_MAX + 2];
	ssize_t length = readlinkat(dir_fd, name, target, sizeof target);

	return length >= 0 && (size_t)length == strlen(id) &&
	       memcmp(target, id, (size_t)length) == 0;
}

/* fd_replace_file writes to .NAME.PID-FD.tmp */
static bool is_abandoned(const char *temporary) {
	const char *dash = strrchr(temporary, '-');
	const char *dot = dash ? g_strrstr_len(temporary, dash - temporary, ".") : NULL;
	int pid;

	return dot && sscanf(dot, ".%d-", &pid) == 1 && kill(pid, 0) < 0 && errno == ESRCH;
}

char **owner_list(int state_fd, const char *folder, GError **err) {
	_cleanup_close_ int dir_fd = fd_open_dir(state_fd, folder, err);
	g_auto(GStrv) all = dir_fd >= 0 ? fd_list_dir(dir_fd, ".", err) : NULL;
	GPtrArray *names;

	if (!all)
		return NULL;
	names = g_ptr_array_new();
	for (char **name = all; *name; name++) {
		if (**name != '.')
			g_ptr_array_add(names, g_strdup(*name));
		else if (is_abandoned(*name) && unlinkat(dir_fd, *name, 0) < 0)
			log_debug("cannot remove \"%s\", ignoring", *name);
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
