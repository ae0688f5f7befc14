/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options in front of the command. What chooses podman's parts (runtime, monitor, storage) has no
 * counterpart: podctl is all of them. */
#include "cli/cmd.h"

#define NO_REMOTE "podctl works on this machine only"
#define NO_PART   "podctl is its own runtime, monitor and network"
#define NO_STORE  "use --root and --runroot"

/* clang-format off */
const OptionRow global_options[] = {
	{"log-level", 0, OPTION_STRING, offsetof(Cli, log_level), "LEVEL", "Messages of this level and above: debug, info, warn, error"},
	{"root", 0, OPTION_STRING, offsetof(Cli, root), "DIR", "Directory of definitions and images"},
	{"runroot", 0, OPTION_STRING, offsetof(Cli, runroot), "DIR", "Directory of run-time state"},
	{"version", 'v', OPTION_BOOL, offsetof(Cli, version), NULL, "Show the version"},

	{"cdi-spec-dir", 0, OPTION_REFUSED, 0, NULL, "name the nodes with --device"},
	{"cgroup-manager", 0, OPTION_REFUSED, 0, NULL, "podctl finds out by itself"},
	{"config", 0, OPTION_REFUSED, 0, NULL, "there is no registry login here"},
	{"conmon", 0, OPTION_REFUSED, 0, NULL, NO_PART},
	{"connection", 'c', OPTION_REFUSED, 0, NULL, NO_REMOTE},
	{"events-backend", 0, OPTION_REFUSED, 0, NULL, "events are not there yet"},
	{"hooks-dir", 0, OPTION_REFUSED, 0, NULL, "there are no hooks"},
	{"identity", 0, OPTION_REFUSED, 0, NULL, NO_REMOTE},
	{"imagestore", 0, OPTION_REFUSED, 0, NULL, NO_STORE},
	{"module", 0, OPTION_REFUSED, 0, NULL, "containers.conf is not read"},
	{"network-cmd-path", 0, OPTION_REFUSED, 0, NULL, NO_PART},
	{"network-config-dir", 0, OPTION_REFUSED, 0, NULL, NO_STORE},
	{"out", 0, OPTION_REFUSED, 0, NULL, "let the shell redirect"},
	{"remote", 'r', OPTION_REFUSED_BOOL, 0, NULL, NO_REMOTE},
	{"runtime", 0, OPTION_REFUSED, 0, NULL, NO_PART},
	{"runtime-flag", 0, OPTION_REFUSED, 0, NULL, NO_PART},
	{"ssh", 0, OPTION_REFUSED, 0, NULL, NO_REMOTE},
	{"storage-driver", 0, OPTION_REFUSED, 0, NULL, "the storage is overlayfs"},
	{"storage-opt", 0, OPTION_REFUSED, 0, NULL, "the storage is overlayfs"},
	{"syslog", 0, OPTION_REFUSED_BOOL, 0, NULL, "messages go to standard error"},
	{"tmpdir", 0, OPTION_REFUSED, 0, NULL, NO_STORE},
	{"transient-store", 0, OPTION_REFUSED_BOOL, 0, NULL, "a container with --rm leaves nothing on disk anyway"},
	{"url", 0, OPTION_REFUSED, 0, NULL, NO_REMOTE},
	{"volumepath", 0, OPTION_REFUSED, 0, NULL, NO_STORE},
	{NULL},
};
/* clang-format on */
