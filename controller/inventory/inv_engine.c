/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_engine.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "controller/inventory/inv_impl.h"
#include "controller/inventory/inv_journal.h"
#include "controller/inventory/inv_snapshot.h"
#include <errno.h>
#include <string.h>

#define TICK_US            (100 * US_PER_MS)
#define DEFAULT_CHECKPOINT (60 * US_PER_SEC)
#define RETRY_US           (1 * US_PER_SEC)

struct waiter {
	uint64_t seq; /* the blob that must be stored */
	uint64_t acked;
	inv_acked_fn fn;
	void *user;
};

struct inv_engine {
	struct loop *loop;
	const struct clock *clock;
	struct inv_state *state;
	struct inv_journal *journal;
	struct inv_snapshot *snapshot;
	struct loop_timer *tick;
	int64_t checkpoint_us;
	int64_t next_checkpoint_us; /* monotonic */
	int64_t next_retry_us;
	bool want_checkpoint;
	uint64_t next_seq;                 /* number of the open blob, which st->out collects */
	INV_ARRAY(struct waiter) waiters;  /* in order of seq */
	INV_ARRAY(struct inv_change) tail; /* changes that are in no event log yet */
	uint32_t tail_writing;             /* how many of them are being written */
	inv_change_fn changed;
	void *user;
	struct inv_engine_stats stats;
	struct log_limit limit;
};

struct inv_state *inv_engine_state(struct inv_engine *e)
{
	return e->state;
}

static void on_change(void *user, const struct inv_change *c)
{
	struct inv_engine *e = user;

	/* Without memory the event log has a hole; the state and the journal are complete. */
	if (inv_grow((void **) &e->tail.v, &e->tail.cap, e->tail.n, sizeof(*e->tail.v)))
		e->tail.v[e->tail.n++] = *c;
	if (e->changed)
		e->changed(e->user, c);
}

/* --- waiting and answering ---------------------------------------------------------------------
 */

static void answer(struct inv_engine *e, uint64_t upto, int err)
{
	uint32_t n = 0;

	while (n < e->waiters.n && e->waiters.v[n].seq <= upto) {
		struct waiter w = e->waiters.v[n++];

		if (!err)
			FAULT_POINT("ctl.journal.before_ack");
		w.fn(w.user, err, err ? 0 : w.acked);
	}
	e->waiters.n -= n;
	if (e->waiters.n > 0) /* without any there may be no array yet */
		memmove(e->waiters.v, e->waiters.v + n, e->waiters.n * sizeof(*e->waiters.v));
}

/* Hands the open blob to the committer if it is free. */
static void submit(struct inv_engine *e)
{
	struct inv_state *st = e->state;

	if (!st->out.len || !inv_journal_idle(e->journal))
		return;
	inv_state_record_streams(st);
	if (!buf_ok(&st->out)) {
		/* Out of memory while collecting: what memory holds can no longer be written down
		 * piecemeal, so everything is, and the agents are told to come again. */
		log_write(LOG_ERR, "inventory", st->out.err, "msg=\"records lost, checkpoint\"");
		buf_clear(&st->out);
		e->want_checkpoint = true;
		answer(e, UINT64_MAX, -ENOMEM);
		return;
	}
	inv_journal_submit(e->journal, e->next_seq++, &st->out);
}

static void maybe_checkpoint(struct inv_engine *e)
{
	/* While nothing can be stored, a snapshot that covers the blob in question may be the way
	 * out; what the sweep collected meanwhile is applied twice then, which changes nothing. */
	bool clean = !e->state->out.len || e->stats.storage_err;
	int r;

	if (!e->want_checkpoint || !clean || inv_snapshot_busy(e->snapshot))
		return;
	r = inv_snapshot_write(e->snapshot, e->state, e->next_seq - 1, e->tail.v, e->tail.n,
			       clock_real_us(e->clock));
	if (r) {
		log_write(LOG_ERR, "inventory", r, "msg=\"checkpoint could not start\"");
		return;
	}
	e->tail_writing = e->tail.n;
	e->want_checkpoint = false;
	e->next_checkpoint_us = clock_mono_us(e->clock) + e->checkpoint_us;
}

static void on_committed(void *user, uint64_t seq, int err)
{
	struct inv_engine *e = user;
	unsigned int held;

	if (err) {
		e->stats.commit_failures++;
		e->next_retry_us = clock_mono_us(e->clock) + RETRY_US;
		if (log_limit_pass(&e->limit, clock_mono_us(e->clock), 10 * US_PER_SEC, 1, &held))
			log_write(LOG_ERR, "inventory", err,
				  "blob=%llu held=%u msg=\"journal cannot be written; agents keep "
				  "their sightings\"",
				  (unsigned long long) seq, held);
		e->stats.storage_err = err;
		answer(e, UINT64_MAX, err);
		return;
	}
	e->stats.commits++;
	if (e->stats.storage_err)
		log_notice("inventory", "blob=%llu msg=\"journal can be written again\"",
			   (unsigned long long) seq);
	e->stats.storage_err = 0;
	answer(e, seq, 0);
	submit(e);
	maybe_checkpoint(e);
}

static void on_checkpoint(void *user, uint64_t cover, int err)
{
	struct inv_engine *e = user;

	if (err) {
		log_write(LOG_ERR, "inventory", err, "msg=\"checkpoint failed, trying again\"");
		e->tail_writing = 0;
		return;
	}
	e->stats.checkpoints++;
	e->stats.last_checkpoint_us = clock_real_us(e->clock);
	e->tail.n -= e->tail_writing;
	if (e->tail.n > 0) /* without any there may be no array yet */
		memmove(e->tail.v, e->tail.v + e->tail_writing, e->tail.n * sizeof(*e->tail.v));
	e->tail_writing = 0;
	inv_journal_trim(e->journal, cover);
	if (e->stats.storage_err)
		inv_journal_retry(e->journal);
}

void inv_engine_sightings(struct inv_engine *e, const struct inv_batch *b, inv_acked_fn fn,
			  void *user)
{
	uint64_t acked = 0;
	int r;

	if (e->stats.storage_err) {
		inv_journal_retry(e->journal);
		fn(user, e->stats.storage_err, 0);
		return;
	}
	r = inv_state_apply(e->state, b, clock_real_us(e->clock), &acked);
	if (!r && !inv_grow((void **) &e->waiters.v, &e->waiters.cap, e->waiters.n,
			    sizeof(*e->waiters.v)))
		r = -ENOMEM;
	submit(e);
	if (!r && inv_journal_idle(e->journal)) {
		FAULT_POINT("ctl.journal.before_ack");
		fn(user, 0, acked);
		return;
	}
	if (r) {
		fn(user, r, 0);
		return;
	}
	/* What is still collected goes with the next blob; all else is in the one on its way. */
	e->waiters.v[e->waiters.n++] = (struct waiter){
		.seq = e->state->out.len ? e->next_seq : e->next_seq - 1,
		.acked = acked,
		.fn = fn,
		.user = user,
	};
}

/* --- time --------------------------------------------------------------------------------------
 */

static void on_tick(void *user)
{
	struct inv_engine *e = user;
	int64_t now_us = clock_mono_us(e->clock);

	inv_state_tick(e->state, clock_real_us(e->clock));
	submit(e);
	if (e->stats.storage_err && now_us >= e->next_retry_us) {
		e->next_retry_us = now_us + RETRY_US;
		inv_journal_retry(e->journal);
	}
	if (now_us >= e->next_checkpoint_us)
		e->want_checkpoint = true;
	maybe_checkpoint(e);
	loop_timer_start(e->tick, TICK_US);
}

void inv_engine_checkpoint(struct inv_engine *e)
{
	e->want_checkpoint = true;
	maybe_checkpoint(e);
}

void inv_engine_start(struct inv_engine *e)
{
	loop_timer_start(e->tick, TICK_US);
}

/* --- opening and closing -----------------------------------------------------------------------
 */

static int replay_records(void *user, const void *records, size_t len)
{
	return inv_state_replay(user, records, len);
}

static int recover(struct inv_engine *e, const struct inv_engine_config *cfg)
{
	uint64_t cover = 0, last = 0, bad = 0;
	int64_t began_us = clock_mono_us(e->clock);
	int r = inv_snapshot_load(e->snapshot, e->state, &cover);

	if (r)
		return log_errno("inventory", r,
				 "dir=%s msg=\"the snapshot is damaged; restore snapshot/ and "
				 "journal/ together from a backup\"",
				 cfg->snapshot_dir);
	e->state->changed = on_change;
	e->state->user = e;
	r = inv_journal_replay(e->journal, cover, replay_records, e->state, &last, &bad);
	if (r)
		return log_errno("inventory", r,
				 "dir=%s blob=%llu msg=\"the journal is damaged there; restore "
				 "snapshot/ and journal/ together from a backup\"",
				 cfg->journal_dir, (unsigned long long) bad);
	e->next_seq = MAX(cover, last) + 1;
	inv_state_restored(e->state);
	log_info("inventory", "items=%u replayed=%llu ms=%lld msg=\"inventory recovered\"",
		 e->state->items.n, (unsigned long long) (last > cover ? last - cover : 0),
		 (long long) ((clock_mono_us(e->clock) - began_us) / US_PER_MS));
	return 0;
}

static int open_parts(struct inv_engine *e, const struct inv_engine_config *cfg)
{
	int r = inv_journal_open(cfg->journal_dir, cfg->journal_max_bytes, &e->journal);

	if (r)
		return log_errno("inventory", r, "dir=%s msg=\"journal cannot be opened\"",
				 cfg->journal_dir);
	r = inv_snapshot_open(cfg->snapshot_dir, cfg->snapshot_max_bytes,
			      inv_journal_identity(e->journal), &e->snapshot);
	if (r)
		return log_errno("inventory", r,
				 "dir=%s msg=\"snapshot cannot be opened, or belongs to another "
				 "journal\"",
				 cfg->snapshot_dir);
	r = inv_state_new(cfg->belief ? cfg->belief : belief_defaults(), cfg->max_items, &e->state);
	if (!r)
		r = recover(e, cfg);
	if (!r)
		r = loop_timer_new(e->loop, on_tick, e, &e->tick);
	if (!r)
		r = inv_journal_start(e->journal, e->loop, on_committed, e);
	if (!r)
		r = inv_snapshot_start(e->snapshot, e->loop, on_checkpoint, e);
	return r;
}

static void release(struct inv_engine *e)
{
	inv_journal_close(e->journal);
	inv_snapshot_close(e->snapshot);
	loop_timer_free(e->tick);
	inv_state_free(e->state);
	free(e->waiters.v);
	free(e->tail.v);
	free(e);
}

int inv_engine_open(struct loop *loop, const struct inv_engine_config *cfg, struct inv_engine **ret)
{
	struct inv_engine *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->loop = loop;
	e->clock = loop_clock(loop);
	e->checkpoint_us = cfg->checkpoint_us ? cfg->checkpoint_us : DEFAULT_CHECKPOINT;
	e->next_checkpoint_us = clock_mono_us(e->clock) + e->checkpoint_us;
	r = open_parts(e, cfg);
	if (r) {
		release(e);
		return r;
	}
	e->state->place_of = cfg->place_of;
	e->state->place_user = cfg->user;
	inv_state_remap(e->state);
	e->changed = cfg->changed;
	e->user = cfg->user;
	*ret = e;
	return 0;
}

/* A last checkpoint makes the next start fast and keeps what no journal holds. The loop still runs
 * in small steps here, for the threads' answers. */
static void settle(struct inv_engine *e)
{
	uint64_t before = e->stats.checkpoints;
	int64_t deadline_us = clock_mono_us(e->clock) + 10 * US_PER_SEC;

	loop_timer_stop(e->tick);
	submit(e);
	while (!inv_journal_idle(e->journal) && !e->stats.storage_err &&
	       clock_mono_us(e->clock) < deadline_us)
		loop_run_once(e->loop, 10);
	e->want_checkpoint = true;
	while (e->stats.checkpoints == before && clock_mono_us(e->clock) < deadline_us) {
		maybe_checkpoint(e);
		loop_run_once(e->loop, 10);
		/* It was tried, and failed: a disk that refuses must not hold up the end. */
		if (!e->want_checkpoint && !inv_snapshot_busy(e->snapshot))
			break;
	}
}

void inv_engine_close(struct inv_engine *e)
{
	if (!e)
		return;
	settle(e);
	answer(e, UINT64_MAX, -ECANCELED);
	release(e);
}

/* --- looking -----------------------------------------------------------------------------------
 */

size_t inv_engine_events(struct inv_engine *e, uint32_t item, int64_t before_us,
			 struct inv_change *ret, size_t max)
{
	size_t n = 0;

	for (uint32_t i = e->tail.n; i-- && n < max;) {
		if (e->tail.v[i].item == item && e->tail.v[i].at_us < before_us)
			ret[n++] = e->tail.v[i];
	}
	if (n)
		before_us = ret[n - 1].at_us;
	return n + inv_snapshot_events(e->snapshot, item, before_us, ret + n, max - n);
}

void inv_engine_stats(const struct inv_engine *e, struct inv_engine_stats *ret)
{
	*ret = e->stats;
	ret->journal_bytes = inv_journal_bytes(e->journal);
	ret->snapshot_bytes = inv_snapshot_bytes(e->snapshot);
}

int inv_engine_copy_journal(struct inv_engine *e, int fd)
{
	return inv_journal_copy(e->journal, fd);
}

int inv_engine_copy_snapshot(struct inv_engine *e, int fd)
{
	return inv_snapshot_copy(e->snapshot, fd);
}
