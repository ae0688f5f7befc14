/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few system calls that reading a stream and writing a tree need. */
#pragma once

#include "unpack/scope.h"

/* Installs the filter: every other call gives ENOSYS, a call of another architecture ends the
 * process. Needs no_new_privs. */
bool syscall_filter_install(Failure *failure);
