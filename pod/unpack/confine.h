/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gives up everything that unpacking does not need, before the first foreign byte is read: other
 * directories, the network, new processes, capabilities, most system calls, unbounded memory.
 */
#pragma once

#include "unpack/scope.h"

/* Confines this process to the directory: Landlock (where it can allow links between directories,
 * Linux 5.19) and chroot (where privileged); one of the two must work. Keeps the descriptors 0, 1,
 * 2 and dir_fd. */
bool confine_process(int dir_fd, Failure *failure);
