/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole room through its door, on a store below a temporary directory, with the real unpacker.
 */
#include "base/fd.h"
#include "base/log.h"
#include "image/catalog.h"
#include "image/image.h"
#include "image/image_changes.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define BLOCK 512

typedef struct Fixture {
	char *path;
	char *tar;
	ImageStore *store;
} Fixture;

static void setup(Fixture *fixture, gconstpointer data) {
	char template[] = "/tmp/podctl-image-XXXXXX";

	(void)data;
	fixture->path = g_strdup(mkdtemp(template));
	fixture->tar = g_strconcat(fixture->path, "/root.tar", NULL);
	g_autofree char *state = g_strconcat(fixture->path, "/state", NULL);
	g_autofree char *run = g_strconcat(fixture->path, "/run", NULL);
	fixture->store = image_store_open(state, run, NULL);
}

static void teardown(Fixture *fixture, gconstpointer data) {
	(void)data;
	image_store_free(fixture->store);
	fd_remove_tree(AT_FDCWD, fixture->path, NULL);
	g_free(fixture->path);
	g_free(fixture->tar);
}

/* One ustar member without content. */
static void add_member(GString *tar, const char *name, char type) {
	char header[BLOCK] = {0};
	unsigned sum = 0;

	g_strlcpy(header, name, 100);
	memcpy(header + 100, "0000755", 8);
	memcpy(header + 108, "0000000", 8);
	memcpy(header + 116, "0000000", 8);
	memcpy(header + 124, "00000000000", 12);
	memcpy(header + 136, "00000000000", 12);
	memset(header + 148, ' ', 8);
	header[156] = type;
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	g_snprintf(header + 148, 8, "%06o", sum);
	g_string_append_len(tar, header, BLOCK);
}

static void write_tar(const Fixture *fixture, const char *const *names, bool has_end) {
	static const char end[2 * BLOCK];
	g_autoptr(GString) tar = g_string_new(NULL);

	for (; *names; names++)
		add_member(tar, *names, g_str_has_suffix(*names, "/") ? '5' : '0');
	if (has_end)
		g_string_append_len(tar, end, sizeof end);
	g_assert_true(g_file_set_contents(fixture->tar, tar->str, (gssize)tar->len, NULL));
}

static char *import(
	const Fixture *fixture, const char *member, const char *name, const char *const *changes) {
	const char *names[] = {member, NULL};
	g_autoptr(GError) error = NULL;
	char *id = NULL;

	write_tar(fixture, names, true);
	image_import(fixture->store, fixture->tar, name, changes, NULL, &id, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(id), ==, 64);
	return id;
}

static unsigned count(const Fixture *fixture, const char *folder) {
	g_autofree char *path = g_strconcat(fixture->path, "/state/", folder, NULL);
	g_auto(GStrv) names = fd_list_dir(AT_FDCWD, path, NULL);

	return g_strv_length(names);
}

static void assert_missing(const Fixture *fixture, const char *reference) {
	g_autoptr(GError) error = NULL;

	g_assert_null(image_lookup(fixture->store, reference, &error));
	g_assert_true(error_is(error, ERROR_NOT_FOUND));
}

static void test_import(Fixture *fixture, gconstpointer data) {
	static const char *const changes[] = {"CMD [\"sh\", \"-c\"]", "ENTRYPOINT=/bin/e 1",
		"ENV A=b c", "ENV A=d", "USER 5", "WORKDIR /w", "EXPOSE 80 53/udp",
		"LABEL k=\"v w\"", "STOPSIGNAL SIGINT", "VOLUME [\"/v\", \"/u\"]", NULL};
	g_autofree char *id = import(fixture, "bin/x", "bb", changes);
	g_autoptr(GError) error = NULL;
	g_autoptr(ImageConfig) image = image_inspect(fixture->store, "bb", &error);

	(void)data;
	g_assert_no_error(error);
	g_assert_cmpstr(image->id, ==, id);
	g_assert_cmpstr(image->name, ==, "localhost/bb:latest");
	g_assert_cmpstr(image->names[0], ==, "localhost/bb:latest");
	g_assert_cmpuint(g_strv_length(image->layers), ==, 1);
	g_autofree char *file = g_strconcat(image->layers[0], "/bin/x", NULL);
	g_assert_true(g_file_test(file, G_FILE_TEST_IS_REGULAR));
	g_assert_cmpstr(image->command[1], ==, "-c");
	g_assert_cmpstr(image->entrypoint[2], ==, "/bin/e 1");
	g_assert_cmpuint(g_strv_length(image->env), ==, 1);
	g_assert_cmpstr(image->env[0], ==, "A=d");
	g_assert_cmpstr(image->user, ==, "5");
	g_assert_cmpstr(image->working_dir, ==, "/w");
	g_assert_cmpstr(image->exposed_ports[0], ==, "53/udp");
	g_assert_cmpstr(image->exposed_ports[1], ==, "80/tcp");
	g_assert_cmpstr(image->labels[0], ==, "k=v w");
	g_assert_cmpstr(image->stop_signal, ==, "SIGINT");
	g_assert_cmpstr(image->volumes[1], ==, "/v");
	g_assert_cmpstr(image->os, ==, "linux");
	g_assert_cmpuint(image->created_sec, >, 1700000000);
	g_autofree char *raw = image_read_raw_config(fixture->store, id, NULL);
	g_assert_nonnull(strstr(raw, "\"history\""));
	g_assert_cmpuint(count(fixture, "staging"), ==, 0);
}

static void test_bad_changes(void) {
	static const char *const changes[] = {"", "CMD", "ONBUILD x", "STOPSIGNAL SIGX", "EXPOSE 0",
		"EXPOSE 1/x", "WORKDIR w", "ENV =x", "ENV A", "VOLUME v", "VOLUME [\"v\"]"};

	for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_autoptr(GError) error = NULL;
		json_auto_t *config = json_object();
		g_assert_false(image_change_apply(config, changes[i], &error));
		g_assert_nonnull(error);
	}
}

static void test_lookup(Fixture *fixture, gconstpointer data) {
	g_autofree char *first = import(fixture, "one", "quay.example/a/bb:1", NULL);
	g_autofree char *second = import(fixture, "two", "docker.io/library/cc", NULL);
	g_autofree char *prefix = g_strndup(first, 12);
	g_autofree char *by_id = g_strconcat("sha256:", first, NULL);
	const char *firsts[] = {"quay.example/a/bb:1", "a/bb:1", "bb:1", first, prefix, by_id};

	(void)data;
	for (size_t i = 0; i < G_N_ELEMENTS(firsts); i++) {
		g_autoptr(ImageConfig) image = image_lookup(fixture->store, firsts[i], NULL);
		g_assert_nonnull(image);
		g_assert_cmpstr(image->id, ==, first);
	}
	g_autoptr(ImageConfig) image = image_lookup(fixture->store, "cc", NULL);
	g_assert_cmpstr(image->id, ==, second);
	g_autofree char *by_digest = g_strconcat("cc@", image->digest, NULL);
	g_autoptr(ImageConfig) same = image_lookup(fixture->store, by_digest, NULL);
	g_assert_cmpstr(same->id, ==, second);
	assert_missing(fixture, "bb");
	assert_missing(fixture, "nothing");
	assert_missing(fixture, "ffffffffffff");
	/* own images win over the default registry's */
	g_assert_true(image_tag(fixture->store, first, "cc", NULL));
	g_autoptr(ImageConfig) own = image_lookup(fixture->store, "cc", NULL);
	g_assert_cmpstr(own->id, ==, first);
	g_assert_null(image_lookup(fixture->store, "Bad", NULL));
}

static void test_empty_store(Fixture *fixture, gconstpointer data) {
	g_autoptr(GPtrArray) images = image_list(fixture->store, NULL);

	(void)data;
	g_assert_cmpuint(images->len, ==, 0);
	assert_missing(fixture, "bb");
	g_assert_null(image_remove(fixture->store, "bb", false, NULL, NULL));
	g_autofree char *state = g_strconcat(fixture->path, "/state", NULL);
	g_assert_false(g_file_test(state, G_FILE_TEST_EXISTS));
}

static void test_remove(Fixture *fixture, gconstpointer data) {
	g_autofree char *id = import(fixture, "x", "one", NULL);
	const char *used[] = {id, NULL};
	g_autoptr(GError) error = NULL, in_use = NULL;

	(void)data;
	g_assert_true(image_tag(fixture->store, "one", "two:2", NULL));
	g_assert_null(image_remove(fixture->store, id, false, NULL, &error));
	g_assert_true(error_is(error, ERROR_IN_USE));
	g_autoptr(ImageRemoval) first = image_remove(fixture->store, "one", false, used, NULL);
	g_assert_cmpstr(first->untagged[0], ==, "localhost/one:latest");
	g_assert_null(first->deleted);
	g_assert_null(image_remove(fixture->store, "two:2", true, used, &in_use));
	g_assert_true(error_is(in_use, ERROR_IN_USE));
	g_autoptr(ImageRemoval) last = image_remove(fixture->store, "two:2", false, NULL, NULL);
	g_assert_cmpstr(last->deleted, ==, id);
	g_assert_cmpuint(count(fixture, "layers"), ==, 0);
	g_assert_cmpuint(count(fixture, "blobs/sha256"), ==, 0);
	g_assert_cmpuint(count(fixture, "images"), ==, 0);
	g_assert_cmpuint(count(fixture, "names"), ==, 0);
	g_assert_cmpuint(count(fixture, "staging"), ==, 0);
}

/* Two images of the same layer: it stays until both are gone. What nobody names goes as well. */
static void test_shared_layer(Fixture *fixture, gconstpointer data) {
	static const char *const change[] = {"USER 1", NULL};
	g_autofree char *one = import(fixture, "x", "one", NULL);
	g_autofree char *two = import(fixture, "x", "two", change);
	g_autofree char *orphan = g_strconcat(fixture->path, "/state/layers/dead/diff", NULL);
	g_autofree char *temporary = g_strconcat(fixture->path, "/state/names/.12.tmp", NULL);

	(void)data;
	g_assert_cmpstr(one, !=, two);
	g_assert_cmpuint(count(fixture, "layers"), ==, 1);
	g_assert_cmpint(g_mkdir_with_parents(orphan, 0700), ==, 0);
	g_assert_cmpint(symlink(one, temporary), ==, 0);
	g_autoptr(ImageRemoval) first = image_remove(fixture->store, "one", false, NULL, NULL);
	g_assert_cmpstr(first->deleted, ==, one);
	g_assert_cmpuint(count(fixture, "names"), ==, 1);
	g_assert_cmpuint(count(fixture, "layers"), ==, 1);
	g_autoptr(ImageConfig) image = image_lookup(fixture->store, "two", NULL);
	g_assert_true(g_file_test(image->layers[0], G_FILE_TEST_IS_DIR));
}

static void assert_import_fails(const Fixture *fixture) {
	g_autoptr(GError) error = NULL;
	char *id = NULL;

	g_assert_false(image_import(fixture->store, fixture->tar, "bb", NULL, NULL, &id, &error));
	g_assert_null(id);
	g_assert_null(strchr(error->message, '\n'));
	g_assert_nonnull(strstr(error->message, fixture->tar));
	g_assert_cmpuint(count(fixture, "staging"), ==, 0);
	g_assert_cmpuint(count(fixture, "layers"), ==, 0);
	g_assert_cmpuint(count(fixture, "images"), ==, 0);
	g_assert_cmpuint(count(fixture, "blobs/sha256"), ==, 0);
}

static void test_bad_archives(Fixture *fixture, gconstpointer data) {
	static const char *const good[] = {"x", NULL}, *const escape[] = {"../x", NULL};
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	write_tar(fixture, good, false);
	assert_import_fails(fixture);
	write_tar(fixture, escape, true);
	assert_import_fails(fixture);
	g_file_set_contents(fixture->tar, "garbage garbage", -1, NULL);
	assert_import_fails(fixture);
	g_file_set_contents(fixture->tar, "", 0, NULL);
	assert_import_fails(fixture);
	g_remove(fixture->tar);
	assert_import_fails(fixture);
	write_tar(fixture, good, true);
	g_assert_false(image_load(fixture->store, fixture->tar, &names, &error));
	g_assert_true(error_is(error, ERROR_CORRUPT));
	g_assert_cmpuint(count(fixture, "staging"), ==, 0);
}

static void test_whiteouts(Fixture *fixture, gconstpointer data) {
	const char *members[] = {".wh.gone", "d/", "d/x", ".wh.d", "o/", "o/.wh..wh..opq", NULL};
	g_autofree char *id = NULL;
	struct stat st;
	char value[4];

	(void)data;
	write_tar(fixture, members, true);
	g_assert_true(image_import(fixture->store, fixture->tar, "bb", NULL, NULL, &id, NULL));
	g_autoptr(ImageConfig) image = image_lookup(fixture->store, "bb", NULL);
	g_autofree char *gone = g_strconcat(image->layers[0], "/gone", NULL);
	g_assert_cmpint(lstat(gone, &st), ==, 0);
	g_assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0));
	const char *const opaque[] = {"/d", "/o"};
	const char *xattr = geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
	for (size_t i = 0; i < G_N_ELEMENTS(opaque); i++) {
		g_autofree char *path = g_strconcat(image->layers[0], opaque[i], NULL);
		if (lgetxattr(path, xattr, value, sizeof value) != 1 && errno == ENOTSUP)
			continue;
		g_assert_cmpint(value[0], ==, 'y');
	}
}

static void copy_file(const char *from_folder, const char *to_folder, const char *name) {
	g_autofree char *from = g_build_filename(from_folder, name, NULL);
	g_autofree char *to = g_build_filename(to_folder, name, NULL);
	g_autofree char *content = NULL;
	gsize size;

	g_assert_true(g_file_get_contents(from, &content, &size, NULL));
	g_assert_true(g_file_set_contents(to, content, (gssize)size, NULL));
}

/* An OCI layout of the image: the store's blobs with an index. */
static char *write_layout(const Fixture *fixture, const ImageConfig *image, const char *name) {
	char *layout = g_build_filename(fixture->path, "layout", NULL);
	g_autofree char *from = g_build_filename(fixture->path, "state/blobs/sha256", NULL);
	g_autofree char *to = g_build_filename(layout, "blobs/sha256", NULL);
	g_autofree char *manifest = g_build_filename(from, image->digest + 7, NULL);
	g_autofree char *index_path = g_build_filename(layout, "index.json", NULL);
	g_autofree char *version_path = g_build_filename(layout, "oci-layout", NULL);
	g_auto(GStrv) blobs = fd_list_dir(AT_FDCWD, from, NULL);
	struct stat st;

	g_assert_cmpint(g_mkdir_with_parents(to, 0700), ==, 0);
	for (char **blob = blobs; *blob; blob++)
		copy_file(from, to, *blob);
	g_assert_cmpint(stat(manifest, &st), ==, 0);
	g_autofree char *index = g_strdup_printf(
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		"\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%lld,"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}]}",
		image->digest, (long long)st.st_size, name);
	g_assert_true(g_file_set_contents(index_path, index, -1, NULL));
	g_assert_true(
		g_file_set_contents(version_path, "{\"imageLayoutVersion\":\"1.0.0\"}", -1, NULL));
	return layout;
}

static void test_load(Fixture *fixture, gconstpointer data) {
	g_autofree char *skopeo = g_find_program_in_path("skopeo");
	g_autofree char *id = import(fixture, "x", "one", NULL);
	g_autoptr(ImageConfig) image = image_lookup(fixture->store, "one", NULL);
	g_autofree char *layout = write_layout(fixture, image, "quay.example/two:2");
	g_autofree char *blobs = g_build_filename(layout, "blobs/sha256", NULL);
	g_autofree char *link = g_build_filename(blobs, "link", NULL);
	g_autoptr(ImageRemoval) gone = image_remove(fixture->store, "one", false, NULL, NULL);
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GError) error = NULL, linked = NULL;

	(void)data;
	if (!skopeo) {
		g_test_skip("missing: skopeo");
		return;
	}
	image_load(fixture->store, layout, &names, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(names->len, ==, 1);
	g_assert_cmpstr(names->pdata[0], ==, "quay.example/two:2");
	g_autoptr(ImageConfig) loaded = image_lookup(fixture->store, "two:2", NULL);
	g_assert_cmpstr(loaded->id, ==, id);
	g_assert_cmpstr(loaded->digest, ==, image->digest);
	g_assert_true(g_file_test(loaded->layers[0], G_FILE_TEST_IS_DIR));
	g_assert_cmpint(symlink("/etc/shadow", link), ==, 0);
	g_assert_false(image_load(fixture->store, layout, &names, &linked));
	g_assert_true(error_is(linked, ERROR_CORRUPT));
	g_assert_cmpuint(count(fixture, "staging"), ==, 0);
}

/* A writer died: its directory is unlocked, and goes with the next writer. */
static void test_dead_writer(Fixture *fixture, gconstpointer data) {
	g_autofree char *dead = g_strconcat(fixture->path, "/state/staging/dead/new/diff", NULL);

	(void)data;
	g_assert_cmpint(g_mkdir_with_parents(dead, 0700), ==, 0);
	g_autofree char *id = import(fixture, "x", "bb", NULL);
	g_assert_cmpuint(count(fixture, "staging"), ==, 0);
}

static void test_record_round_trip(Fixture *fixture, gconstpointer data) {
	g_autofree char *id = import(fixture, "x", "bb", NULL);
	g_autoptr(ImageConfig) image = image_lookup(fixture->store, "bb", NULL);
	char *stack[] = {id, NULL};

	(void)data;
	image->healthcheck = g_strdup("{\"Test\":[]}");
	image->author = g_strdup("a\nb");
	g_autofree char *text = catalog_format(image, stack, stack);
	g_autoptr(ImageConfig) back = catalog_parse(fixture->store, id, text, strlen(text), NULL);
	g_autofree char *again = catalog_format(back, stack, stack);
	g_assert_cmpstr(text, ==, again);
	g_autofree char *suffix = g_strconcat("/state/layers/", id, "/diff", NULL);
	g_assert_true(g_str_has_suffix(back->layers[0], suffix));
	g_assert_null(catalog_parse(fixture->store, id, "{\"version\":1}", 13, NULL));
	g_assert_null(catalog_parse(fixture->store, id, "{}", 2, NULL));
}

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	log_set_level(LOG_LEVEL_ERROR);
#define ADD(path, function) g_test_add(path, Fixture, NULL, setup, function, teardown)
	ADD("/image/image_store/import", test_import);
	ADD("/image/image_store/vuln_B6_23-load-layout", test_load);
	ADD("/image/image_store/lookup", test_lookup);
	ADD("/image/image_store/empty-store", test_empty_store);
	ADD("/image/image_store/remove", test_remove);
	ADD("/image/image_store/shared-layer", test_shared_layer);
	ADD("/image/image_store/bad-archives-leave-nothing", test_bad_archives);
	ADD("/image/image_store/whiteouts", test_whiteouts);
	ADD("/image/image_store/dead-writer-is-swept", test_dead_writer);
	ADD("/image/catalog/record-round-trip", test_record_round_trip);
	g_test_add_func("/image/image_changes/bad", test_bad_changes);
	return g_test_run();
}
