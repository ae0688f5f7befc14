/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The small syntaxes of single options. Every function takes the user's text and fails with
 * ERROR_INVALID, naming the text and what is wrong with it. Nothing here touches the disk.
 */
#pragma once

#include "base/error.h"
#include "model/mount_request.h"

#include <netinet/in.h>
#include <stdint.h>

typedef enum PortProtocol {
	PORT_TCP,
	PORT_UDP,
	PORT_SCTP,
} PortProtocol;

const char *port_protocol_to_string(PortProtocol protocol);

/* [[IP:][HOST[-HOST]]:]CONTAINER[-CONTAINER][/PROTOCOL] */
typedef struct PortMapping {
	PortProtocol protocol;
	char *host_address; /* re-printed from binary; NULL: every address */
	uint16_t host_port; /* 0: choose one */
	uint16_t container_port;
	uint16_t count;
} PortMapping;

/* *ret_mapping is filled; free host_address with port_mapping_clear. IPv6 addresses stand in []. */
bool spec_parse_port(const char *text, PortMapping *ret_mapping, GError **err);
void port_mapping_clear(PortMapping *mapping);

typedef enum RestartPolicy {
	RESTART_NO,
	RESTART_ON_FAILURE,
	RESTART_ALWAYS,
	RESTART_UNLESS_STOPPED,
} RestartPolicy;

/* no, on-failure[:N], always, unless-stopped; *ret_retries is 0 for "no bound". */
bool spec_parse_restart(
	const char *text, RestartPolicy *ret_policy, unsigned *ret_retries, GError **err);

typedef enum NetworkMode {
	NETWORK_BRIDGE, /* the default network, or the named one */
	NETWORK_NONE,
	NETWORK_HOST,
	NETWORK_CONTAINER, /* container:NAME */
	NETWORK_NAMESPACE, /* ns:PATH */
	NETWORK_POD,       /* the pod's (never written by the user; set by the engine) */
} NetworkMode;

typedef struct NetworkRequest {
	NetworkMode mode;
	char *name;     /* network name, container or path; NULL: the default network */
	char *ip;       /* from "NAME:ip=...", re-printed; NULL: leased */
	char *mac;      /* from "NAME:mac=..." */
	char **aliases; /* from "NAME:alias=..." */
	char *interface_name;
} NetworkRequest;

NetworkRequest *spec_parse_network(const char *text, GError **err);
void network_request_free(NetworkRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkRequest, network_request_free)

/* NAME[;NAME...]:IP or :host-gateway. *ret_address is NULL for host-gateway. Names are checked
 * ([A-Za-z0-9._-]), the address is re-printed from binary: nothing can inject a line. */
bool spec_parse_add_host(const char *text, char ***ret_names, char **ret_address, GError **err);

/* net, ipc, uts, pid, cgroup, user, none; "+x" and "-x" change the default (net, ipc, uts), which
 * is also what text NULL gives. *ret_flags are CLONE_NEW* bits. */
bool spec_parse_share(const char *text, int *ret_flags, GError **err);

/* NAME=SOFT[:HARD] with NAME as in setrlimit(2), lower case, "-1" for no limit; "host" is
 * *ret_resource == -1. */
bool spec_parse_ulimit(
	const char *text, int *ret_resource, uint64_t *ret_soft, uint64_t *ret_hard, GError **err);

/* A user or group as an account file or a number may have it: all digits are an id below 2^32-1; a
 * name begins with a letter or "_" and has letters, digits and "_.-@$" only. Whatever else looks
 * like a number ("+1", "0x0", "1e3") is neither (security.md B4-04, B4-05). */
bool spec_check_account(const char *text, const char *what, GError **err);

/* "", USER, USER:GROUP, :GROUP. */
bool spec_check_user(const char *text, GError **err);

/* LINUX or LINUX32, as the runtime specification has them; *ret_persona is for personality(2). */
bool spec_parse_personality(const char *text, unsigned long *ret_persona, GError **err);

/* "local", or a name below the zone directory: no "..", no empty part, not absolute. */
bool spec_parse_timezone(const char *text, GError **err);

/* Descriptor numbers, each within 3 to 1023 (spec_parse_fd_list: sorted, each once). *ret_count may
 * be 0. Free *ret_fds with g_free. */
bool spec_parse_fd_list(char *const *texts, int **ret_fds, size_t *ret_count, GError **err);

/* Options of the container's /proc: "hidepid=N" (0, 1, 2, 4 or their words), "subset=pid". */
bool spec_parse_proc_options(const char *text, char ***ret_options, GError **err);

/* An IP address re-printed from binary (4 or 6), free with g_free; NULL on error. what names the
 * option. */
char *spec_parse_ip(const char *text, const char *what, GError **err);

/* Six bytes in hex, re-printed as aa:bb:...; group addresses are refused. Free with g_free. */
char *spec_parse_mac(const char *text, GError **err);

/* Exactly K=V or K; true if the name is usable as an environment variable name. */
bool spec_env_name_ok(const char *assignment);
