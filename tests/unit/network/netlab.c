/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host and pods to test on. See netlab.h. */
#include "netlab.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "network/connect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>

static LabPod world = {.netns_fd = -1};
static int host_fd = -1;
static char *state_dir;

const NetworkDef lab_network = {
	.name = (char *)"podctl",
	.bridge = (char *)"podctl0",
	.subnet = (char *)"10.87.0.0/16",
	.gateway = (char *)"10.87.0.1",
};

const char *lab_state_dir(void) {
	return state_dir;
}

static void loopback_up(void) {
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	g_assert_cmpint(ioctl(fd, SIOCSIFFLAGS, &request), ==, 0);
}

static int open_netns(pid_t pid) {
	g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	return fd;
}

/* A child never outlives the test, even when that ended before the child could say so. */
static void end_with_parent(pid_t parent) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

LabPod lab_pod_new(void) {
	unsigned char noise[32];
	LabPod pod = {0};
	int ready[2];
	char byte;

	g_assert_cmpint(pipe2(ready, O_CLOEXEC), ==, 0);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		end_with_parent(parent);
		if (unshare(CLONE_NEWNET) == 0) {
			loopback_up();
			fd_write_all(ready[1], "r", 1, "pipe", NULL);
			for (;;)
				pause();
		}
		_exit(1);
	}
	close(ready[1]);
	g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
	close(ready[0]);
	g_assert_cmpint(getrandom(noise, sizeof noise, 0), ==, sizeof noise);
	g_autofree char *hex = str_hex(noise, sizeof noise);
	g_strlcpy(pod.id, hex, sizeof pod.id);
	pod.process.pid = pid;
	g_assert_true(proc_start_time(pid, &pod.process.start_time));
	pod.netns_fd = open_netns(pid);
	return pod;
}

void lab_pod_end(LabPod *pod) {
	if (pod->process.pid > 0) {
		kill(pod->process.pid, SIGKILL);
		waitpid(pod->process.pid, NULL, 0);
	}
	close_fd_ptr(&pod->netns_fd);
	pod->process.pid = 0;
}

static char *run_in(int netns_fd, const char *const *argv, int *ret_status) {
	_cleanup_close_ int read_fd = -1, write_fd = -1;
	int fds[2];
	char *text = NULL;
	pid_t pid;

	g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
	read_fd = fds[0];
	write_fd = fds[1];
	const ProcSpawn spawn = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = write_fd, .stderr_fd = -1};
	g_assert_cmpint(setns(netns_fd, CLONE_NEWNET), ==, 0);
	g_assert_true(proc_spawn(&spawn, &pid, NULL));
	g_assert_cmpint(setns(host_fd, CLONE_NEWNET), ==, 0);
	close_fd_ptr(&write_fd);
	g_assert_true(fd_read_all(read_fd, argv[0], 16U << 20, &text, NULL, NULL));
	g_assert_true(proc_reap(pid, ret_status, NULL));
	return text;
}

char *lab_run(const char *const *argv, int *ret_status) {
	return run_in(host_fd, argv, ret_status);
}

void lab_ip(int netns_fd, const char *words) {
	g_auto(GStrv) argv = g_strsplit(words, " ", -1);
	int status;
	g_autofree char *text =
		run_in(netns_fd >= 0 ? netns_fd : host_fd, (const char *const *)argv, &status);

	g_assert_cmpint(status, ==, 0);
}

int lab_write_sysctl(int netns_fd, const char *path, const char *value) {
	g_autofree char *full = g_strconcat("/proc/sys/net/", path, NULL);
	char text[32] = "0";

	g_assert_cmpint(setns(netns_fd, CLONE_NEWNET), ==, 0);
	_cleanup_close_ int fd = open(full, O_RDWR | O_CLOEXEC);
	ssize_t n = value ? write(fd, value, strlen(value)) : read(fd, text, sizeof text - 1);
	g_assert_cmpint(setns(host_fd, CLONE_NEWNET), ==, 0);
	g_assert_cmpint(n, >, 0);
	return atoi(text);
}

bool lab_enter(void) {
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return false;
	state_dir = g_dir_make_tmp("podctl-network-XXXXXX", NULL);
	g_assert_nonnull(state_dir);
	host_fd = open_netns(getpid());
	loopback_up();
	world = lab_pod_new();
	g_autofree char *link = g_strdup_printf(
		"ip link add out0 type veth peer name in0 netns %d", (int)world.process.pid);
	lab_ip(host_fd, link);
	lab_ip(host_fd, "ip addr add 192.0.2.1/24 dev out0");
	lab_ip(host_fd, "ip link set out0 up");
	lab_ip(world.netns_fd, "ip addr add 192.0.2.2/24 dev in0");
	lab_ip(world.netns_fd, "ip link set in0 up");
	return true;
}

void lab_leave(void) {
	lab_pod_end(&world);
	close_fd_ptr(&host_fd);
	g_assert_true(fd_remove_tree(AT_FDCWD, state_dir, NULL));
	g_free(state_dir);
}

int lab_world(void) {
	return world.netns_fd;
}

static int open_socket(int netns_fd, PortProtocol protocol) {
	if (netns_fd >= 0)
		g_assert_cmpint(setns(netns_fd, CLONE_NEWNET), ==, 0);
	int fd = socket(
		AF_INET, (protocol == PORT_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (netns_fd >= 0)
		g_assert_cmpint(setns(host_fd, CLONE_NEWNET), ==, 0);
	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static struct sockaddr_in make_address(const char *address, uint16_t port) {
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

	g_assert_cmpint(inet_pton(AF_INET, address, &name.sin_addr), ==, 1);
	return name;
}

static void answer_udp(int fd, uint16_t port) {
	char byte, peer_text[INET_ADDRSTRLEN], answer[64];
	struct sockaddr_in peer;
	socklen_t size = sizeof peer;

	if (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&peer, &size) < 0)
		return;
	inet_ntop(AF_INET, &peer.sin_addr, peer_text, sizeof peer_text);
	int length = g_snprintf(answer, sizeof answer, "%u %s", port, peer_text);
	if (sendto(fd, answer, (size_t)length, 0, (struct sockaddr *)&peer, size) < 0)
		return;
}

static void answer_tcp(int fd, uint16_t port) {
	char peer_text[INET_ADDRSTRLEN], answer[64];
	struct sockaddr_in peer;
	socklen_t size = sizeof peer;

	_cleanup_close_ int connection = accept4(fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
	inet_ntop(AF_INET, &peer.sin_addr, peer_text, sizeof peer_text);
	int length = g_snprintf(answer, sizeof answer, "%u %s", port, peer_text);
	fd_write_all(connection, answer, (size_t)length, "connection", NULL);
}

pid_t lab_server_new(int netns_fd, PortProtocol protocol, const char *address, uint16_t port) {
	_cleanup_close_ int fd = open_socket(netns_fd, protocol);
	struct sockaddr_in name = make_address(address, port);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&name, sizeof name), ==, 0);
	if (protocol != PORT_UDP)
		g_assert_cmpint(listen(fd, 16), ==, 0);
	pid_t parent = getpid(), pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		end_with_parent(parent);
		for (;;)
			(protocol == PORT_UDP ? answer_udp : answer_tcp)(fd, port);
	}
	return pid;
}

void lab_server_end(pid_t server) {
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

char *lab_ask(int netns_fd, PortProtocol protocol, const char *address, uint16_t port) {
	_cleanup_close_ int fd = open_socket(netns_fd, protocol);
	struct sockaddr_in name = make_address(address, port);
	struct timeval second = {.tv_sec = 1};
	char answer[64];

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	if (connect(fd, (struct sockaddr *)&name, sizeof name) < 0)
		return NULL;
	if (protocol == PORT_UDP && send(fd, "?", 1, MSG_NOSIGNAL) < 0)
		return NULL;
	ssize_t n = recv(fd, answer, sizeof answer - 1, 0);
	if (n <= 0)
		return NULL;
	answer[n] = '\0';
	return g_strdup(answer);
}

static bool folder_is_empty(const char *name) {
	g_autofree char *path = g_build_filename(state_dir, name, NULL);
	g_auto(GStrv) names = fd_list_dir(AT_FDCWD, path, NULL);

	return !names || !names[0];
}

static bool no_links_left(void) {
	struct if_nameindex *all = if_nameindex();
	bool clean = true;

	for (struct if_nameindex *link = all; link->if_index != 0; link++)
		if (strcmp(link->if_name, "lo") != 0 && strcmp(link->if_name, "out0") != 0)
			clean = false;
	if_freenameindex(all);
	return clean;
}

void lab_assert_clean(void) {
	static const char *const list[] = {"nft", "list", "ruleset", NULL};
	static const char *const folders[] = {"owners", "leases", "ports", "networks"};
	int status;
	g_autofree char *rules = lab_run(list, &status);

	array_foreach (folder, folders) {
		if (!folder_is_empty(*folder))
			g_error("something is left in %s/%s", state_dir, *folder);
	}
	g_assert_cmpint(status, ==, 0);
	g_assert_null(strstr(rules, "podctl"));
	for (unsigned round = 0; round < 200 && !no_links_left(); round++)
		g_usleep(10000);
	g_assert_true(no_links_left());
}

static bool attach_pod(const LabPod *pod, const char *ip, const PortMapping *ports, size_t n_ports,
	NetworkResult *ret_result, GError **err) {
	const NetworkAttach attach = {
		.state_dir = state_dir,
		.owner_id = pod->id,
		.network = &lab_network,
		.target = pod->process,
		.ip = ip,
		.ports = ports,
		.n_ports = n_ports,
	};

	return connect_attach(&attach, ret_result, err);
}

NetworkResult lab_attach(const LabPod *pod, const PortMapping *ports, size_t n_ports) {
	g_autoptr(GError) error = NULL;
	NetworkResult result = {0};

	attach_pod(pod, NULL, ports, n_ports, &result, &error);
	g_assert_no_error(error);
	return result;
}

void lab_attach_fails(const LabPod *pod, const char *ip, const PortMapping *ports, size_t n_ports,
	ErrorCode code, const char *want) {
	g_autoptr(GError) error = NULL;
	NetworkResult result = {0};

	g_assert_false(attach_pod(pod, ip, ports, n_ports, &result, &error));
	g_assert_error(error, PODCTL_ERROR, (int)code);
	if (!strstr(error->message, want))
		g_error("\"%s\" has no \"%s\"", error->message, want);
}

void lab_detach(const LabPod *pod) {
	g_autoptr(GError) error = NULL;

	connect_detach(state_dir, pod->id, &error);
	g_assert_no_error(error);
}

bool lab_lacks_link(int netns_fd, const char *name) {
	g_assert_cmpint(setns(netns_fd, CLONE_NEWNET), ==, 0);
	unsigned ifindex = if_nametoindex(name);
	g_assert_cmpint(setns(host_fd, CLONE_NEWNET), ==, 0);
	return ifindex == 0;
}

void lab_assert_answer(
	int netns_fd, PortProtocol protocol, const char *address, uint16_t port, const char *want) {
	g_autofree char *answer = lab_ask(netns_fd, protocol, address, port);

	g_test_message("%s:%u answers \"%s\", wanted \"%s\"", address, port, answer, want);
	g_assert_cmpstr(answer, ==, want);
}
