/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capability names and sets. How a set is taken on is in join.c. */
#include "base/cleanup.h"
#include "runtime/runtime.h"

#include <glib.h>
#include <sys/prctl.h>

/* Index is the kernel's number; <linux/capability.h> of an old libc may lack the last ones. */
static const char *const capability_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

static const char *const default_names[] = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"};

int runtime_capability_from_string(const char *name) {
	if (g_ascii_strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (size_t i = 0; i < ARRAY_LENGTH(capability_names); i++)
		if (g_ascii_strcasecmp(name, capability_names[i] + 4) == 0)
			return (int)i;
	return -1;
}

const char *runtime_capability_to_string(int capability) {
	if (capability < 0 || (size_t)capability >= ARRAY_LENGTH(capability_names))
		return NULL;
	return capability_names[capability];
}

uint64_t runtime_capabilities_all(void) {
	uint64_t set = 0;

	for (int bit = 0; bit < 64; bit++) {
		int have = prctl(PR_CAPBSET_READ, bit, 0, 0, 0);
		if (have < 0)
			break;
		if (have)
			set |= UINT64_C(1) << bit;
	}
	return set;
}

uint64_t runtime_capabilities_default(void) {
	uint64_t set = 0;

	array_foreach (name, default_names)
		set |= UINT64_C(1) << runtime_capability_from_string(*name);
	return set;
}
