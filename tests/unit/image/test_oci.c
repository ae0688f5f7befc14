/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/oci.h"

#include "base/log.h"

#include <string.h>

#define HEX_A  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BLOB_A "{\"digest\":\"sha256:" HEX_A "\",\"size\":3}"
#define ROOTFS "\"rootfs\":{\"diff_ids\":[\"sha256:" HEX_A "\"]}"

static const struct {
	const char *reason, *text;
} bad_manifests[] = {
	{"not JSON", "garbage"},
	{"an array", "[]"},
	{"no version", "{\"config\":" BLOB_A ",\"layers\":[" BLOB_A "]}"},
	{"schema 1", "{\"schemaVersion\":1,\"config\":" BLOB_A ",\"layers\":[" BLOB_A "]}"},
	{"also an index", "{\"schemaVersion\":2,\"manifests\":[],\"config\":" BLOB_A
			  ",\"layers\":[" BLOB_A "]}"},
	{"media type of an index",
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
		"\"config\":" BLOB_A ",\"layers\":[" BLOB_A "]}"},
	{"duplicate key", "{\"schemaVersion\":2,\"schemaVersion\":2,\"config\":" BLOB_A
			  ",\"layers\":[" BLOB_A "]}"},
	{"no layers", "{\"schemaVersion\":2,\"config\":" BLOB_A ",\"layers\":[]}"},
	{"no configuration", "{\"schemaVersion\":2,\"layers\":[" BLOB_A "]}"},
	{"digest is a path", "{\"schemaVersion\":2,\"config\":" BLOB_A
			     ",\"layers\":[{\"digest\":\"sha256:../../x\",\"size\":1}]}"},
	{"digest of another kind", "{\"schemaVersion\":2,\"config\":" BLOB_A
				   ",\"layers\":[{\"digest\":\"sha512:" HEX_A "\",\"size\":1}]}"},
	{"negative size", "{\"schemaVersion\":2,\"config\":" BLOB_A
			  ",\"layers\":[{\"digest\":\"sha256:" HEX_A "\",\"size\":-1}]}"},
	{"layer is a text", "{\"schemaVersion\":2,\"config\":" BLOB_A ",\"layers\":[\"x\"]}"},
};

static void test_vuln_B6_21(void) {
	for (size_t i = 0; i < G_N_ELEMENTS(bad_manifests); i++) {
		g_autoptr(GError) error = NULL;
		const char *text = bad_manifests[i].text;
		g_autoptr(OciManifest) manifest = oci_parse_manifest(text, strlen(text), &error);
		g_test_message("%s", bad_manifests[i].reason);
		g_assert_null(manifest);
		g_assert_true(error_is(error, ERROR_CORRUPT));
	}
}

static void test_manifest(void) {
	static const char text[] =
		"{\"schemaVersion\":2,\"config\":" BLOB_A ",\"layers\":[" BLOB_A "," BLOB_A "]}";
	g_autoptr(OciManifest) manifest = oci_parse_manifest(text, sizeof text - 1, NULL);

	g_assert_nonnull(manifest);
	g_assert_cmpuint(manifest->n_layers, ==, 2);
	g_assert_cmpstr(manifest->config.hex, ==, HEX_A);
	g_assert_cmpuint(manifest->layers[1].size_bytes, ==, 3);
}

static void drop_message(LogLevel level, const char *text) {
	(void)level;
	(void)text;
}

static void test_config(void) {
	static const char text[] =
		"{\"created\":\"2024-05-06T07:08:09.123456789Z\",\"architecture\":\"amd64\","
		"\"os\":\"linux\",\"config\":{\"User\":\"7:8\",\"Cmd\":[\"sh\"],"
		"\"Entrypoint\":[\"/e\",\"x\"],\"Env\":[\"A=b\",\"SECRET\",\"*\",\"=x\",\"A*=1\","
		"\"B=\"],\"ExposedPorts\":{\"80/tcp\":{},\"443/tcp\":{}},\"Volumes\":{\"/v\":{}},"
		"\"Labels\":{\"z\":\"1\",\"a\":\"2\"},\"StopSignal\":\"9; rm\","
		"\"Healthcheck\":{\"Test\":[\"NONE\"]}},"
		"\"history\":[{\"comment\":\"hello\"}]," ROOTFS "}";

	log_set_sink(drop_message);
	g_autoptr(ImageConfig) image = oci_parse_config(text, sizeof text - 1, NULL);
	g_assert_nonnull(image);
	g_assert_cmpuint(image->created_sec, ==, 1714979289);
	g_assert_cmpstr(image->user, ==, "7:8");
	g_assert_cmpstr(image->entrypoint[1], ==, "x");
	g_assert_cmpstr(image->command[0], ==, "sh");
	g_assert_cmpuint(g_strv_length(image->env), ==, 2);
	g_assert_cmpstr(image->env[0], ==, "A=b");
	g_assert_cmpstr(image->env[1], ==, "B=");
	g_assert_cmpstr(image->exposed_ports[0], ==, "443/tcp");
	g_assert_cmpstr(image->volumes[0], ==, "/v");
	g_assert_cmpstr(image->labels[0], ==, "a=2");
	g_assert_null(image->stop_signal);
	g_assert_cmpstr(image->comment, ==, "hello");
	g_assert_cmpstr(image->healthcheck, ==, "{\"Test\":[\"NONE\"]}");
}

static void test_bad_configs(void) {
	static const char *const texts[] = {"[]", "{}", "{\"rootfs\":{\"diff_ids\":[\"x\"]}}",
		"{\"os\":\"windows\"," ROOTFS "}"};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		g_assert_null(oci_parse_config(texts[i], strlen(texts[i]), NULL));
}

static void test_wrong_types_are_empty(void) {
	static const char text[] =
		"{\"config\":{\"Cmd\":\"sh\",\"Env\":{},\"Labels\":[1],\"Volumes\":3,"
		"\"User\":4}," ROOTFS "}";
	g_autoptr(ImageConfig) image = oci_parse_config(text, sizeof text - 1, NULL);

	g_assert_nonnull(image);
	g_assert_null(image->command[0]);
	g_assert_null(image->env[0]);
	g_assert_null(image->labels[0]);
	g_assert_null(image->volumes[0]);
	g_assert_null(image->user);
}

static void test_indexes(void) {
	static const char oci[] =
		"{\"manifests\":[{\"annotations\":{\"org.opencontainers.image.ref.name\":\"x\"}},"
		"{}]}";
	static const char docker[] = "[{\"RepoTags\":[\"a:1\",\"b:2\"]},{\"RepoTags\":null}]";
	static const char mixed[] = "{\"manifests\":[{}],\"layers\":[]}";
	g_auto(GStrv) names = oci_parse_index(oci, sizeof oci - 1, NULL);
	g_autoptr(GPtrArray) images = oci_parse_docker_index(docker, sizeof docker - 1, NULL);

	g_assert_cmpstr(names[0], ==, "x");
	g_assert_cmpstr(names[1], ==, "");
	g_assert_cmpuint(images->len, ==, 2);
	g_assert_cmpstr(((char **)images->pdata[0])[1], ==, "b:2");
	g_assert_null(((char **)images->pdata[1])[0]);
	g_assert_null(oci_parse_index(mixed, sizeof mixed - 1, NULL));
	g_assert_null(oci_parse_index("{}", 2, NULL));
	g_assert_null(oci_parse_docker_index("[]", 2, NULL));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/image/oci/vuln_B6_21-bad-manifests", test_vuln_B6_21);
	g_test_add_func("/image/oci/manifest", test_manifest);
	g_test_add_func("/image/oci/config", test_config);
	g_test_add_func("/image/oci/bad-configs", test_bad_configs);
	g_test_add_func("/image/oci/wrong-types-are-empty", test_wrong_types_are_empty);
	g_test_add_func("/image/oci/indexes", test_indexes);
	return g_test_run();
}
