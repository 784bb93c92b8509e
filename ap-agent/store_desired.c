/* SPDX-License-Identifier: Apache-2.0 */
/* The last known wish for each label, and for readers and what to watch. */
#include "ap-agent/store_impl.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include <errno.h>
#include <string.h>

/* A row's body is an answer with this one label in it: the wire's own versioned form. */
static int put_label(struct store *s, const struct proto_desired_label *l, int64_t mark,
		     struct buf *scratch)
{
	if (l->forget) {
		struct sql_stmt *del = sql_prepare(s->sql, "DELETE FROM label WHERE addr = ?1");

		sql_bind_blob(del, 1, l->addr, LABEL_ADDR_BYTES);
		return sql_run(del);
	}

	struct proto_desired one = {.n_labels = 1, .labels = (struct proto_desired_label *) l};

	buf_clear(scratch);
	int r = proto_desired_encode(&one, scratch);

	if (r < 0)
		return r;

	struct sql_stmt *q =
		sql_prepare(s->sql, "INSERT INTO label VALUES(?1, ?2, ?3)"
				    " ON CONFLICT(addr) DO UPDATE SET mark = ?2, body = ?3");

	sql_bind_blob(q, 1, l->addr, LABEL_ADDR_BYTES);
	sql_bind_i64(q, 2, mark);
	sql_bind_blob(q, 3, scratch->data, scratch->len);
	return sql_run(q);
}

static int drop_unmarked(struct store *s, int64_t mark, struct buf *forgotten)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT addr FROM label WHERE mark <> ?1");
	int r;

	sql_bind_i64(q, 1, mark);
	while ((r = sql_step(q)) > 0) {
		size_t len;
		const void *addr = sql_col_blob(q, 0, &len);

		if (len == LABEL_ADDR_BYTES)
			buf_put(forgotten, addr, len);
	}
	if (r >= 0)
		r = forgotten->err;
	if (r < 0)
		return r;
	q = sql_prepare(s->sql, "DELETE FROM label WHERE mark <> ?1");
	sql_bind_i64(q, 1, mark);
	return sql_run(q);
}

static int put_readers(struct store *s, const struct proto_desired *d, struct buf *scratch)
{
	struct proto_desired one = {
		.has_readers = true, .n_readers = d->n_readers, .readers = d->readers};

	buf_clear(scratch);
	int r = proto_desired_encode(&one, scratch);

	return r < 0 ? r : store_meta_set(s, "readers", scratch->data, scratch->len);
}

static int put_watch(struct store *s, struct proto_watch *watch, struct buf *scratch)
{
	struct proto_desired one = {.watch = watch};

	buf_clear(scratch);
	int r = proto_desired_encode(&one, scratch);

	return r < 0 ? r : store_meta_set(s, "watch", scratch->data, scratch->len);
}

static int put_desired(struct store *s, const struct proto_desired *d, struct buf *forgotten)
{
	_cleanup_buf_ struct buf scratch = BUF_INIT;
	uint64_t mark = 0;
	int r = store_meta_get_u64(s, "mark", &mark);

	if (r < 0 && r != -ENOENT)
		return r;
	if (d->full)
		r = store_meta_set_u64(s, "mark", ++mark);
	else
		r = 0;
	for (size_t i = 0; r >= 0 && i < d->n_labels; i++)
		r = put_label(s, &d->labels[i], (int64_t) mark, &scratch);
	if (r >= 0 && d->full)
		r = drop_unmarked(s, (int64_t) mark, forgotten);
	if (r >= 0 && d->has_readers)
		r = put_readers(s, d, &scratch);
	if (r >= 0 && d->watch)
		r = put_watch(s, d->watch, &scratch);
	if (r >= 0 && d->rotate_keys_us > 0)
		r = store_meta_set_u64(s, STORE_ROTATE_KEYS, (uint64_t) d->rotate_keys_us);
	if (r >= 0)
		r = store_meta_set_u64(s, "epoch", d->epoch);
	if (r >= 0)
		r = store_meta_set_u64(s, "rev", d->rev);
	return r;
}

int store_desired_put(struct store *s, const struct proto_desired *d, store_addr_fn forget,
		      void *user)
{
	_cleanup_buf_ struct buf forgotten = BUF_INIT;
	int r = sql_begin(s->sql);

	if (r < 0)
		return r;
	r = put_desired(s, d, &forgotten);
	if (r >= 0)
		r = sql_commit(s->sql);
	if (r < 0) {
		sql_rollback(s->sql);
		return r;
	}
	FAULT_POINT("agent.desired.after_store");
	for (size_t i = 0; i < forgotten.len; i += LABEL_ADDR_BYTES)
		forget(user, forgotten.data + i);
	return 0;
}

int store_desired_rev(struct store *s, uint64_t *ret_epoch, uint64_t *ret_rev)
{
	uint64_t epoch = 0, rev = 0;
	int r = store_meta_get_u64(s, "epoch", &epoch);

	if (r >= 0)
		r = store_meta_get_u64(s, "rev", &rev);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_epoch = r < 0 ? 0 : epoch;
	*ret_rev = r < 0 ? 0 : rev;
	return 0;
}

int store_desired_label(struct store *s, const uint8_t addr[LABEL_ADDR_BYTES], store_label_fn fn,
			void *user)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT body FROM label WHERE addr = ?1");
	struct proto_desired d = {0};
	int r;

	sql_bind_blob(q, 1, addr, LABEL_ADDR_BYTES);
	r = sql_step(q);
	if (r > 0) {
		size_t len;
		const void *body = sql_col_blob(q, 0, &len);

		r = proto_desired_decode(body, len, &d, NULL);
	}
	sql_reset(q);
	for (size_t i = 0; r >= 0 && i < d.n_labels; i++)
		fn(user, &d.labels[i]);
	if (r >= 0)
		proto_desired_done(&d);
	return r;
}

/* One row at a time with no statement open: what fn does may write. */
int store_desired_labels(struct store *s, store_label_fn fn, void *user)
{
	uint8_t addr[LABEL_ADDR_BYTES] = {0};
	size_t addr_len = 0;

	for (;;) {
		struct sql_stmt *q = sql_prepare(s->sql, "SELECT addr, body FROM label"
							 " WHERE addr > ?1 ORDER BY addr LIMIT 1");
		struct proto_desired d;

		sql_bind_blob(q, 1, addr, addr_len);

		int r = sql_step(q);

		if (r <= 0)
			return r;

		size_t n, len;
		const void *key = sql_col_blob(q, 0, &n);
		const void *body = sql_col_blob(q, 1, &len);

		addr_len = MIN(n, sizeof(addr));
		memcpy(addr, key, addr_len);
		r = proto_desired_decode(body, len, &d, NULL);
		sql_reset(q);
		if (n != sizeof(addr))
			return -ERR_CORRUPT;
		if (r < 0) {
			log_write(LOG_WARN, "store", r, "msg=\"remembered label does not decode\"");
			continue;
		}
		for (size_t i = 0; i < d.n_labels; i++)
			fn(user, &d.labels[i]);
		proto_desired_done(&d);
	}
}

/* A part of the desired state that is kept in one row of meta; 1 if there is one. */
static int remembered(struct store *s, const char *key, struct proto_desired *ret)
{
	struct sql_stmt *q = sql_prepare(s->sql, "SELECT value FROM meta WHERE key = ?");
	int r;

	sql_bind_text(q, 1, key);
	r = sql_step(q);
	if (r > 0) {
		size_t len;
		const void *body = sql_col_blob(q, 0, &len);

		r = proto_desired_decode(body, len, ret, NULL);
		if (r < 0)
			log_write(LOG_WARN, "store", r,
				  "key=%s msg=\"it does not decode any more\"", key);
		r = r < 0 ? 0 : 1;
	}
	sql_reset(q);
	return r;
}

int store_desired_readers(struct store *s, store_readers_fn fn, void *user)
{
	struct proto_desired d = {0};
	int r = remembered(s, "readers", &d);

	if (r <= 0)
		return r;
	fn(user, d.readers, d.n_readers);
	proto_desired_done(&d);
	return 0;
}

int store_desired_watch(struct store *s, store_watch_fn fn, void *user)
{
	struct proto_desired d = {0};
	int r = remembered(s, "watch", &d);

	if (r <= 0)
		return r;
	if (d.watch)
		fn(user, d.watch);
	proto_desired_done(&d);
	return 0;
}
