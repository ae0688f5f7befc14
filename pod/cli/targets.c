/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Targets of a command. See targets.h. */
#include "cli/targets.h"

#include "base/fd.h"
#include "cli/filter.h"

#include <fcntl.h>
#include <string.h>

static bool is_running(const json_t *object, bool pods) {
	const char *state = json_get_string(object, pods ? "Status" : "State", "");

	return g_ascii_strcasecmp(state, "running") == 0 ||
	       g_ascii_strcasecmp(state, "degraded") == 0;
}

static bool add_queried(Cli *cli, const Targets *targets, GPtrArray *found, GError **err) {
	json_auto_t *objects = NULL;
	const json_t *object, *latest = NULL;
	size_t index;

	Engine *engine = cli_engine(cli, err);
	if (!engine)
		return false;
	objects = targets->pods ? engine_query_pods(engine, err)
				: engine_query_containers(engine, true, false, err);
	if (!objects || !filter_objects(objects, targets->filters, targets->pods, err))
		return false;
	json_array_foreach (objects, index, object) {
		if (targets->running && !is_running(object, targets->pods))
			continue;
		if (!targets->latest)
			g_ptr_array_add(found, g_strdup(json_get_string(object, "Id", "")));
		else if (!latest || json_get_int(object, "_created_usec", 0) >=
					    json_get_int(latest, "_created_usec", 0))
			latest = object;
	}
	if (latest)
		g_ptr_array_add(found, g_strdup(json_get_string(latest, "Id", "")));
	else if (targets->latest)
		return fail(err, ERROR_NOT_FOUND, "there is no %s yet",
			targets->pods ? "pod" : "container");
	return true;
}

static bool add_id_files(const Targets *targets, GPtrArray *found, GError **err) {
	for (char **file = targets->id_files; file && *file; file++) {
		g_autofree char *text = NULL;
		g_autoptr(GError) error = NULL;

		if (!fd_read_file(AT_FDCWD, *file, 4096, &text, NULL, &error)) {
			if (targets->optional && error_is(error, ERROR_NOT_FOUND))
				continue;
			g_propagate_error(err, g_steal_pointer(&error));
			return fail_prefix(err, "cannot read an id");
		}
		text[strcspn(text, "\n")] = '\0';
		g_ptr_array_add(found, g_strdup(g_strstrip(text)));
	}
	return true;
}

char **targets_find(Cli *cli, const Targets *targets, GError **err) {
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	bool query = targets->all || targets->latest || targets->running ||
		     (targets->filters && targets->filters[0]);
	bool named = targets->names && targets->names[0];

	if (query && named) {
		fail(err, ERROR_INVALID, "names go with neither --all, --latest nor --filter");
		return NULL;
	}
	if (query && !add_queried(cli, targets, found, err))
		return NULL;
	if (!add_id_files(targets, found, err))
		return NULL;
	for (char **name = targets->names; name && *name; name++)
		g_ptr_array_add(found, g_strdup(*name));
	if (found->len == 0 && !query && !targets->optional) {
		fail(err, ERROR_INVALID, "requires at least one name or id of a %s",
			targets->pods ? "pod" : "container");
		return NULL;
	}
	g_ptr_array_add(found, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

static int status_of(const EachRules *rules, const GError *error) {
	if (error_is(error, ERROR_NOT_FOUND) && rules->missing_status)
		return rules->missing_status;
	if ((error_is(error, ERROR_IN_USE) || error_is(error, ERROR_STATE)) && rules->busy_status)
		return rules->busy_status;
	return cli_error_status(error);
}

/* Something else that was not found, a file of the kernel's, is no reason to call it gone. */
static bool is_there(Engine *engine, const char *name) {
	g_autofree char *container = engine_container_find(engine, name, NULL);
	g_autofree char *pod = container ? NULL : engine_pod_find(engine, name, NULL);

	return container || pod;
}

int targets_each(Cli *cli, char *const *names, const EachRules *rules, GError **err) {
	Engine *engine = cli_engine(cli, err);
	int status = 0;

	if (!engine)
		return -1;
	for (; *names; names++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *line = g_strconcat(*names, "\n", NULL);

		if (rules->act(engine, *names, rules->options, &error)) {
			if (!rules->silent && !output_print(line, err))
				return -1;
		} else if (!rules->ignore_missing || !error_is(error, ERROR_NOT_FOUND) ||
			   is_there(engine, *names)) {
			cli_print_error(error);
			status = MAX(status, status_of(rules, error));
		}
	}
	return status;
}

bool targets_fail_unless_in_use(GError *error, GError **err) {
	g_autoptr(GError) taken = error;

	if (error_is(taken, ERROR_IN_USE))
		return fail(err, ERROR_NOT_FOUND, "%s", taken->message);
	g_propagate_error(err, g_steal_pointer(&taken));
	return false;
}
