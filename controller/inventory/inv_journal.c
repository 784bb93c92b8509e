/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_journal.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/wire.h"
#include "controller/db/lmdb_env.h"
#include "controller/inventory/inv_crc.h"
#include "controller/inventory/inv_record.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#define HEAD_BYTES     16
#define TRIM_PER_TXN   64
#define TRIM_ROOM      (256u << 10) /* beyond the limit, for the deletions that make room below it */
#define JOURNAL_FORMAT "GJNL"

enum {
	TABLE_META,
	TABLE_LOG,
	TABLE_COUNT
};
static const char *const tables[TABLE_COUNT] = {"meta", "log"};

struct inv_journal {
	struct lmdb_env *env;
	uint8_t identity[INV_IDENTITY_BYTES];
	bool is_new;
	struct loop_async *async;
	inv_journal_done_fn done;
	void *user;
	bool busy; /* loop thread's view: a blob is on its way or waits for a retry */
	uint64_t seq;
	pthread_t thread;
	bool started;

	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;
	struct buf blob; /* the thread's while `trying` */
	bool trying;
	bool tried; /* result waits to be told */
	int result;
	uint64_t trim_to;
	bool trim_more;
	bool stop;
};

static struct lmdb_val seq_key(uint64_t seq, uint8_t key[8])
{
	for (int i = 0; i < 8; i++)
		key[i] = (uint8_t) (seq >> (56 - 8 * i));
	return LMDB_VAL(key, 8);
}

static uint32_t blob_crc(uint64_t seq, const void *data, size_t len)
{
	uint8_t key[8];

	(void) seq_key(seq, key);
	return inv_crc32c(inv_crc32c(0, key, sizeof(key)), data, len);
}

static int load_identity(struct inv_journal *j)
{
	struct lmdb_val key = LMDB_VAL("identity", 8), val;
	struct lmdb_txn t;

	lmdb_begin_write(j->env, &t);
	if (lmdb_get(&t, TABLE_META, key, &val)) {
		if (val.len != INV_IDENTITY_BYTES) {
			lmdb_abort(&t);
			return -ERR_CORRUPT;
		}
		memcpy(j->identity, val.data, INV_IDENTITY_BYTES);
		lmdb_abort(&t);
		return 0;
	}
	j->is_new = true;
	if (getrandom(j->identity, sizeof(j->identity), 0) != (ssize_t) sizeof(j->identity)) {
		lmdb_abort(&t);
		return -EIO;
	}
	lmdb_put(&t, TABLE_META, key, LMDB_VAL(j->identity, sizeof(j->identity)));
	return lmdb_commit(&t);
}

int inv_journal_open(const char *dir, uint64_t max_bytes, struct inv_journal **ret)
{
	struct lmdb_config cfg = {
		.dir = dir, .tables = tables, .n_tables = TABLE_COUNT, .max_bytes = max_bytes};
	struct inv_journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return -ENOMEM;
	pthread_mutex_init(&j->mutex, NULL);
	pthread_cond_init(&j->cond, NULL);
	r = lmdb_open(&cfg, &j->env);
	if (!r)
		r = load_identity(j);
	if (r) {
		inv_journal_close(j);
		return r;
	}
	*ret = j;
	return 0;
}

const uint8_t *inv_journal_identity(const struct inv_journal *j)
{
	return j->identity;
}

bool inv_journal_is_new(const struct inv_journal *j)
{
	return j->is_new;
}

uint64_t inv_journal_bytes(struct inv_journal *j)
{
	return lmdb_used_bytes(j->env);
}

/* --- replay ------------------------------------------------------------------------------------
 */

static int replay_blob(uint64_t seq, struct lmdb_val val, inv_journal_replay_fn fn, void *user)
{
	const uint8_t *magic;
	uint16_t version;
	uint32_t len, crc;
	struct wire w;

	wire_init(&w, val.data, val.len);
	magic = wire_get_bytes(&w, 4);
	version = wire_get_u16le(&w);
	(void) wire_get_u16le(&w);
	len = wire_get_u32le(&w);
	crc = wire_get_u32le(&w);
	if (!wire_ok(&w) || memcmp(magic, JOURNAL_FORMAT, 4) != 0)
		return -ERR_CORRUPT;
	if (version != INV_RECORD_VERSION)
		return -ERR_VERSION;
	if (wire_left(&w) != len || blob_crc(seq, w.base + w.pos, len) != crc)
		return -ERR_CORRUPT;
	return fn(user, w.base + w.pos, len);
}

int inv_journal_replay(struct inv_journal *j, uint64_t cover, inv_journal_replay_fn fn, void *user,
		       uint64_t *ret_last, uint64_t *ret_bad_seq)
{
	uint64_t expect = cover + 1;
	uint8_t key[8];
	struct lmdb_cursor c;
	struct lmdb_txn t;
	bool more;
	int r = 0;

	lmdb_begin_read(j->env, &t);
	lmdb_cursor_open(&t, TABLE_LOG, &c);
	for (more = lmdb_cursor_seek(&c, seq_key(expect, key)); more && !r;
	     more = !r && lmdb_cursor_next(&c)) {
		struct wire w;

		wire_init(&w, c.key.data, c.key.len);
		r = wire_get_u64be(&w) == expect && wire_finish(&w) == 0
			    ? replay_blob(expect, c.val, fn, user)
			    : -ERR_CORRUPT;
		expect += !r;
	}
	lmdb_cursor_close(&c);
	if (!r)
		r = t.err;
	lmdb_abort(&t);
	if (r)
		*ret_bad_seq = expect;
	else
		*ret_last = expect - 1;
	return r;
}

/* --- the committer -----------------------------------------------------------------------------
 */

/* Drops a few blobs that a snapshot covers; returns whether more are left. */
static bool trim_some(struct lmdb_txn *t, uint64_t upto)
{
	struct lmdb_cursor c;
	int dropped = 0;
	bool more;

	lmdb_cursor_open(t, TABLE_LOG, &c);
	for (more = lmdb_cursor_first(&c); more; more = lmdb_cursor_first(&c)) {
		struct wire w;

		wire_init(&w, c.key.data, c.key.len);
		if (wire_get_u64be(&w) > upto || dropped++ >= TRIM_PER_TXN)
			break;
		lmdb_cursor_del(&c);
	}
	lmdb_cursor_close(&c);
	return more && dropped > TRIM_PER_TXN;
}

static void put_blob(struct lmdb_txn *t, uint64_t seq, const struct buf *blob)
{
	struct buf head = BUF_INIT;
	uint8_t key[8], *p;

	buf_put(&head, JOURNAL_FORMAT, 4);
	buf_put_u16le(&head, INV_RECORD_VERSION);
	buf_put_u16le(&head, 0);
	buf_put_u32le(&head, (uint32_t) blob->len);
	buf_put_u32le(&head, blob_crc(seq, blob->data, blob->len));
	p = buf_ok(&head) ? lmdb_reserve(t, TABLE_LOG, seq_key(seq, key), HEAD_BYTES + blob->len)
			  : NULL;
	if (p) {
		memcpy(p, head.data, HEAD_BYTES);
		memcpy(p + HEAD_BYTES, blob->data, blob->len);
	} else if (!t->err) {
		t->err = -ENOMEM;
	}
	buf_done(&head);
}

/* One transaction: the blob, if there is one, and some trimming. */
static int store(struct inv_journal *j, bool with_blob, uint64_t trim_to, bool *ret_trim_more)
{
	struct lmdb_txn t;
	bool more = false;
	int r;

	lmdb_begin_write(j->env, &t);
	if (with_blob)
		put_blob(&t, j->seq, &j->blob);
	if (trim_to)
		more = trim_some(&t, trim_to);
	if (trim_to && !with_blob)
		lmdb_put(&t, TABLE_META, LMDB_VAL("trimmed", 7), LMDB_VAL(&trim_to, 8));
	if (with_blob)
		FAULT_POINT("ctl.journal.before_commit");
	r = lmdb_commit(&t);
	if (with_blob)
		FAULT_POINT("ctl.journal.after_commit");
	else if (!r)
		FAULT_POINT("ctl.snapshot.after_trim");
	*ret_trim_more = more && !r;
	return r;
}

/* Drops what is no longer needed, in transactions of their own. What a transaction frees can be
 * used again only by the one after the next, so one more follows: a full journal must not wait for
 * it. */
static int trim_alone(struct inv_journal *j, uint64_t trim_to)
{
	bool more = true;
	int r = 0;

	while (!r && more)
		r = store(j, false, trim_to, &more);
	return r ? r : store(j, false, trim_to, &more);
}

/* The same when even a deletion finds no room, as it writes, too. */
static int make_room(struct inv_journal *j, uint64_t trim_to)
{
	int r = trim_alone(j, trim_to);

	if (r == -ENOSPC && lmdb_grow(j->env, TRIM_ROOM) == 0)
		r = trim_alone(j, trim_to);
	return r;
}

static void *committer(void *arg)
{
	struct inv_journal *j = arg;

	pthread_mutex_lock(&j->mutex);
	for (;;) {
		bool with_blob, more;
		uint64_t trim_to;
		int r;

		while (!j->stop && !j->trying && !j->trim_more)
			pthread_cond_wait(&j->cond, &j->mutex);
		if (j->stop && !j->trying)
			break;
		with_blob = j->trying;
		trim_to = j->trim_more ? j->trim_to : 0;
		pthread_mutex_unlock(&j->mutex);
		r = with_blob ? store(j, true, trim_to, &more) : -ENOSPC;
		if (r == -ENOSPC && trim_to) {
			r = make_room(j, trim_to);
			more = false;
			if (!r && with_blob)
				r = store(j, true, 0, &more);
		}
		pthread_mutex_lock(&j->mutex);
		if (trim_to && trim_to == j->trim_to)
			j->trim_more = more;
		if (!with_blob)
			continue;
		j->trying = false;
		j->tried = true;
		j->result = r;
		loop_async_send(j->async);
	}
	pthread_mutex_unlock(&j->mutex);
	return NULL;
}

static void on_async(void *user)
{
	struct inv_journal *j = user;
	bool tried;
	int r;

	pthread_mutex_lock(&j->mutex);
	tried = j->tried;
	r = j->result;
	j->tried = false;
	if (tried && !r) {
		buf_clear(&j->blob);
		j->busy = false;
	}
	pthread_mutex_unlock(&j->mutex);
	if (tried)
		j->done(j->user, j->seq, r);
}

int inv_journal_start(struct inv_journal *j, struct loop *loop, inv_journal_done_fn done,
		      void *user)
{
	int r = loop_async_new(loop, on_async, j, &j->async);

	if (r)
		return r;
	j->done = done;
	j->user = user;
	r = -pthread_create(&j->thread, NULL, committer, j);
	j->started = !r;
	return r;
}

bool inv_journal_idle(const struct inv_journal *j)
{
	return !j->busy;
}

void inv_journal_submit(struct inv_journal *j, uint64_t seq, struct buf *records)
{
	struct buf empty;

	pthread_mutex_lock(&j->mutex);
	empty = j->blob;
	j->blob = *records;
	*records = empty;
	j->seq = seq;
	j->busy = true;
	j->trying = true;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mutex);
}

void inv_journal_retry(struct inv_journal *j)
{
	if (!j->busy)
		return;
	pthread_mutex_lock(&j->mutex);
	if (!j->trying && !j->tried) {
		j->trying = true;
		pthread_cond_signal(&j->cond);
	}
	pthread_mutex_unlock(&j->mutex);
}

void inv_journal_trim(struct inv_journal *j, uint64_t seq)
{
	if (!seq)
		return;
	pthread_mutex_lock(&j->mutex);
	j->trim_to = seq;
	j->trim_more = true;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mutex);
}

void inv_journal_close(struct inv_journal *j)
{
	if (!j)
		return;
	if (j->started) {
		pthread_mutex_lock(&j->mutex);
		j->stop = true;
		pthread_cond_signal(&j->cond);
		pthread_mutex_unlock(&j->mutex);
		pthread_join(j->thread, NULL);
	}
	loop_async_free(j->async);
	lmdb_close(j->env);
	buf_done(&j->blob);
	pthread_cond_destroy(&j->cond);
	pthread_mutex_destroy(&j->mutex);
	free(j);
}

int inv_journal_copy(struct inv_journal *j, int fd)
{
	return lmdb_copy(j->env, fd);
}
