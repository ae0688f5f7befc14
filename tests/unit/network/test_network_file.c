/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Definitions of networks from files, and results as JSON: nothing here needs a privilege. */
#include "base/cleanup.h"
#include "base/fd.h"
#include "network/network_file.h"

#include <fcntl.h>
#include <string.h>

static NetworkDef *read_text(const char *text, GError **err) {
	g_autofree char *folder = g_dir_make_tmp("podctl-network-XXXXXX", NULL);
	_cleanup_close_ int dir_fd = fd_open_dir(AT_FDCWD, folder, NULL);

	g_assert_true(fd_replace_file(
		dir_fd, "n.json", text, strlen(text), 0600, FD_REPLACE_PLAIN, NULL));
	NetworkDef *def = network_file_read(dir_fd, "n.json", err);
	fd_remove_tree(AT_FDCWD, folder, NULL);
	return def;
}

static void test_read(void) {
	g_autoptr(GError) error = NULL;
	g_autoptr(NetworkDef) def = read_text(
		"{\"name\":\"podctl\",\"driver\":\"bridge\",\"network_interface\":\"pc1\","
		"\"subnets\":[{\"subnet\":\"10.9.8.0/24\",\"gateway\":\"10.9.8.254\"}],"
		"\"dns_enabled\":false}",
		&error);
	g_autoptr(NetworkDef) first =
		read_text("{\"subnets\":[{\"subnet\":\"10.9.8.0/24\"}]}", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(def->bridge, ==, "pc1");
	g_assert_cmpstr(def->subnet, ==, "10.9.8.0/24");
	g_assert_cmpstr(def->gateway, ==, "10.9.8.254");
	g_assert_cmpstr(first->bridge, ==, "podctl0");
	g_assert_cmpstr(first->gateway, ==, "10.9.8.1");
}

/* security: B11-16 */
static void test_refused(void) {
	static const struct {
		const char *text;
		ErrorCode code;
		const char *want;
	} rows[] = {
		{"{\"driver\":\"macvlan\"}", ERROR_UNSUPPORTED, "macvlan"},
		{"{\"name\":\"../x\"}", ERROR_INVALID, "../x"},
		{"{\"network_interface\":\"a\\\" }\"}", ERROR_INVALID, "interface name"},
		{"{\"network_interface\":\"abcdefghijklmnop\"}", ERROR_INVALID, "interface name"},
		{"{\"subnets\":[{\"subnet\":\"10.9.8.0\"}]}", ERROR_INVALID, "10.9.8.0"},
		{"{\"subnets\":[{\"subnet\":\"10.9.8.1/24\"}]}", ERROR_INVALID, "10.9.8.1/24"},
		{"{\"subnets\":[{\"subnet\":\"10.9.8.0/31\"}]}", ERROR_INVALID, "10.9.8.0/31"},
		{"{\"subnets\":[{\"subnet\":\"fd00::/64\"}]}", ERROR_UNSUPPORTED, "fd00::/64"},
		{"{\"subnets\":[{\"subnet\":\"10.9.8.0/24\",\"gateway\":\"10.9.9.1\"}]}",
			ERROR_INVALID, "10.9.9.1"},
		{"{\"name\":", ERROR_CORRUPT, "n.json"},
	};

	array_foreach (row, rows) {
		g_autoptr(GError) error = NULL;
		g_assert_null(read_text(row->text, &error));
		g_assert_error(error, PODCTL_ERROR, (int)row->code);
		g_assert_nonnull(strstr(error->message, row->want));
	}
}

static void test_result_round_trip(void) {
	PortMapping ports[] = {
		{.protocol = PORT_UDP, .host_port = 53, .container_port = 5353, .count = 2},
		{.host_address = (char *)"127.0.0.1",
			.protocol = PORT_TCP,
			.host_port = 8080,
			.container_port = 80,
			.count = 1},
	};
	const NetworkResult result = {
		.network = (char *)"podctl",
		.interface = (char *)"eth0",
		.address = (char *)"10.87.0.5",
		.prefix = 16,
		.gateway = (char *)"10.87.0.1",
		.mac = (char *)"02:70:0a:57:00:05",
		.ports = ports,
		.n_ports = 2,
	};
	json_auto_t *json = network_result_to_json(&result);
	const char *text = "[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"54\"}]";
	json_auto_t *want = json_parse(text, strlen(text), "x", NULL);
	NetworkResult back;

	g_assert_true(
		json_equal(json_object_get(json_object_get(json, "Ports"), "5354/udp"), want));
	g_assert_cmpstr(json_get_string(json, "IPAddress", ""), ==, "10.87.0.5");
	g_assert_true(network_result_from_json(json, &back));
	json_auto_t *again = network_result_to_json(&back);
	g_assert_true(json_equal(json, again));
	network_result_clear(&back);
	json_auto_t *empty = json_object();
	g_assert_false(network_result_from_json(empty, &back));
}

/* Nothing was attached: no module is loaded, nothing is said. */
static void test_detach_unknown(void) {
	g_autoptr(GError) error = NULL;

	g_setenv("PODCTL_LIBDIR", "/nonexistent", true);
	g_assert_true(network_detach("/nonexistent/network", "0123456789abcdef", &error));
	g_assert_true(network_release("/nonexistent/network", "0123456789abcdef", &error));
	g_assert_true(network_sweep("/nonexistent/network", &error));
	g_assert_no_error(error);
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/network/network_file/read", test_read);
	g_test_add_func("/network/network_file/refused", test_refused);
	g_test_add_func("/network/network_result/round-trip", test_result_round_trip);
	g_test_add_func("/network/network/detach-unknown", test_detach_unknown);
	return g_test_run();
}
