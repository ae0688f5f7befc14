/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the supervisor gives up once it has opened what it needs (security.md A22). All of it can be
 * taken back by execve, because what it becomes removes containers, or makes the next one: so no
 * seccomp filter and no no_new_privs, which would stay for ever and reach the next container.
 */
#pragma once

#include "supervisor/supervisor.h"

/* No core dump, unreadable for others, two capabilities, last to be chosen when memory is short. */
void harden_apply(Supervisor *s);

/* Right before execve: what the next program would inherit is as it was. */
void harden_undo(const Supervisor *s);
