/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images out of an OCI layout, an oci-archive or a docker-archive. podctl-unpack looks into the
 * archive; skopeo then copies each image, so that its policy and its knowledge of formats hold,
 * into a staging directory ("dir:", which keeps manifest and configuration byte for byte, and with
 * them the image's id). See image.h.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "image/catalog.h"
#include "image/layer_unpack.h"
#include "image/oci.h"
#include "image/publish.h"
#include "image/reference.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PLAIN_NAME "archive.tar"

typedef struct Load {
	ImageStore *store;
	Staging *staging;
	int source_fd;    /* the archive or the layout's directory */
	int lock_fd;      /* -1 until the first image is copied */
	GPtrArray *names; /* result */
	unsigned n_copied;
} Load;

/* Without a policy file skopeo refuses everything; then what Debian ships as policy is meant. */
static bool has_policy(void) {
	const char *home = g_getenv("HOME");
	g_autofree char *own =
		g_build_filename(home ? home : "/", ".config/containers/policy.json", NULL);

	return access(own, F_OK) == 0 || access("/etc/containers/policy.json", F_OK) == 0;
}

/* skopeo logs as time="..." level=fatal msg="..."; the last message is the reason. */
static char *last_message(char *text) {
	char *found = NULL;

	for (char *at = text; (at = strstr(at, "msg=\"")); at++)
		found = at + strlen("msg=\"");
	if (!found)
		return g_strchomp(str_strip_control(g_strdelimit(text, "\n", ' ')));
	char *end = found;
	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	*end = '\0';
	char *reason = g_strcompress(found);
	g_strlcpy(text, reason, strlen(text) + 1);
	g_free(reason);
	return str_strip_control(text);
}

static char **skopeo_environment(const Load *load) {
	static const char *const passed[] = {"HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"};
	g_auto(GStrv) env = g_environ_setenv(NULL, "LC_ALL", "C.UTF-8", TRUE);

	env = g_environ_setenv(env, "PATH", PROC_DEFAULT_PATH, TRUE);
	/* on the store's disk, and swept with the staging directory */
	env = g_environ_setenv(env, "TMPDIR", load->staging->path, TRUE);
	array_foreach (name, passed) {
		const char *value = g_getenv(*name);
		if (value)
			env = g_environ_setenv(env, *name, value, TRUE);
	}
	return g_steal_pointer(&env);
}

static bool run_skopeo(const Load *load, const char *from, const char *to, GError **err) {
	const char *argv[] = {"skopeo", "copy", "--quiet", from, to, NULL, NULL};
	g_auto(GStrv) env = skopeo_environment(load);
	g_autofree char *output = NULL;
	g_autoptr(GError) no_start = NULL;
	int pipe_fds[2], status;
	pid_t pid;

	if (!has_policy()) {
		argv[3] = "--insecure-policy";
		argv[4] = from;
		argv[5] = to;
	}
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return fail_errno(err, errno, "cannot start skopeo");
	_cleanup_close_ int read_fd = pipe_fds[0], write_fd = pipe_fds[1];
	ProcSpawn spawn = {
		.argv = argv,
		.env = (const char *const *)env,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = write_fd,
		.keep = &load->source_fd,
		.n_keep = 1,
	};
	if (!proc_spawn(&spawn, &pid, &no_start))
		/* not the code of "command not found": that would be about a container's command */
		return fail(err, ERROR_FAILED, "%s", no_start->message);
	close_fd_ptr(&write_fd);
	bool is_read = fd_read_all(read_fd, "skopeo", 1U << 20, &output, NULL, NULL);
	close_fd_ptr(&read_fd);
	if (!proc_reap(pid, &status, err))
		return false;
	if (status == 0)
		return true;
	return fail(err, ERROR_CORRUPT, "skopeo: %s",
		is_read && *output ? last_message(output) : "failed");
}

/* Copies one image into a directory of its own and adds it to the store. */
static bool take_image(Load *load, const char *from, char **ret_id, GError **err) {
	g_autofree char *name = g_strdup_printf("image-%u", load->n_copied++);
	g_autofree char *to = g_strconcat("dir:", load->staging->path, "/", name, NULL);
	g_autofree char *manifest = NULL, *config = NULL;
	PublishSource source = {.staging = load->staging, .blobs = name};

	if (!run_skopeo(load, from, to, err))
		return false;
	_cleanup_close_ int directory = fd_open_dir(load->staging->fd, name, err);
	if (directory < 0 || !fd_read_file(directory, "manifest.json", OCI_TEXT_LIMIT, &manifest,
				     &source.manifest_size, err))
		return false;
	g_autoptr(OciManifest) parsed = oci_parse_manifest(manifest, source.manifest_size, err);
	if (!parsed || !fd_read_file(directory, parsed->config.hex, OCI_TEXT_LIMIT, &config,
			       &source.config_size, err))
		return false;
	source.manifest = manifest;
	source.config = config;
	/* held until the names are given, so that nobody deletes the image before */
	if (load->lock_fd < 0)
		load->lock_fd = image_store_lock(load->store, STORE_LOCK_ADD, err);
	return load->lock_fd >= 0 && publish_image(load->store, &source, ret_id, err);
}

static bool add_name(Load *load, const char *stored_name, const char *id, GError **err) {
	if (!catalog_set_name(load->store, stored_name, id, err))
		return false;
	g_ptr_array_add(load->names, g_strdup(stored_name));
	return true;
}

static bool load_docker_images(Load *load, int looked_fd, GError **err) {
	g_autofree char *text = NULL;
	size_t size;

	if (!fd_read_file(looked_fd, "manifest.json", OCI_TEXT_LIMIT, &text, &size, err))
		return false;
	g_autoptr(GPtrArray) images = oci_parse_docker_index(text, size, err);
	for (guint i = 0; images && i < images->len; i++) {
		g_autofree char *id = NULL;
		g_autofree char *from =
			g_strdup_printf("docker-archive:/proc/self/fd/%d:@%u", load->source_fd, i);
		if (!take_image(load, from, &id, err))
			return false;
		char **tags = images->pdata[i];
		for (char **tag = tags; *tag; tag++) {
			g_autofree char *name = reference_normalise_docker(*tag, err);
			if (!name || !add_name(load, name, id, err))
				return false;
		}
		if (!*tags)
			g_ptr_array_add(load->names, g_strconcat("sha256:", id, NULL));
	}
	return images != NULL;
}

/* skopeo is given what the unpacker has decompressed: versions differ in what they can do. */
static bool load_docker_archive(Load *load, int looked_fd, GError **err) {
	_cleanup_close_ int plain_fd =
		openat(looked_fd, PLAIN_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int archive_fd = load->source_fd;

	if (plain_fd >= 0)
		load->source_fd = plain_fd;
	bool done = load_docker_images(load, looked_fd, err);
	load->source_fd = archive_fd;
	return done;
}

/* Blobs that are links, devices or FIFOs would make skopeo read other files, or wait for ever. */
static bool check_layout(int layout_fd, GError **err) {
	_cleanup_close_ int blobs = fd_open_dir(layout_fd, "blobs", err);
	_cleanup_close_ int algorithm = blobs >= 0 ? fd_open_dir(blobs, "sha256", err) : -1;
	g_auto(GStrv) names = algorithm >= 0 ? fd_list_dir(algorithm, ".", err) : NULL;
	struct stat st;

	for (char **name = names; name && *name; name++)
		if (fstatat(algorithm, *name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			return fail(err, ERROR_CORRUPT, "blob \"%s\" is not a file",
				str_strip_control(*name));
	return names != NULL;
}

static bool check_is_file(int dir_fd, const char *name, GError **err) {
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(err, errno, "cannot open \"%s\"", name);
	return S_ISREG(st.st_mode) || fail(err, ERROR_CORRUPT, "\"%s\" is not a file", name);
}

/* source_fd is the layout's directory by now. */
static bool load_layout(Load *load, GError **err) {
	g_autofree char *text = NULL;
	size_t size;

	if (!check_is_file(load->source_fd, "oci-layout", err) ||
		!check_is_file(load->source_fd, "index.json", err) ||
		!check_layout(load->source_fd, err) ||
		!fd_read_file(load->source_fd, "index.json", OCI_TEXT_LIMIT, &text, &size, err))
		return false;
	g_auto(GStrv) references = oci_parse_index(text, size, err);
	if (!references)
		return false;
	bool is_single = g_strv_length(references) == 1;
	for (char **reference = references; *reference; reference++) {
		g_autofree char *id = NULL;
		g_autoptr(GError) no_name = NULL;
		if (!**reference && !is_single)
			return fail(err, ERROR_UNSUPPORTED,
				"it holds several images, and one of them has no name");
		g_autofree char *from = g_strdup_printf("oci:/proc/self/fd/%d%s%s", load->source_fd,
			is_single ? "" : ":", is_single ? "" : *reference);
		if (!take_image(load, from, &id, err))
			return false;
		g_autofree char *name =
			**reference ? reference_normalise(*reference, &no_name) : NULL;
		if (no_name)
			log_debug("%s, ignoring", no_name->message);
		if (!name)
			g_ptr_array_add(load->names, g_strconcat("sha256:", id, NULL));
		else if (!add_name(load, name, id, err))
			return false;
	}
	return true;
}

/* An oci-archive is a tar of a layout: laid out by the confined unpacker, then read as one. */
static bool load_oci_archive(Load *load, GError **err) {
	LayerReport report;
	_cleanup_close_ int layout_fd = fd_make_dir(load->staging->fd, "layout", 0700, err);

	if (layout_fd < 0)
		return false;
	if (lseek(load->source_fd, 0, SEEK_SET) < 0)
		return fail_errno(err, errno, "cannot read");
	if (!layer_unpack(load->source_fd, layout_fd, &report, err))
		return false;
	int archive_fd = load->source_fd;
	load->source_fd = layout_fd;
	bool done = load_layout(load, err);
	load->source_fd = archive_fd;
	return done;
}

/* Tells the formats apart by the index that is in the archive. "docker save" writes both; its own
 * has the whole names. */
static bool load_archive(Load *load, GError **err) {
	static const char *const indexes[] = {"manifest.json", "index.json", "oci-layout", NULL};
	_cleanup_close_ int looked_fd = fd_make_dir(load->staging->fd, "look", 0700, err);

	if (looked_fd < 0 || !layer_peek(load->source_fd, looked_fd, indexes, PLAIN_NAME, err))
		return false;
	if (faccessat(looked_fd, "manifest.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return load_docker_archive(load, looked_fd, err);
	if (faccessat(looked_fd, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return load_oci_archive(load, err);
	return fail(err, ERROR_CORRUPT,
		"neither a docker-archive nor an oci-archive; the tar of a root file system comes "
		"in by \"podctl image import\"");
}

static bool load_path(Load *load, const char *path, GError **err) {
	struct stat st;
	/* O_NONBLOCK: a FIFO without a writer must not hang us */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, errno, "cannot open");
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return fail(err, ERROR_INVALID, "neither a file nor a directory");
	load->staging = store_stage(load->store, err);
	if (!load->staging)
		return false;
	load->source_fd = fd;
	return S_ISDIR(st.st_mode) ? load_layout(load, err) : load_archive(load, err);
}

bool image_load(ImageStore *store, const char *path, GPtrArray **ret_names, GError **err) {
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	Load load = {.store = store, .source_fd = -1, .lock_fd = -1, .names = names};
	bool done = load_path(&load, path, err);

	close_fd_ptr(&load.lock_fd);
	store_unstage(load.staging);
	if (!done)
		return fail_prefix(err, "cannot load \"%s\"", path);
	*ret_names = g_steal_pointer(&names);
	return true;
}
