/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services and links on disk. See install.h. */
#include "install.h"

#include "graph.h"
#include "keys.h"
#include "search.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Install {
	const Generator *generator;
	int fd; /* output directory */
	const char *output;
	GHashTable *directories; /* made below the output directory */
	GHashTable *links;       /* names of aliases in the output directory itself */
	GString *text;
	gsize header_length;
} Install;

void install_print(const Unit *unit, GString *out) {
	g_string_append_printf(out, "---%s.service---\n", unit->service);
	unit_file_write(unit->file, out);
	g_string_append_c(out, '\n');
}

/* systemd may look while we write: the file appears whole, under its name, by rename. */
static bool write_file(const Install *install, const char *name, GError **err) {
	/* of this process alone: two generators at once must not mix their lines (B14-10) */
	g_autofree char *temporary = g_strdup_printf(".podctl-generator.%d.tmp", (int)getpid());
	_cleanup_close_ int fd = openat(install->fd, temporary,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return fail_errno(
			err, errno, "cannot create \"%s/%s\"", install->output, temporary);
	bool ok = fd_write_all(fd, install->text->str, install->text->len, name, err);
	if (ok && renameat(install->fd, temporary, install->fd, name) < 0)
		ok = fail_errno(err, errno, "cannot create \"%s/%s\"", install->output, name);
	if (!ok)
		unlinkat(install->fd, temporary, 0);
	return ok;
}

static bool write_unit(Install *install, const Unit *unit, GError **err) {
	g_autofree char *name = g_strconcat(unit->service, ".service", NULL);

	g_string_truncate(install->text, install->header_length);
	unit_file_write(unit->file, install->text);
	if (!write_file(install, name, err))
		return fail_prefix(err, "%s", unit->path);
	log_debug("wrote %s/%s", install->output, name);
	return true;
}

/* Makes the link in place of whatever has its name; a link that is right already stays. */
static bool place_link(Install *install, const char *target, const char *link, GError **err) {
	if (symlinkat(target, install->fd, link) == 0)
		return true;
	if (errno == EEXIST) {
		g_autofree char *old = g_malloc0(PATH_MAX);
		if (readlinkat(install->fd, link, old, PATH_MAX - 1) > 0 &&
			strcmp(old, target) == 0)
			return true;
		if (unlinkat(install->fd, link, 0) == 0 &&
			symlinkat(target, install->fd, link) == 0)
			return true;
	}
	return fail_errno(err, errno, "cannot link \"%s/%s\"", install->output, link);
}

static bool ensure_directory(Install *install, const char *name, GError **err) {
	if (g_hash_table_contains(install->directories, name))
		return true;
	if (!fd_mkdir_parents(install->fd, name, 0755, err))
		return false;
	g_hash_table_add(install->directories, g_strdup(name));
	return true;
}

/* Links are extras: what goes wrong is said, the service stays. */
static void add_link(Install *install, const Unit *unit, const char *target, const char *link) {
	g_autofree char *directory = g_path_get_dirname(link);
	g_autoptr(GError) error = NULL;

	if ((strcmp(directory, ".") == 0 || ensure_directory(install, directory, &error)) &&
		place_link(install, target, link, &error)) {
		log_debug("linked %s/%s to %s", install->output, link, target);
		return;
	}
	unit_warn(unit, NULL, "%s, continuing without the link", error->message);
}

/* Words of a key in [Install]. Free with g_ptr_array_unref. */
static GPtrArray *install_words(const Unit *unit, const UnitGroup *group, const char *key) {
	GPtrArray *words = g_ptr_array_new();

	for (guint i = 0; i < group->lines->len; i++) {
		const UnitLine *line = &g_array_index(group->lines, UnitLine, i);
		if (!line->key || strcmp(line->key, key) != 0)
			continue;
		if (*line->value)
			keys_split(unit, line, WORDS_PLAIN, words);
		else
			g_ptr_array_set_size(words, 0);
	}
	return words;
}

/* Relative to the output directory and never outside of it. */
static void add_alias(Install *install, const Unit *unit, const char *alias, const char *service) {
	g_autofree char *link = str_clean_path(alias);
	g_autoptr(GString) target = g_string_new(NULL);
	const Unit *other = g_hash_table_lookup(install->generator->services, link);

	if (*link == '/' || strcmp(link, "..") == 0 || g_str_has_prefix(link, "../") ||
		strcmp(link, ".") == 0) {
		unit_warn(unit, NULL, "Alias=%s leads out of the unit directory, ignoring", alias);
		return;
	}
	if (other) {
		if (other != unit)
			unit_warn(unit, NULL,
				"Alias=%s is the name of the service of \"%s\", ignoring", alias,
				other->name);
		return;
	}
	for (const char *slash = strchr(link, '/'); slash; slash = strchr(slash + 1, '/'))
		g_string_append(target, "../");
	g_string_append(target, service);
	add_link(install, unit, target->str, link);
	g_hash_table_add(install->links, g_steal_pointer(&link));
}

static void add_dependents(Install *install, const Unit *unit, const UnitGroup *group,
	const char *key, const char *suffix, const char *link_name, const char *service) {
	g_autoptr(GPtrArray) words = install_words(unit, group, key);
	g_autofree char *target = g_strconcat("../", service, NULL);

	for (guint i = 0; i < words->len; i++) {
		const char *word = g_ptr_array_index(words, i);
		if (!*word || strchr(word, '/'))
			continue;
		g_autofree char *link = g_strconcat(word, suffix, "/", link_name, NULL);
		add_link(install, unit, target, link);
	}
}

static void add_links(Install *install, const Unit *unit) {
	static const struct {
		const char *key;
		const char *suffix;
	} kinds[] = {
		{"WantedBy", ".wants"},
		{"RequiredBy", ".requires"},
		{"UpheldBy", ".upholds"},
	};
	const UnitGroup *group = unit_file_group(unit->file, "Install");
	g_autofree char *service = g_strconcat(unit->service, ".service", NULL);
	g_autofree char *link_name = NULL;
	const char *at = strchr(unit->service, '@');

	if (!group)
		return;
	g_autoptr(GPtrArray) aliases = install_words(unit, group, "Alias");
	for (guint i = 0; i < aliases->len; i++)
		add_alias(install, unit, g_ptr_array_index(aliases, i), service);
	if (at && !at[1]) {
		const char *instance = unit_file_value(unit->file, "Install", "DefaultInstance");
		if (!instance || !*instance || strchr(instance, '/'))
			return;
		link_name = g_strconcat(unit->service, instance, ".service", NULL);
	} else {
		link_name = g_strdup(service);
	}
	array_foreach (kind, kinds)
		add_dependents(install, unit, group, kind->key, kind->suffix, link_name, service);
}

/* Another unit is called so already: ours stays known by its long name alone. */
static bool is_name_taken(const Install *install, const GPtrArray *directories, const char *name) {
	if (g_hash_table_contains(install->generator->services, name) ||
		g_hash_table_contains(install->links, name))
		return true;
	for (guint i = 0; i < directories->len; i++) {
		g_autofree char *path =
			g_strconcat(g_ptr_array_index(directories, i), "/", name, NULL);
		struct stat st;
		if (lstat(path, &st) == 0)
			return true;
	}
	return false;
}

/* "systemctl start foo" for foo.pod. An instance has no short name: systemd wants the instance of
 * an alias to be that of its unit, and foo@x-pod has another one than foo@x. */
static void add_pod_names(Install *install) {
	const GPtrArray *units = install->generator->units;
	g_autoptr(GPtrArray) directories = search_systemd_dirs(install->generator);

	for (guint i = 0; i < units->len; i++) {
		const Unit *unit = g_ptr_array_index(units, i);
		const char *at = strchr(unit->base, '@');
		if (unit->type != &unit_type_pod || unit->state != UNIT_CONVERTED ||
			keys_string(unit, "ServiceName") || (at && at[1]))
			continue;
		g_autofree char *link = g_strconcat(unit->base, ".service", NULL);
		g_autofree char *target = g_strconcat(unit->service, ".service", NULL);
		if (is_name_taken(install, directories, link))
			continue;
		/* What other generators wrote here is not ours to replace. */
		if (symlinkat(target, install->fd, link) == 0)
			log_debug("linked %s/%s to %s", install->output, link, target);
		else if (errno != EEXIST)
			unit_warn(unit, NULL, "cannot link \"%s\": %s, continuing", link,
				g_strerror(errno));
	}
}

bool install_units(
	Generator *generator, const char *output, const char *program_name, GError **err) {
	g_autoptr(GString) text = g_string_sized_new(8192);
	g_autoptr(GHashTable) directories =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	bool has_pods = false;

	if (!fd_mkdir_parents(AT_FDCWD, output, 0755, err))
		return false;
	_cleanup_close_ int fd = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, errno, "cannot open directory \"%s\"", output);
	g_string_append_printf(text, "# Automatically generated by %s\n# \n", program_name);
	Install install = {generator, fd, output, directories, links, text, text->len};
	for (guint i = 0; i < generator->units->len; i++) {
		const Unit *unit = g_ptr_array_index(generator->units, i);
		g_autoptr(GError) error = NULL;
		if (unit->state != UNIT_CONVERTED)
			continue;
		has_pods = has_pods || unit->type == &unit_type_pod;
		if (write_unit(&install, unit, &error))
			add_links(&install, unit);
		else
			generator_report(generator, error);
	}
	if (has_pods)
		add_pod_names(&install);
	return true;
}
