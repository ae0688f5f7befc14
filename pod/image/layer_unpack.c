/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts podctl-unpack. See layer_unpack.h; the report's format is in unpack/main.c. */
#include "image/layer_unpack.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/module.h"
#include "base/proc.h"
#include "base/str.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define REPORT_LIMIT \
	(64U << 20) /* of opaque directories; the unpacker has a bound on their number */
#define ERROR_LIMIT 65536

/* The marker needs CAP_SYS_ADMIN, which the unpacker has not; without it, overlayfs is mounted with
 * "userxattr" and looks at the other name. */
static bool mark_opaque(int dir_fd, const char *path, GError **err) {
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_close_ int fd =
		(int)syscall(SYS_openat2, dir_fd, *path ? path : ".", &how, sizeof how);

	/* replaced by something else later in the archive */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return true;
	if (fd < 0)
		return fail_errno(err, errno, "cannot open directory \"%s\"", path);
	if (fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) == 0 ||
		(errno == EPERM && fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) == 0))
		return true;
	return fail_errno(err, errno, "cannot mark directory \"%s\" as opaque", path);
}

static bool unescape(char *text) {
	char *out = text;

	for (const char *p = text; *p; p++) {
		if (*p != '%') {
			*out++ = *p;
			continue;
		}
		if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
			return false;
		*out++ = (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]));
		p += 2;
	}
	*out = '\0';
	return true;
}

static bool parse_done(const char *line, LayerReport *report) {
	int complete, used = 0;

	if (sscanf(line,
		    "done diffid=%64[0-9a-f] stream=%" SCNu64 " size=%" SCNu64
		    " entries=%*u skipped=%" SCNu64 " complete=%d%n",
		    report->diff_id, &report->stream_bytes, &report->file_bytes, &report->n_skipped,
		    &complete, &used) != 5)
		return false;
	report->is_complete = complete == 1;
	return line[used] == '\0' && strlen(report->diff_id) == 64;
}

static bool apply_report(char *text, int dir_fd, LayerReport *report, GError **err) {
	char *rest = text, *line;
	bool done = false;

	while ((line = strsep(&rest, "\n")) && *line && !done) {
		if (g_str_has_prefix(line, "opaque ")) {
			char *path = line + strlen("opaque ");
			if (!unescape(path))
				break;
			report->hides_below |= *path == '\0';
			if (!mark_opaque(dir_fd, path, err))
				return false;
			continue;
		}
		done = parse_done(line, report);
	}
	return done || fail(err, ERROR_FAILED, "podctl-unpack gave no report");
}

/* Reads what the child says and how it ends. */
static bool collect(pid_t pid, int out_fd, int error_fd, char **ret_report, GError **err) {
	g_autofree char *report = NULL, *reason = NULL;
	g_autoptr(GError) error = NULL;
	int status = -1;

	/* the error is one line and fits in its pipe, so reading it last cannot block the child */
	bool is_read =
		fd_read_all(out_fd, "report of podctl-unpack", REPORT_LIMIT, &report, NULL, &error);
	if (is_read)
		fd_read_all(error_fd, "error of podctl-unpack", ERROR_LIMIT, &reason, NULL, NULL);
	else
		proc_signal((ProcId){.pid = pid}, 9, NULL);
	if (!proc_reap(pid, &status, err))
		return false;
	if (status == 0 && is_read) {
		*ret_report = g_steal_pointer(&report);
		return true;
	}
	if (status > 128)
		return fail(
			err, ERROR_CORRUPT, "podctl-unpack was ended by signal %d", status - 128);
	if (!is_read || !reason || !*reason)
		return fail(err, ERROR_FAILED, "podctl-unpack failed with status %d", status);
	g_strchomp(str_strip_control(g_strdelimit(reason, "\n", ' ')));
	return fail(err, ERROR_CORRUPT, "%s", reason);
}

static char **make_argv(const char *const *only, const char *copy, int dir_fd) {
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	g_ptr_array_add(argv, module_path("podctl-unpack"));
	if (copy) {
		g_ptr_array_add(argv, g_strdup("--copy"));
		g_ptr_array_add(argv, g_strdup(copy));
	}
	for (; only && *only; only++) {
		g_ptr_array_add(argv, g_strdup("--only"));
		g_ptr_array_add(argv, g_strdup(*only));
	}
	g_ptr_array_add(argv, g_strdup_printf("%d", dir_fd));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}

static bool run(int archive_fd, int dir_fd, const char *const *only, const char *copy,
	LayerReport *ret_report, GError **err) {
	g_auto(GStrv) argv = make_argv(only, copy, dir_fd);
	g_autofree char *text = NULL;
	LayerReport report = {0};
	g_autoptr(GError) no_start = NULL;
	int out[2], error[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot start podctl-unpack");
	_cleanup_close_ int out_read = out[0], out_write = out[1];
	if (pipe2(error, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot start podctl-unpack");
	_cleanup_close_ int error_read = error[0], error_write = error[1];
	ProcSpawn spawn = {
		.argv = (const char *const *)argv,
		.stdin_fd = archive_fd,
		.stdout_fd = out_write,
		.stderr_fd = error_write,
		.keep = &dir_fd,
		.n_keep = 1,
	};
	if (!proc_spawn(&spawn, &pid, &no_start))
		return fail(err, ERROR_FAILED, "%s", no_start->message);
	close_fd_ptr(&out_write);
	close_fd_ptr(&error_write);
	if (!collect(pid, out_read, error_read, &text, err) ||
		!apply_report(text, dir_fd, &report, err))
		return false;
	*ret_report = report;
	return true;
}

bool layer_unpack(int archive_fd, int dir_fd, LayerReport *ret_report, GError **err) {
	return run(archive_fd, dir_fd, NULL, NULL, ret_report, err);
}

bool layer_peek(
	int archive_fd, int dir_fd, const char *const *only, const char *copy, GError **err) {
	LayerReport report;

	return run(archive_fd, dir_fd, only, copy, &report, err);
}
