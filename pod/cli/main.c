/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * podctl: the table of all commands, the options in front of them, and main. Nothing includes this
 * file's table: commands reach it through Cli, so no command depends on the list it is in.
 */
#include "base/fd.h"
#include "base/log.h"
#include "cli/cmd.h"

#include <string.h>
#include <sys/stat.h>

extern const Command command_pause, command_pod_pause, command_pod_stats, command_pod_unpause,
	command_stats, command_unpause, command_update;
extern const Command command_attach, command_container_clone, command_container_prune,
	command_pod_clone, command_pod_prune, command_port, command_rename, command_cleanup,
	command_complete, command_commit, command_completion, command_cp, command_create,
	command_diff, command_dump_options, command_exec, command_exists, command_export,
	command_help, command_image_exists, command_image_import, command_image_inspect,
	command_image_load, command_image_ls, command_image_rm, command_image_tag,
	command_image_untag, command_info, command_inspect, command_container_inspect, command_kill,
	command_logs, command_parse, command_pod_add, command_pod_create, command_pod_exists,
	command_pod_inspect, command_pod_kill, command_pod_logs, command_pod_ps,
	command_pod_restart, command_pod_rm, command_pod_start, command_pod_stop, command_pod_top,
	command_ps, command_relaunch, command_restart, command_rm, command_run, command_start,
	command_stop, command_top, command_version, command_volume_create, command_volume_exists,
	command_volume_inspect, command_volume_ls, command_volume_prune, command_volume_rm,
	command_wait;

static const CommandRow command_rows[] = {
	{"attach", &command_attach, true},
	{"commit", &command_commit, true},
	{"completion", &command_completion},
	{"container clone", &command_container_clone},
	{"container exists", &command_exists},
	{"container inspect", &command_container_inspect},
	{"container prune", &command_container_prune},
	{"cp", &command_cp, true},
	{"create", &command_create, true},
	{"diff", &command_diff, true},
	{"exec", &command_exec, true},
	{"export", &command_export, true},
	{"help", &command_help},
	{"image ls", &command_image_ls},
	{"image list", &command_image_ls},
	{"images", &command_image_ls},
	{"image exists", &command_image_exists},
	{"image import", &command_image_import},
	{"image inspect", &command_image_inspect},
	{"image load", &command_image_load},
	{"image rm", &command_image_rm},
	{"image remove", &command_image_rm},
	{"image tag", &command_image_tag},
	{"image untag", &command_image_untag},
	{"import", &command_image_import},
	{"info", &command_info},
	{"inspect", &command_inspect},
	{"kill", &command_kill, true},
	{"load", &command_image_load},
	{"logs", &command_logs, true},
	{"pause", &command_pause, true},
	{"pod add", &command_pod_add},
	{"pod clone", &command_pod_clone},
	{"pod create", &command_pod_create},
	{"pod exists", &command_pod_exists},
	{"pod inspect", &command_pod_inspect},
	{"pod kill", &command_pod_kill},
	{"pod logs", &command_pod_logs},
	{"pod pause", &command_pod_pause},
	{"pod ps", &command_pod_ps},
	{"pod ls", &command_pod_ps},
	{"pod list", &command_pod_ps},
	{"pod prune", &command_pod_prune},
	{"pod restart", &command_pod_restart},
	{"pod rm", &command_pod_rm},
	{"pod start", &command_pod_start},
	{"pod stats", &command_pod_stats},
	{"pod stop", &command_pod_stop},
	{"pod top", &command_pod_top},
	{"pod unpause", &command_pod_unpause},
	{"port", &command_port, true},
	{"ps", &command_ps, true},
	{"rename", &command_rename, true},
	{"container ls", &command_ps},
	{"container list", &command_ps},
	{"restart", &command_restart, true},
	{"rm", &command_rm, true},
	{"rmi", &command_image_rm},
	{"run", &command_run, true},
	{"start", &command_start, true},
	{"stats", &command_stats, true},
	{"stop", &command_stop, true},
	{"tag", &command_image_tag},
	{"top", &command_top, true},
	{"unpause", &command_unpause, true},
	{"untag", &command_image_untag},
	{"update", &command_update, true},
	{"version", &command_version},
	{"volume create", &command_volume_create},
	{"volume exists", &command_volume_exists},
	{"volume inspect", &command_volume_inspect},
	{"volume ls", &command_volume_ls},
	{"volume list", &command_volume_ls},
	{"volume prune", &command_volume_prune},
	{"volume rm", &command_volume_rm},
	{"volume remove", &command_volume_rm},
	{"wait", &command_wait, true},
	{"cleanup", &command_cleanup},
	{"relaunch", &command_relaunch},
	{"__complete", &command_complete},
	{"__options", &command_dump_options},
	{"__parse", &command_parse},
	{NULL, NULL},
};

/* The options in front of the command; the first word without a dash ends them. */
static bool parse_global(
	Cli *cli, char *const *words, char ***ret_rest, bool *ret_help, GError **err) {
	const OptionGroup groups[] = {{global_options, cli}, {NULL, NULL}};
	LogLevel level = LOG_LEVEL_WARNING;

	if (!options_parse(groups, OPTIONS_STOP_AT_ARGUMENT, words, ret_rest, ret_help, err))
		return false;
	if (cli->log_level && !log_level_from_string(cli->log_level, &level))
		return fail(err, ERROR_INVALID,
			"invalid value \"%s\" for \"--log-level\": use debug, info, warn or error",
			cli->log_level);
	log_set_level(level);
	return true;
}

static int show_help(const CommandRow *rows, char **words, GError **err) {
	g_autoptr(GString) text = g_string_new(NULL);

	if (words[0])
		help_group(rows, words[0], text);
	else
		help_program(rows, text);
	return output_print(text->str, err) ? 0 : -1;
}

static bool is_help_word(const char *word) {
	return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

static int run_words(Cli *cli, char *const *argv, GError **err) {
	g_auto(GStrv) words = NULL;
	bool help = false;
	int used = 0;

	if (!parse_global(cli, argv + 1, &words, &help, err))
		return -1;
	if (cli->version)
		return output_print("podctl version " PODCTL_VERSION "\n", err) ? 0 : -1;
	if (help && !words[0])
		return show_help(cli->rows, words, err);
	if (!words[0]) {
		fail(err, ERROR_INVALID,
			"missing command \"podctl COMMAND\", try \"podctl --help\"");
		return -1;
	}
	if (is_help_word(words[1]) && command_is_group(cli->rows, words[0]))
		return show_help(cli->rows, words, err);
	const CommandRow *row = command_find(cli->rows, words, &used, err);
	return row ? command_invoke(cli, row, words + used, false, err) : -1;
}

int main(G_GNUC_UNUSED int argc, char **argv) {
	/* What is private is made so by its mode; with a stricter mask of the caller's, users
	 * inside could not read their cgroup, nor reach the socket for READY=1. */
	Cli cli = {.rows = command_rows, .argv = argv, .caller_umask = umask(022)};
	g_autoptr(GError) error = NULL;

	int status = fd_ensure_stdio(&error) ? run_words(&cli, argv, &error) : -1;
	if (error) {
		cli_print_error(error);
		if (status < 0)
			status = cli_error_status(error);
	}
	cli_clear(&cli);
	return status < 0 ? STATUS_FAILED : status;
}
