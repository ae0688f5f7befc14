/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl-scope.so: a transient scope from systemd, for a container that was not started by a unit.
 * On a machine that systemd runs, cgroups may only be made where it has delegated them.
 */
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/proc.h"
#include "runtime/scope_module.h"

#include <string.h>
#include <systemd/sd-bus.h>

#define WAIT_USEC (10 * USEC_PER_SEC)

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER      "org.freedesktop.systemd1.Manager"

typedef struct Job {
	const char *path; /* object path of the job we wait for; NULL: not known yet */
	char *result;     /* of that job, once it is over */
	GPtrArray *early; /* paths and results of jobs that ended before we knew ours */
} Job;

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *error) {
	Job *job = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (job->path && strcmp(job->path, path) == 0 && !job->result)
		job->result = g_strdup(result);
	else if (!job->path) {
		g_ptr_array_add(job->early, g_strdup(path));
		g_ptr_array_add(job->early, g_strdup(result));
	}
	return 0;
}

static int append_properties(sd_bus_message *message, const char *description, pid_t pid) {
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
		r = sd_bus_message_append(message, "(sv)", "Slice", "s", "machine.slice");
	return r < 0 ? r : sd_bus_message_close_container(message);
}

/* *ret_reply holds the path of the job. */
static int call(sd_bus *bus, const char *name, const char *description, pid_t pid,
	sd_bus_error *error, sd_bus_message **ret_reply) {
	sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(
		bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, MANAGER, "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(message, "ss", name, "fail");
	if (r >= 0)
		r = append_properties(message, description, pid);
	if (r >= 0)
		r = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus, message, WAIT_USEC, error, ret_reply);
	sd_bus_message_unref(message);
	return r;
}

static bool wait_job(sd_bus *bus, Job *job, const char *name, GError **err) {
	uint64_t end = proc_now_monotonic() + WAIT_USEC;

	for (guint i = 0; i < job->early->len && !job->result; i += 2)
		if (strcmp(job->early->pdata[i], job->path) == 0)
			job->result = g_strdup(job->early->pdata[i + 1]);
	while (!job->result) {
		int r = sd_bus_process(bus, NULL);
		uint64_t now = proc_now_monotonic();

		if (r == 0 && now < end)
			r = sd_bus_wait(bus, end - now);
		if (r < 0)
			return fail_errno(err, -r, "cannot wait for scope \"%s\"", name);
		if (!job->result && now >= end)
			return fail(err, ERROR_TIMEOUT, "systemd does not make scope \"%s\"", name);
	}
	if (strcmp(job->result, "done") != 0)
		return fail(err, ERROR_FAILED, "cannot make scope \"%s\": %s", name, job->result);
	return true;
}

static bool make_on(
	sd_bus *bus, const char *name, const char *description, pid_t pid, GError **err) {
	g_autoptr(GPtrArray) early = g_ptr_array_new_with_free_func(g_free);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	Job job = {.early = early};
	bool done = false;
	int r = sd_bus_match_signal(
		bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH, MANAGER, "JobRemoved", on_job_removed, &job);

	if (r >= 0)
		r = call(bus, name, description, pid, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job.path);
	if (r < 0)
		fail(err, ERROR_FAILED, "cannot make scope \"%s\": %s", name,
			error.message ? error.message : strerror(-r));
	else
		done = wait_job(bus, &job, name, err);
	g_free(job.result);
	sd_bus_message_unref(reply);
	sd_bus_error_free(&error);
	return done;
}

static bool make(const char *name, const char *description, pid_t pid, GError **err) {
	sd_bus *bus = NULL;
	int r = geteuid() == 0 ? sd_bus_open_system(&bus) : sd_bus_open_user(&bus);

	if (r < 0)
		return fail_errno(err, -r, "cannot reach the bus of systemd");
	bool done = make_on(bus, name, description, pid, err);
	sd_bus_flush_close_unref(bus);
	return done;
}

extern const ScopeMaker podctl_scope;
__attribute__((visibility("default"))) const ScopeMaker podctl_scope = {.make = make};
