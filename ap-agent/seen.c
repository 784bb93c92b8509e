/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/seen.h"
#include "common/buf.h"
#include <errno.h>
#include <string.h>

/* Beyond this they are written before their time. */
#define MAX_CHANGES 4096

struct change {
	char reader[PROTO_NAME_MAX];
	uint16_t antenna;
	bool present;
	struct epc epc;
};

struct seen {
	struct sql *sql;
	struct change *changes; /**< oldest first */
	size_t n, cap;
};

static const char table[] = "CREATE TABLE IF NOT EXISTS seen("
			    " reader TEXT NOT NULL,"
			    " antenna INTEGER NOT NULL,"
			    " epc BLOB NOT NULL,"
			    " bits INTEGER NOT NULL,"
			    " PRIMARY KEY(reader, antenna, epc, bits)) WITHOUT ROWID;";

int seen_new(struct store *store, struct seen **ret)
{
	_cleanup_(seen_freep) struct seen *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->sql = store_sql(store);
	r = sql_exec(s->sql, table);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

void seen_free(struct seen *s)
{
	if (s)
		free(s->changes);
	free(s);
}

void seen_note(struct seen *s, const char *reader, uint16_t antenna, const struct epc *epc,
	       bool present)
{
	struct change *c;

	if (s->n >= MAX_CHANGES && seen_flush(s) < 0)
		return;
	if (s->n == s->cap) {
		size_t cap = MAX(2 * s->cap, (size_t) 64);
		struct change *grown = realloc(s->changes, cap * sizeof(*grown));

		if (!grown)
			return;
		s->changes = grown;
		s->cap = cap;
	}
	c = &s->changes[s->n++];
	*c = (struct change){.antenna = antenna, .present = present, .epc = *epc};
	memccpy(c->reader, reader, 0, sizeof(c->reader) - 1);
}

static int write_change(struct seen *s, const struct change *c)
{
	struct sql_stmt *q =
		c->present ? sql_prepare(s->sql, "INSERT OR IGNORE INTO seen(reader, antenna, epc,"
						 " bits) VALUES(?, ?, ?, ?)")
			   : sql_prepare(s->sql, "DELETE FROM seen WHERE reader = ? AND antenna = ?"
						 " AND epc = ? AND bits = ?");

	sql_bind_text(q, 1, c->reader);
	sql_bind_i64(q, 2, c->antenna);
	sql_bind_blob(q, 3, c->epc.data, epc_bytes(&c->epc));
	sql_bind_i64(q, 4, c->epc.bits);
	return sql_run(q);
}

int seen_flush(struct seen *s)
{
	int r = s->n ? sql_begin(s->sql) : 0;

	if (s->n == 0 || r < 0)
		return r;
	for (size_t i = 0; r >= 0 && i < s->n; i++)
		r = write_change(s, &s->changes[i]);
	if (r >= 0)
		r = sql_commit(s->sql);
	if (r < 0) {
		sql_rollback(s->sql);
		return r;
	}
	s->n = 0;
	return 0;
}

int seen_each(struct seen *s, const char *reader, seen_fn fn, void *user)
{
	struct sql_stmt *q =
		sql_prepare(s->sql, "SELECT antenna, epc, bits FROM seen WHERE reader = ?");
	struct epc epc;
	int r;

	sql_bind_text(q, 1, reader);
	while ((r = sql_step(q)) > 0) {
		int64_t bits = sql_col_i64(q, 2);
		size_t len;
		const void *data = sql_col_blob(q, 1, &len);

		if (bits > 0 && bits <= EPC_MAX_BITS && len == (size_t) (bits + 7) / 8 &&
		    epc_set(&epc, data, (size_t) bits) == 0)
			fn(user, (uint16_t) sql_col_i64(q, 0), &epc);
	}
	return r;
}

int seen_forget(struct seen *s)
{
	s->n = 0;
	return sql_exec(s->sql, "DELETE FROM seen");
}
