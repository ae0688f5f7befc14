/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Added users and groups. See accounts.h. */
#include "runtime/accounts.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "runtime/mounts.h"
#include "runtime/rootfs.h"
#include "runtime/syscalls.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

void accounts_clear(AccountsFile *file) {
	close_fd_ptr(&file->write_fd);
	close_fd_ptr(&file->mount_fd);
}

bool accounts_prepare(const char *path, AccountsFile *ret_file, GError **err) {
	AccountsFile file = ACCOUNTS_FILE_NONE;

	*ret_file = file;
	if (!path)
		return true;
	file.write_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (file.write_fd < 0 || fchmod(file.write_fd, 0644) < 0)
		return fail_errno(err, errno, "cannot make \"%s\"", path);
	file.mount_fd = mounts_clone(
		AT_FDCWD, path, false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (file.mount_fd < 0) {
		fail_errno(err, errno, "cannot mount \"%s\"", path);
		accounts_clear(&file);
		return false;
	}
	*ret_file = file;
	return true;
}

/* What a field may hold; a colon or a line break would make another field or line (B4-06). */
static bool is_field(const char *text) {
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == ':')
			return false;
	return true;
}

static void replace(GString *text, const char *name, const char *value) {
	if (is_field(value))
		g_string_replace(text, name, value, 0);
}

static char *passwd_line(const AccountsRequest *request, const ProcessUser *user) {
	g_autofree char *uid = g_strdup_printf("%u", user->uid);
	g_autofree char *gid = g_strdup_printf("%u", user->gid);
	const char *home = is_field(request->home) ? request->home : "/";
	GString *line =
		g_string_new(request->passwd_entry ? request->passwd_entry
						   : "$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh");

	replace(line, "$USERNAME", uid);
	replace(line, "$UID", uid);
	replace(line, "$GID", gid);
	replace(line, "$NAME", "container user");
	replace(line, "$HOME", home);
	return g_string_free(line, FALSE);
}

static char *group_line(const AccountsRequest *request, const ProcessUser *user) {
	g_autofree char *gid = g_strdup_printf("%u", user->gid);
	g_autofree char *member = g_strndup(request->user, strcspn(request->user, ":"));
	GString *line = g_string_new(
		request->group_entry ? request->group_entry : "$GROUPNAME:x:$GID:$USERLIST");

	replace(line, "$GROUPNAME", gid);
	replace(line, "$GID", gid);
	replace(line, "$USERLIST", member);
	return g_string_free(line, FALSE);
}

static bool is_line_of(const char *line, const char *user_name, const char *uid) {
	g_auto(GStrv) fields = g_strsplit(line, ":", 4);

	return fields[0] && fields[1] && fields[2] &&
	       (strcmp(fields[0], user_name) == 0 || strcmp(fields[2], uid) == 0);
}

static bool is_known(const char *text, const char *line) {
	g_auto(GStrv) fields = g_strsplit(line, ":", 4);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **present = lines; *present; present++)
		if (fields[0] && fields[1] && fields[2] &&
			is_line_of(*present, fields[0], fields[2]))
			return true;
	return false;
}

static void append_line(GString *text, const char *line) {
	if (text->len && text->str[text->len - 1] != '\n')
		g_string_append_c(text, '\n');
	g_string_append_printf(text, "%s\n", line);
}

/* Fills the file and puts it over path. */
static bool install(
	int root_fd, const char *path, const char *text, const AccountsFile *file, GError **err) {
	_cleanup_close_ int point = rootfs_open(root_fd, path, O_PATH);

	if (!fd_write_all(file->write_fd, text, strlen(text), path, err))
		return false;
	if (point < 0 || sys_move_mount(file->mount_fd, point) < 0)
		return fail_errno(err, errno, "cannot mount on \"%s\"", path);
	return true;
}

char *accounts_passwd_text(
	const char *present, const AccountsRequest *request, const ProcessUser *user) {
	g_autoptr(GString) text = g_string_new(present);

	if (!user->name) {
		g_autofree char *line = passwd_line(request, user);
		append_line(text, line);
	}
	for (char *const *line = request->host_users; line && *line; line++)
		if (!is_known(text->str, *line))
			append_line(text, *line);
	return text->len == strlen(present) ? NULL : g_string_free(g_steal_pointer(&text), FALSE);
}

char *accounts_group_text(
	const char *present, const AccountsRequest *request, const ProcessUser *user) {
	g_autofree char *gid = g_strdup_printf("%u", user->gid);
	g_auto(GStrv) lines = g_strsplit(present, "\n", -1);
	g_autoptr(GString) text = g_string_new(present);

	for (char **line = lines; *line; line++)
		if (is_line_of(*line, "", gid))
			return NULL;
	g_autofree char *line = group_line(request, user);
	append_line(text, line);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool add_users(int root_fd, const AccountsRequest *request, const ProcessUser *user,
	const AccountsFile *file, GError **err) {
	g_autofree char *present = NULL;

	if (file->write_fd < 0 ||
		!process_read_account_file(root_fd, "/etc/passwd", &present, err) || !present)
		return !err || !*err;
	g_autofree char *text = accounts_passwd_text(present, request, user);
	return !text || install(root_fd, "/etc/passwd", text, file, err);
}

static bool add_group(int root_fd, const AccountsRequest *request, const ProcessUser *user,
	const AccountsFile *file, GError **err) {
	g_autofree char *present = NULL;

	if (file->write_fd < 0 ||
		!process_read_account_file(root_fd, "/etc/group", &present, err) || !present)
		return !err || !*err;
	g_autofree char *text = accounts_group_text(present, request, user);
	return !text || install(root_fd, "/etc/group", text, file, err);
}

bool accounts_apply(int root_fd, const AccountsRequest *request, const ProcessUser *user,
	const AccountsFile *passwd, const AccountsFile *group, GError **err) {
	g_autoptr(GError) error = NULL;

	if (add_users(root_fd, request, user, passwd, &error) &&
		add_group(root_fd, request, user, group, &error))
		return true;
	g_propagate_error(err, g_steal_pointer(&error));
	return false;
}
