/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_controller.h"

#include "common/err.h"
#include "controller/db/db.h"
#include "controller/db/db_schema.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int setup(void **state)
{
	static struct test_controller t;

	test_controller_init(&t);
	test_controller_start_db(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	test_controller_done(*state);
	return 0;
}

static int64_t audit_rows(struct db *d, const char *action)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(d), "SELECT count(*) FROM audit WHERE action = ?");
	int64_t n;

	sql_bind_text(q, 1, action);
	assert_int_equal(sql_step(q), 1);
	n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

/* --- groups -------------------------------------------------------------------------------- */

struct job {
	const char *action;
	int result; /* what the write returns after it has written */
	int done_calls, err;
	pthread_mutex_t *gate; /* held by the test until the queue is full */
};

static int write_row(struct sql *s, void *arg)
{
	struct job *j = arg;
	int r;

	if (j->gate) {
		pthread_mutex_lock(j->gate);
		pthread_mutex_unlock(j->gate);
	}
	r = db_audit(s, "test", j->action, "x", NULL);
	return r < 0 ? r : j->result;
}

static void note_done(void *arg, int err)
{
	struct job *j = arg;

	j->done_calls++;
	j->err = err;
}

/* The first write waits at the gate while the others queue up behind it: they share the next group.
 */
static void queue_all(struct db *d, struct job *jobs, size_t n)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&gate);
	jobs[0].gate = &gate;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(db_write(d, write_row, note_done, &jobs[i]), 0);
	pthread_mutex_unlock(&gate);
	db_drain(d);
	pthread_mutex_destroy(&gate);
}

static void a_failing_write_rolls_back_alone(void **state)
{
	struct test_controller *t = *state;
	struct job jobs[] = {{.action = "first"},
			     {.action = "good"},
			     {.action = "bad", .result = -ERR_CONFLICT},
			     {.action = "good"}};

	queue_all(t->app.db, jobs, ARRAY_SIZE(jobs));
	assert_int_equal(audit_rows(t->app.db, "good"), 2);
	assert_int_equal(audit_rows(t->app.db, "bad"), 0);
	assert_int_equal(jobs[1].err, 0);
	assert_int_equal(jobs[2].err, -ERR_CONFLICT);
	assert_int_equal(jobs[3].err, 0);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		assert_int_equal(jobs[i].done_calls, 1);
}

static void writes_that_wait_share_a_commit(void **state)
{
	struct test_controller *t = *state;
	struct job jobs[100];
	struct db_stats before, after;

	db_stats(t->app.db, &before);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = (struct job){.action = "many"};
	queue_all(t->app.db, jobs, ARRAY_SIZE(jobs));
	db_stats(t->app.db, &after);
	assert_int_equal(after.writes - before.writes, 100);
	/* The first group may have been taken before the others were queued. */
	assert_true(after.commits - before.commits < 20);
	assert_int_equal(audit_rows(t->app.db, "many"), 100);
}

struct chain {
	struct db *db;
	int left;
};

static int write_chain(struct sql *s, void *arg)
{
	(void) arg;
	return db_audit(s, "test", "chain", "x", NULL);
}

static void next_in_chain(void *arg, int err)
{
	struct chain *c = arg;

	assert_int_equal(err, 0);
	if (--c->left > 0)
		assert_int_equal(db_write(c->db, write_chain, next_in_chain, c), 0);
}

static void done_may_queue_another_write_that_drain_waits_for(void **state)
{
	struct test_controller *t = *state;
	struct chain c = {t->app.db, 5};

	assert_int_equal(db_write(c.db, write_chain, next_in_chain, &c), 0);
	db_drain(c.db);
	assert_int_equal(c.left, 0);
	assert_int_equal(audit_rows(c.db, "chain"), 5);
}

/* --- full disk ----------------------------------------------------------------------------- */

static int limit_pages(struct sql *s, void *arg)
{
	char text[64];

	/* SQLite takes the present size when the limit is below it. */
	snprintf(text, sizeof(text), "PRAGMA max_page_count = %d", *(int *) arg);
	return sql_exec(s, text);
}

static int write_megabyte(struct sql *s, void *arg)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO audit(at, who, action, object, detail)"
					    " VALUES(1, 'test', 'big', '', zeroblob(1000000))");

	(void) arg;
	return sql_run(q);
}

static void a_full_disk_fails_the_write_and_space_brings_it_back(void **state)
{
	struct test_controller *t = *state;
	int small = 1, large = 1000000;
	struct db_stats st;

	assert_int_equal(test_write(t, limit_pages, &small), 0);
	assert_int_equal(test_write(t, write_megabyte, NULL), -ENOSPC);
	assert_int_equal(audit_rows(t->app.db, "big"), 0);
	assert_int_equal(test_write(t, limit_pages, &large), 0);
	assert_int_equal(test_write(t, write_megabyte, NULL), 0);
	assert_int_equal(audit_rows(t->app.db, "big"), 1);
	db_stats(t->app.db, &st);
	assert_int_equal(st.last_err, 0);
}

/* --- inside writes ------------------------------------------------------------------------- */

static int two_revs(struct sql *s, void *arg)
{
	uint64_t *revs = arg;
	int r = db_next_rev(s, &revs[0]);

	return r < 0 ? r : db_next_rev(s, &revs[1]);
}

static void revisions_only_rise(void **state)
{
	struct test_controller *t = *state;
	uint64_t a[2], b[2];

	assert_int_equal(test_write(t, two_revs, a), 0);
	assert_int_equal(test_write(t, two_revs, b), 0);
	assert_true(a[0] >= 1);
	assert_int_equal(a[1], a[0] + 1);
	assert_int_equal(b[0], a[1] + 1);
}

static int read_now(struct sql *s, void *arg)
{
	return db_now_us(s, arg);
}

static void a_write_knows_the_loops_time(void **state)
{
	struct test_controller *t = *state;
	int64_t before = clock_real_us(t->app.clock), now = 0;

	assert_int_equal(test_write(t, read_now, &now), 0);
	assert_true(now >= before);
	assert_true(now <= clock_real_us(t->app.clock));
}

/* --- opening ------------------------------------------------------------------------------- */

static int set_schema_99(struct sql *s, void *arg)
{
	(void) arg;
	return sql_exec(s, "UPDATE meta SET value = 99 WHERE key = 'schema'");
}

static void a_newer_database_is_refused(void **state)
{
	struct test_controller *t = *state;
	struct db *d = NULL;

	assert_int_equal(test_write(t, set_schema_99, NULL), 0);
	db_close(t->app.db);
	t->app.db = NULL;
	assert_int_equal(db_open(t->app.loop, t->dir, &d), -ERR_VERSION);
	assert_null(d);
}

static void reopening_keeps_epoch_and_rows(void **state)
{
	struct test_controller *t = *state;
	uint64_t epoch = db_epoch(t->app.db);
	struct job j = {.action = "kept"};

	assert_true(epoch > 0);
	queue_all(t->app.db, &j, 1);
	db_close(t->app.db);
	t->app.db = NULL;
	test_controller_start_db(t);
	assert_int_equal(db_epoch(t->app.db), epoch);
	assert_int_equal(audit_rows(t->app.db, "kept"), 1);
}

static void another_programs_file_is_not_touched(void **state)
{
	struct test_controller *t = *state;
	struct sql *s = NULL;
	struct db *d = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/other", t->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/other/gondola.db", t->dir);
	assert_int_equal(sql_open(path, 0, &s), 0);
	assert_int_equal(sql_exec(s, "CREATE TABLE theirs(x)"), 0);
	sql_close(s);
	snprintf(path, sizeof(path), "%s/other", t->dir);
	assert_int_equal(db_open(t->app.loop, path, &d), -ERR_CORRUPT);
}

static const char *const step_1[] = {"CREATE TABLE a(x);", NULL};
static const char *const step_2[] = {"ALTER TABLE a ADD COLUMN y;", "INSERT INTO a VALUES(1, 2);",
				     NULL};
static const char *const step_bad[] = {"CREATE TABLE b(x);", "NONSENSE;", NULL};

static int64_t one_number(struct sql *s, const char *text)
{
	struct sql_stmt *q = sql_prepare(s, text);
	int64_t n;

	assert_int_equal(sql_step(q), 1);
	n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

static void migrations_run_forward_once_and_whole(void **state)
{
	struct test_controller *t = *state;
	static const char *const *const good[] = {step_1, step_2};
	static const char *const *const bad[] = {step_1, step_2, step_bad};
	const struct db_schema v1 = {1, good}, v2 = {2, good}, v3 = {3, bad};
	struct sql *s = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/steps.db", t->dir);
	assert_int_equal(sql_open(path, 0, &s), 0);
	assert_int_equal(db_schema_migrate(s, &v1), 0);
	assert_int_equal(db_schema_migrate(s, &v2), 0);
	assert_int_equal(db_schema_migrate(s, &v2), 0);
	assert_int_equal(one_number(s, "SELECT count(*) FROM a"), 1);
	assert_true(db_schema_migrate(s, &v3) < 0);
	assert_int_equal(one_number(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
	assert_int_equal(one_number(s, "SELECT value FROM meta WHERE key = 'schema'"), 2);
	assert_int_equal(db_schema_migrate(s, &v1), -ERR_VERSION);
	sql_close(s);
}

/* A store of the first release, as its own text made it, with something of each part in it. */
static void make_version_1(const char *path)
{
	const struct db_schema v1 = {1, db_schema_current.versions};
	struct sql *s = NULL;

	assert_int_equal(sql_open(path, 0, &s), 0);
	assert_int_equal(db_schema_migrate(s, &v1), 0);
	assert_int_equal(
		sql_exec(s,
			 "UPDATE meta SET value = 4711 WHERE key = 'rev';"
			 "INSERT INTO users(name, role, password, created)"
			 " VALUES('anna', 'manager', 'hash', 1);"
			 "INSERT INTO sessions VALUES(x'aa', 1, 1, 1, 2);"
			 "INSERT INTO products(name, folded, created, changed)"
			 " VALUES('Milk', 'milk', 1, 1);"
			 "INSERT INTO prices(product_id, price_minor, currency, from_at, at, who)"
			 " VALUES(1, 129, 'EUR', 1, 1, 'anna');"
			 "INSERT INTO labels(addr, product_id, last_seen, created)"
			 " VALUES(12, 1, 1, 1);"
			 "INSERT INTO places(name, kind, created)"
			 " VALUES('Floor', 'sales-floor', 1);"),
		0);
	sql_close(s);
}

static void a_database_of_version_1_migrates_with_all_it_holds(void **state)
{
	struct test_controller *t = *state;
	struct sql *s;
	char path[128];

	db_close(t->app.db);
	t->app.db = NULL;
	snprintf(path, sizeof(path), "%s/old", t->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/old/gondola.db", t->dir);
	make_version_1(path);
	snprintf(path, sizeof(path), "%s/old", t->dir);
	assert_int_equal(db_open(t->app.loop, path, &t->app.db), 0);
	s = db_reader(t->app.db);
	assert_int_equal(one_number(s, "SELECT value FROM meta WHERE key = 'schema'"),
			 (int64_t) db_schema_current.n_versions);
	assert_true(db_schema_current.n_versions >= 2);
	assert_int_equal(one_number(s, "SELECT value FROM meta WHERE key = 'rev'"), 4711);
	assert_int_equal(one_number(s, "SELECT price_minor FROM prices"), 129);
	assert_int_equal(one_number(s, "SELECT product_id FROM labels WHERE addr = 12"), 1);
	assert_int_equal(one_number(s, "SELECT count(*) FROM label_links WHERE addr = 12"
				       " AND to_product = 1 AND cause = 'before'"),
			 1);
	assert_int_equal(one_number(s, "SELECT count(*) FROM sessions JOIN users"
				       " ON users.id = user_id WHERE name = 'anna'"),
			 1);
	assert_int_equal(one_number(s, "SELECT count(*) FROM places"), 1);
	assert_int_equal(one_number(s, "SELECT count(*) FROM tokens"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failing_write_rolls_back_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_that_wait_share_a_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(done_may_queue_another_write_that_drain_waits_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_disk_fails_the_write_and_space_brings_it_back, setup, teardown),
		cmocka_unit_test_setup_teardown(revisions_only_rise, setup, teardown),
		cmocka_unit_test_setup_teardown(a_write_knows_the_loops_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_newer_database_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(reopening_keeps_epoch_and_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_database_of_version_1_migrates_with_all_it_holds,
						setup, teardown),
		cmocka_unit_test_setup_teardown(another_programs_file_is_not_touched, setup,
						teardown),
		cmocka_unit_test_setup_teardown(migrations_run_forward_once_and_whole, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
