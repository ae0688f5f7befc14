/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes wrong around attach and detach: conflicts, leftovers, other people's hands in the
 * firewall, kills at any moment. After each, nothing is left. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "netlab.h"
#include "network/connect.h"

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static const PortMapping web = {
	.protocol = PORT_TCP, .host_port = 8080, .container_port = 80, .count = 1};

static void attach_only(const LabPod *pod, const PortMapping *ports, size_t n_ports) {
	NetworkResult result = lab_attach(pod, ports, n_ports);

	network_result_clear(&result);
}

static void end(LabPod *pod) {
	lab_detach(pod);
	lab_pod_end(pod);
}

static void run_nft(const char *words) {
	g_auto(GStrv) argv = g_strsplit(words, " ", -1);
	int status;
	g_autofree char *text = lab_run((const char *const *)argv, &status);

	g_assert_cmpint(status, ==, 0);
}

static void test_addresses_in_turn(void) {
	LabPod a = lab_pod_new(), b = lab_pod_new();
	NetworkResult first = lab_attach(&a, NULL, 0), second, again;

	lab_detach(&a);
	second = lab_attach(&b, NULL, 0);
	g_assert_cmpstr(first.address, !=, second.address);
	/* attached once more, an owner keeps what it has */
	again = lab_attach(&b, NULL, 0);
	g_assert_cmpstr(again.address, ==, second.address);
	g_assert_cmpstr(again.mac, ==, second.mac);
	network_result_clear(&first);
	network_result_clear(&second);
	network_result_clear(&again);
	end(&a);
	end(&b);
	lab_assert_clean();
}

static void test_wanted_address(void) {
	LabPod a = lab_pod_new(), b = lab_pod_new();
	NetworkResult result = lab_attach(&a, NULL, 0);

	lab_attach_fails(&b, result.address, NULL, 0, ERROR_IN_USE, "is in use by");
	lab_attach_fails(&b, "10.87.0.1", NULL, 0, ERROR_INVALID, "10.87.0.1");
	lab_attach_fails(&b, "10.88.0.9", NULL, 0, ERROR_INVALID, "10.88.0.9");
	lab_attach_fails(&b, "fd00::1", NULL, 0, ERROR_INVALID, "fd00::1");
	network_result_clear(&result);
	end(&a);
	lab_pod_end(&b);
	lab_assert_clean();
}

static void test_port_of_another_owner(void) {
	const PortMapping wide = {
		.protocol = PORT_TCP, .host_port = 8000, .container_port = 8000, .count = 100};
	const PortMapping local = {.host_address = (char *)"127.0.0.1",
		.protocol = PORT_TCP,
		.host_port = 8080,
		.container_port = 81,
		.count = 1};
	const PortMapping other_protocol = {
		.protocol = PORT_UDP, .host_port = 8080, .container_port = 80, .count = 1};
	const PortMapping twice[] = {web, web};
	LabPod a = lab_pod_new(), b = lab_pod_new();
	g_autofree char *holder = g_strdup_printf("port 8080/tcp: in use by %.12s", a.id);

	attach_only(&a, &web, 1);
	lab_attach_fails(&b, NULL, &web, 1, ERROR_IN_USE, holder);
	lab_attach_fails(&b, NULL, &wide, 1, ERROR_IN_USE, holder);
	lab_attach_fails(&b, NULL, &local, 1, ERROR_IN_USE, holder);
	attach_only(&b, &other_protocol, 1);
	end(&a);
	lab_attach_fails(&b, NULL, twice, 2, ERROR_IN_USE, "8080/tcp");
	end(&b);
	lab_assert_clean();
}

static void test_port_of_a_host_process(void) {
	const PortMapping udp = {
		.protocol = PORT_UDP, .host_port = 5300, .container_port = 53, .count = 1};
	const PortMapping foreign = {.host_address = (char *)"198.51.100.7",
		.protocol = PORT_TCP,
		.host_port = 8081,
		.container_port = 80,
		.count = 1};
	const PortMapping ipv6 = {.host_address = (char *)"::1",
		.protocol = PORT_TCP,
		.host_port = 8081,
		.container_port = 80,
		.count = 1};
	LabPod pod = lab_pod_new();
	pid_t tcp_server = lab_server_new(-1, PORT_TCP, "127.0.0.1", 8080);
	pid_t udp_server = lab_server_new(-1, PORT_UDP, "0.0.0.0", 5300);

	lab_attach_fails(&pod, NULL, &web, 1, ERROR_IN_USE,
		"cannot publish port 8080/tcp: address already in use");
	lab_attach_fails(&pod, NULL, &udp, 1, ERROR_IN_USE, "5300/udp: address already in use");
	lab_attach_fails(&pod, NULL, &foreign, 1, ERROR_FAILED, "198.51.100.7:8081/tcp");
	lab_attach_fails(&pod, NULL, &ipv6, 1, ERROR_UNSUPPORTED, "::1");
	lab_server_end(tcp_server);
	lab_server_end(udp_server);
	lab_pod_end(&pod);
	lab_assert_clean();
}

static void test_target_has_ended(void) {
	LabPod pod = lab_pod_new();

	kill(pod.process.pid, SIGKILL);
	waitpid(pod.process.pid, NULL, 0);
	lab_attach_fails(&pod, NULL, &web, 1, ERROR_STATE, "has ended");
	pod.process.pid = 0;
	lab_pod_end(&pod);
	lab_assert_clean();
}

static void test_detach_twice(void) {
	LabPod pod = lab_pod_new();

	lab_detach(&pod);
	attach_only(&pod, &web, 1);
	lab_detach(&pod);
	lab_detach(&pod);
	/* the process lives on: its interface is gone all the same */
	g_assert_true(lab_lacks_link(pod.netns_fd, "eth0"));
	lab_pod_end(&pod);
	lab_assert_clean();
}

/* The owner's process was killed and nobody detached: the next life begins on the leftovers. */
static void test_attach_over_leftovers(void) {
	const PortMapping other = {
		.protocol = PORT_TCP, .host_port = 8090, .container_port = 80, .count = 1};
	LabPod pod = lab_pod_new(), next;
	NetworkResult first = lab_attach(&pod, &web, 1);

	lab_pod_end(&pod);
	next = lab_pod_new();
	memcpy(next.id, pod.id, sizeof next.id);
	NetworkResult second = lab_attach(&next, &other, 1);
	pid_t server = lab_server_new(next.netns_fd, PORT_TCP, "0.0.0.0", 80);
	g_assert_cmpstr(first.address, ==, second.address);
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 8090, "80 192.0.2.2");
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 8080, NULL);
	lab_server_end(server);
	network_result_clear(&first);
	network_result_clear(&second);
	end(&next);
	lab_assert_clean();
}

static void test_flushed_ruleset(void) {
	LabPod a = lab_pod_new(), b = lab_pod_new();
	pid_t server = lab_server_new(a.netns_fd, PORT_TCP, "0.0.0.0", 80);
	const PortMapping other = {
		.protocol = PORT_TCP, .host_port = 8090, .container_port = 80, .count = 1};

	attach_only(&a, &web, 1);
	run_nft("nft flush ruleset");
	/* the next to publish brings everybody's rules back */
	attach_only(&b, &other, 1);
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 8080, "80 192.0.2.2");
	/* one element alone is gone */
	run_nft("nft flush map inet podctl ports_moved");
	lab_detach(&b);
	lab_assert_answer(lab_world(), PORT_TCP, "192.0.2.1", 8080, "80 192.0.2.2");
	run_nft("nft flush ruleset");
	lab_server_end(server);
	end(&a);
	lab_pod_end(&b);
	lab_assert_clean();
}

static void test_removed_bridge(void) {
	LabPod a = lab_pod_new(), b = lab_pod_new();

	attach_only(&a, NULL, 0);
	lab_ip(-1, "ip link del podctl0");
	NetworkResult result = lab_attach(&b, NULL, 0);
	pid_t server = lab_server_new(b.netns_fd, PORT_TCP, "0.0.0.0", 80);
	lab_assert_answer(-1, PORT_TCP, result.address, 80, "80 10.87.0.1");
	lab_server_end(server);
	network_result_clear(&result);
	end(&a);
	end(&b);
	lab_assert_clean();
}

static void test_foreign_rules_stay(void) {
	static const char *const list[] = {"nft", "list", "table", "ip", "theirs", NULL};
	LabPod pod = lab_pod_new();
	int status;

	run_nft("nft add table ip theirs");
	run_nft("nft add chain ip theirs input { type filter hook input priority 0 ; }");
	g_autofree char *before = lab_run(list, &status);
	attach_only(&pod, &web, 1);
	end(&pod);
	g_autofree char *after = lab_run(list, &status);
	g_assert_cmpstr(before, ==, after);
	run_nft("nft delete table ip theirs");
	lab_assert_clean();
}

static void test_subnet_clash(void) {
	LabPod pod = lab_pod_new();

	lab_ip(-1, "ip route add 10.80.0.0/12 via 192.0.2.2");
	lab_attach_fails(&pod, NULL, NULL, 0, ERROR_IN_USE,
		"subnet 10.87.0.0/16 overlaps the route to 10.80.0.0/12 on out0");
	lab_ip(-1, "ip route del 10.80.0.0/12");
	lab_pod_end(&pod);
	lab_assert_clean();
}

static void test_broken_record(void) {
	LabPod pod = lab_pod_new();
	g_autofree char *owners = g_build_filename(lab_state_dir(), "owners", NULL);

	attach_only(&pod, &web, 1);
	_cleanup_close_ int dir_fd = fd_open_dir(AT_FDCWD, owners, NULL);
	g_assert_true(fd_replace_file(dir_fd, pod.id, "{\"net", 5, 0600, FD_REPLACE_PLAIN, NULL));
	end(&pod);
	lab_assert_clean();
}

/* Killed at any moment of attach or detach: a detach afterwards leaves nothing. */
static void test_killed_anywhere(void) {
	for (unsigned round = 0; round < 60; round++) {
		LabPod pod = lab_pod_new();
		pid_t child = fork();
		if (child == 0) {
			for (;;) {
				attach_only(&pod, &web, 1);
				lab_detach(&pod);
			}
		}
		g_usleep(round * 250);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		lab_detach(&pod);
		lab_pod_end(&pod);
	}
	/* half-written files go with the next detach that has something to do */
	LabPod pod = lab_pod_new();
	attach_only(&pod, &web, 1);
	end(&pod);
	lab_assert_clean();
}

int main(int argc, char **argv) {
	static const struct {
		const char *path;
		void (*run)(void);
	} tests[] = {
		{"/network/ipam/addresses-in-turn", test_addresses_in_turn},
		{"/network/ipam/wanted-address", test_wanted_address},
		{"/network/ports/of-another-owner", test_port_of_another_owner},
		{"/network/ports/of-a-host-process", test_port_of_a_host_process},
		{"/network/connect/target-has-ended", test_target_has_ended},
		{"/network/connect/detach-twice", test_detach_twice},
		{"/network/connect/attach-over-leftovers", test_attach_over_leftovers},
		{"/network/connect/flushed-ruleset", test_flushed_ruleset},
		{"/network/connect/removed-bridge", test_removed_bridge},
		{"/network/connect/foreign-rules-stay", test_foreign_rules_stay},
		{"/network/connect/subnet-clash", test_subnet_clash},
		{"/network/connect/broken-record", test_broken_record},
		{"/network/connect/killed-anywhere", test_killed_anywhere},
	};

	g_test_init(&argc, &argv, NULL);
	if (!lab_enter()) {
		g_print("1..0 # SKIP needs root and network namespaces\n");
		return 0;
	}
	array_foreach (test, tests)
		g_test_add_func(test->path, test->run);
	int result = g_test_run();
	lab_leave();
	return result;
}
