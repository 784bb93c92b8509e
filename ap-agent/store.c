/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/store_impl.h"
#include "common/err.h"
#include "common/fault.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SCHEMA_VERSION    4
#define DEFAULT_IMAGE_KIB (16 * 1024)
#define PAGES_PER_MIB     256

static const char schema_v1[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE stream(id INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL,"
	"  acked INTEGER NOT NULL);"
	"CREATE TABLE journal(stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
	"  boot INTEGER NOT NULL, skew INTEGER NOT NULL, body BLOB NOT NULL,"
	"  PRIMARY KEY(stream, seq)) WITHOUT ROWID;"
	"CREATE TABLE label(addr BLOB PRIMARY KEY, mark INTEGER NOT NULL, body BLOB NOT NULL)"
	"  WITHOUT ROWID;"
	"CREATE TABLE blob(key TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE image(hash BLOB PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE INDEX image_used ON image(used);"
	"INSERT INTO stream VALUES(1, 1, 0), (2, 1, 0);";

/* Entries that the controller would not take, kept for a person to look at. */
static const char schema_v2[] =
	"CREATE TABLE refused(journal BLOB NOT NULL, stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
	"  at INTEGER NOT NULL, why TEXT NOT NULL, boot INTEGER NOT NULL, skew INTEGER NOT NULL,"
	"  body BLOB NOT NULL, PRIMARY KEY(journal, stream, seq)) WITHOUT ROWID;"
	"PRAGMA user_version = 2;";

/* Raw reads of some tags are owed, too. */
static const char schema_v3[] = "INSERT INTO stream VALUES(3, 1, 0);"
				"PRAGMA user_version = 3;";

/* Of which blobs the controller does not have the present form: of all, at first. */
static const char schema_v4[] =
	"CREATE TABLE owed(key TEXT PRIMARY KEY, rev INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO owed SELECT key, 1 FROM blob WHERE " STORE_ESCROWED ";"
	"PRAGMA user_version = 4;";

static int set_journal_id(struct store *s)
{
	uint8_t id[PROTO_JOURNAL_ID_BYTES];

	if (getrandom(id, sizeof(id), 0) != (ssize_t) sizeof(id))
		return -EIO;
	return store_meta_set(s, "journal_id", id, sizeof(id));
}

static int one_i64(struct store *s, const char *text, int64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s->sql, text);
	int r = sql_step(q);

	if (r > 0)
		*ret = sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : r == 0 ? -ENOENT : 0;
}

/* The journal id is made with the file, in one transaction: never at boot, never twice. */
static int migrate(struct store *s)
{
	int64_t version = 0;
	int r = one_i64(s, "PRAGMA user_version", &version);

	if (r < 0)
		return r;
	if (version == SCHEMA_VERSION)
		return 0;
	if (version < 0 || version > SCHEMA_VERSION)
		return -ERR_VERSION;
	r = sql_begin(s->sql);
	if (r < 0)
		return r;
	if (version < 1) {
		r = sql_exec(s->sql, schema_v1);
		if (r >= 0)
			r = set_journal_id(s);
	}
	if (r >= 0 && version < 2)
		r = sql_exec(s->sql, schema_v2);
	if (r >= 0 && version < 3)
		r = sql_exec(s->sql, schema_v3);
	if (r >= 0)
		r = sql_exec(s->sql, schema_v4);
	if (r >= 0)
		r = sql_commit(s->sql);
	if (r < 0)
		sql_rollback(s->sql);
	return r;
}

/** Blobs of before there were seals: sealed in one transaction, and wiped from the file. */
static int seal_plain_blobs(struct store *s)
{
	struct sql_stmt *q, *put;
	unsigned int n = 0;
	int r = sql_exec(s->sql, "PRAGMA secure_delete = ON");

	if (r >= 0)
		r = sql_begin(s->sql);
	if (r < 0)
		return r;
	for (;;) {
		_cleanup_buf_ struct buf sealed = BUF_INIT;
		const void *data;
		size_t len;

		/* One at a time: a row that changes under a running query may come twice. */
		q = sql_prepare(s->sql, "SELECT key, data FROM blob"
					" WHERE substr(data, 1, 1) <> x'e5' LIMIT 1");
		r = sql_step(q);
		if (r <= 0) {
			sql_reset(q);
			break;
		}
		data = sql_col_blob(q, 1, &len);
		r = seal_put(s->seal, sql_col_text(q, 0), data, len, &sealed);
		put = sql_prepare(s->sql, "UPDATE blob SET data = ?2 WHERE key = ?1");
		sql_bind_text(put, 1, sql_col_text(q, 0));
		sql_bind_blob(put, 2, sealed.data, sealed.len);
		if (r >= 0)
			r = sql_run(put);
		sql_reset(q);
		if (r < 0)
			break;
		n++;
	}
	FAULT_POINT("agent.seal.before_commit");
	if (r >= 0)
		r = sql_commit(s->sql);
	if (r < 0)
		sql_rollback(s->sql);
	if (r >= 0 && n)
		r = sql_exec(s->sql, "PRAGMA wal_checkpoint(TRUNCATE)");
	return r < 0 ? r : 0;
}

int store_open(const char *path, const struct store_config *cfg, struct store **ret)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;

	int r = sql_open(path, SQL_EXCLUSIVE | SQL_SMALL, &s->sql);

	if (r >= 0)
		r = migrate(s);
	/* A short log: it is read back into memory at start, and flash is small. */
	if (r >= 0)
		r = sql_exec(s->sql, "PRAGMA wal_autocheckpoint=128;"
				     "PRAGMA journal_size_limit=1048576;");
	if (r >= 0 && cfg->max_mib) {
		char text[64];

		snprintf(text, sizeof(text), "PRAGMA max_page_count=%llu",
			 (unsigned long long) cfg->max_mib * PAGES_PER_MIB);
		r = sql_exec(s->sql, text);
	}

	int64_t bytes = 0;

	if (r >= 0)
		r = seal_open(path, &s->seal);
	if (r >= 0)
		r = seal_plain_blobs(s);
	if (r >= 0)
		r = store_escrow_recount(s);
	if (r >= 0)
		r = one_i64(s, "SELECT coalesce(sum(length(data)), 0) FROM image", &bytes);
	if (r >= 0)
		r = one_i64(s, "SELECT coalesce(max(used), 0) FROM image", &s->image_clock);
	if (r < 0) {
		store_close(s);
		return r;
	}
	s->image_bytes = (uint64_t) bytes;
	s->image_bound = (uint64_t) (cfg->image_kib ? cfg->image_kib : DEFAULT_IMAGE_KIB) * 1024;
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sql_close(s->sql);
	seal_close(s->seal);
	free(s);
}

struct seal *store_seal(struct store *s)
{
	return s->seal;
}

struct sql *store_sql(struct store *s)
{
	return s->sql;
}

const char *store_error(const struct store *s)
{
	return sql_error(s->sql);
}

int store_start_over(struct store *s)
{
	int r = sql_begin(s->sql);

	if (r < 0)
		return r;
	r = sql_exec(s->sql, "DELETE FROM journal; DELETE FROM label; DELETE FROM blob;"
			     "DELETE FROM owed;"
			     "UPDATE stream SET next_seq = 1, acked = 0;"
			     "DELETE FROM meta WHERE key IN ('epoch', 'rev', 'readers', 'watch', "
			     "'time', 'rotate_keys');");
	if (r >= 0)
		r = set_journal_id(s);
	if (r >= 0)
		r = sql_commit(s->sql);
	if (r < 0)
		sql_rollback(s->sql);
	else
		s->owed = 0;
	return r;
}

/* --- meta ------------------------------------------------------------------------------------- */

int store_meta_get(struct store *s, const char *key, void *buf, size_t cap, size_t *ret_len)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT value FROM meta WHERE key = ?1");

	sql_bind_text(q, 1, key);

	int r = sql_step(q);

	if (r > 0) {
		size_t len;
		const void *data = sql_col_blob(q, 0, &len);

		if (len > cap) {
			r = -ERR_TOO_LARGE;
		} else {
			if (len)
				memcpy(buf, data, len);
			*ret_len = len;
		}
	} else if (r == 0) {
		r = -ENOENT;
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}

int store_meta_set(struct store *s, const char *key, const void *data, size_t len)
{
	struct sql_stmt *q = sql_prepare(s->sql, "INSERT INTO meta VALUES(?1, ?2)"
						 " ON CONFLICT(key) DO UPDATE SET value = ?2");

	sql_bind_text(q, 1, key);
	sql_bind_blob(q, 2, data, len);
	return sql_run(q);
}

int store_meta_get_u64(struct store *s, const char *key, uint64_t *ret)
{
	uint8_t be[8];
	size_t len;
	int r = store_meta_get(s, key, be, sizeof(be), &len);

	if (r < 0)
		return r;
	if (len != sizeof(be))
		return -ERR_CORRUPT;

	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(be); i++)
		v = v << 8 | be[i];
	*ret = v;
	return 0;
}

int store_meta_set_u64(struct store *s, const char *key, uint64_t v)
{
	uint8_t be[8];

	for (size_t i = 0; i < sizeof(be); i++)
		be[i] = (uint8_t) (v >> (56 - 8 * i));
	return store_meta_set(s, key, be, sizeof(be));
}

/* --- blobs ------------------------------------------------------------------------------------ */

int store_blob_set(struct store *s, const char *key, const void *data, size_t len)
{
	_cleanup_buf_ struct buf sealed = BUF_INIT;
	struct sql_stmt *q;
	int r = len ? seal_put(s->seal, key, data, len, &sealed) : 0;

	if (r >= 0)
		r = sql_begin(s->sql);
	if (r < 0)
		return r;
	if (len) {
		q = sql_prepare(s->sql, "INSERT INTO blob VALUES(?1, ?2)"
					" ON CONFLICT(key) DO UPDATE SET data = ?2");
		sql_bind_blob(q, 2, sealed.data, sealed.len);
	} else {
		q = sql_prepare(s->sql, "DELETE FROM blob WHERE key = ?1");
	}
	sql_bind_text(q, 1, key);
	r = sql_run(q);
	if (r >= 0)
		r = store_escrow_owe(s, key);
	FAULT_POINT("agent.blob.before_commit");
	if (r >= 0)
		r = sql_commit(s->sql);
	if (r < 0) {
		sql_rollback(s->sql);
		ignore_result(store_escrow_recount(s));
	} else {
		FAULT_POINT("agent.blob.after_commit");
	}
	return r < 0 ? r : 0;
}

int store_blob_each(struct store *s, store_blob_fn fn, void *user)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT key, data FROM blob");
	int r;

	while ((r = sql_step(q)) > 0) {
		size_t len;
		const void *data = sql_col_blob(q, 1, &len);
		_cleanup_buf_ struct buf plain = BUF_INIT;

		r = seal_get(s->seal, sql_col_text(q, 0), data, len, &plain);
		r = fn(user, sql_col_text(q, 0), plain.data, r < 0 ? 0 : plain.len);
		if (plain.data)
			explicit_bzero(plain.data, plain.len);
		if (r < 0)
			break;
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}
