/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/journal.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include <errno.h>
#include <string.h>

#define RETRY_US (2 * US_PER_SEC)

struct waiting {
	struct waiting *next;
	uint64_t boot; /**< 0 = instants are UTC */
	int64_t skew_us;
	uint8_t stream;
	uint16_t len;
	uint8_t body[];
};

struct stream {
	uint64_t next_seq;
	uint64_t acked;
	bool undeleted; /**< acknowledged rows could not be deleted yet */
};

struct journal {
	struct store *store;
	struct sql *sql;
	const struct timebase *tb;
	const struct clock *clock;
	struct loop_timer *timer;
	journal_fn fn;
	void *user;
	struct waiting *first, **last;
	size_t n_waiting;
	struct stream stream[JOURNAL_STREAM_COUNT];
	uint8_t id[PROTO_JOURNAL_ID_BYTES];
	uint64_t dropped;
	uint64_t dropped_told; /**< of which the log knows */
	uint64_t refused;      /**< rows of the table of that name */
	int err;
	struct log_limit limit;
};

static void on_timer(void *user)
{
	(void) journal_flush(user);
}

int journal_reload(struct journal *j)
{
	struct stream fresh[JOURNAL_STREAM_COUNT] = {0};
	uint8_t id[PROTO_JOURNAL_ID_BYTES];
	size_t len;
	int r = store_meta_get(j->store, "journal_id", id, sizeof(id), &len);

	if (r < 0)
		return r;
	if (len != sizeof(id))
		return -ERR_CORRUPT;

	struct sql_stmt *q = sql_prepare(j->sql, "SELECT id, next_seq, acked FROM stream");

	while ((r = sql_step(q)) > 0) {
		int64_t i = sql_col_i64(q, 0);

		if (i <= 0 || i >= JOURNAL_STREAM_COUNT)
			continue;
		fresh[i].next_seq = (uint64_t) sql_col_i64(q, 1);
		fresh[i].acked = (uint64_t) sql_col_i64(q, 2);
	}
	if (r < 0)
		return r;
	q = sql_prepare(j->sql, "SELECT count(*) FROM refused");
	r = sql_step(q);
	if (r < 0)
		return r;
	j->refused = r > 0 ? (uint64_t) sql_col_i64(q, 0) : 0;
	sql_reset(q);
	for (size_t i = 1; i < JOURNAL_STREAM_COUNT; i++)
		if (fresh[i].next_seq == 0 || fresh[i].acked >= fresh[i].next_seq)
			return -ERR_CORRUPT;
	memcpy(j->stream, fresh, sizeof(fresh));
	memcpy(j->id, id, sizeof(id));
	return 0;
}

int journal_new(struct loop *loop, struct store *store, const struct timebase *tb, journal_fn fn,
		void *user, struct journal **ret)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->store = store;
	j->sql = store_sql(store);
	j->tb = tb;
	j->clock = loop_clock(loop);
	j->fn = fn;
	j->user = user;
	j->last = &j->first;

	int r = loop_timer_new(loop, on_timer, j, &j->timer);

	if (r >= 0)
		r = journal_reload(j);
	if (r < 0) {
		loop_timer_free(j->timer);
		free(j);
		return r;
	}
	*ret = j;
	return 0;
}

static void pop(struct journal *j)
{
	struct waiting *w = j->first;

	j->first = w->next;
	if (!j->first)
		j->last = &j->first;
	j->n_waiting--;
	free(w);
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	j->fn = NULL;
	(void) journal_flush(j);
	if (j->n_waiting)
		log_error("journal", "lost=%zu msg=\"stopping with entries that found no room\"",
			  j->n_waiting);
	while (j->first)
		pop(j);
	loop_timer_free(j->timer);
	free(j);
}

int journal_add(struct journal *j, enum journal_stream stream, bool utc, const void *body,
		size_t len)
{
	int r = 0;

	if (len > JOURNAL_MAX_BODY)
		return -ERR_TOO_LARGE;

	struct waiting *w = malloc(sizeof(*w) + len);

	if (!w) {
		j->dropped++;
		return -ENOMEM;
	}
	*w = (struct waiting){.stream = (uint8_t) stream, .len = (uint16_t) len};
	if (!utc) {
		w->boot = j->tb->boot;
		w->skew_us = timebase_skew(j->tb);
	}
	memcpy(w->body, body, len);
	*j->last = w;
	j->last = &w->next;
	if (++j->n_waiting > JOURNAL_MAX_WAITING) {
		pop(j);
		j->dropped++;
		r = -ENOSPC;
	}
	/* While commits fail only the timer tries again: not every entry. */
	if (j->err == 0 && j->n_waiting >= JOURNAL_BATCH)
		(void) journal_flush(j);
	else if (!loop_timer_active(j->timer))
		loop_timer_start(j->timer, JOURNAL_FLUSH_US);
	return r;
}

#define SEALED_AS "journal"

int journal_add_sealed(struct journal *j, enum journal_stream stream, bool utc, const void *body,
		       size_t len)
{
	_cleanup_buf_ struct buf sealed = BUF_INIT;
	int r = seal_put(store_seal(j->store), SEALED_AS, body, len, &sealed);

	if (r >= 0)
		return journal_add(j, stream, utc, sealed.data, sealed.len);
	j->dropped++;
	return r;
}

/** Hands a row on, opened if it is sealed. One that does not open is for the reader to refuse. */
static bool hand_on(struct journal *j, journal_row_fn fn, void *user, uint64_t seq, int64_t delta,
		    const void *body, size_t len)
{
	_cleanup_buf_ struct buf plain = BUF_INIT;
	bool more;

	if (!seal_is_sealed(body, len) ||
	    seal_get(store_seal(j->store), SEALED_AS, body, len, &plain) < 0)
		return fn(user, seq, delta, body, len);
	more = fn(user, seq, delta, plain.data, plain.len);
	explicit_bzero(plain.data, plain.len);
	return more;
}

void journal_hurry(struct journal *j)
{
	if (j->err == 0 && j->n_waiting)
		loop_timer_start(j->timer, 0);
}

/* Inserts the first `n` waiting entries with the numbers that follow `next`, and stores the new
 * next numbers. Nothing in memory changes: the commit may still fail. */
static int insert(struct journal *j, size_t n, uint64_t next[JOURNAL_STREAM_COUNT])
{
	struct waiting *w = j->first;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++, w = w->next) {
		struct sql_stmt *q =
			sql_prepare(j->sql, "INSERT INTO journal VALUES(?1, ?2, ?3, ?4, ?5)");

		sql_bind_i64(q, 1, w->stream);
		sql_bind_i64(q, 2, (int64_t) next[w->stream]++);
		sql_bind_i64(q, 3, (int64_t) w->boot);
		sql_bind_i64(q, 4, w->skew_us);
		sql_bind_blob(q, 5, w->body, w->len);
		r = sql_run(q);
	}
	for (int64_t i = 1; r >= 0 && i < JOURNAL_STREAM_COUNT; i++) {
		struct sql_stmt *q =
			sql_prepare(j->sql, "UPDATE stream SET next_seq = ?2 WHERE id = ?1");

		sql_bind_i64(q, 1, i);
		sql_bind_i64(q, 2, (int64_t) next[i]);
		r = sql_run(q);
	}
	return r;
}

static int commit_batch(struct journal *j, size_t n, unsigned int *streams)
{
	uint64_t next[JOURNAL_STREAM_COUNT] = {0};
	int r = sql_begin(j->sql);

	if (r < 0)
		return r;
	for (size_t i = 1; i < JOURNAL_STREAM_COUNT; i++)
		next[i] = j->stream[i].next_seq;
	r = insert(j, n, next);
	if (r >= 0) {
		FAULT_POINT("agent.journal.before_commit");
		r = sql_commit(j->sql);
	}
	if (r < 0) {
		sql_rollback(j->sql);
		return r;
	}
	FAULT_POINT("agent.journal.after_commit");
	for (size_t i = 1; i < JOURNAL_STREAM_COUNT; i++)
		j->stream[i].next_seq = next[i];
	while (n-- > 0) {
		*streams |= 1u << j->first->stream;
		pop(j);
	}
	return 0;
}

/* Inside a transaction. */
static int delete_up_to(struct journal *j, enum journal_stream stream, uint64_t seq)
{
	struct sql_stmt *q =
		sql_prepare(j->sql, "DELETE FROM journal WHERE stream = ?1 AND seq <= ?2");
	int r;

	sql_bind_i64(q, 1, stream);
	sql_bind_i64(q, 2, (int64_t) seq);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(j->sql, "UPDATE stream SET acked = ?2 WHERE id = ?1");
	sql_bind_i64(q, 1, stream);
	sql_bind_i64(q, 2, (int64_t) seq);
	return sql_run(q);
}

static int delete_acked(struct journal *j, enum journal_stream stream)
{
	struct stream *st = &j->stream[stream];
	int r = sql_begin(j->sql);

	if (r < 0)
		return r;
	r = delete_up_to(j, stream, st->acked);
	if (r >= 0)
		r = sql_commit(j->sql);
	if (r < 0)
		sql_rollback(j->sql);
	st->undeleted = r < 0;
	return r < 0 ? r : 0;
}

static void tell_failure(struct journal *j, int err)
{
	unsigned int held = 0;

	if (log_limit_pass(&j->limit, clock_mono_us(j->clock), 30 * US_PER_SEC, 1, &held)) {
		log_write(LOG_ERR, "journal", err,
			  "waiting=%zu dropped=%llu msg=\"cannot write the journal; %s\"",
			  j->n_waiting, (unsigned long long) j->dropped,
			  err == -ENOSPC ? "free space on the state directory"
					 : "check the state directory");
		j->dropped_told = j->dropped;
	}
}

int journal_flush(struct journal *j)
{
	unsigned int streams = 0;
	int r = 0;

	loop_timer_stop(j->timer);
	while (r >= 0 && j->n_waiting)
		r = commit_batch(j, MIN(j->n_waiting, (size_t) JOURNAL_BATCH), &streams);
	/* Deleting makes room, but needs some itself: it is tried again whenever we come by. */
	for (size_t i = 1; r >= 0 && i < JOURNAL_STREAM_COUNT; i++)
		if (j->stream[i].undeleted)
			r = delete_acked(j, (enum journal_stream) i);
	if (r < 0) {
		tell_failure(j, r);
		loop_timer_start(j->timer, RETRY_US);
	} else if (j->err < 0) {
		log_notice("journal", "dropped=%llu msg=\"the journal can be written again\"",
			   (unsigned long long) j->dropped);
		j->limit = (struct log_limit){0};
	}
	j->err = r < 0 ? r : 0;
	if (streams && j->fn)
		j->fn(j->user, streams);
	return j->err;
}

int journal_read(struct journal *j, enum journal_stream stream, size_t max, journal_row_fn fn,
		 void *user)
{
	struct sql_stmt *q =
		sql_prepare(j->sql, "SELECT seq, boot, skew, body FROM journal"
				    " WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
	uint64_t expect = 0;
	int r;

	sql_bind_i64(q, 1, stream);
	sql_bind_i64(q, 2, (int64_t) j->stream[stream].acked);
	sql_bind_i64(q, 3, (int64_t) max);
	while ((r = sql_step(q)) > 0) {
		uint64_t seq = (uint64_t) sql_col_i64(q, 0);
		size_t len;
		const void *body = sql_col_blob(q, 3, &len);
		int64_t delta =
			timebase_delta(j->tb, (uint64_t) sql_col_i64(q, 1), sql_col_i64(q, 2));

		/* A batch names its first number only: a gap would shift all that follow. */
		if ((expect != 0 && seq != expect) || !hand_on(j, fn, user, seq, delta, body, len))
			break;
		expect = seq + 1;
	}
	sql_reset(q);
	return r < 0 ? r : 0;
}

int journal_ack(struct journal *j, enum journal_stream stream, uint64_t seq)
{
	struct stream *st = &j->stream[stream];

	if (seq >= st->next_seq)
		return -ERR_RANGE;
	if (seq <= st->acked)
		return 0;
	/* Even if deleting fails they are not sent again in this life; in the next the controller
	 * drops them by their numbers. */
	st->acked = seq;
	FAULT_POINT("agent.ack.before_delete");
	int r = delete_acked(j, stream);

	if (r < 0) {
		tell_failure(j, r);
		if (!loop_timer_active(j->timer))
			loop_timer_start(j->timer, RETRY_US);
		return 0;
	}
	FAULT_POINT("agent.ack.after_delete");
	return 0;
}

static int copy_refused(struct journal *j, enum journal_stream stream, uint64_t seq,
			const char *why)
{
	struct sql_stmt *q = sql_prepare(
		j->sql, "INSERT OR REPLACE INTO refused SELECT ?1, stream, seq, ?4, ?5, boot, skew,"
			" body FROM journal WHERE stream = ?2 AND seq = ?3");

	sql_bind_blob(q, 1, j->id, sizeof(j->id));
	sql_bind_i64(q, 2, stream);
	sql_bind_i64(q, 3, (int64_t) seq);
	sql_bind_i64(q, 4, timebase_now(j->tb));
	sql_bind_text(q, 5, why);
	return sql_run(q);
}

int journal_set_aside(struct journal *j, enum journal_stream stream, uint64_t seq, const char *why)
{
	struct stream *st = &j->stream[stream];
	int r;

	if (seq != st->acked + 1 || seq >= st->next_seq)
		return -ERR_RANGE;
	if (j->refused >= JOURNAL_MAX_REFUSED)
		return -ENOSPC;
	r = sql_begin(j->sql);
	if (r < 0)
		return r;
	r = copy_refused(j, stream, seq, why);
	if (r >= 0)
		r = delete_up_to(j, stream, seq);
	if (r >= 0)
		r = sql_commit(j->sql);
	if (r < 0) {
		sql_rollback(j->sql);
		return r;
	}
	st->acked = seq;
	st->undeleted = false;
	j->refused++;
	return 0;
}

uint64_t journal_refused(const struct journal *j)
{
	return j->refused;
}

const uint8_t *journal_id(const struct journal *j)
{
	return j->id;
}

uint64_t journal_depth(const struct journal *j, enum journal_stream stream)
{
	return j->stream[stream].next_seq - 1 - j->stream[stream].acked;
}

uint64_t journal_dropped(const struct journal *j)
{
	return j->dropped;
}

int journal_error(const struct journal *j)
{
	return j->err;
}
