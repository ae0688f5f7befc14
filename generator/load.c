/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From directories to units. See load.h. */
#include "load.h"

#include "graph.h"
#include "search.h"

#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

typedef struct Walk {
	Generator *generator;
	GHashTable *visited; /* resolved directories: stops cycles of links */
	SearchFilter filter;
	const char *root; /* resolved */
	char *users;      /* resolved ROOT/users, NULL: none */
} Walk;

static bool is_null_device(const struct stat *st) {
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Reads a whole regular file; /dev/null reads as NULL text without an error. */
static bool read_source(int dir_fd, const char *directory, const char *name, char **ret_text,
	size_t *ret_size, GError **err) {
	struct stat st;
	size_t size = 0;
	/* O_NONBLOCK: a FIFO must not hang the boot. */
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*ret_text = NULL;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, errno, "%s/%s: cannot open", directory, name);
	if (is_null_device(&st))
		return true;
	if (!S_ISREG(st.st_mode))
		return fail(err, ERROR_INVALID, "%s/%s: not a regular file", directory, name);
	if (st.st_size > (off_t)GENERATOR_FILE_LIMIT)
		return fail(err, ERROR_CORRUPT, "%s/%s: larger than %zu bytes", directory, name,
			GENERATOR_FILE_LIMIT);
	g_autofree char *text = g_malloc((size_t)st.st_size + 1);
	while (size < (size_t)st.st_size) {
		ssize_t n = read(fd, text + size, (size_t)st.st_size - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, errno, "%s/%s: cannot read", directory, name);
		if (n == 0)
			break;
		size += (size_t)n;
	}
	text[size] = '\0';
	*ret_text = g_steal_pointer(&text);
	*ret_size = size;
	return true;
}

/* Reads and parses; *ret_file is NULL for /dev/null. */
static bool read_unit_file(
	int dir_fd, const char *directory, const char *name, UnitFile **ret_file, GError **err) {
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	size_t size = 0;
	unsigned lost = 0;

	*ret_file = NULL;
	if (!read_source(dir_fd, directory, name, &text, &size, err))
		return false;
	if (!text)
		return true;
	g_autoptr(UnitFile) file = unit_file_new();
	path = g_strconcat(directory, "/", name, NULL);
	if (!unit_file_parse(file, path, g_steal_pointer(&text), size, &lost, err))
		return false;
	if (lost)
		log_warning("%s:%u: the line goes on behind a backslash, but nothing follows, "
			    "ignoring it",
			path, lost);
	log_debug("read %s", path);
	*ret_file = g_steal_pointer(&file);
	return true;
}

static void load_file(Walk *walk, int dir_fd, const char *directory, const char *name) {
	Generator *generator = walk->generator;
	const UnitType *type = graph_type_of(name);
	g_autoptr(GError) error = NULL;
	UnitFile *file;

	if (g_hash_table_contains(generator->by_name, name))
		return;
	if (!read_unit_file(dir_fd, directory, name, &file, &error)) {
		generator_report(generator, error);
		return;
	}
	Unit *unit = unit_new(type, directory, name, file ? file : unit_file_new());
	if (!file) {
		unit->state = UNIT_MASKED;
		log_debug("%s: is /dev/null, masked", unit->path);
	}
	g_ptr_array_add(generator->units, unit);
	g_hash_table_insert(generator->by_name, (void *)unit->name, unit);
}

/* The first component below the root is a number. */
static bool is_numeric_child(const char *root, const char *path) {
	size_t length = strlen(root);

	if (strncmp(path, root, length) != 0 || path[length] != '/')
		return false;
	const char *name = path + length + 1;
	size_t digits = strspn(name, "0123456789");
	return digits > 0 && (name[digits] == '\0' || name[digits] == '/');
}

static bool is_below(const char *path, const char *parent) {
	size_t length = strlen(parent);

	return strncmp(path, parent, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static bool is_filtered(const Walk *walk, const char *path) {
	if (g_str_has_suffix(path, ".d"))
		return true;
	if (walk->filter == SEARCH_SKIP_NUMERIC)
		return is_numeric_child(walk->root, path);
	return walk->users && is_below(path, walk->users);
}

typedef struct Entry {
	char *name;
	bool link;
} Entry;

static void entry_clear(void *data) {
	g_free(((Entry *)data)->name);
}

static int compare_entries(const void *a, const void *b) {
	return strcmp(((const Entry *)a)->name, ((const Entry *)b)->name);
}

/* What one directory holds: sources, directories and links that may lead to some, drop-ins. */
typedef struct Listing {
	GArray *sources;        /* of Entry */
	GArray *subdirectories; /* of Entry */
} Listing;

static void listing_clear(Listing *listing) {
	g_array_unref(listing->sources);
	g_array_unref(listing->subdirectories);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Listing, listing_clear)

static GArray *new_entries(void) {
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));

	g_array_set_clear_func(entries, entry_clear);
	return entries;
}

static void note_dropin(Generator *generator, const char *name, const char *directory) {
	GPtrArray *directories = g_hash_table_lookup(generator->dropins, name);

	if (!directories) {
		directories = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(generator->dropins, g_strdup(name), directories);
	}
	g_ptr_array_add(directories, g_strdup(directory));
}

static void list_entry(Walk *walk, Listing *listing, int dir_fd, const char *directory,
	const struct dirent *entry) {
	const char *name = entry->d_name;
	unsigned char type = entry->d_type;
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	if (g_str_has_suffix(name, ".d"))
		note_dropin(walk->generator, name, directory);
	if (graph_type_of(name)) {
		Entry source = {g_strdup(name), false};
		g_array_append_val(listing->sources, source);
	}
	if (type == DT_REG)
		return;
	/* Links may lead to a directory; so may anything on file systems that do not say. */
	bool link = type != DT_DIR;
	if (link && (fstatat(dir_fd, name, &st, 0) < 0 || !S_ISDIR(st.st_mode)))
		return;
	Entry subdirectory = {g_strdup(name), link};
	g_array_append_val(listing->subdirectories, subdirectory);
}

static bool list_directory(Walk *walk, const char *path, Listing *listing, GError **err) {
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int dir_fd = fd;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (fd < 0)
		return fail_errno(err, errno, "%s: cannot read the directory", path);
	dir = fdopendir(fd);
	if (!dir)
		return fail_errno(err, errno, "%s: cannot read the directory", path);
	steal_fd(&fd);
	while ((entry = readdir(dir)))
		list_entry(walk, listing, dir_fd, path, entry);
	g_array_sort(listing->sources, compare_entries);
	g_array_sort(listing->subdirectories, compare_entries);
	for (guint i = 0; i < listing->sources->len; i++)
		load_file(walk, dir_fd, path, g_array_index(listing->sources, Entry, i).name);
	return true;
}

/* One resolved directory, then all below it in the order of their names. */
static void walk_directory(Walk *walk, const char *path) {
	g_auto(Listing) listing = {new_entries(), new_entries()};
	g_autoptr(GError) error = NULL;

	if (is_filtered(walk, path) || !g_hash_table_add(walk->visited, g_strdup(path)))
		return;
	if (!list_directory(walk, path, &listing, &error)) {
		generator_report(walk->generator, error);
		return;
	}
	for (guint i = 0; i < listing.subdirectories->len; i++) {
		const Entry *entry = &g_array_index(listing.subdirectories, Entry, i);
		g_autofree char *child = g_strconcat(path, "/", entry->name, NULL);
		/* realpath() allocates with malloc, as g_free expects. */
		g_autofree char *resolved = entry->link ? realpath(child, NULL) : NULL;
		if (entry->link && !resolved) {
			log_debug("%s: cannot resolve, ignoring", child);
			continue;
		}
		walk_directory(walk, resolved ? resolved : child);
	}
}

void load_units(Generator *generator, const GPtrArray *roots) {
	g_autoptr(GHashTable) visited =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < roots->len; i++) {
		const SearchRoot *root = g_ptr_array_index(roots, i);
		g_autofree char *resolved = realpath(root->path, NULL);
		g_autofree char *users = NULL;
		if (!resolved) {
			log_debug("%s: not there", root->path);
			continue;
		}
		if (root->filter == SEARCH_SKIP_USERS) {
			g_autofree char *path = g_strconcat(resolved, "/users", NULL);
			users = realpath(path, NULL);
		}
		Walk walk = {generator, visited, root->filter, resolved, users};
		walk_directory(&walk, resolved);
	}
}

/* Appends name if some source directory has it. */
static void add_dropin_directories(const Generator *generator, const char *name, GPtrArray *out) {
	const GPtrArray *parents = g_hash_table_lookup(generator->dropins, name);

	for (guint i = 0; parents && i < parents->len; i++)
		g_ptr_array_add(out, g_strconcat(g_ptr_array_index(parents, i), "/", name, NULL));
}

static void add_dropin_name(const Generator *generator, const Unit *unit, size_t length,
	const char *middle, GPtrArray *out) {
	g_autofree char *name = g_strdup_printf(
		"%.*s%s%s.d", (int)length, unit->name, middle, unit->type->extension);

	add_dropin_directories(generator, name, out);
}

/* Drop-in directories of the unit, the most specific name first. */
static GPtrArray *find_dropin_directories(const Generator *generator, const Unit *unit) {
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	size_t length = strlen(unit->name) - strlen(unit->type->extension);
	const char *at = memchr(unit->name, '@', length);
	size_t stem = at ? (size_t)(at - unit->name) : length;

	add_dropin_name(generator, unit, length, "", out);
	if (at && stem + 1 < length)
		add_dropin_name(generator, unit, stem, "@", out);
	for (size_t i = stem; i > 0; i--) {
		if (unit->name[i - 1] != '-')
			continue;
		/* The unit's own name, when it ends in a dash, was the first. */
		if (at)
			add_dropin_name(generator, unit, i, "@", out);
		if (i < length)
			add_dropin_name(generator, unit, i, "", out);
	}
	g_autofree char *plain = g_strconcat(unit->type->extension + 1, ".d", NULL);
	add_dropin_directories(generator, plain, out);
	return out;
}

typedef struct Dropin {
	char *name;
	const char *directory;
} Dropin;

static void dropin_clear(void *data) {
	g_free(((Dropin *)data)->name);
}

static int compare_dropins(const void *a, const void *b) {
	return strcmp(((const Dropin *)a)->name, ((const Dropin *)b)->name);
}

static bool collect_dropins(const char *directory, GArray *dropins, GError **err) {
	_cleanup_closedir_ DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ||
		       fail_errno(err, errno, "%s: cannot read the directory", directory);
	while ((entry = readdir(dir))) {
		bool seen = !g_str_has_suffix(entry->d_name, ".conf");
		for (guint i = 0; i < dropins->len && !seen; i++)
			seen = strcmp(g_array_index(dropins, Dropin, i).name, entry->d_name) == 0;
		if (seen)
			continue;
		Dropin dropin = {g_strdup(entry->d_name), directory};
		g_array_append_val(dropins, dropin);
	}
	return true;
}

static void merge_dropins(Generator *generator, Unit *unit) {
	g_autoptr(GPtrArray) directories = find_dropin_directories(generator, unit);
	g_autoptr(GArray) dropins = g_array_new(FALSE, FALSE, sizeof(Dropin));

	if (directories->len == 0)
		return;
	g_array_set_clear_func(dropins, dropin_clear);
	for (guint i = 0; i < directories->len; i++) {
		g_autoptr(GError) error = NULL;
		if (!collect_dropins(g_ptr_array_index(directories, i), dropins, &error))
			generator_report(generator, error);
	}
	g_array_sort(dropins, compare_dropins);
	for (guint i = 0; i < dropins->len; i++) {
		const Dropin *dropin = &g_array_index(dropins, Dropin, i);
		_cleanup_close_ int fd =
			open(dropin->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		g_autoptr(GError) error = NULL;
		UnitFile *file = NULL;
		if (!read_unit_file(fd, dropin->directory, dropin->name, &file, &error))
			generator_report(generator, error);
		else if (file)
			unit_file_merge(unit->file, file);
	}
}

void load_dropins(Generator *generator) {
	if (g_hash_table_size(generator->dropins) == 0)
		return;
	for (guint i = 0; i < generator->units->len; i++) {
		Unit *unit = g_ptr_array_index(generator->units, i);
		if (unit->state != UNIT_MASKED)
			merge_dropins(generator, unit);
	}
}
