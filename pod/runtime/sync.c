/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between launcher and first process. See sync.h. */
#include "runtime/sync.h"
#include "base/cleanup.h"

#include <string.h>
#include <sys/socket.h>

bool sync_pair(int *ret_parent, int *ret_child, GError **err) {
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail_errno(err, errno, "cannot make a socket pair");
	*ret_parent = ends[0];
	*ret_child = ends[1];
	return true;
}

void sync_send_error(int fd, const GError *error) {
	SyncMessage message = {.kind = SYNC_KIND_ERROR, .code = error ? error->code : ERROR_FAILED};

	g_strlcpy(message.text, error ? error->message : "unknown error", sizeof(message.text));
	(void)!write(fd, &message, offsetof(SyncMessage, text) + strlen(message.text) + 1);
}

bool sync_send_ready(int fd, int passed_fd, GError **err) {
	SyncMessage message = {.kind = SYNC_KIND_READY};
	struct iovec part = {.iov_base = &message, .iov_len = offsetof(SyncMessage, text) + 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {{0}};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

	if (passed_fd >= 0) {
		packet.msg_control = control.bytes;
		packet.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &passed_fd, sizeof(int));
	}
	if (sendmsg(fd, &packet, MSG_NOSIGNAL) < 0)
		return fail_errno(err, errno, "cannot report to the launcher");
	return true;
}

bool sync_wait_go(int fd) {
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

bool sync_send_go(int fd, GError **err) {
	if (send(fd, "G", 1, MSG_NOSIGNAL) != 1)
		return fail(err, ERROR_STATE, "the container's first process has ended");
	return true;
}

static int take_passed_fd(struct msghdr *packet) {
	struct cmsghdr *header = CMSG_FIRSTHDR(packet);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
		header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

SyncResult sync_decode(const SyncMessage *message, size_t size, GError **err) {
	if (size < offsetof(SyncMessage, text))
		return SYNC_CLOSED;
	if (message->kind == SYNC_KIND_READY)
		return SYNC_READY;
	if (message->kind == SYNC_KIND_EXEC_FAILED) {
		/* there is a shebang or a loader behind ENOENT: the file itself was looked up
		 * before */
		ErrorCode code = message->code == ENOENT ? ERROR_COMMAND_NOT_FOUND
							 : ERROR_COMMAND_NOT_EXECUTABLE;
		fail(err, code, "cannot run the container's program: %s", strerror(message->code));
		return SYNC_ERROR;
	}
	bool known = message->code >= ERROR_FAILED && message->code <= ERROR_COMMAND_NOT_FOUND;
	fail(err, known ? (ErrorCode)message->code : ERROR_FAILED, "%.*s",
		(int)sizeof(message->text), message->text);
	return SYNC_ERROR;
}

SyncResult sync_receive(int fd, int *ret_fd, GError **err) {
	SyncMessage message = {0};
	struct iovec part = {.iov_base = &message, .iov_len = sizeof(message) - 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {{0}};
	struct msghdr packet = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	if (ret_fd)
		*ret_fd = -1;
	do
		n = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	_cleanup_close_ int passed = take_passed_fd(&packet);
	SyncResult result = sync_decode(&message, n < 0 ? 0 : (size_t)n, err);
	if (result == SYNC_READY && ret_fd)
		*ret_fd = steal_fd(&passed);
	return result;
}
