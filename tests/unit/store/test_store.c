/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One process and the store: the life of an object, names, look-ups, records, journal, reboot. */
#include "store_fixture.h"

#include "base/proc.h"

#include <sys/stat.h>

#define LIST(fixture, kind) store_list((fixture)->store, (kind), NULL)

static void test_empty_makes_nothing(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_auto(GStrv) ids = LIST(fixture, STORE_CONTAINER);

	(void)data;
	g_assert_cmpuint(g_strv_length(ids), ==, 0);
	g_assert_null(store_find(fixture->store, STORE_POD, "web", &err));
	g_assert_true(error_is(err, ERROR_NOT_FOUND));
	g_assert_cmpstr(err->message, ==, "no pod with name or ID \"web\" found: no such pod");
	g_assert_cmpuint(count_entries(fixture, "."), ==, 0);
}

static void check_life(Fixture *fixture, bool persistent) {
	g_autoptr(GError) err = NULL;
	g_autofree char *id = id_generate();
	json_auto_t *definition = definition_of(id, "web");
	g_autoptr(StoreObject) object =
		store_create(fixture->store, STORE_CONTAINER, id, persistent, &err);

	g_assert_no_error(err);
	g_auto(GStrv) before = LIST(fixture, STORE_CONTAINER);
	g_assert_cmpuint(g_strv_length(before), ==, 0);
	g_assert_null(store_get(fixture->store, STORE_CONTAINER, id, NULL));
	g_assert_true(store_publish(object, "web", definition, &err));
	store_unlock(object);
	g_assert_cmpuint(count_entries(fixture, "run/pending"), ==, 0);

	g_autofree char *by_name = store_find(fixture->store, STORE_CONTAINER, "web", &err);
	g_assert_cmpstr(by_name, ==, id);
	g_autofree char *prefix = g_strndup(id, 12);
	g_autofree char *by_prefix = store_find(fixture->store, STORE_CONTAINER, prefix, &err);
	g_assert_cmpstr(by_prefix, ==, id);
	g_autofree char *by_id = store_find(fixture->store, STORE_CONTAINER, id, &err);
	g_assert_cmpstr(by_id, ==, id);
	g_assert_null(store_find(fixture->store, STORE_POD, "web", NULL));
	g_auto(GStrv) listed = LIST(fixture, STORE_CONTAINER);
	g_assert_cmpuint(g_strv_length(listed), ==, 1);

	g_autoptr(StoreObject) again = store_get(fixture->store, STORE_CONTAINER, id, &err);
	g_assert_no_error(err);
	g_assert_true(again->persistent == persistent);
	json_auto_t *read_back = store_read(again, "definition", &err);
	g_assert_true(json_equal(read_back, definition));
	g_autofree char *data = store_data_path(again, &err);
	g_assert_true(g_file_test(data, G_FILE_TEST_IS_DIR));

	g_assert_true(store_lock(again, 0, &err));
	g_assert_cmpuint(count_entries(fixture, "run/pending"), ==, 1);
	g_assert_true(store_remove(again, &err));
	g_assert_true(store_remove(again, &err)); /* once more does no harm */
	g_assert_false(g_file_test(data, G_FILE_TEST_EXISTS));
	g_assert_cmpuint(count_entries(fixture, "run/pending"), ==, 0);
	g_assert_cmpuint(count_entries(fixture, "run/names"), ==, 0);
	g_assert_cmpuint(count_entries(fixture, "run/containers"), ==, 0);
	g_assert_cmpuint(count_entries(fixture, "state/containers"), ==, 0);
}

static void test_life_persistent(Fixture *fixture, gconstpointer data) {
	(void)data;
	check_life(fixture, true);
}

static void test_life_volatile(Fixture *fixture, gconstpointer data) {
	(void)data;
	check_life(fixture, false);
}

static void test_modes(Fixture *fixture, gconstpointer data) {
	g_autoptr(StoreObject) object = make_object(fixture->store, STORE_POD, "web", true, NULL);
	struct stat st;

	(void)data;
	g_assert_cmpint(stat(fixture->state_path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
	g_assert_cmpint(stat(fixture->run_path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
	g_assert_cmpint(fstat(object->state_fd, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
	g_assert_cmpint(fstatat(object->state_fd, "definition.json", &st, 0), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
}

static void test_name_in_use(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autoptr(StoreObject) pod = make_object(fixture->store, STORE_POD, "web", false, &err);

	(void)data;
	g_assert_no_error(err);
	g_assert_null(make_object(fixture->store, STORE_CONTAINER, "web", true, &err));
	g_assert_true(error_is(err, ERROR_EXISTS));
	g_assert_nonnull(strstr(err->message, pod->id));
	g_assert_cmpuint(count_entries(fixture, "run/containers"), ==, 0);
	g_assert_cmpuint(count_entries(fixture, "state/containers"), ==, 0);
	g_assert_cmpuint(count_entries(fixture, "run/pending"), ==, 1);
}

static void test_stale_claim(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *gone = id_generate();
	g_autofree char *target = g_strconcat("containers/", gone, NULL);
	g_autofree char *link = g_build_filename(fixture->run_path, "names", "web", NULL);

	(void)data;
	g_autoptr(StoreObject) other = make_object(fixture->store, STORE_POD, "other", false, &err);
	g_assert_cmpint(symlink(target, link), ==, 0);
	g_assert_null(store_find(fixture->store, STORE_CONTAINER, "web", NULL));
	g_autoptr(StoreObject) object =
		make_object(fixture->store, STORE_CONTAINER, "web", false, &err);
	g_assert_no_error(err);
	g_autofree char *found = store_find(fixture->store, STORE_CONTAINER, "web", &err);
	g_assert_cmpstr(found, ==, object->id);
}

static void test_bad_names(Fixture *fixture, gconstpointer data) {
	static const char *const names[] = {"", "../x", "a/b", ".hidden", "-x", "a b"};

	(void)data;
	array_foreach (name, names) {
		g_autoptr(GError) err = NULL;
		g_assert_null(make_object(fixture->store, STORE_POD, *name, false, &err));
		g_assert_true(error_is(err, ERROR_INVALID));
		g_assert_null(store_find(fixture->store, STORE_POD, *name, NULL));
	}
}

static void test_prefix_ambiguous(Fixture *fixture, gconstpointer data) {
	(void)data;
	for (int i = 0; i < 17; i++) { /* two of 17 share their first digit */
		g_autofree char *name = g_strdup_printf("n%d", i);
		g_autoptr(StoreObject) object =
			make_object(fixture->store, STORE_CONTAINER, name, false, NULL);
		store_unlock(object);
	}
	int ambiguous = 0;
	for (const char *digit = "0123456789abcdef"; *digit; digit++) {
		g_autoptr(GError) err = NULL;
		char prefix[] = {*digit, '\0'};
		g_autofree char *id = store_find(fixture->store, STORE_CONTAINER, prefix, &err);
		ambiguous += error_is(err, ERROR_INVALID);
	}
	g_assert_cmpint(ambiguous, >=, 1);
}

static void test_rename(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autoptr(StoreObject) object =
		make_object(fixture->store, STORE_CONTAINER, "old", true, &err);

	(void)data;
	g_assert_true(store_rename(object, "old", "new", &err));
	g_assert_null(store_find(fixture->store, STORE_CONTAINER, "old", NULL));
	g_autofree char *found = store_find(fixture->store, STORE_CONTAINER, "new", NULL);
	g_assert_cmpstr(found, ==, object->id);
	json_auto_t *definition = store_read(object, "definition", &err);
	g_assert_cmpstr(json_get_string(definition, "name", NULL), ==, "new");
	g_autoptr(StoreObject) other = make_object(fixture->store, STORE_POD, "taken", false, &err);
	g_assert_false(store_rename(object, "new", "taken", &err));
	g_assert_true(error_is(err, ERROR_EXISTS));
}

static void test_records(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autoptr(StoreObject) object =
		make_object(fixture->store, STORE_CONTAINER, "web", true, &err);
	json_auto_t *value = definition_of("x", "y");

	(void)data;
	g_assert_null(store_read(object, "state", &err));
	g_assert_no_error(err);
	g_assert_true(store_write(object, "state", value, &err));
	g_assert_true(store_write(object, "exit", value, &err));
	json_auto_t *state = store_read(object, "state", &err);
	g_assert_true(json_equal(state, value));
	g_assert_cmpint(faccessat(object->run_fd, "state.json", F_OK, 0), ==, 0);
	g_assert_cmpint(faccessat(object->state_fd, "exit.json", F_OK, 0), ==, 0);
	g_assert_true(fd_replace_file(object->run_fd, "state.json", "{", 1, 0600, 0, &err));
	g_assert_null(store_read(object, "state", &err));
	g_assert_true(error_is(err, ERROR_CORRUPT));

	g_assert_false(store_is_marked(object, "stop-requested"));
	g_assert_true(store_mark(object, "stop-requested", true, NULL));
	g_assert_true(store_is_marked(object, "stop-requested"));
	g_assert_true(store_mark(object, "stop-requested", false, NULL));
	g_assert_true(store_mark(object, "stop-requested", false, NULL));
	g_assert_false(store_is_marked(object, "stop-requested"));
}

static void test_journal(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autoptr(StoreObject) object = make_object(fixture->store, STORE_POD, "web", false, &err);
	json_auto_t *first = definition_of("1", "first"), *second = definition_of("2", "second");

	(void)data;
	g_assert_true(store_journal_add(object, first, &err));
	/* killed in the middle of a line */
	_cleanup_close_ int fd = openat(object->run_fd, "journal", O_WRONLY | O_APPEND | O_CLOEXEC);
	g_assert_cmpint(write(fd, "{\"id\":", 6), ==, 6);
	json_auto_t *torn = store_journal_read(object, &err);
	g_assert_cmpuint(json_array_size(torn), ==, 1);
	g_assert_true(store_journal_add(object, second, &err));
	json_auto_t *entries = store_journal_read(object, &err);
	g_assert_no_error(err);
	g_assert_cmpuint(json_array_size(entries), ==, 2);
	g_assert_true(json_equal(json_array_get(entries, 1), second));
	g_assert_true(store_journal_clear(object, &err));
	g_assert_true(store_journal_clear(object, &err));
	json_auto_t *none = store_journal_read(object, &err);
	g_assert_cmpuint(json_array_size(none), ==, 0);
}

static void test_lock_timeout(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autoptr(StoreObject) object = make_object(fixture->store, STORE_POD, "web", false, &err);
	g_autoptr(StoreObject) other = store_get(fixture->store, STORE_POD, object->id, &err);
	g_autofree char *holder = g_strdup_printf("process %d ", (int)getpid());

	(void)data;
	g_assert_no_error(err);
	uint64_t start = proc_now_monotonic();
	g_assert_false(store_lock(other, 50000, &err));
	g_assert_true(error_is(err, ERROR_TIMEOUT));
	g_assert_nonnull(strstr(err->message, holder));
	g_assert_cmpuint(proc_now_monotonic() - start, >=, 50000);
	store_unlock(object);
	g_clear_error(&err);
	g_assert_true(store_lock(other, 0, &err));
	g_assert_true(store_remove(other, &err));
	g_assert_false(store_lock(object, 0, &err));
	g_assert_true(error_is(err, ERROR_NOT_FOUND));
}

static void drop_run(Fixture *fixture) {
	g_assert_true(fd_remove_tree(AT_FDCWD, fixture->run_path, NULL));
	fixture_reopen(fixture);
}

static bool count_half_made(StoreObject *object, bool half_made, void *data, GError **err) {
	int *count = data;

	*count += half_made ? 1 : 100;
	return half_made ? store_remove(object, err) : true;
}

static void test_reboot(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *half = id_generate();
	g_autofree char *old = g_build_filename(fixture->state_path, "scratch/other-boot/x", NULL);
	int count = 0;

	(void)data;
	g_autoptr(StoreObject) kept = make_object(fixture->store, STORE_POD, "kept", true, &err);
	g_autoptr(StoreObject) lost = make_object(fixture->store, STORE_POD, "lost", false, &err);
	g_autoptr(StoreObject) made =
		store_create(fixture->store, STORE_CONTAINER, half, true, &err);
	g_assert_no_error(err);
	g_assert_true(fd_mkdir_parents(AT_FDCWD, old, 0700, &err));
	g_clear_pointer(&made, store_object_free);

	drop_run(fixture);
	g_autofree char *id = store_find(fixture->store, STORE_POD, "kept", &err);
	g_assert_cmpstr(id, ==, kept->id);
	g_assert_null(store_find(fixture->store, STORE_POD, "lost", NULL));
	g_autoptr(StoreObject) again = store_get(fixture->store, STORE_POD, id, &err);
	g_assert_true(store_lock(again, 0, &err));
	json_auto_t *state = store_read(again, "state", &err);
	g_assert_null(state);
	g_assert_no_error(err);
	g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
	g_assert_true(store_recover(fixture->store, count_half_made, &count, &err));
	g_assert_cmpint(count, ==, 1);
	g_assert_cmpuint(count_entries(fixture, "state/containers"), ==, 0);
}

/* Where /run is no tmpfs, the run directory of an earlier boot is still there. */
static void test_reboot_keeps_run(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *boot = g_build_filename(fixture->run_path, "boot", NULL);

	(void)data;
	g_autoptr(StoreObject) kept = make_object(fixture->store, STORE_POD, "kept", true, &err);
	g_autoptr(StoreObject) lost = make_object(fixture->store, STORE_POD, "lost", false, &err);
	g_assert_true(store_mark(kept, "of-the-old-boot", true, &err));
	g_assert_true(g_file_set_contents(boot, "another", -1, NULL));
	fixture_reopen(fixture);
	g_auto(GStrv) ids = LIST(fixture, STORE_POD);
	g_assert_cmpuint(g_strv_length(ids), ==, 1);
	g_assert_cmpstr(ids[0], ==, kept->id);
	g_autoptr(StoreObject) again = store_get(fixture->store, STORE_POD, ids[0], &err);
	g_assert_false(store_is_marked(again, "of-the-old-boot"));
	g_assert_cmpuint(count_entries(fixture, "run/names"), ==, 1);
}

/* A removal or creation that failed, and whose caller went on and let go of the lock. */
static void test_unlock_half_made(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *id = id_generate();
	int count = 0;

	(void)data;
	g_autoptr(StoreObject) object = store_create(fixture->store, STORE_POD, id, true, &err);
	g_assert_no_error(err);
	store_unlock(object);
	g_assert_true(store_recover(fixture->store, count_half_made, &count, &err));
	g_assert_cmpint(count, ==, 1);
	g_assert_cmpuint(count_entries(fixture, "run/pods"), ==, 0);
	g_assert_cmpuint(count_entries(fixture, "state/pods"), ==, 0);
}

/* A rename that was killed between its claims. */
static void test_recover_settles_names(Fixture *fixture, gconstpointer data) {
	g_autoptr(GError) err = NULL;
	g_autofree char *link = g_build_filename(fixture->run_path, "names", "extra", NULL);
	int count = 0;

	(void)data;
	g_autoptr(StoreObject) object = make_object(fixture->store, STORE_POD, "web", false, &err);
	g_autofree char *target = g_strconcat("pods/", object->id, NULL);
	g_assert_cmpint(symlink(target, link), ==, 0);
	g_clear_pointer(&object, store_object_free);
	g_assert_true(store_recover(fixture->store, count_half_made, &count, &err));
	g_assert_cmpint(count, ==, 100);
	g_assert_cmpuint(count_entries(fixture, "run/names"), ==, 1);
	g_assert_cmpuint(count_entries(fixture, "run/pending"), ==, 0);
}

#define CASE(path, function) \
	g_test_add("/store/store/" path, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	CASE("reading-makes-nothing", test_empty_makes_nothing);
	CASE("life-persistent", test_life_persistent);
	CASE("life-volatile", test_life_volatile);
	CASE("private-modes", test_modes);
	CASE("name-in-use", test_name_in_use);
	CASE("stale-claim-is-taken-over", test_stale_claim);
	CASE("bad-names-are-refused", test_bad_names);
	CASE("ambiguous-prefix", test_prefix_ambiguous);
	CASE("rename", test_rename);
	CASE("records-and-marks", test_records);
	CASE("journal-survives-a-torn-line", test_journal);
	CASE("lock-names-its-holder", test_lock_timeout);
	CASE("reboot", test_reboot);
	CASE("reboot-with-run-kept", test_reboot_keeps_run);
	CASE("unlock-keeps-half-made-pending", test_unlock_half_made);
	CASE("recover-settles-names", test_recover_settles_names);
	return g_test_run();
}
