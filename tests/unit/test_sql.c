/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite seam: values survive, failures are mapped, a full disk is -ENOSPC and heals. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "common/sql.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[96];

static int make_dir(void **state)
{
	(void) state;
	snprintf(dir, sizeof(dir), "/tmp/gondola-sql-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/t.db", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void) state;
	static const char *const ends[] = {"", "-wal", "-shm"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", file, ends[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void values_survive_and_the_file_is_private(void **state)
{
	(void) state;
	_cleanup_(sql_closep) struct sql *s = NULL;
	struct stat st;
	size_t n;

	assert_int_equal(sql_open(file, SQL_EXCLUSIVE | SQL_SMALL, &s), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(sql_exec(s, "CREATE TABLE t (a INTEGER, b BLOB, c TEXT)"), 0);
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO t VALUES (?1, ?2, ?3)");

	sql_bind_i64(q, 1, INT64_MIN);
	sql_bind_blob(q, 2, NULL, 0);
	sql_bind_text(q, 3, "é");
	assert_int_equal(sql_run(q), 0);
	q = sql_prepare(s, "SELECT a, b, c FROM t");
	assert_int_equal(sql_step(q), 1);
	assert_true(sql_col_i64(q, 0) == INT64_MIN);
	assert_false(sql_col_is_null(q, 1));
	(void) sql_col_blob(q, 1, &n);
	assert_int_equal(n, 0);
	assert_string_equal(sql_col_text(q, 2), "é");
	assert_int_equal(sql_step(q), 0);
}

static void failures_are_mapped(void **state)
{
	(void) state;
	_cleanup_(sql_closep) struct sql *s = NULL;

	assert_int_equal(sql_open(file, 0, &s), 0);
	assert_int_equal(sql_exec(s, "CREATE TABLE u (k INTEGER PRIMARY KEY)"), 0);
	assert_int_equal(sql_exec(s, "INSERT INTO u VALUES (1)"), 0);
	assert_int_equal(sql_exec(s, "INSERT INTO u VALUES (1)"), -ERR_CONFLICT);
	assert_int_equal(sql_exec(s, "SELEKT"), -ERR_DB);
	assert_null(sql_prepare(s, "SELECT nothing FROM nowhere"));
	assert_int_equal(sql_step(NULL), -ERR_DB);
}

static void full_database_is_enospc_and_heals(void **state)
{
	(void) state;
	_cleanup_(sql_closep) struct sql *s = NULL;

	assert_int_equal(sql_open(file, 0, &s), 0);
	assert_int_equal(sql_exec(s, "CREATE TABLE v (b BLOB); PRAGMA max_page_count=20"), 0);
	assert_int_equal(sql_exec(s, "INSERT INTO v VALUES (zeroblob(1000000))"), -ENOSPC);
	assert_int_equal(sql_exec(s, "PRAGMA max_page_count=10000"), 0);
	assert_int_equal(sql_exec(s, "INSERT INTO v VALUES (zeroblob(1000000))"), 0);
}

static void file_that_is_no_database_is_corrupt(void **state)
{
	(void) state;
	struct sql *s = NULL;
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("not a database ", f);
	fclose(f);
	assert_int_equal(sql_open(file, 0, &s), -ERR_CORRUPT);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_survive_and_the_file_is_private, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(failures_are_mapped, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(full_database_is_enospc_and_heals, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(file_that_is_no_database_is_corrupt, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests_name("sql", tests, NULL, NULL);
}
