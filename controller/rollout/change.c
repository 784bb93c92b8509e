/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/change.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/db.h"
#include "controller/rollout/held.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHO "rollout"

/* A product on its way to the price ledger. */
struct item {
	int64_t product_id;
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
	int64_t flip_price; /* ledger row of its flip, 0 = none */
	int64_t flip_us;
};

struct items {
	struct item *list;
	size_t n, cap;
};

static int add_item(struct items *a, struct sql_stmt *q)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? a->cap * 2 : 64;
		struct item *more = reallocarray(a->list, cap, sizeof *more);

		if (!more)
			return -ENOMEM;
		a->list = more;
		a->cap = cap;
	}
	a->list[a->n] = (struct item){.product_id = sql_col_i64(q, 0),
				      .price_minor = sql_col_i64(q, 1),
				      .flip_price = sql_col_i64(q, 3),
				      .flip_us = sql_col_i64(q, 4)};
	snprintf(a->list[a->n++].currency, PRICE_CURRENCY_MAX, "%s", sql_col_text(q, 2));
	return 0;
}

static int collect(struct sql_stmt *q, struct items *ret)
{
	int r;

	while ((r = sql_step(q)) > 0) {
		r = add_item(ret, q);
		if (r < 0) {
			sql_reset(q);
			return r;
		}
	}
	return r;
}

static int audit(struct sql *s, const struct rollout_row *r, const char *action, const char *detail)
{
	char object[40];

	snprintf(object, sizeof object, "rollout:%lld", (long long) r->id);
	return db_audit(s, WHO, action, object, detail);
}

/* Labels of one wave's products that hold a picture. */
static int mark_wave(struct sql *s, const struct rollout_row *r, int64_t wave)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE labels SET stale = stale + 1 WHERE product_id IN (SELECT product_id"
		   " FROM rollout_products WHERE rollout_id = ? AND wave = ? AND hold <> 0)");

	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, wave);
	return sql_run(q);
}

/* Labels of all products that hold a picture. */
static int mark_held(struct sql *s, int64_t rollout)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE labels SET stale = stale + 1 WHERE product_id IN (SELECT product_id"
		   " FROM rollout_products WHERE rollout_id = ? AND hold <> 0)");

	sql_bind_i64(q, 1, rollout);
	return sql_run(q);
}

static int set_wave(struct sql *s, struct rollout_row *r, int64_t n, const char *state)
{
	snprintf(r->waves[n - 1].state, sizeof r->waves[n - 1].state, "%s", state);
	return rollout_wave_store(s, r, n);
}

int rollout_begin_wave(struct sql *s, struct rollout_row *r, int64_t wave, int64_t now_us)
{
	struct sql_stmt *q;
	int e = 0;

	if (wave < 1 || wave > r->n_waves)
		return -ERR_RANGE;
	if (wave > 1)
		e = set_wave(s, r, wave - 1, "settled");
	if (e == 0)
		e = set_wave(s, r, wave, "staging");
	if (e < 0)
		return e;
	q = sql_prepare(s, "UPDATE rollout_products SET state = 'staging', hold = 1"
			   " WHERE rollout_id = ? AND wave = ? AND state = 'waiting'");
	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, wave);
	e = sql_run(q);
	if (e < 0)
		return e;
	e = mark_wave(s, r, wave);
	r->wave = wave;
	r->forgiven = 0;
	rollout_row_enter(r, ROLLOUT_STAGING, now_us, NULL);
	return e;
}

/* --- the ledger --------------------------------------------------------------------------------
 */

/* Not in the middle of a character. */
static void text_cut(struct buf *b, size_t max)
{
	if (!buf_ok(b) || b->len <= max)
		return;
	b->len = max;
	while (b->len > 0 && (b->data[b->len] & 0xc0) == 0x80)
		b->len--;
}

/* "Rollout NAME: why", as far as there is room. */
static void ledger_reason(const struct rollout_row *r, const char *prefix,
			  char reason[PRICE_REASON_MAX + 1])
{
	struct buf b = BUF_INIT;

	buf_put_str(&b, prefix);
	buf_put_str(&b, r->name);
	buf_put_str(&b, r->why[0] ? ": " : "");
	buf_put_str(&b, r->why);
	text_cut(&b, PRICE_REASON_MAX);
	buf_put_u8(&b, 0);
	snprintf(reason, PRICE_REASON_MAX + 1, "%s", buf_ok(&b) ? (const char *) b.data : "");
	buf_done(&b);
}

static int append(struct sql *s, const struct rollout_row *r, const struct item *i, int64_t from_us,
		  int64_t now_us, const char *prefix, int64_t *ret_id)
{
	struct price p = {.product_id = i->product_id,
			  .price_minor = i->price_minor,
			  .from_us = from_us,
			  .at_us = now_us};
	int e;

	memcpy(p.currency, i->currency, sizeof p.currency);
	snprintf(p.who, sizeof p.who, "%s", r->who);
	ledger_reason(r, prefix, p.reason);
	e = price_append(s, &p);
	*ret_id = p.id;
	return e;
}

static int flip_one(struct sql *s, const struct rollout_row *r, const struct item *i, int64_t at_us,
		    int64_t now_us)
{
	struct sql_stmt *q;
	int64_t id;
	int e = append(s, r, i, at_us, now_us, "Rollout ", &id);

	if (e < 0)
		return e;
	q = sql_prepare(s, "UPDATE rollout_products SET state = 'flipped', hold = 2,"
			   " flip_price = ?3, seen_price = ?3, flip_at = ?4"
			   " WHERE rollout_id = ?1 AND product_id = ?2");
	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, i->product_id);
	sql_bind_i64(q, 3, id);
	sql_bind_i64(q, 4, at_us);
	return sql_run(q);
}

int rollout_flip(struct sql *s, struct rollout_row *r, int64_t at_us, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT product_id, price_minor, currency, flip_price, flip_at FROM"
		   " rollout_products WHERE rollout_id = ? AND wave = ? AND state = 'staging'");
	struct items items = {.n = 0};
	char detail[120], at[CLOCK_RFC3339_MAX];
	int e;

	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, r->wave);
	e = collect(q, &items);
	for (size_t i = 0; i < items.n && e == 0; i++) {
		e = flip_one(s, r, &items.list[i], at_us, now_us);
		FAULT_POINT("ctl.rollout.half_flip");
	}
	free(items.list);
	if (e == 0)
		e = mark_wave(s, r, r->wave);
	if (e < 0)
		return e;
	r->waves[r->wave - 1].flip_us = at_us;
	e = set_wave(s, r, r->wave, "flipped");
	rollout_row_enter(r, ROLLOUT_FLIPPING, now_us, NULL);
	snprintf(detail, sizeof detail, "wave %lld of %lld: %zu products from %s",
		 (long long) r->wave, (long long) r->n_waves, items.n, clock_rfc3339(at_us, at));
	return e < 0 ? e : audit(s, r, "rollout.flip", detail);
}

/* --- the end -----------------------------------------------------------------------------------
 */

static int release(struct sql *s, int64_t rollout)
{
	struct sql_stmt *q;
	int e = mark_held(s, rollout);

	if (e < 0)
		return e;
	q = sql_prepare(s, "UPDATE rollout_products SET hold = 0, open = 0 WHERE rollout_id = ?");
	sql_bind_i64(q, 1, rollout);
	return sql_run(q);
}

static int explain_labels(struct sql *s, int64_t rollout, const char *reason)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE rollout_labels SET state = 'waiting', reason = ?2 WHERE rollout_id = ?1"
		   " AND product_id IN (SELECT product_id FROM rollout_products"
		   " WHERE rollout_id = ?1 AND state IN ('waiting', 'staging'))");

	sql_bind_i64(q, 1, rollout);
	sql_bind_text(q, 2, reason);
	return sql_run(q);
}

int rollout_close(struct sql *s, struct rollout_row *r, enum rollout_state state, int64_t now_us,
		  const char *reason)
{
	int e = 0;

	for (int64_t n = 1; n <= r->n_waves && e == 0; n++) {
		const char *was = r->waves[n - 1].state;

		if (strcmp(was, "staging") == 0)
			e = set_wave(s, r, n, "waiting");
		else if (strcmp(was, "flipped") == 0 && state == ROLLOUT_DONE)
			e = set_wave(s, r, n, "settled");
	}
	if (e == 0 && state == ROLLOUT_CANCELLED)
		e = explain_labels(s, r->id, "The rollout was cancelled before this wave flipped.");
	if (e == 0)
		e = release(s, r->id);
	rollout_row_enter(r, state, now_us, reason);
	return e;
}

/* --- going back --------------------------------------------------------------------------------
 */

static int go_back_one(struct sql *s, const struct rollout_row *r, struct item *i, int64_t now_us)
{
	struct rollout_held held;
	int64_t id;
	int e = rollout_price_without(s, i->product_id, i->flip_price, r->back_us, &held);

	if (e == -ENOENT) /* it had a price when the rollout was made, and the ledger only grows */
		return -ERR_CORRUPT;
	if (e < 0)
		return e;
	i->price_minor = held.price_minor;
	memcpy(i->currency, held.currency, sizeof i->currency);
	return append(s, r, i, r->back_us, now_us, "Rolled back: ", &id);
}

static int let_go_unflipped(struct sql *s, const struct rollout_row *r)
{
	struct sql_stmt *q;
	int e = explain_labels(s, r->id, "The rollout was rolled back before this wave flipped.");

	if (e == 0)
		e = mark_held(s, r->id);
	if (e < 0)
		return e;
	q = sql_prepare(s, "UPDATE rollout_products SET hold = 0, open = (state = 'flipped'),"
			   " state = iif(state = 'overtaken', state, 'rolled-back')"
			   " WHERE rollout_id = ?");
	sql_bind_i64(q, 1, r->id);
	return sql_run(q);
}

int rollout_go_back(struct sql *s, struct rollout_row *r, int64_t now_us, const char *reason)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT product_id, price_minor, currency, flip_price, flip_at FROM"
			       " rollout_products WHERE rollout_id = ? AND state = 'flipped'");
	struct rollout_wave all = rollout_row_totals(r);
	struct items items = {.n = 0};
	int64_t flip_us = r->wave ? r->waves[r->wave - 1].flip_us : 0;
	int e;

	/* a label that has its command may flip at that instant: it goes back after it */
	r->back_us = MAX(now_us, flip_us) + rollout_lead_us(&r->rules, all.labels);
	sql_bind_i64(q, 1, r->id);
	e = collect(q, &items);
	for (size_t i = 0; i < items.n && e == 0; i++) {
		e = go_back_one(s, r, &items.list[i], now_us);
		FAULT_POINT("ctl.rollout.half_back");
	}
	free(items.list);
	if (e == 0)
		e = let_go_unflipped(s, r);
	for (int64_t n = 1; n <= r->n_waves && e == 0; n++)
		e = set_wave(s, r, n, r->waves[n - 1].flip_us ? "rolled-back" : "waiting");
	rollout_row_enter(r, ROLLOUT_ROLLING_BACK, now_us, reason);
	return e;
}

/* --- somebody else's price ---------------------------------------------------------------------
 */

/* Its flip has an instant that is still to come: the newer price must outlive it. */
static int outlive_flip(struct sql *s, const struct rollout_row *r, struct item *i, int64_t now_us)
{
	struct rollout_held held;
	int64_t id;
	int e = rollout_price_without(s, i->product_id, i->flip_price, i->flip_us, &held);

	if (e < 0)
		return e == -ENOENT ? 0 : e;
	i->price_minor = held.price_minor;
	memcpy(i->currency, held.currency, sizeof i->currency);
	return append(s, r, i, i->flip_us, now_us, "Keeps the price that was set during ", &id);
}

static int overtake_one(struct sql *s, const struct rollout_row *r, struct item *i, int64_t now_us)
{
	static const char reason[] = "Somebody changed this product's price during the rollout;"
				     " the rollout leaves it alone.";
	struct sql_stmt *q;
	int e = product_mark_labels(s, i->product_id);

	if (e == 0 && i->flip_us > now_us)
		e = outlive_flip(s, r, i, now_us);
	if (e < 0)
		return e;
	q = sql_prepare(s, "UPDATE rollout_products SET state = 'overtaken', hold = 0, open = 0,"
			   " reason = ?3 WHERE rollout_id = ?1 AND product_id = ?2");
	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, i->product_id);
	sql_bind_text(q, 3, reason);
	e = sql_run(q);
	if (e < 0)
		return e;
	q = sql_prepare(s, "UPDATE rollout_labels SET state = 'waiting', reason = ?3"
			   " WHERE rollout_id = ?1 AND product_id = ?2");
	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, i->product_id);
	sql_bind_text(q, 3, reason);
	return sql_run(q);
}

static int newest_price(struct sql *s, int64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT coalesce(max(id), 0) FROM prices");
	int e = sql_step(q);

	if (e <= 0)
		return e < 0 ? e : -ERR_DB;
	*ret = sql_col_i64(q, 0);
	sql_reset(q);
	return 0;
}

int rollout_overtake(struct sql *s, struct rollout_row *r, int64_t now_us, size_t *ret_n)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT DISTINCT p.product_id, p.price_minor, p.currency, p.flip_price,"
		   " p.flip_at FROM prices c JOIN rollout_products p ON p.rollout_id = ?1"
		   " AND p.product_id = c.product_id WHERE c.id > ?2 AND c.id > p.seen_price"
		   " AND p.state IN ('waiting', 'staging', 'flipped')");
	struct items items = {.n = 0};
	int64_t newest;
	int e = newest_price(s, &newest);

	*ret_n = 0;
	if (e < 0 || newest == r->prices_seen)
		return e;
	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, r->prices_seen);
	e = collect(q, &items);
	for (size_t i = 0; i < items.n && e == 0; i++)
		e = overtake_one(s, r, &items.list[i], now_us);
	free(items.list);
	r->prices_seen = newest;
	*ret_n = items.n;
	return e;
}
