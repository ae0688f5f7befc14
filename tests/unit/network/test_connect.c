/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach and detach on a host of namespaces: what is reached by whom, and that nothing stays. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "netlab.h"
#include "network/connect.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static char *state_dir;

static NetworkDef test_network = {
	.name = (char *)"podctl",
	.bridge = (char *)"podctl0",
	.subnet = (char *)"10.87.0.0/16",
	.gateway = (char *)"10.87.0.1",
};

static bool attach_ports(const LabPod *pod, const PortMapping *ports, size_t n_ports,
	NetworkResult *ret_result, GError **err) {
	const NetworkAttach attach = {
		.state_dir = state_dir,
		.owner_id = pod->id,
		.network = &test_network,
		.target = pod->process,
		.ports = ports,
		.n_ports = n_ports,
	};

	return connect_attach(&attach, ret_result, err);
}

static NetworkResult attach_ok(const LabPod *pod, const PortMapping *ports, size_t n_ports) {
	g_autoptr(GError) error = NULL;
	NetworkResult result = {0};

	attach_ports(pod, ports, n_ports, &result, &error);
	g_assert_no_error(error);
	return result;
}

static void detach_ok(const LabPod *pod) {
	g_autoptr(GError) error = NULL;

	connect_detach(state_dir, pod->id, &error);
	g_assert_no_error(error);
}

static void assert_answer(
	int netns_fd, PortProtocol protocol, const char *address, uint16_t port, const char *want) {
	g_autofree char *answer = lab_ask(netns_fd, protocol, address, port);

	g_test_message("%s:%u answers \"%s\", wanted \"%s\"", address, port, answer, want);
	g_assert_cmpstr(answer, ==, want);
}

static void test_reach(void) {
	const PortMapping ports[] = {
		{.protocol = PORT_TCP, .host_port = 8080, .container_port = 80, .count = 1},
		{.protocol = PORT_UDP, .host_port = 5353, .container_port = 53, .count = 1},
	};
	LabPod pod = lab_pod_new(), other = lab_pod_new();
	NetworkResult result = attach_ok(&pod, ports, 2), other_result = attach_ok(&other, NULL, 0);
	pid_t tcp = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 80);
	pid_t udp = lab_server_new(pod.netns_fd, PORT_UDP, "0.0.0.0", 53);
	g_autofree char *from_other = g_strdup_printf("80 %s", other_result.address);

	/* the host: directly, by its own addresses, by loopback */
	assert_answer(-1, PORT_TCP, result.address, 80, "80 10.87.0.1");
	assert_answer(-1, PORT_TCP, "192.0.2.1", 8080, "80 192.0.2.1");
	assert_answer(-1, PORT_TCP, "127.0.0.1", 8080, "80 10.87.0.1");
	assert_answer(-1, PORT_UDP, "127.0.0.1", 5353, "53 10.87.0.1");
	assert_answer(-1, PORT_UDP, "10.87.0.1", 5353, "53 10.87.0.1");
	/* the world sees only what is published, and is seen with its own address */
	assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 8080, "80 192.0.2.2");
	assert_answer(lab_world(), PORT_UDP, "192.0.2.1", 5353, "53 192.0.2.2");
	/* pod to pod, to a published port, and to its own */
	assert_answer(other.netns_fd, PORT_TCP, result.address, 80, from_other);
	assert_answer(other.netns_fd, PORT_TCP, "10.87.0.1", 8080, "80 10.87.0.1");
	assert_answer(pod.netns_fd, PORT_TCP, "192.0.2.1", 8080, "80 10.87.0.1");
	assert_answer(pod.netns_fd, PORT_UDP, "192.0.2.1", 5353, "53 10.87.0.1");
	lab_server_end(tcp);
	lab_server_end(udp);
	network_result_clear(&result);
	network_result_clear(&other_result);
	detach_ok(&pod);
	detach_ok(&other);
	lab_pod_end(&pod);
	lab_pod_end(&other);
	g_assert_true(lab_is_clean(state_dir));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	if (!lab_enter()) {
		g_print("1..0 # SKIP needs root and network namespaces\n");
		return 0;
	}
	state_dir = g_dir_make_tmp("podctl-network-XXXXXX", NULL);
	g_test_add_func("/network/connect/reach", test_reach);
	int result = g_test_run();
	lab_leave();
	fd_remove_tree(AT_FDCWD, state_dir, NULL);
	g_free(state_dir);
	return result;
}
