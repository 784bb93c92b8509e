/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/promo/offer.h"
#include "common/err.h"
#include "controller/promo/offer_book.h"
#include <stdio.h>
#include <string.h>

/* When a promotion last ended for the product: what shows since then did not show before. */
static int last_end(struct sql *s, int64_t product_id, int64_t now_us, int64_t *ret_us)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT max(min(o.end_at, coalesce(m.to_at, o.end_at)))"
			       " FROM promotion_members m JOIN promotion_occurrences o"
			       " ON o.promotion_id = m.promotion_id WHERE m.product_id = ?1"
			       " AND min(o.end_at, coalesce(m.to_at, o.end_at)) <= ?2");
	int r;

	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, now_us);
	r = sql_step(q);
	*ret_us = r > 0 ? sql_col_i64(q, 0) : 0;
	sql_reset(q);
	return r < 0 ? r : 0;
}

/* The earliest edge since which the offer has been what it is at `now_us`. */
static int64_t since(const struct offer_book *b, int64_t now_us, const struct offer_step *now)
{
	int64_t from = now_us;

	for (size_t i = b->n_edges; i-- > 0;) {
		struct offer_step then;

		if (b->edges[i] > now_us)
			continue;
		if (!offer_book_at(b, b->edges[i], &then) || !offer_same(&then, now))
			break;
		from = b->edges[i];
	}
	return from;
}

int offer_timeline(struct sql *s, int64_t product_id, int64_t now_us, size_t max,
		   struct offer_step *ret)
{
	int64_t to_us = now_us + OFFER_AHEAD_US + 1, ended = 0;
	struct offer_step step;
	struct offer_book b;
	size_t n = 0;
	int r = last_end(s, product_id, now_us, &ended);

	if (r == 0)
		r = offer_book_load(s, product_id, now_us, to_us, &b);
	if (r < 0)
		return r;
	if (max > 0 && offer_book_at(&b, now_us, &step)) {
		step.from_us = MAX(since(&b, now_us, &step), ended);
		ret[n++] = step;
	}
	for (size_t i = 0; i < b.n_edges && n < max; i++) {
		if (b.edges[i] <= now_us || b.edges[i] >= to_us ||
		    !offer_book_at(&b, b.edges[i], &step))
			continue;
		if (n == 0 || !offer_same(&ret[n - 1], &step))
			ret[n++] = step;
	}
	offer_book_done(&b);
	return (int) n;
}

int offer_at(struct sql *s, int64_t product_id, int64_t at_us, struct offer_step *ret)
{
	struct offer_step steps[1];
	int r = offer_timeline(s, product_id, at_us, 1, steps);

	if (r < 0)
		return r;
	if (r == 0 || steps[0].from_us > at_us)
		return 0;
	*ret = steps[0];
	return 1;
}

int offer_if(struct sql *s, int64_t product_id, int64_t at_us, int64_t regular_minor,
	     const char *currency, struct offer_step *ret)
{
	struct price_step regular = {.from_us = at_us, .price_minor = regular_minor};
	struct offer_book b;
	int r = offer_book_load(s, product_id, at_us, at_us + 1, &b);

	if (r < 0)
		return r;
	snprintf(regular.currency, sizeof regular.currency, "%s", currency);
	offer_book_if(&b, at_us, &regular, ret);
	offer_book_done(&b);
	return 0;
}

/* The planned price, and the two edges of occurrences: each is one look at an index. */
#define NEXT(column, table, more)                                                                  \
	"SELECT " column " FROM " table " WHERE " more column " > ?1 ORDER BY " column " LIMIT 1"

static int next_of(struct sql_stmt *q, int64_t now_us, int64_t *next)
{
	int r;

	sql_bind_i64(q, 1, now_us);
	r = sql_step(q);
	if (r > 0)
		*next = MIN(*next, sql_col_i64(q, 0));
	sql_reset(q);
	return r < 0 ? r : 0;
}

int offer_next_change(struct sql *s, int64_t now_us, int64_t *ret_us)
{
	int64_t next = INT64_MAX;
	int r = next_of(sql_prepare(s, NEXT("from_at", "prices", "from_at > at AND ")), now_us,
			&next);

	if (r == 0)
		r = next_of(sql_prepare(s, NEXT("start_at", "promotion_occurrences", "")), now_us,
			    &next);
	if (r == 0)
		r = next_of(sql_prepare(s, NEXT("end_at", "promotion_occurrences", "")), now_us,
			    &next);
	if (r == 0)
		*ret_us = next;
	return r;
}

int offer_mark_changes(struct sql *s, int64_t after_us, int64_t to_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE labels SET stale = stale + 1 WHERE product_id IN (SELECT product_id"
		   " FROM prices WHERE from_at > at AND from_at > ?1 AND from_at <= ?2"
		   " UNION SELECT m.product_id FROM promotion_occurrences o"
		   " JOIN promotion_members m ON m.promotion_id = o.promotion_id"
		   " WHERE (o.start_at > ?1 AND o.start_at <= ?2)"
		   " OR (o.end_at > ?1 AND o.end_at <= ?2))");

	sql_bind_i64(q, 1, after_us);
	sql_bind_i64(q, 2, to_us);
	return sql_run(q);
}
