/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stage for podctl-supervisor: see rig.h. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOWEST_FD 20

int rig_high(int fd) {
	int high = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD);
	g_assert_cmpint(high, >=, LOWEST_FD);
	close(fd);
	return high;
}

int rig_bind(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_assert_cmpuint(strlen(path), <, sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = rig_high(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	return fd;
}

void rig_text(Rig *rig, HandoffText *text, const char *bytes, size_t size) {
	text->offset = (uint32_t)(sizeof(Handoff) + rig->block->len);
	text->size = (uint32_t)size;
	g_byte_array_append(rig->block, (const guint8 *)bytes, (guint)size);
}

/* /bin/sh DIR/NAME, which writes its arguments to DIR/NAME-args. */
static void add_command(Rig *rig, HandoffText *text, const char *name) {
	g_autofree char *path = g_build_filename(rig->dir, name, NULL);
	g_autofree char *script =
		g_strdup_printf("echo \"$@\" > %s-args.tmp; ls -l /proc/self/fd > %s-fds\n"
				"mv %s-args.tmp %s-args; exit 42\n",
			path, path, path, path);
	g_assert_true(g_file_set_contents(path, script, -1, NULL));
	GString *list = g_string_new(NULL);
	g_string_append_len(list, "/bin/sh", sizeof("/bin/sh"));
	g_string_append_len(list, path, (gssize)strlen(path) + 1);
	g_string_append_len(list, "ID", sizeof("ID"));
	g_string_append_len(list, "", 1);
	rig_text(rig, text, list->str, list->len);
	g_string_free(list, TRUE);
}

Rig *rig_new(void) {
	Rig *rig = g_new0(Rig, 1);
	Handoff *h = &rig->handoff;
	g_autoptr(GError) err = NULL;

	rig->block = g_byte_array_new();
	rig->dir = g_dir_make_tmp("podctl-test-XXXXXX", &err);
	g_assert_no_error(err);
	rig->journal_path = g_build_filename(rig->dir, "journal", NULL);
	rig->notify_path = g_build_filename(rig->dir, "notify", NULL);
	rig->journal_fd = rig_bind(rig->journal_path);
	rig->notify_fd = rig_bind(rig->notify_path);

	int pair[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), ==, 0);
	rig->container_notify_fd = rig_high(pair[0]);

	*h = (Handoff){.magic = HANDOFF_MAGIC,
		.version = HANDOFF_VERSION,
		.log = HANDOFF_LOG_K8S_FILE,
		.stop_signal = SIGTERM,
		.stop_timeout_usec = 5000000,
		.console_fd = HANDOFF_NO_FD,
		.front_stdout_fd = HANDOFF_NO_FD,
		.front_stderr_fd = HANDOFF_NO_FD,
		.front_fd = HANDOFF_NO_FD,
		.ready_fd = HANDOFF_NO_FD,
		.stdin_fd = HANDOFF_NO_FD,
		.notify_fd = rig_high(pair[1])};
	h->log_dir_fd = rig_high(open(rig->dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
	rig_text(rig, &h->run_dir, rig->dir, strlen(rig->dir) + 1);
	rig_text(rig, &h->log_name, "ctr.log", sizeof("ctr.log"));
	rig_text(rig, &h->notify_socket, rig->notify_path, strlen(rig->notify_path) + 1);
	rig_text(rig, &h->journal_socket, rig->journal_path, strlen(rig->journal_path) + 1);
	add_command(rig, &h->cleanup_argv, "cleanup");
	add_command(rig, &h->relaunch_argv, "relaunch");
	return rig;
}

void rig_free(Rig *rig) {
	g_autoptr(GDir) dir = g_dir_open(rig->dir, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(rig->dir, name, NULL);
		g_unlink(path);
	}
	g_rmdir(rig->dir);
	close(rig->journal_fd);
	close(rig->notify_fd);
	close(rig->container_notify_fd);
	g_byte_array_free(rig->block, TRUE);
	g_free(rig->journal_path);
	g_free(rig->notify_path);
	g_free(rig->dir);
	g_free(rig);
}

static pid_t fork_container(int out_fd, int err_fd, const char *dir, const char *script) {
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	setsid();
	dup2(out_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	if (chdir(dir) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", script, NULL);
	_exit(127);
}

static void keep(int fd) {
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

static void become_supervisor(Rig *rig) {
	Handoff *h = &rig->handoff;
	const int32_t fds[] = {h->init_pidfd, h->stdout_fd, h->stderr_fd, h->console_fd,
		h->front_stdout_fd, h->front_stderr_fd, h->front_fd, h->notify_fd, h->ready_fd,
		h->log_dir_fd, h->stdin_fd};

	h->size = (uint32_t)(sizeof(*h) + rig->block->len);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		keep(fds[i]);
	int fd = rig_high(memfd_create("handoff", MFD_CLOEXEC));
	g_byte_array_prepend(rig->block, (const guint8 *)h, sizeof(*h));
	for (size_t i = 0; i < G_N_ELEMENTS(rig->flip_at); i++)
		rig->block->data[rig->flip_at[i] % rig->block->len] ^= rig->flip_with[i];
	if (write(fd, rig->block->data, rig->block->len) < 0 ||
		ftruncate(fd, (off_t)(h->size - rig->cut_bytes)) < 0)
		_exit(1);
	dup2(fd, HANDOFF_FD);
	if (rig->file_limit_bytes > 0) {
		struct rlimit limit = {rig->file_limit_bytes, rig->file_limit_bytes};
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	const char *program = g_getenv("PODCTL_SUPERVISOR");
	execl(program, "podctl-supervisor", NULL);
	_exit(1);
}

void rig_start(Rig *rig, const char *script) {
	int out[2], err[2];
	Handoff *h = &rig->handoff;

	g_assert_cmpint(pipe2(out, O_CLOEXEC), ==, 0);
	g_assert_cmpint(pipe2(err, O_CLOEXEC), ==, 0);
	for (int i = 0; i < 2; i++) {
		out[i] = rig_high(out[i]);
		err[i] = rig_high(err[i]);
	}
	rig->supervisor = fork();
	g_assert_cmpint(rig->supervisor, >=, 0);
	if (rig->supervisor == 0) {
		pid_t container = fork_container(out[1], err[1], rig->dir, script);
		close(out[1]);
		close(err[1]);
		close(rig->journal_fd);
		close(rig->notify_fd);
		if (h->init_pid == 0)
			h->init_pid = container;
		h->init_pidfd = rig_high((int)syscall(SYS_pidfd_open, container, 0));
		bool console = h->console_fd != HANDOFF_NO_FD;
		h->stdout_fd = console ? HANDOFF_NO_FD : out[0];
		h->stderr_fd = console ? HANDOFF_NO_FD : err[0];
		become_supervisor(rig);
	}
	for (int i = 0; i < 2; i++) {
		close(out[i]);
		close(err[i]);
	}
	close(h->notify_fd);
	close(h->log_dir_fd);
}

int rig_wait(Rig *rig) {
	int status = 0;
	g_assert_cmpint(waitpid(rig->supervisor, &status, 0), ==, rig->supervisor);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

char *rig_read(const Rig *rig, const char *name) {
	g_autofree char *path = g_build_filename(rig->dir, name, NULL);
	char *text = NULL;
	return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

bool rig_exists(const Rig *rig, const char *name) {
	g_autofree char *path = g_build_filename(rig->dir, name, NULL);
	return access(path, F_OK) == 0;
}

void rig_await(const Rig *rig, const char *name, const char *text) {
	/* half a minute: the machine may be busy with other tests */
	for (int i = 0; i < 3000; i++) {
		g_autofree char *content = rig_read(rig, name);
		if (strstr(content, text))
			return;
		g_usleep(10000);
	}
	g_test_message("%s never had \"%s\"", name, text);
	g_test_fail();
}

char *rig_datagram(int fd, int timeout_ms, size_t *ret_length) {
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	g_autofree char *bytes = g_malloc0(512 * 1024);

	if (poll(&poller, 1, timeout_ms) <= 0)
		return NULL;
	ssize_t n = recv(fd, bytes, 512 * 1024 - 1, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return NULL;
	if (ret_length)
		*ret_length = (size_t)n;
	return g_steal_pointer(&bytes);
}
