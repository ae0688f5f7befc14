/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, directories and descriptors. See fd.h. */
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { MOUNTINFO_LIMIT = 16 << 20 };

int fd_open_dir(int dir_fd, const char *path, GError **err) {
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		fail_errno(err, errno, "cannot open directory \"%s\"", path);
	return fd;
}

static const char *what_is_wrong(const struct stat *status) {
	if (S_ISLNK(status->st_mode))
		return "it is a symbolic link";
	if (S_ISFIFO(status->st_mode))
		return "it is a FIFO";
	if (!S_ISREG(status->st_mode))
		return "it is no regular file";
	if (status->st_nlink > 1)
		return "it has more than one name";
	return status->st_uid != geteuid() ? "it belongs to another user" : NULL;
}

static bool check_own(const char *path, const struct stat *status, GError **err) {
	const char *wrong = what_is_wrong(status);

	return !wrong || fail(err, ERROR_INVALID, "\"%s\" is not used: %s", path, wrong);
}

bool fd_check_own_file(int dir_fd, const char *path, GError **err) {
	struct stat status;

	if (fstatat(dir_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || fail_errno(err, errno, "cannot use \"%s\"", path);
	return check_own(path, &status, err);
}

int fd_open_own_file(int dir_fd, const char *path, GError **err) {
	struct stat status;
	char link[32];
	_cleanup_close_ int path_fd = openat(dir_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (path_fd < 0 || fstat(path_fd, &status) < 0) {
		fail_errno(err, errno, "cannot open \"%s\"", path);
		return -1;
	}
	if (!check_own(path, &status, err))
		return -1;
	g_snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
	int fd = open(link, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_errno(err, errno, "cannot open \"%s\"", path);
	return fd;
}

int fd_open_file(int dir_fd, const char *path, GError **err) {
	int fd = openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0)
		fail_errno(err, errno, "cannot open \"%s\"", path);
	return fd;
}

bool fd_mkdir_parents(int dir_fd, const char *path, mode_t mode, GError **err) {
	g_autofree char *partial = g_strdup(path);

	if (mkdirat(dir_fd, path, mode) == 0 || errno == EEXIST)
		return true;
	if (errno != ENOENT)
		return fail_errno(err, errno, "cannot make directory \"%s\"", path);
	for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(dir_fd, partial, mode) < 0 && errno != EEXIST)
			return fail_errno(err, errno, "cannot make directory \"%s\"", partial);
		*slash = '/';
	}
	if (mkdirat(dir_fd, path, mode) < 0 && errno != EEXIST)
		return fail_errno(err, errno, "cannot make directory \"%s\"", path);
	return true;
}

int fd_make_dir(int dir_fd, const char *path, mode_t mode, GError **err) {
	if (!fd_mkdir_parents(dir_fd, path, mode, err))
		return -1;
	return fd_open_dir(dir_fd, path, err);
}

bool fd_make_dir_like(const char *path, const char *like, GError **err) {
	struct stat st;
	_cleanup_close_ int fd = fd_make_dir(AT_FDCWD, path, 0700, err);

	if (fd < 0)
		return false;
	if (stat(like, &st) < 0)
		return fail_errno(err, errno, "cannot look at \"%s\"", like);
	if (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
		return fail_errno(err, errno, "cannot set the owner and mode of \"%s\"", path);
	return true;
}

bool fd_read_all(
	int fd, const char *what, size_t limit, char **ret_text, size_t *ret_size, GError **err) {
	g_autofree char *text = NULL;
	size_t size = 0, capacity = 0;

	for (;;) {
		if (size + 1 >= capacity) {
			capacity = capacity ? capacity * 2 : 4096;
			text = g_realloc(text, capacity);
		}
		ssize_t n = read(fd, text + size, capacity - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, errno, "cannot read \"%s\"", what);
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > limit)
			return fail(
				err, ERROR_CORRUPT, "\"%s\" is larger than %zu bytes", what, limit);
	}
	text[size] = '\0';
	*ret_text = g_steal_pointer(&text);
	if (ret_size)
		*ret_size = size;
	return true;
}

bool fd_read_file(int dir_fd, const char *path, size_t limit, char **ret_text, size_t *ret_size,
	GError **err) {
	struct stat st;
	/* O_NONBLOCK: a FIFO in place of the file must not hang us. */
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail_errno(err, errno, "cannot open \"%s\"", path);
	if (fstat(fd, &st) < 0)
		return fail_errno(err, errno, "cannot read \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return fail(err, ERROR_INVALID, "cannot read \"%s\": not a regular file", path);
	return fd_read_all(fd, path, limit, ret_text, ret_size, err);
}

bool fd_write_all(int fd, const void *data, size_t size, const char *what, GError **err) {
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, errno, "cannot write \"%s\"", what);
		p += n;
		size -= (size_t)n;
	}
	return true;
}

static bool write_temporary(int dir_fd, const char *temporary, const void *data, size_t size,
	mode_t mode, FdReplaceFlags flags, GError **err) {
	/* the name has our pid: what stands there was left by a process that was killed */
	_cleanup_close_ int fd = -1;

	if (unlinkat(dir_fd, temporary, 0) < 0 && errno != ENOENT)
		return fail_errno(err, errno, "cannot create \"%s\"", temporary);
	fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(err, errno, "cannot create \"%s\"", temporary);
	if (fchmod(fd, mode) < 0)
		return fail_errno(err, errno, "cannot set the mode of \"%s\"", temporary);
	if (!fd_write_all(fd, data, size, temporary, err))
		return false;
	if ((flags & FD_REPLACE_SYNC) && fsync(fd) < 0)
		return fail_errno(err, errno, "cannot sync \"%s\"", temporary);
	return true;
}

bool fd_replace_file(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
	FdReplaceFlags flags, GError **err) {
	static unsigned counter;
	g_autofree char *temporary =
		g_strdup_printf(".%s.%d-%u.tmp", name, (int)getpid(), counter++);

	if (!write_temporary(dir_fd, temporary, data, size, mode, flags, err)) {
		unlinkat(dir_fd, temporary, 0);
		return fail_prefix(err, "cannot replace \"%s\"", name);
	}
	if (renameat(dir_fd, temporary, dir_fd, name) < 0) {
		int errnum = errno;
		unlinkat(dir_fd, temporary, 0);
		return fail_errno(err, errnum, "cannot replace \"%s\"", name);
	}
	if ((flags & FD_REPLACE_SYNC) && fsync(dir_fd) < 0)
		return fail_errno(err, errno, "cannot sync the directory of \"%s\"", name);
	return true;
}

bool fd_has_mounts(const char *path, bool *ret_mounted, GError **err) {
	g_autofree char *text = NULL, *below = g_strconcat(path, "/", NULL);

	if (!fd_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, NULL, err))
		return false;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	*ret_mounted = false;
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, " ", 6);
		if (g_strv_length(fields) < 6)
			continue;
		/* blanks are octal there */
		g_autofree char *point = g_strcompress(fields[4]);
		if (strcmp(point, path) == 0 || g_str_has_prefix(point, below))
			*ret_mounted = true;
	}
	return true;
}

static int compare_names(gconstpointer a, gconstpointer b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **fd_list_dir(int dir_fd, const char *path, GError **err) {
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT) {
		fail_errno(err, errno, "cannot list \"%s\"", path);
		return NULL;
	}
	if (fd >= 0) {
		_cleanup_closedir_ DIR *dir = fdopendir(fd);
		struct dirent *entry;

		if (!dir) {
			fail_errno(err, errno, "cannot list \"%s\"", path);
			return NULL;
		}
		steal_fd(&fd);
		while ((entry = readdir(dir)))
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

bool fd_place(int fd, int target, GError **err) {
	if (fd == target) {
		if (fcntl(fd, F_SETFD, 0) < 0)
			return fail_errno(err, errno, "cannot pass on descriptor %d", fd);
		return true;
	}
	if (dup3(fd, target, 0) < 0)
		return fail_errno(err, errno, "cannot pass on descriptor %d as %d", fd, target);
	return true;
}

bool fd_is_open(int fd) {
	return fcntl(fd, F_GETFD) >= 0;
}

bool fd_ensure_stdio(GError **err) {
	for (int fd = 0; fd <= 2; fd++) {
		if (fd_is_open(fd))
			continue;
		/* The lowest free number is fd itself: those below are open. */
		if (open("/dev/null", O_RDWR | O_NOCTTY) < 0) /* lint: inherited on purpose */
			return fail_errno(err, errno, "cannot open \"/dev/null\"");
	}
	return true;
}

bool fd_write_file(
	int dir_fd, const char *name, const void *data, size_t size, mode_t mode, GError **err) {
	_cleanup_close_ int fd = openat(dir_fd, name,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, mode);

	if (fd < 0)
		return fail_errno(err, errno, "cannot create \"%s\"", name);
	/* the umask may have taken bits away */
	if (fchmod(fd, mode) < 0)
		return fail_errno(err, errno, "cannot set the mode of \"%s\"", name);
	return fd_write_all(fd, data, size, name, err);
}

int fd_memory_file(const char *name, const void *data, size_t size, GError **err) {
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0) {
		fail_errno(err, errno, "cannot make a memory file");
		return -1;
	}
	if (!fd_write_all(fd, data, size, name, err))
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		fail_errno(err, errno, "cannot rewind a memory file");
		return -1;
	}
	return steal_fd(&fd);
}

bool fd_socket_pair(int ret_fds[2], GError **err) {
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return fail_errno(err, errno, "cannot make a socket pair");
	return true;
}

bool fd_pipe(int ret_fds[2], GError **err) {
	if (pipe2(ret_fds, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot make a pipe");
	return true;
}

bool fd_try_lock(int fd) {
	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

bool fd_lift(int *fd, int lowest, GError **err) {
	if (*fd < 0 || *fd >= lowest)
		return true;
	int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, lowest);
	if (lifted < 0)
		return fail_errno(err, errno, "cannot move descriptor %d", *fd);
	close(*fd);
	*fd = lifted;
	return true;
}

int fd_bind_datagram(const char *path, mode_t mode, GError **err) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		fail_errno(err, errno, "cannot make a socket");
		return -1;
	}
	if (strlen(path) >= sizeof address.sun_path) {
		fail(err, ERROR_INVALID, "cannot bind \"%s\": the path is too long", path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, mode) < 0) {
		fail_errno(err, errno, "cannot bind \"%s\"", path);
		return -1;
	}
	return steal_fd(&fd);
}

bool fd_null_stdio(bool with_stderr, GError **err) {
	_cleanup_close_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (null_fd < 0)
		return fail_errno(err, errno, "cannot open \"/dev/null\"");
	for (int fd = 0; fd <= (with_stderr ? 2 : 1); fd++)
		if (dup3(null_fd, fd, 0) < 0)
			return fail_errno(err, errno, "cannot detach descriptor %d", fd);
	return true;
}

bool fd_send(int socket_fd, const void *data, size_t size, int passed_fd, GError **err) {
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (passed_fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof passed_fd);
	}
	while (sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return fail_errno(err, errno, "cannot send a message");
	return true;
}

ssize_t fd_receive(int socket_fd, void *data, size_t size, int *ret_fd, GError **err) {
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = data, .iov_len = size};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	_cleanup_close_ int passed = -1;
	ssize_t n;

	do
		n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		fail_errno(err, errno, "cannot receive a message");
		return -1;
	}
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(&passed, CMSG_DATA(header), sizeof passed);
	if (ret_fd)
		*ret_fd = steal_fd(&passed);
	return n;
}
