/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds the flat block for the supervisor. See handoff_build.h. */
#include "engine/handoff_build.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/parse.h"

#include "engine/resolve.h"
#include "model/names.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

const char *handoff_log_option(const ContainerSpec *spec, const char *key) {
	return env_get(spec->log_opts, key);
}

char *handoff_log_driver(const ContainerSpec *spec, GError **err) {
	static const char *const keys[] = {"path=", "max-size=", "tag="};

	for (char **option = spec->log_opts; option && *option; option++) {
		bool known = false;
		for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
			known = known || g_str_has_prefix(*option, keys[i]);
		if (!known) {
			fail(err, ERROR_UNSUPPORTED, "unknown \"--log-opt %s\"", *option);
			return NULL;
		}
	}
	const char *max_size = handoff_log_option(spec, "max-size");
	uint64_t bytes;
	if (max_size && !parse_size(max_size, &bytes)) {
		fail(err, ERROR_INVALID, "invalid value in \"--log-opt max-size=%s\"", max_size);
		return NULL;
	}
	const char *tag = handoff_log_option(spec, "tag");
	if (tag && strstr(tag, "{{")) {
		fail(err, ERROR_UNSUPPORTED,
			"templates in \"--log-opt tag=%s\" are not supported yet", tag);
		return NULL;
	}
	if (!spec->log_driver || !*spec->log_driver)
		return g_strdup(
			access(HANDOFF_JOURNAL_SOCKET, F_OK) == 0 ? "journald" : "k8s-file");
	if (strcmp(spec->log_driver, "json-file") == 0)
		return g_strdup("k8s-file"); /* podman's alias */
	if (strcmp(spec->log_driver, "journald") == 0 ||
		strcmp(spec->log_driver, "k8s-file") == 0 || strcmp(spec->log_driver, "none") == 0)
		return g_strdup(spec->log_driver);
	fail(err, ERROR_UNSUPPORTED, "unknown log driver \"%s\": use journald, k8s-file or none",
		spec->log_driver);
	return NULL;
}

bool handoff_check_log_path(const ContainerSpec *spec, const char *driver, GError **err) {
	const char *path = handoff_log_option(spec, "path");

	return !path || strcmp(driver, "k8s-file") != 0 || fd_check_own_file(AT_FDCWD, path, err) ||
	       fail_prefix(err, "invalid value in \"--log-opt path=%s\"", path);
}

static HandoffText add_text(GByteArray *block, const char *text) {
	HandoffText reference = {0};

	if (!text)
		return reference;
	reference.offset = block->len;
	reference.size = (uint32_t)strlen(text);
	g_byte_array_append(block, (const guint8 *)text, reference.size + 1);
	return reference;
}

static HandoffText add_list(GByteArray *block, char *const *words) {
	HandoffText reference = {.offset = block->len};

	for (; *words; words++)
		g_byte_array_append(block, (const guint8 *)*words, (guint)strlen(*words) + 1);
	g_byte_array_append(block, (const guint8 *)"", 1);
	reference.size = block->len - reference.offset;
	return reference;
}

static void add_front_option(char ***argv, const char *option, int fd) {
	if (fd < 0)
		return;
	g_autofree char *word = g_strdup_printf("--%s=%d", option, fd);
	options_append(argv, word);
}

/* "podctl --root X --runroot Y WORD [--front-fd=N] [--front-out=N] [--front-err=N] ID"; the last
 * two stay open for a relaunch only. */
static char **own_command(const HandoffFacts *facts, const char *word) {
	char **argv = NULL;

	g_autofree char *self = proc_self_path(PODCTL_BINDIR "/podctl");
	const char *const words[] = {self, "--root", facts->engine->state_path, "--runroot",
		facts->engine->run_path, word};
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		options_append(&argv, words[i]);
	add_front_option(&argv, "front-fd", facts->front_fd);
	if (strcmp(word, "relaunch") == 0) {
		add_front_option(&argv, "front-out", facts->front_stdout_fd);
		add_front_option(&argv, "front-err", facts->front_stderr_fd);
	}
	options_append(&argv, facts->container->definition->id);
	return argv;
}

/* Values are checked names, ids and references: no newline can be in them. */
static char *journal_fields(const HandoffFacts *facts) {
	const ContainerDefinition *definition = facts->container->definition;
	const char *tag = handoff_log_option(definition->spec, "tag");
	GString *out = g_string_new(NULL);

	g_string_append_printf(out,
		"CONTAINER_NAME=%s\nCONTAINER_ID=%.*s\nCONTAINER_ID_FULL=%s\nSYSLOG_IDENTIFIER=%"
		"s\n",
		definition->name, ID_SHORT_LENGTH, definition->id, definition->id,
		definition->name);
	if (tag && !strchr(tag, '\n'))
		g_string_append_printf(out, "CONTAINER_TAG=%s\n", tag);
	if (definition->image_name && !strchr(definition->image_name, '\n'))
		g_string_append_printf(out, "IMAGE_NAME=%s\n", definition->image_name);
	if (facts->pod)
		g_string_append_printf(out, "POD_NAME=%s\nPOD_ID=%s\n",
			facts->pod->definition->name, facts->pod->definition->id);
	return g_string_free(out, FALSE);
}

uint32_t handoff_restart(RestartPolicy policy) {
	static const uint32_t restarts[] = {
		[RESTART_NO] = HANDOFF_RESTART_NO,
		[RESTART_ON_FAILURE] = HANDOFF_RESTART_ON_FAILURE,
		[RESTART_ALWAYS] = HANDOFF_RESTART_ALWAYS,
		[RESTART_UNLESS_STOPPED] = HANDOFF_RESTART_ALWAYS,
	};

	return restarts[policy];
}

static bool fill_policy(const HandoffFacts *facts, Handoff *handoff, GError **err) {
	const ContainerSpec *spec = facts->container->definition->spec;
	const char *max_size = handoff_log_option(spec, "max-size");
	RestartPolicy policy;

	if (!spec_parse_restart(
		    resolve_restart(spec, facts->pod), &policy, &handoff->restart_limit, err))
		return false;
	handoff->restart = handoff_restart(policy);
	handoff->stop_timeout_usec = (uint64_t)resolve_stop_timeout(spec) * USEC_PER_SEC;
	handoff->run_timeout_usec = spec->timeout > 0 ? (uint64_t)spec->timeout * USEC_PER_SEC : 0;
	if (max_size && !parse_size(max_size, &handoff->log_max_bytes))
		return fail(
			err, ERROR_INVALID, "invalid value in \"--log-opt max-size=%s\"", max_size);
	return true;
}

static uint32_t notify_mode(const HandoffFacts *facts) {
	const char *asked = facts->container->definition->spec->sdnotify;

	if (!facts->engine->notify_socket)
		return facts->notify_fd >= 0 ? HANDOFF_NOTIFY_CONTAINER : HANDOFF_NOTIFY_IGNORE;
	if (asked && strcmp(asked, "ignore") == 0)
		return HANDOFF_NOTIFY_IGNORE;
	if (asked && strcmp(asked, "conmon") != 0)
		return HANDOFF_NOTIFY_CONTAINER;
	return facts->restarted ? HANDOFF_NOTIFY_IGNORE : HANDOFF_NOTIFY_CONMON;
}

GByteArray *handoff_build(const HandoffFacts *facts, GError **err) {
	const ContainerState *state = facts->container->state;
	g_autoptr(GByteArray) block = g_byte_array_new();
	g_autofree char *fields = journal_fields(facts);
	g_autofree char *run_dir = store_run_path(facts->container->object);
	g_auto(GStrv) cleanup = own_command(facts, "cleanup");
	g_auto(GStrv) relaunch = own_command(facts, "relaunch");
	int stop_signal = SIGTERM;
	Handoff handoff = {
		.magic = HANDOFF_MAGIC,
		.version = HANDOFF_VERSION,
		.notify = notify_mode(facts),
		.restart_count = (uint32_t)state->restart_count,
		.init_pid = state->init.pid,
		.started_usec = state->started_usec,
		.init_pidfd = facts->init_pidfd,
		.stdout_fd = facts->stdout_fd,
		.stderr_fd = facts->stderr_fd,
		.console_fd = facts->console_fd,
		.front_fd = facts->front_fd,
		.front_stdout_fd = facts->front_stdout_fd,
		.front_stderr_fd = facts->front_stderr_fd,
		.notify_fd = facts->notify_fd,
		.ready_fd = facts->ready_fd,
		.log_dir_fd = facts->log_dir_fd,
		.stdin_fd = facts->stdin_fd,
		.subreaper = facts->host_pids,
	};

	if (!fill_policy(facts, &handoff, err))
		return NULL;
	if (state->stop_signal > 0)
		stop_signal = state->stop_signal;
	handoff.stop_signal = (uint32_t)stop_signal;
	handoff.log = strcmp(state->log_driver, "journald") == 0   ? HANDOFF_LOG_JOURNALD
		      : strcmp(state->log_driver, "k8s-file") == 0 ? HANDOFF_LOG_K8S_FILE
								   : HANDOFF_LOG_NONE;
	g_byte_array_append(block, (const guint8 *)&handoff, sizeof handoff);
	handoff.notify_socket = add_text(block, facts->engine->notify_socket);
	if (state->log_path) {
		g_autofree char *name = g_path_get_basename(state->log_path);
		handoff.log_name = add_text(block, name);
	}
	handoff.journal_fields = add_text(block, fields);
	handoff.run_dir = add_text(block, run_dir);
	handoff.cleanup_argv = add_list(block, cleanup);
	handoff.relaunch_argv = add_list(block, relaunch);
	handoff.cgroup = add_text(block, facts->cgroup);
	if (block->len > HANDOFF_MAX_BYTES) {
		fail(err, ERROR_INVALID,
			"cannot supervise container \"%s\": its log tag, names and paths have "
			"more than %u bytes",
			facts->container->definition->name, HANDOFF_MAX_BYTES);
		return NULL;
	}
	handoff.size = block->len;
	memcpy(block->data, &handoff, sizeof handoff);
	return g_steal_pointer(&block);
}
