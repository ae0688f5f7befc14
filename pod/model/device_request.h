/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --device and --device-cgroup-rule. Nothing here touches the disk. */
#pragma once

#include "base/error.h"

typedef enum DeviceUse { /* the letters m, r and w */
	USE_MKNOD = 1 << 0,
	USE_READ = 1 << 1,
	USE_WRITE = 1 << 2,
} DeviceUse;

typedef struct DeviceRequest {
	char *source;      /* absolute, cleaned: a node, a directory of them, or a link to one */
	char *destination; /* absolute, cleaned; the source when none was given */
	int use;           /* DeviceUse bits; rwm unless given */
} DeviceRequest;

/* HOST[:INSIDE][:rwm]. ERROR_UNSUPPORTED for the name of a CDI device (vendor/class=name). */
DeviceRequest *spec_parse_device(const char *text, GError **err);
void device_request_free(DeviceRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceRequest, device_request_free)

typedef struct DeviceRule {
	char type;        /* 'a', 'b', 'c' */
	int major, minor; /* -1: any */
	int use;          /* DeviceUse bits */
} DeviceRule;

/* "TYPE MAJOR:MINOR rwm", "*" for any number. */
bool spec_parse_device_rule(const char *text, DeviceRule *ret_rule, GError **err);
