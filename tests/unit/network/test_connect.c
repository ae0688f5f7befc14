/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attach and detach on a host of namespaces: what is reached by whom, and that nothing stays. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "netlab.h"
#include "network/connect.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

static void attach_only(const LabPod *pod, const PortMapping *ports, size_t n_ports) {
	NetworkResult result = lab_attach(pod, ports, n_ports);

	network_result_clear(&result);
}

static void test_reach(void) {
	const PortMapping ports[] = {
		{.protocol = PORT_TCP, .host_port = 8080, .container_port = 80, .count = 1},
		{.protocol = PORT_UDP, .host_port = 5353, .container_port = 53, .count = 1},
	};
	LabPod pod = lab_pod_new(), other = lab_pod_new();
	NetworkResult result = lab_attach(&pod, ports, 2),
		      other_result = lab_attach(&other, NULL, 0);
	pid_t tcp = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 80);
	pid_t udp = lab_server_new(pod.netns_fd, PORT_UDP, "0.0.0.0", 53);
	g_autofree char *from_other = g_strdup_printf("80 %s", other_result.address);

	/* the host: directly, by its own addresses, by loopback */
	lab_assert_answer(-1, PORT_TCP, result.address, 80, "80 10.87.0.1");
	lab_assert_answer(-1, PORT_TCP, "192.0.2.1", 8080, "80 192.0.2.1");
	lab_assert_answer(-1, PORT_TCP, "127.0.0.1", 8080, "80 10.87.0.1");
	lab_assert_answer(-1, PORT_UDP, "127.0.0.1", 5353, "53 10.87.0.1");
	lab_assert_answer(-1, PORT_UDP, "10.87.0.1", 5353, "53 10.87.0.1");
	/* the world sees only what is published, and is seen with its own address */
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 8080, "80 192.0.2.2");
	lab_assert_answer(lab_world(), PORT_UDP, "192.0.2.1", 5353, "53 192.0.2.2");
	/* pod to pod, to a published port, and to its own */
	lab_assert_answer(other.netns_fd, PORT_TCP, result.address, 80, from_other);
	lab_assert_answer(other.netns_fd, PORT_TCP, "10.87.0.1", 8080, "80 10.87.0.1");
	lab_assert_answer(pod.netns_fd, PORT_TCP, "192.0.2.1", 8080, "80 10.87.0.1");
	lab_assert_answer(pod.netns_fd, PORT_UDP, "192.0.2.1", 5353, "53 10.87.0.1");
	lab_server_end(tcp);
	lab_server_end(udp);
	network_result_clear(&result);
	network_result_clear(&other_result);
	lab_detach(&pod);
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 8080, NULL);
	lab_detach(&other);
	lab_pod_end(&pod);
	lab_pod_end(&other);
	lab_assert_clean();
}

static void test_outgoing(void) {
	LabPod pod = lab_pod_new();
	pid_t server = lab_server_new(lab_world(), PORT_TCP, "0.0.0.0", 7000);

	attach_only(&pod, NULL, 0);
	lab_assert_answer(pod.netns_fd, PORT_TCP, "192.0.2.2", 7000, "7000 192.0.2.1");
	lab_server_end(server);
	lab_detach(&pod);
	lab_pod_end(&pod);
	lab_assert_clean();
}

/* A neighbour that routes the subnet to us reaches nothing that is not published. */
/* security: B11-14 */
static void test_routed_neighbour(void) {
	LabPod pod = lab_pod_new();
	NetworkResult result = lab_attach(&pod, NULL, 0);
	pid_t server = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 80);

	lab_ip(lab_world(), "ip route add 10.87.0.0/16 via 192.0.2.1");
	lab_assert_answer(lab_world(), PORT_TCP, result.address, 80, NULL);
	lab_assert_answer(-1, PORT_TCP, result.address, 80, "80 10.87.0.1");
	lab_ip(lab_world(), "ip route del 10.87.0.0/16");
	lab_server_end(server);
	network_result_clear(&result);
	lab_detach(&pod);
	lab_pod_end(&pod);
	lab_assert_clean();
}

/* route_localnet is on for the bridge: what listens on the host's loopback stays there. */
/* security: B11-09 */
static void test_loopback_is_private(void) {
	LabPod pod = lab_pod_new();
	pid_t server = lab_server_new(-1, PORT_TCP, "127.0.0.1", 7001);

	attach_only(&pod, NULL, 0);
	lab_ip(pod.netns_fd, "ip addr del 127.0.0.1/8 dev lo");
	lab_ip(pod.netns_fd, "ip link set lo down");
	lab_ip(pod.netns_fd, "ip route add 127.0.0.0/8 via 10.87.0.1");
	g_assert_cmpint(lab_write_sysctl(pod.netns_fd, "ipv4/conf/all/route_localnet", "1"), ==, 0);
	lab_assert_answer(pod.netns_fd, PORT_TCP, "127.0.0.1", 7001, NULL);
	lab_assert_answer(-1, PORT_TCP, "127.0.0.1", 7001, "7001 127.0.0.1");
	lab_server_end(server);
	lab_detach(&pod);
	lab_pod_end(&pod);
	lab_assert_clean();
}

static void test_ranges(void) {
	const PortMapping ports[] = {
		{.protocol = PORT_TCP, .host_port = 9000, .container_port = 9000, .count = 1000},
		{.protocol = PORT_TCP, .host_port = 7100, .container_port = 80, .count = 3},
		{.host_address = (char *)"127.0.0.1",
			.protocol = PORT_TCP,
			.host_port = 7200,
			.container_port = 80,
			.count = 1},
	};
	LabPod pod = lab_pod_new();
	pid_t in_range = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 9999);
	pid_t first = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 80);
	pid_t last = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 82);

	attach_only(&pod, ports, 3);
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 9999, "9999 192.0.2.2");
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 10000, NULL);
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 7100, "80 192.0.2.2");
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 7102, "82 192.0.2.2");
	lab_assert_answer(-1, PORT_TCP, "127.0.0.1", 7200, "80 10.87.0.1");
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 7200, NULL);
	lab_server_end(in_range);
	lab_server_end(first);
	lab_server_end(last);
	lab_detach(&pod);
	lab_pod_end(&pod);
	lab_assert_clean();
}

static void test_chosen_ports(void) {
	const PortMapping ports[] = {
		{.protocol = PORT_TCP, .container_port = 80, .count = 1},
		{.protocol = PORT_UDP, .container_port = 80, .count = 20},
	};
	LabPod pod = lab_pod_new();
	NetworkResult result = lab_attach(&pod, ports, 2);
	pid_t server = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 80);

	g_assert_cmpuint(result.n_ports, ==, 2);
	g_assert_cmpuint(result.ports[0].host_port, >, 1023);
	g_assert_cmpuint(result.ports[1].host_port, >, 1023);
	lab_assert_answer(
		lab_world(), PORT_TCP, "192.0.2.1", result.ports[0].host_port, "80 192.0.2.2");
	lab_server_end(server);
	network_result_clear(&result);
	lab_detach(&pod);
	lab_pod_end(&pod);
	lab_assert_clean();
}

/* security: B11-11 */
static void test_no_ipv6_inside(void) {
	static const char *const list[] = {"ip", "-6", "addr", "show", "dev", "podctl0", NULL};
	LabPod pod = lab_pod_new();
	int status;

	attach_only(&pod, NULL, 0);
	lab_ip(pod.netns_fd, "ip link show eth0");
	g_assert_cmpint(lab_write_sysctl(pod.netns_fd, "ipv6/conf/eth0/disable_ipv6", NULL), ==, 1);
	g_autofree char *text = lab_run(list, &status);
	g_assert_cmpstr(text, ==, "");
	lab_detach(&pod);
	lab_pod_end(&pod);
	lab_assert_clean();
}

/* Twenty at once come and go on one bridge, each with a port: what they share is neither made
 * twice nor taken from under one of them. */
static void test_parallel(void) {
	enum { PARALLEL = 20, ROUNDS = 5 };
	pid_t children[PARALLEL];
	int status;

	for (unsigned i = 0; i < PARALLEL; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		for (unsigned round = 0; round < ROUNDS; round++) {
			const PortMapping port = {.protocol = PORT_TCP,
				.host_port = (uint16_t)(20000 + i),
				.container_port = 80,
				.count = 1};
			LabPod pod = lab_pod_new();
			NetworkResult result = lab_attach(&pod, &port, 1);
			pid_t server = lab_server_new(pod.netns_fd, PORT_TCP, "0.0.0.0", 80);
			lab_assert_answer(
				-1, PORT_TCP, "127.0.0.1", port.host_port, "80 10.87.0.1");
			lab_server_end(server);
			network_result_clear(&result);
			lab_pod_end(&pod);
			lab_detach(&pod);
		}
		_exit(0);
	}
	for (unsigned i = 0; i < PARALLEL; i++) {
		g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
		g_assert_cmpint(status, ==, 0);
	}
	lab_assert_clean();
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	if (!lab_enter()) {
		g_print("1..0 # SKIP needs root and network namespaces\n");
		return 0;
	}
	g_test_add_func("/network/connect/reach", test_reach);
	g_test_add_func("/network/connect/outgoing", test_outgoing);
	g_test_add_func("/network/connect/routed-neighbour", test_routed_neighbour);
	g_test_add_func("/network/connect/loopback-is-private", test_loopback_is_private);
	g_test_add_func("/network/connect/ranges", test_ranges);
	g_test_add_func("/network/connect/chosen-ports", test_chosen_ports);
	g_test_add_func("/network/connect/no-ipv6-inside", test_no_ipv6_inside);
	g_test_add_func("/network/connect/parallel", test_parallel);
	int result = g_test_run();
	lab_leave();
	return result;
}
