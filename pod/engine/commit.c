/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container's file system holds, as an image (commit), a tar (export) or a list (diff). */
#include "base/fd.h"
#include "base/log.h"
#include "base/options.h"
#include "engine/files.h"

#include <fcntl.h>
#include <string.h>

/* --- export and diff -------------------------------------------------------------------------- */

bool engine_export(Engine *engine, const char *name, int out_fd, GError **err) {
	__attribute__((cleanup(files_clear))) Files files = {0};
	ArchiveReport report = {0};

	if (!files_open(engine, name, false, &files, err))
		return false;
	_cleanup_close_ int root_fd = files_open_rootfs(&files, err);
	const ArchiveSource source = {
		.fd = root_fd, .is_root = true, .uids = &files.uids, .gids = &files.gids};
	return root_fd >= 0 && archive_write(&source, out_fd, ARCHIVE_WRITE_PLAIN, &report, err);
}

/* What podctl itself puts into every container, and podman leaves out as well. */
static bool is_own_path(const char *path) {
	static const char *const paths[] = {"/dev", "/etc/hostname", "/etc/hosts",
		"/etc/resolv.conf", "/etc/mtab", "/proc", "/run", "/run/.containerenv",
		"/run/notify", "/run/secrets", "/sys"};

	array_foreach (row, paths)
		if (strcmp(path, *row) == 0)
			return true;
	return false;
}

static bool require_upper(const Files *files, const char *action, GError **err) {
	if (files->config->rootfs.upper_dir)
		return true;
	return fail(err, ERROR_UNSUPPORTED,
		"cannot %s container \"%s\": its root file system is a directory of the host",
		action, files->container->definition->name);
}

EngineChange *engine_container_changes(Engine *engine, const char *name, GError **err) {
	static const char letters[] = {
		[ARCHIVE_CHANGED] = 'C', [ARCHIVE_ADDED] = 'A', [ARCHIVE_DELETED] = 'D'};
	__attribute__((cleanup(files_clear))) Files files = {0};

	if (!files_open(engine, name, false, &files, err) || !require_upper(&files, "compare", err))
		return NULL;
	const RuntimeRootfs *rootfs = &files.config->rootfs;
	g_autoptr(GPtrArray) found = archive_changes(rootfs->upper_dir, rootfs->lower_dirs, err);
	if (!found)
		return NULL;
	EngineChange *changes = g_new0(EngineChange, found->len + 1);
	size_t n = 0;
	for (guint i = 0; i < found->len; i++) {
		ArchiveChange *change = found->pdata[i];
		if (!is_own_path(change->path))
			changes[n++] = (EngineChange){
				letters[change->kind], g_steal_pointer(&change->path)};
	}
	return changes;
}

void engine_changes_free(EngineChange *changes) {
	for (EngineChange *change = changes; change && change->path; change++)
		g_free(change->path);
	g_free(changes);
}

/* --- commit ----------------------------------------------------------------------------------- */

typedef struct Layer {
	const Files *files;
	bool squash;
} Layer;

static int open_layer(const Layer *layer, GError **err) {
	return layer->squash ? files_open_rootfs(layer->files, err)
			     : fd_open_dir(AT_FDCWD, layer->files->config->rootfs.upper_dir, err);
}

static bool write_layer(int fd, void *data, char ret_diff[65], GError **err) {
	const Layer *layer = data;
	ArchiveReport report = {0};
	_cleanup_close_ int root_fd = open_layer(layer, err);
	const ArchiveSource source = {.fd = root_fd,
		.is_upper = !layer->squash,
		.with_top = true,
		.uids = &layer->files->uids,
		.gids = &layer->files->gids};

	/* holes become zeros, which compress well: not every reader of images knows sparse maps */
	if (root_fd < 0 ||
		!archive_write(&source, fd, ARCHIVE_WRITE_GZIP | ARCHIVE_WRITE_DENSE, &report, err))
		return false;
	if (report.n_skipped)
		log_warning("%" G_GUINT64_FORMAT
			    " sockets or names that an image cannot have are left out, continuing",
			report.n_skipped);
	g_strlcpy(ret_diff, report.diff_digest, sizeof(report.diff_digest));
	return true;
}

static void add_setting(char ***settings, const char *word, const char *value) {
	g_autofree char *text = g_strconcat(word, " ", value, NULL);

	options_append(settings, text);
}

static void add_words(char ***settings, const char *word, char *const *words) {
	json_auto_t *list = json_from_strv(words);
	g_autofree char *text = json_to_text(list, false);

	add_setting(settings, word, text);
}

/* K=V; the quotes keep blanks and quotes of the value. */
static void add_pairs(char ***settings, const char *word, char *const *pairs) {
	for (; pairs && *pairs; pairs++) {
		g_auto(GStrv) pair = g_strsplit(*pairs, "=", 2);
		g_autofree char *text =
			g_strdup_printf("%s=\"%s\"", pair[0], pair[1] ? pair[1] : "");
		if (*pair[0])
			add_setting(settings, word, text);
	}
}

static void add_entrypoint(char ***settings, const ContainerSpec *spec) {
	char *none[] = {NULL}, *single[] = {spec->entrypoint, NULL};
	bool has_command = spec->command && spec->command[0];

	if (spec->entrypoint && spec->entrypoint[0] == '[')
		add_setting(settings, "ENTRYPOINT", spec->entrypoint);
	else if (spec->entrypoint)
		add_words(settings, "ENTRYPOINT", *spec->entrypoint ? single : none);
	/* an entry point of one's own drops the image's command */
	if (has_command || spec->entrypoint)
		add_words(settings, "CMD", has_command ? spec->command : none);
}

static bool add_ports(char ***settings, const ContainerSpec *spec, GError **err) {
	for (char **text = spec->publish; text && *text; text++) {
		PortMapping mapping = {0};
		if (!spec_parse_port(*text, &mapping, err))
			return false;
		for (unsigned i = 0; i < mapping.count; i++) {
			g_autofree char *port = g_strdup_printf("%u/%s", mapping.container_port + i,
				port_protocol_to_string(mapping.protocol));
			add_setting(settings, "EXPOSE", port);
		}
		port_mapping_clear(&mapping);
	}
	return true;
}

/* What the container was told beyond its image. */
static char **make_settings(const Files *files, bool include_volumes, GError **err) {
	const ContainerSpec *spec = files->container->definition->spec;
	g_auto(GStrv) settings = g_new0(char *, 1);

	add_entrypoint(&settings, spec);
	add_pairs(&settings, "ENV", spec->env);
	add_pairs(&settings, "LABEL", spec->labels);
	if (spec->user && *spec->user)
		add_setting(&settings, "USER", spec->user);
	if (spec->workdir)
		add_setting(&settings, "WORKDIR", spec->workdir);
	if (!add_ports(&settings, spec, err))
		return NULL;
	for (size_t i = 0; include_volumes && i < files->config->n_mounts; i++) {
		char *words[] = {files->config->mounts[i]->destination, NULL};
		if (files->config->mounts[i]->kind != MOUNT_TMPFS)
			add_words(&settings, "VOLUME", words);
	}
	return g_steal_pointer(&settings);
}

bool engine_commit(Engine *engine, const char *name, const EngineCommit *options, char **ret_id,
	GError **err) {
	__attribute__((cleanup(files_clear))) Files files = {0};
	ImageStore *images = engine_images(engine, err);

	if (!images || !files_open(engine, name, false, &files, err) ||
		!require_upper(&files, "commit", err))
		return false;
	if (!files.image)
		return fail(err, ERROR_UNSUPPORTED,
			"cannot commit container \"%s\": it was not made from an image", name);
	if (options->pause && !files_freeze(&files, err))
		return false;
	g_auto(GStrv) settings = make_settings(&files, options->include_volumes, err);
	if (!settings)
		return false;
	Layer layer = {&files, options->squash};
	const ImageCommit commit = {
		.base_id = files.image->id,
		.squash = options->squash,
		.reference = options->reference,
		.author = options->author,
		.message = options->message,
		.settings = settings,
		.changes = options->changes,
		.write_layer = write_layer,
		.data = &layer,
	};
	return image_commit(images, &commit, ret_id, err) ||
	       fail_prefix(
		       err, "cannot commit container \"%s\"", files.container->definition->name);
}
