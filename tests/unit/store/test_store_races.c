/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several processes and the store: races for a name, kills at any moment, readers beside writers.
 */
#include "store_fixture.h"

#include "base/proc.h"
#include "base/str.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { RACERS = 8, RACE_ROUNDS = 50, KILL_ROUNDS = 200, READ_ROUNDS = 300 };

static Store *open_again(const Fixture *fixture) {
	Store *store = store_open(fixture->state_path, fixture->run_path, NULL);

	g_assert_nonnull(store);
	return store;
}

/* A child that does not outlive a test that failed. */
static pid_t fork_child(void) {
	pid_t pid = fork();

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* Status 0: got the name; 1: somebody else has it; 2: anything else. */
static _Noreturn void race_child(const Fixture *fixture, int start_fd, const char *name) {
	g_autoptr(Store) store = open_again(fixture);
	GError *err = NULL;
	char byte;

	if (read(start_fd, &byte, 1) != 0)
		_exit(2);
	StoreObject *object = make_object(store, STORE_CONTAINER, name, false, &err);
	if (object)
		store_unlock(object);
	_exit(object ? 0 : error_is(err, ERROR_EXISTS) ? 1 : 2);
}

static void race_once(const Fixture *fixture, const char *name) {
	int start[2], winners = 0;
	pid_t pids[RACERS];

	g_assert_cmpint(pipe2(start, O_CLOEXEC), ==, 0);
	for (int i = 0; i < RACERS; i++) {
		pids[i] = fork_child();
		if (pids[i] == 0) {
			close(start[1]);
			race_child(fixture, start[0], name);
		}
	}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < RACERS; i++) {
		int status;
		g_assert_true(proc_reap(pids[i], &status, NULL));
		g_assert_cmpint(status, <=, 1);
		winners += status == 0;
	}
	g_assert_cmpint(winners, ==, 1);
}

static void test_race(Fixture *fixture, gconstpointer data) {
	(void)data;
	for (int i = 0; i < RACE_ROUNDS; i++) {
		g_autofree char *name = g_strdup_printf("name%d", i);
		race_once(fixture, name);
	}
	g_assert_cmpuint(count_entries(fixture, "run/names"), ==, RACE_ROUNDS);
	g_assert_cmpuint(count_entries(fixture, "run/containers"), ==, RACE_ROUNDS);
	g_assert_cmpuint(count_entries(fixture, "run/pending"), ==, 0);
}

/* All of them find the claim of somebody who is gone. */
static void test_race_for_stale(Fixture *fixture, gconstpointer data) {
	(void)data;
	g_autoptr(StoreObject) first = make_object(fixture->store, STORE_POD, "first", false, NULL);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		g_autofree char *gone = id_generate();
		g_autofree char *target = g_strconcat("pods/", gone, NULL);
		g_autofree char *name = g_strdup_printf("stale%d", i);
		g_autofree char *link = g_build_filename(fixture->run_path, "names", name, NULL);
		g_assert_cmpint(symlink(target, link), ==, 0);
		race_once(fixture, name);
	}
}

/* Makes, changes and removes objects until it is killed. */
static _Noreturn void work_for_ever(const Fixture *fixture, int seed) {
	static const char *const names[] = {"a", "b", "c"};
	Store *store = open_again(fixture);

	for (unsigned i = (unsigned)seed;; i++) {
		const char *name = names[i % ARRAY_LENGTH(names)];
		StoreObject *object = make_object(store, STORE_CONTAINER, name, i % 2, NULL);
		if (object) {
			json_auto_t *state = definition_of("x", "y");
			if (!store_write(object, "state", state, NULL) ||
				!store_journal_add(object, state, NULL))
				_exit(2);
			if (i % 3 == 0)
				store_rename(object, name, "renamed", NULL); /* may be taken */
			store_unlock(object);
		}
		g_autofree char *id = store_find(store, STORE_CONTAINER, name, NULL);
		StoreObject *found = id ? store_get(store, STORE_CONTAINER, id, NULL) : NULL;
		if (found && store_lock(found, 1000000, NULL))
			store_remove(found, NULL);
		store_object_free(object);
		store_object_free(found);
	}
}

static bool recover_any(StoreObject *object, bool half_made, void *data, GError **err) {
	(void)data;
	return half_made ? store_remove(object, err) : store_journal_clear(object, err);
}

/* Every object has exactly one claim, every claim an object, and nothing else is there. */
static void check_consistent(Fixture *fixture) {
	g_autoptr(GError) err = NULL;

	g_assert_true(store_recover(fixture->store, recover_any, NULL, &err));
	g_assert_no_error(err);
	g_assert_cmpuint(count_entries(fixture, "run/pending"), ==, 0);
	g_auto(GStrv) ids = store_list(fixture->store, STORE_CONTAINER, &err);
	guint persistent = 0;
	for (char **id = ids; *id; id++) {
		g_autoptr(StoreObject) object =
			store_get(fixture->store, STORE_CONTAINER, *id, &err);
		g_assert_no_error(err);
		json_auto_t *definition = store_read(object, "definition", &err);
		g_assert_no_error(err);
		g_autofree char *owner = store_find(fixture->store, STORE_CONTAINER,
			json_get_string(definition, "name", ""), &err);
		g_assert_cmpstr(owner, ==, *id);
		persistent += object->persistent;
	}
	g_assert_cmpuint(count_entries(fixture, "run/names"), ==, g_strv_length(ids));
	g_assert_cmpuint(count_entries(fixture, "run/containers"), ==, g_strv_length(ids));
	g_assert_cmpuint(count_entries(fixture, "state/containers"), ==, persistent);
}

static void nap(unsigned usec) {
	struct timespec pause = {.tv_nsec = (long)usec * 1000};

	nanosleep(&pause, NULL);
}

static void test_killed(Fixture *fixture, gconstpointer data) {
	(void)data;
	for (int round = 0; round < KILL_ROUNDS; round++) {
		pid_t pids[2];
		for (int i = 0; i < 2; i++) {
			pids[i] = fork_child();
			if (pids[i] == 0)
				work_for_ever(fixture, round + 7 * i);
		}
		nap((unsigned)g_test_rand_int_range(100, 8000));
		for (int i = 0; i < 2; i++) {
			int status;
			g_assert_cmpint(kill(pids[i], SIGKILL), ==, 0);
			g_assert_true(proc_reap(pids[i], &status, NULL));
			g_assert_cmpint(status, ==, 128 + SIGKILL);
		}
		check_consistent(fixture);
	}
}

/* Recovery by one process must never touch what another is about to make. */
static void test_recover_beside_create(Fixture *fixture, gconstpointer data) {
	pid_t pid = fork_child();

	(void)data;
	if (pid == 0) {
		Store *store = open_again(fixture);
		for (;;)
			store_recover(store, recover_any, NULL, NULL);
	}
	for (int i = 0; i < READ_ROUNDS; i++) {
		g_autoptr(GError) err = NULL;
		g_autoptr(StoreObject) object =
			make_object(fixture->store, STORE_CONTAINER, "web", false, &err);
		g_assert_no_error(err);
		g_assert_true(store_remove(object, &err));
	}
	g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
	g_assert_true(proc_reap(pid, &(int){0}, NULL));
}

static void test_readers(Fixture *fixture, gconstpointer data) {
	g_autoptr(StoreObject) kept =
		make_object(fixture->store, STORE_CONTAINER, "kept", true, NULL);
	pid_t pid = fork_child();

	(void)data;
	if (pid == 0)
		work_for_ever(fixture, 1);
	for (int i = 0; i < READ_ROUNDS; i++) {
		g_autoptr(GError) err = NULL;
		g_auto(GStrv) ids = store_list(fixture->store, STORE_CONTAINER, &err);
		g_assert_no_error(err);
		g_assert_true(str_in_list(kept->id, (const char *const *)ids));
		for (char **id = ids; *id; id++) {
			g_autoptr(StoreObject) object =
				store_get(fixture->store, STORE_CONTAINER, *id, &err);
			json_auto_t *definition =
				object ? store_read(object, "definition", &err) : NULL;
			json_auto_t *state = object ? store_read(object, "state", &err) : NULL;
			/* it may be gone by now, but it is never torn */
			g_assert_true(!err || error_is(err, ERROR_NOT_FOUND));
			g_clear_error(&err);
		}
	}
	g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
	g_assert_true(proc_reap(pid, &(int){0}, NULL));
}

/* The budget of `ps`: 150 containers, found, opened and read in few milliseconds. */
static void test_speed(Fixture *fixture, gconstpointer data) {
	(void)data;
	for (int i = 0; i < 150; i++) {
		g_autofree char *name = g_strdup_printf("n%d", i);
		g_autoptr(StoreObject) object =
			make_object(fixture->store, STORE_CONTAINER, name, false, NULL);
		json_auto_t *state = definition_of("x", "y");
		g_assert_true(store_write(object, "state", state, NULL));
		store_unlock(object);
	}
	uint64_t best = UINT64_MAX;
	for (int round = 0; round < 10; round++) {
		uint64_t start = proc_now_monotonic();
		fixture_reopen(fixture);
		g_auto(GStrv) ids = store_list(fixture->store, STORE_CONTAINER, NULL);
		for (char **id = ids; *id; id++) {
			g_autoptr(StoreObject) object =
				store_get(fixture->store, STORE_CONTAINER, *id, NULL);
			json_auto_t *definition = store_read(object, "definition", NULL);
			json_auto_t *state = store_read(object, "state", NULL);
			g_assert_true(definition && state);
		}
		best = MIN(best, proc_now_monotonic() - start);
	}
	g_test_message("150 containers in %" G_GUINT64_FORMAT " us", best);
	/* four times the budget: other work may be running beside */
	g_assert_cmpuint(best, <, 24000);
}

#define CASE(path, function) \
	g_test_add("/store/races/" path, Fixture, NULL, fixture_set_up, function, fixture_tear_down)

int main(int argc, char **argv) {
	g_test_init(&argc, &argv, NULL);
	CASE("one-name-one-winner", test_race);
	CASE("one-stale-claim-one-winner", test_race_for_stale);
	CASE("killed-at-any-moment", test_killed);
	CASE("recover-beside-create", test_recover_beside_create);
	CASE("readers-beside-writers", test_readers);
	CASE("reading-150-is-fast", test_speed);
	return g_test_run();
}
