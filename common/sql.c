/* SPDX-License-Identifier: Apache-2.0 */
#include "common/sql.h"
#include "common/err.h"
#include "common/fault.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utlist.h>

#define BUSY_TIMEOUT_MS 5000

struct sql_stmt {
	struct sql *owner;
	const char *text; /* address is the cache key */
	sqlite3_stmt *q;
	int bind_err;
	struct sql_stmt *next;
};

struct sql {
	sqlite3 *db;
	struct sql_stmt *cache;
};

static int map_code(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_IOERR:
		return -EIO;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CONSTRAINT:
		return -ERR_CONFLICT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -ERR_CORRUPT;
	case SQLITE_TOOBIG:
		return -ERR_TOO_LARGE;
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return -ERR_DB;
	}
}

/* SQLite reports a full disk during a write-ahead append as an I/O error; the errno tells. */
static int map_failure(struct sql *s, int rc)
{
	int r = map_code(rc);

	if (r == -EIO && sqlite3_system_errno(s->db) == ENOSPC)
		return -ENOSPC;
	return r;
}

static int apply_pragmas(struct sql *s, unsigned int flags)
{
	int r;

	sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
	if (flags & SQL_EXCLUSIVE) {
		r = sql_exec(s, "PRAGMA locking_mode=EXCLUSIVE");
		if (r < 0)
			return r;
	}
	if (!(flags & SQL_READONLY)) {
		r = sql_exec(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
		if (r < 0)
			return r;
	}
	if (flags & SQL_SMALL) {
		r = sql_exec(s, "PRAGMA cache_size=-256; PRAGMA wal_autocheckpoint=128");
		if (r < 0)
			return r;
	}
	return sql_exec(s, "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF");
}

int sql_open(const char *path, unsigned int flags, struct sql **ret)
{
	_cleanup_(sql_closep) struct sql *s = calloc(1, sizeof(*s));
	int open_flags = flags & SQL_READONLY ? SQLITE_OPEN_READONLY
					      : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	if (!s)
		return -ENOMEM;
	mode_t old = umask(0077);
	int rc = sqlite3_open_v2(path, &s->db, open_flags | SQLITE_OPEN_NOMUTEX, NULL);

	umask(old);
	if (rc != SQLITE_OK)
		return s->db ? map_failure(s, rc) : -ENOMEM;
	sqlite3_extended_result_codes(s->db, 1);
	(void) sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	int r = apply_pragmas(s, flags);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void sql_close(struct sql *s)
{
	struct sql_stmt *q, *tmp;

	if (!s)
		return;
	LL_FOREACH_SAFE(s->cache, q, tmp)
	{
		sqlite3_finalize(q->q);
		free(q);
	}
	sqlite3_close(s->db);
	free(s);
}

const char *sql_error(const struct sql *s)
{
	return s && s->db ? sqlite3_errmsg(s->db) : "not open";
}

int sql_exec(struct sql *s, const char *text)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : map_failure(s, rc);
}

int sql_begin(struct sql *s)
{
	return sql_exec(s, "BEGIN IMMEDIATE");
}

int sql_commit(struct sql *s)
{
	FAULT_POINT("sql.before_commit");
	int r = sql_exec(s, "COMMIT");

	FAULT_POINT("sql.after_commit");
	return r;
}

void sql_rollback(struct sql *s)
{
	if (!sqlite3_get_autocommit(s->db))
		ignore_result(sql_exec(s, "ROLLBACK"));
}

static struct sql_stmt *cached(struct sql *s, const char *text)
{
	struct sql_stmt *q;

	LL_FOREACH (s->cache, q) {
		if (q->text == text) {
			/* Most recently used first: hot statements are found at once. */
			if (q != s->cache) {
				LL_DELETE(s->cache, q);
				LL_PREPEND(s->cache, q);
			}
			return q;
		}
	}
	return NULL;
}

struct sql_stmt *sql_prepare(struct sql *s, const char *text)
{
	struct sql_stmt *q = cached(s, text);

	if (q) {
		sqlite3_reset(q->q);
		sqlite3_clear_bindings(q->q);
		q->bind_err = 0;
		return q;
	}
	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->owner = s;
	q->text = text;
	int rc = sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &q->q, NULL);

	if (rc != SQLITE_OK) {
		free(q);
		return NULL;
	}
	LL_PREPEND(s->cache, q);
	return q;
}

static void note_bind(struct sql_stmt *q, int rc)
{
	if (rc != SQLITE_OK && !q->bind_err)
		q->bind_err = map_code(rc);
}

void sql_bind_i64(struct sql_stmt *q, int i, int64_t v)
{
	if (q)
		note_bind(q, sqlite3_bind_int64(q->q, i, v));
}

void sql_bind_f64(struct sql_stmt *q, int i, double v)
{
	if (q)
		note_bind(q, sqlite3_bind_double(q->q, i, v));
}

void sql_bind_text(struct sql_stmt *q, int i, const char *text)
{
	if (q)
		note_bind(q, sqlite3_bind_text(q->q, i, text, -1, SQLITE_TRANSIENT));
}

void sql_bind_blob(struct sql_stmt *q, int i, const void *data, size_t len)
{
	/* A NULL pointer would bind NULL: an empty blob keeps its type. */
	if (q)
		note_bind(q, sqlite3_bind_blob64(q->q, i, data ? data : "", len, SQLITE_TRANSIENT));
}

void sql_bind_null(struct sql_stmt *q, int i)
{
	if (q)
		note_bind(q, sqlite3_bind_null(q->q, i));
}

int sql_step(struct sql_stmt *q)
{
	if (!q)
		return -ERR_DB;
	if (q->bind_err)
		return q->bind_err;
	int rc = sqlite3_step(q->q);

	if (rc == SQLITE_ROW)
		return 1;
	int r = rc == SQLITE_DONE ? 0 : map_failure(q->owner, rc);

	sqlite3_reset(q->q);
	return r;
}

int sql_run(struct sql_stmt *q)
{
	int r;

	do {
		r = sql_step(q);
	} while (r > 0);
	return r;
}

void sql_reset(struct sql_stmt *q)
{
	if (q)
		sqlite3_reset(q->q);
}

int64_t sql_col_i64(struct sql_stmt *q, int i)
{
	return sqlite3_column_int64(q->q, i);
}

double sql_col_f64(struct sql_stmt *q, int i)
{
	return sqlite3_column_double(q->q, i);
}

const char *sql_col_text(struct sql_stmt *q, int i)
{
	return (const char *) sqlite3_column_text(q->q, i);
}

const void *sql_col_blob(struct sql_stmt *q, int i, size_t *ret_len)
{
	const void *p = sqlite3_column_blob(q->q, i);

	*ret_len = (size_t) sqlite3_column_bytes(q->q, i);
	return p;
}

bool sql_col_is_null(struct sql_stmt *q, int i)
{
	return sqlite3_column_type(q->q, i) == SQLITE_NULL;
}

/* One step takes everything in one read transaction: a backup in pieces would start again whenever
 * another connection writes. */
static int copy_pages(struct sql *from, struct sql *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to->db, "main", from->db, "main");

	if (!b)
		return map_failure(to, sqlite3_errcode(to->db));
	int rc = sqlite3_backup_step(b, -1);

	(void) sqlite3_backup_finish(b);
	return rc == SQLITE_DONE ? 0 : rc == SQLITE_OK ? -EIO : map_failure(to, rc);
}

int sql_copy(struct sql *s, const char *path)
{
	_cleanup_(sql_closep) struct sql *to = calloc(1, sizeof(*to));
	mode_t old;
	int rc, r;

	if (!to)
		return -ENOMEM;
	old = umask(0077);
	rc = sqlite3_open_v2(path, &to->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			     NULL);
	umask(old);
	if (rc != SQLITE_OK)
		return to->db ? map_failure(to, rc) : -ENOMEM;
	sqlite3_extended_result_codes(to->db, 1);
	/* No journal: whoever is killed meanwhile throws the copy away. */
	r = sql_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
	return r < 0 ? r : copy_pages(s, to);
}

int64_t sql_last_rowid(const struct sql *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

int sql_changes(const struct sql *s)
{
	return sqlite3_changes(s->db);
}
