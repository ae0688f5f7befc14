/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Closing without waiting. The kernel makes whoever closes a netfilter socket last wait until all
 * that was removed lately is freed (nft_rcv_nl_event: one RCU grace period, some ten milliseconds),
 * many times what the removal itself takes. So the last reference is left in a message that nobody
 * can receive any more; the kernel's collector of such messages (unix(7), "garbage collector")
 * drops it, since Linux 6.10 from a worker of its own. On older kernels closing is slow, as it
 * would be.
 */
#pragma once

/* Puts a reference to fd into a message to nowhere. The caller closes fd as usual, then the
 * returned descriptor, which sets the collector off. -1 when it cannot be done: nothing but the
 * time is lost. */
int late_close_hold(int fd);
