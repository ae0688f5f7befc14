/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-scope.so: a transient scope from systemd, for a container that was not started by a unit.
 * On a machine that systemd runs, cgroups may only be made where it has delegated them.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/proc.h"
#include "runtime/scope_module.h"

#include <fcntl.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define CALL_USEC (10 * USEC_PER_SEC)
#define MOVE_USEC (2 * USEC_PER_SEC)
#define LOOK_USEC 100

#define PRIVATE_BUS  "unix:path=/run/systemd/private"
#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER      "org.freedesktop.systemd1.Manager"

static int append_properties(
	sd_bus_message *message, const char *description, const char *slice, pid_t pid) {
	int r = sd_bus_message_open_container(message, 'a', "(sv)");

	if (r >= 0)
		r = sd_bus_message_append(message, "(sv)", "Description", "s", description);
	if (r >= 0)
		r = sd_bus_message_append(message, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	if (r >= 0)
		r = sd_bus_message_append(message, "(sv)", "Delegate", "b", 1);
	if (r >= 0)
		r = sd_bus_message_append(
			message, "(sv)", "CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = sd_bus_message_append(message, "(sv)", "Slice", "s", slice);
	/* the bound is the container's own, not systemd's default for any scope */
	if (r >= 0)
		r = sd_bus_message_append(message, "(sv)", "TasksMax", "t", UINT64_MAX);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int call(sd_bus *bus, const char *name, const char *description, const char *slice,
	pid_t pid, sd_bus_error *error) {
	sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(
		bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, MANAGER, "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(message, "ss", name, "fail");
	if (r >= 0)
		r = append_properties(message, description, slice, pid);
	if (r >= 0)
		r = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus, message, CALL_USEC, error, NULL);
	sd_bus_message_unref(message);
	return r;
}

/* The job is done when systemd has moved the process; looking is quicker than subscribing to
 * systemd's signals. */
static bool wait_moved(const char *name, pid_t pid, GError **err) {
	g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", (int)pid);
	g_autofree char *end = g_strdup_printf("/%s\n", name);
	uint64_t deadline = proc_now_monotonic() + MOVE_USEC;

	do {
		g_autofree char *text = NULL;
		if (!fd_read_file(AT_FDCWD, path, 65536, &text, NULL, err))
			return false;
		if (strstr(text, end))
			return true;
		g_usleep(LOOK_USEC);
	} while (proc_now_monotonic() < deadline);
	return fail(err, ERROR_TIMEOUT, "systemd does not make scope \"%s\"", name);
}

/* Root talks to systemd itself, as systemctl does: the bus would be one more process to wait for.
 */
static int open_bus(sd_bus **ret_bus) {
	if (geteuid() != 0)
		return sd_bus_open_user(ret_bus);
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, PRIVATE_BUS);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0) {
		*ret_bus = bus;
		return 0;
	}
	sd_bus_unref(bus);
	return sd_bus_open_system(ret_bus);
}

static bool make(
	const char *name, const char *description, const char *slice, pid_t pid, GError **err) {
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *bus = NULL;
	int r = open_bus(&bus);

	if (r < 0)
		return fail_errno(err, -r, "cannot reach systemd");
	r = call(bus, name, description, slice, pid, &error);
	bool done = r >= 0 ? wait_moved(name, pid, err)
			   : fail(err, ERROR_FAILED, "cannot make scope \"%s\": %s", name,
				     error.message ? error.message : strerror(-r));
	sd_bus_error_free(&error);
	sd_bus_close_unref(bus);
	return done;
}

extern const ScopeMaker podctl_scope;
__attribute__((visibility("default"))) const ScopeMaker podctl_scope = {.make = make};
