/* SPDX-License-Identifier: Apache-2.0 */
/* The LMDB seam: what is committed stays, what fails says why, what is damaged is refused. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/db/lmdb_env.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const tables[] = {"a", "b"};

static char dir[64];

static int make_dir(void **state)
{
	(void) state;
	strcpy(dir, "/tmp/gondola-lmdb-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	char path[128];

	(void) state;
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/lock.mdb", dir);
	unlink(path);
	return rmdir(dir);
}

static int open_env(uint64_t max_bytes, struct lmdb_env **ret)
{
	struct lmdb_config cfg = {
		.dir = dir, .tables = tables, .n_tables = 2, .max_bytes = max_bytes};

	return lmdb_open(&cfg, ret);
}

static void committed_values_are_there_after_reopening(void **state)
{
	(void) state;
	struct lmdb_env *e;
	struct lmdb_txn t;
	struct lmdb_val v;

	assert_int_equal(open_env(0, &e), 0);
	lmdb_begin_write(e, &t);
	lmdb_put(&t, 0, LMDB_VAL("k", 1), LMDB_VAL("v", 1));
	assert_int_equal(lmdb_commit(&t), 0);
	lmdb_close(e);
	assert_int_equal(open_env(0, &e), 0);
	lmdb_begin_read(e, &t);
	assert_true(lmdb_get(&t, 0, LMDB_VAL("k", 1), &v));
	assert_memory_equal(v.data, "v", 1);
	assert_false(lmdb_get(&t, 1, LMDB_VAL("k", 1), &v));
	assert_int_equal(t.err, 0);
	lmdb_abort(&t);
	lmdb_close(e);
}

static void first_failure_sticks_and_nothing_is_stored(void **state)
{
	(void) state;
	struct lmdb_env *e;
	struct lmdb_txn t;
	struct lmdb_val v;

	assert_int_equal(open_env(0, &e), 0);
	lmdb_begin_write(e, &t);
	lmdb_append(&t, 0, LMDB_VAL("b", 1), LMDB_VAL("1", 1));
	lmdb_append(&t, 0, LMDB_VAL("a", 1), LMDB_VAL("2", 1));
	lmdb_put(&t, 0, LMDB_VAL("c", 1), LMDB_VAL("3", 1));
	assert_int_equal(t.err, -ERR_STATE);
	assert_int_equal(lmdb_commit(&t), -ERR_STATE);
	lmdb_begin_read(e, &t);
	assert_false(lmdb_get(&t, 0, LMDB_VAL("b", 1), &v));
	lmdb_abort(&t);
	lmdb_close(e);
}

static void full_map_is_no_space_and_passes(void **state)
{
	(void) state;
	_cleanup_free_ char *big = calloc(1, 1 << 20);
	struct lmdb_env *e;
	struct lmdb_txn t;

	assert_int_equal(open_env(512 << 10, &e), 0);
	lmdb_begin_write(e, &t);
	lmdb_put(&t, 0, LMDB_VAL("k", 1), LMDB_VAL(big, 1 << 20));
	assert_int_equal(lmdb_commit(&t), -ENOSPC);
	lmdb_begin_write(e, &t);
	lmdb_put(&t, 0, LMDB_VAL("k", 1), LMDB_VAL(big, 1000));
	assert_int_equal(lmdb_commit(&t), 0);
	lmdb_close(e);
}

static void cursor_walks_seeks_and_deletes(void **state)
{
	(void) state;
	struct lmdb_env *e;
	struct lmdb_cursor c;
	struct lmdb_txn t;
	char seen[8] = "";
	size_t n = 0;

	assert_int_equal(open_env(0, &e), 0);
	lmdb_begin_write(e, &t);
	for (const char *p = "aceg"; *p; p++)
		lmdb_put(&t, 0, LMDB_VAL(p, 1), LMDB_VAL(p, 1));
	lmdb_cursor_open(&t, 0, &c);
	assert_true(lmdb_cursor_seek(&c, LMDB_VAL("d", 1)));
	assert_memory_equal(c.key.data, "e", 1);
	assert_true(lmdb_cursor_prev(&c));
	assert_memory_equal(c.key.data, "c", 1);
	lmdb_cursor_del(&c);
	for (bool more = lmdb_cursor_first(&c); more; more = lmdb_cursor_next(&c))
		seen[n++] = *(const char *) c.key.data;
	lmdb_cursor_close(&c);
	assert_int_equal(lmdb_commit(&t), 0);
	assert_string_equal(seen, "aeg");
	lmdb_close(e);
}

static void second_opener_is_told_it_is_busy(void **state)
{
	(void) state;
	struct lmdb_env *e, *other;

	assert_int_equal(open_env(0, &e), 0);
	assert_int_equal(open_env(0, &other), -EBUSY);
	lmdb_close(e);
}

static void fill(size_t n)
{
	_cleanup_free_ char *big = calloc(1, n);
	struct lmdb_env *e;
	struct lmdb_txn t;

	assert_int_equal(open_env(0, &e), 0);
	lmdb_begin_write(e, &t);
	lmdb_put(&t, 0, LMDB_VAL("k", 1), LMDB_VAL(big, n));
	assert_int_equal(lmdb_commit(&t), 0);
	lmdb_close(e);
}

static void truncated_file_is_corrupt_not_a_crash(void **state)
{
	(void) state;
	struct lmdb_env *e;
	char path[128];

	fill(2 << 20);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_int_equal(truncate(path, 64 << 10), 0);
	assert_int_equal(open_env(0, &e), -ERR_CORRUPT);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(open_env(0, &e), -ERR_CORRUPT);
}

static void garbage_file_is_corrupt(void **state)
{
	(void) state;
	struct lmdb_env *e;
	char path[128];
	int fd;

	fill(1000);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	for (int i = 0; i < 16384; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(open_env(0, &e), -ERR_CORRUPT);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, drop_dir)
	const struct CMUnitTest tests[] = {
		WITH_DIR(committed_values_are_there_after_reopening),
		WITH_DIR(first_failure_sticks_and_nothing_is_stored),
		WITH_DIR(full_map_is_no_space_and_passes),
		WITH_DIR(cursor_walks_seeks_and_deletes),
		WITH_DIR(second_opener_is_told_it_is_busy),
		WITH_DIR(truncated_file_is_corrupt_not_a_crash),
		WITH_DIR(garbage_file_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
