/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host and pods to test on: network namespaces of this test program alone. The program moves into
 * a fresh namespace that plays the host, so the machine's own network is never touched. Pods are
 * child processes that hold a namespace each. Everything here aborts the test when it fails.
 */
#pragma once

#include "network/network.h"

/* Moves the program into a fresh "host" with lo up and an outside world beyond a veth pair:
 * the host is 192.0.2.1, the world 192.0.2.2. False when this is not allowed here (not root). */
bool lab_enter(void);

/* Ends the world's process; the namespaces go with their processes. */
void lab_leave(void);

/* The world's namespace. */
int lab_world(void);

typedef struct LabPod {
	ProcId process;
	int netns_fd;
	char id[65];
} LabPod;

/* A process with a namespace of its own and lo up, and a random owner id. */
LabPod lab_pod_new(void);

/* Ends the process and closes the namespace. */
void lab_pod_end(LabPod *pod);

/* Starts a server in the namespace (-1: the host's); it answers every question with
 * "LOCAL-PORT PEER-ADDRESS". Ends with lab_server_end. */
pid_t lab_server_new(int netns_fd, PortProtocol protocol, const char *address, uint16_t port);
void lab_server_end(pid_t server);

/* Asks a server from within the namespace (-1: the host's) and returns its answer, or NULL when
 * nobody answered within a second. Free with g_free. */
char *lab_ask(int netns_fd, PortProtocol protocol, const char *address, uint16_t port);

/* Runs a program in the host's namespace and returns its output; free with g_free. */
char *lab_run(const char *const *argv, int *ret_status);

/* Runs "ip ..." (words split at single blanks) in a namespace (-1: the host's); it must work. */
void lab_ip(int netns_fd, const char *words);

/* Writes a file below /proc/sys/net of a namespace; value NULL reads a number instead. */
int lab_write_sysctl(int netns_fd, const char *path, const char *value);

/* The room's state directory of this program, made by lab_enter. */
const char *lab_state_dir(void);

/* The network of the tests: 10.87.0.0/16 on podctl0. */
extern const NetworkDef lab_network;

/* Attaches the pod to lab_network; it must work. The other must fail, with this
 * code and a message that holds want. */
NetworkResult lab_attach(const LabPod *pod, const PortMapping *ports, size_t n_ports);
void lab_attach_fails(const LabPod *pod, const char *ip, const PortMapping *ports, size_t n_ports,
	ErrorCode code, const char *want);
void lab_detach(const LabPod *pod);

bool lab_lacks_link(int netns_fd, const char *name);

/* Asks and compares; want NULL: nobody answers. */
void lab_assert_answer(
	int netns_fd, PortProtocol protocol, const char *address, uint16_t port, const char *want);

/* Links, tables, leases, claims and records of the room are gone from the host. A pair whose
 * namespace has just ended is collected by the kernel later: waits up to two seconds. */
void lab_assert_clean(void);
