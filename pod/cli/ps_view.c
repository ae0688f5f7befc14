/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns of ps. See ps_view.h. */
#include "cli/ps_view.h"

#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "cli/output.h"
#include "model/names.h"

#include <string.h>

enum { COMMAND_WIDTH = 17 };

static uint64_t usec_of(const json_t *object, const char *key) {
	int64_t usec = json_get_int(object, key, 0);

	return usec > 0 ? (uint64_t)usec : 0;
}

/* How long ago, "" for never. */
static char *age_of(uint64_t usec) {
	uint64_t now = proc_now_realtime();

	return usec == 0 ? g_strdup("") : output_duration(now > usec ? now - usec : 0);
}

static char *joined(const json_t *array, const char *separator) {
	g_autoptr(GString) text = g_string_new(NULL);
	const json_t *member;
	size_t index;

	json_array_foreach (array, index, member) {
		if (json_is_string(member))
			g_string_append_printf(text, "%s%s", text->len ? separator : "",
				json_string_value(member));
	}
	return str_strip_control(g_string_free(g_steal_pointer(&text), FALSE));
}

static char *status_of(const json_t *container) {
	const char *state = json_get_string(container, "State", "");
	g_autofree char *age = NULL;

	if (strcmp(state, "running") == 0) {
		age = age_of(usec_of(container, "_started_usec"));
		return g_strdup_printf("Up %s", age);
	}
	if (strcmp(state, "exited") == 0 || strcmp(state, "stopped") == 0) {
		age = age_of(usec_of(container, "_finished_usec"));
		return g_strdup_printf("Exited (%d)%s%s%s",
			(int)json_get_int(container, "ExitCode", 0), *age ? " " : "", age,
			*age ? " ago" : "");
	}
	char *status = g_strdup(state);
	status[0] = g_ascii_toupper(status[0]);
	return status;
}

static char *short_id(const json_t *object, const char *key, bool no_trunc) {
	const char *id = json_get_string(object, key, "");

	if (!no_trunc && g_str_has_prefix(id, "sha256:"))
		id += strlen("sha256:");
	return no_trunc ? g_strdup(id) : g_strndup(id, ID_SHORT_LENGTH);
}

/* Ports as podman prints them: 0.0.0.0:8080->80/tcp, ranges as 8080-8082->80-82/tcp. */
static char *ports_of(const json_t *ports) {
	g_autoptr(GString) text = g_string_new(NULL);
	const json_t *port;
	size_t index;

	json_array_foreach (ports, index, port) {
		const char *host_ip = json_get_string(port, "host_ip", "");
		int host = (int)json_get_int(port, "host_port", 0);
		int inner = (int)json_get_int(port, "container_port", 0);
		int more = (int)MAX(json_get_int(port, "range", 1), 1) - 1;
		g_string_append(text, text->len ? ", " : "");
		if (host > 0) {
			bool ipv6 = strchr(host_ip, ':') != NULL;
			g_string_append_printf(text, "%s%s%s:%d", ipv6 ? "[" : "",
				*host_ip ? host_ip : "0.0.0.0", ipv6 ? "]" : "", host);
			if (more > 0)
				g_string_append_printf(text, "-%d", host + more);
			g_string_append(text, "->");
		}
		g_string_append_printf(text, "%d", inner);
		if (more > 0)
			g_string_append_printf(text, "-%d", inner + more);
		g_string_append_printf(text, "/%s", json_get_string(port, "protocol", "tcp"));
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void put_owned(json_t *row, const char *key, char *text) {
	json_put_string(row, key, text);
	g_free(text);
}

static char *command_of(const json_t *container, bool no_trunc) {
	g_autofree char *command = joined(json_object_get(container, "Command"), " ");

	if (no_trunc || g_utf8_strlen(command, -1) <= COMMAND_WIDTH)
		return g_steal_pointer(&command);
	g_autofree char *cut = g_utf8_substring(command, 0, COMMAND_WIDTH);
	return g_strconcat(cut, "...", NULL);
}

static char *time_ago(uint64_t usec) {
	g_autofree char *age = age_of(usec);

	return g_strconcat(age, *age ? " ago" : "", NULL);
}

static json_t *container_row(const json_t *container, bool no_trunc) {
	uint64_t created = usec_of(container, "_created_usec");
	json_t *row = json_copy((json_t *)(uintptr_t)container);

	json_object_del(row, "Id");
	put_owned(row, "ID", short_id(container, "Id", no_trunc));
	put_owned(row, "ImageID", short_id(container, "ImageID", no_trunc));
	put_owned(row, "Pod", short_id(container, "Pod", no_trunc));
	put_owned(row, "Names", joined(json_object_get(container, "Names"), ","));
	put_owned(row, "Command", command_of(container, no_trunc));
	put_owned(row, "Mounts", joined(json_object_get(container, "Mounts"), ","));
	put_owned(row, "Networks", joined(json_object_get(container, "Networks"), ","));
	put_owned(row, "Ports", ports_of(json_object_get(container, "Ports")));
	put_owned(row, "Status", status_of(container));
	put_owned(row, "RunningFor", time_ago(created));
	put_owned(row, "Created", time_ago(created));
	put_owned(row, "CreatedHuman", time_ago(created));
	put_owned(row, "CreatedAt", output_time(created));
	if (!json_object_get(row, "Labels"))
		json_object_set_new(row, "Labels", json_object());
	if (!json_object_get(row, "PodName"))
		json_put_string(row, "PodName", "");
	return row;
}

json_t *ps_view_containers(const json_t *containers, bool no_trunc) {
	json_t *rows = json_array();
	const json_t *container;
	size_t index;

	json_array_foreach (containers, index, container)
		json_array_append_new(rows, container_row(container, no_trunc));
	return rows;
}

static char *members_of(const json_t *pod, const char *key, bool shorten) {
	g_autoptr(GString) text = g_string_new(NULL);
	const json_t *member;
	size_t index;

	json_array_foreach (json_object_get(pod, "Containers"), index, member) {
		const char *value = json_get_string(member, key, "");
		g_string_append_printf(text, "%s%.*s", text->len ? "," : "",
			shorten ? ID_SHORT_LENGTH : (int)strlen(value), value);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static json_t *pod_row(const json_t *pod, bool no_trunc) {
	const json_t *members = json_object_get(pod, "Containers");
	uint64_t created = usec_of(pod, "_created_usec");
	json_t *row = json_copy((json_t *)(uintptr_t)pod);

	json_object_del(row, "Id");
	put_owned(row, "ID", short_id(pod, "Id", no_trunc));
	put_owned(row, "InfraID", short_id(pod, "InfraId", no_trunc));
	json_object_del(row, "InfraId");
	json_put_int(row, "NumberOfContainers", (int64_t)json_array_size(members));
	put_owned(row, "ContainerIds", members_of(pod, "Id", !no_trunc));
	put_owned(row, "ContainerNames", members_of(pod, "Names", false));
	put_owned(row, "ContainerStatuses", members_of(pod, "Status", false));
	put_owned(row, "Created", time_ago(created));
	put_owned(row, "CreatedAt", output_time(created));
	put_owned(row, "Networks", joined(json_object_get(pod, "Networks"), ","));
	if (!json_object_get(row, "Labels"))
		json_object_set_new(row, "Labels", json_object());
	return row;
}

json_t *ps_view_pods(const json_t *pods, bool no_trunc) {
	json_t *rows = json_array();
	const json_t *pod;
	size_t index;

	json_array_foreach (pods, index, pod)
		json_array_append_new(rows, pod_row(pod, no_trunc));
	return rows;
}

static void drop_private(json_t *object) {
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe (object, next, key, value) {
		if (key[0] == '_')
			json_object_del(object, key);
	}
}

void ps_view_finish_json(json_t *objects) {
	json_t *object;
	size_t index;

	json_array_foreach (objects, index, object) {
		if (json_object_get(object, "State")) {
			put_owned(object, "Status", status_of(object));
			put_owned(object, "CreatedAt", time_ago(usec_of(object, "_created_usec")));
		}
		drop_private(object);
	}
}
