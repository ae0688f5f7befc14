/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closing without waiting. See late_close.h. */
#include "network/late_close.h"

#include "base/cleanup.h"

#include <string.h>
#include <sys/socket.h>

int late_close_hold(int fd) {
	_cleanup_close_ int sender_fd = -1, queue_fd = -1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	sender_fd = pair[0];
	queue_fd = pair[1];
	/* with itself in its own queue, the queue outlives its last descriptor */
	const int held[] = {fd, queue_fd};
	char byte = 0;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof held)];
	} control = {0};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof held);
	memcpy(CMSG_DATA(&control.header), held, sizeof held);
	if (sendmsg(sender_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -1;
	return steal_fd(&sender_fd);
}
