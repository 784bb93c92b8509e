/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/promo/offer_book.h"
#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROWS_MAX 20000 /* of one product: beyond it somebody feeds us nonsense */

/* Room for one more; the array doubles. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n & (n - 1) || n > ROWS_MAX)
		return n > ROWS_MAX ? NULL : array;
	return reallocarray(array, n ? n * 2 : 1, size);
}

static int read_regular(struct sql_stmt *q, struct offer_book *b)
{
	struct price_step *more, *p;
	int r;

	while ((r = sql_step(q)) > 0) {
		int64_t from = sql_col_i64(q, 0);

		if (b->n_regular > 0 && b->regular[b->n_regular - 1].from_us == from)
			b->n_regular--; /* same instant: the newer row holds */
		more = grow(b->regular, b->n_regular, sizeof *more);
		if (!more) {
			sql_reset(q);
			return -ENOMEM;
		}
		b->regular = more;
		p = &b->regular[b->n_regular++];
		p->from_us = from;
		p->price_minor = sql_col_i64(q, 1);
		snprintf(p->currency, sizeof p->currency, "%s", sql_col_text(q, 2));
	}
	return r;
}

static int load_regular(struct sql *s, int64_t product_id, int64_t from_us, int64_t to_us,
			struct offer_book *b)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT from_at, price_minor, currency FROM prices"
					    " WHERE product_id = ? AND from_at < ? AND from_at >="
					    " coalesce((SELECT max(from_at) FROM prices WHERE"
					    " product_id = ? AND from_at <= ?), 0)"
					    " ORDER BY from_at, id");

	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, to_us);
	sql_bind_i64(q, 3, product_id);
	sql_bind_i64(q, 4, from_us);
	return read_regular(q, b);
}

static int load_spans(struct sql *s, int64_t product_id, int64_t from_us, int64_t to_us,
		      struct offer_book *b)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT o.promotion_id, max(o.start_at, m.from_at),"
		   " min(o.end_at, coalesce(m.to_at, o.end_at)), o.end_at,"
		   " coalesce(o.percent_milli, 0), coalesce(o.price_minor, 0), o.currency"
		   " FROM promotion_members m JOIN promotion_occurrences o"
		   " ON o.promotion_id = m.promotion_id AND o.end_at > ?2 AND o.start_at < ?3"
		   " WHERE m.product_id = ?1 AND m.from_at < ?3"
		   " AND (m.to_at IS NULL OR m.to_at > ?2) ORDER BY o.promotion_id, o.start_at");
	struct offer_span *more, *p;
	int r;

	b->n_spans = 0;
	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, from_us);
	sql_bind_i64(q, 3, to_us);
	while ((r = sql_step(q)) > 0) {
		if (sql_col_i64(q, 1) >= sql_col_i64(q, 2))
			continue;
		more = grow(b->spans, b->n_spans, sizeof *more);
		if (!more) {
			sql_reset(q);
			return -ENOMEM;
		}
		b->spans = more;
		p = &b->spans[b->n_spans++];
		*p = (struct offer_span){.promotion_id = sql_col_i64(q, 0),
					 .start_us = sql_col_i64(q, 1),
					 .end_us = sql_col_i64(q, 2),
					 .until_us = sql_col_i64(q, 3),
					 .percent_milli = sql_col_i64(q, 4),
					 .price_minor = sql_col_i64(q, 5)};
		snprintf(p->currency, sizeof p->currency, "%s", sql_col_text(q, 6));
	}
	return r;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

	return x < y ? -1 : x > y;
}

static int collect_edges(struct offer_book *b)
{
	size_t n = 0, kept = 0;

	b->edges = calloc(b->n_regular + 2 * b->n_spans + 1, sizeof *b->edges);
	if (!b->edges)
		return -ENOMEM;
	for (size_t i = 0; i < b->n_regular; i++)
		b->edges[n++] = b->regular[i].from_us;
	for (size_t i = 0; i < b->n_spans; i++) {
		b->edges[n++] = b->spans[i].start_us;
		b->edges[n++] = b->spans[i].end_us;
	}
	qsort(b->edges, n, sizeof *b->edges, by_time);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || b->edges[kept - 1] != b->edges[i])
			b->edges[kept++] = b->edges[i];
	b->n_edges = kept;
	return 0;
}

int offer_book_load(struct sql *s, int64_t product_id, int64_t from_us, int64_t to_us,
		    struct offer_book *ret)
{
	struct offer_book b = {.n_spans = 0};
	int64_t back = from_us;
	int r = load_spans(s, product_id, from_us, to_us, &b);

	for (size_t i = 0; i < b.n_spans; i++)
		back = MIN(back, b.spans[i].start_us - OFFER_PRIOR_US);
	if (r == 0 && back < from_us)
		r = load_spans(s, product_id, back, to_us, &b);
	if (r == 0)
		r = load_regular(s, product_id, back, to_us, &b);
	if (r == 0)
		r = collect_edges(&b);
	if (r < 0)
		offer_book_done(&b);
	else
		*ret = b;
	return r;
}

void offer_book_done(struct offer_book *b)
{
	free(b->regular);
	free(b->spans);
	free(b->edges);
	*b = (struct offer_book){.n_spans = 0};
}

const struct price_step *offer_book_regular(const struct offer_book *b, int64_t at_us)
{
	const struct price_step *held = NULL;

	for (size_t i = 0; i < b->n_regular && b->regular[i].from_us <= at_us; i++)
		held = &b->regular[i];
	return held;
}

int64_t offer_promo_price(const struct offer_span *span, int64_t regular_minor)
{
	__int128 v;

	if (!span->percent_milli)
		return span->price_minor;
	v = (__int128) regular_minor * (100000 - span->percent_milli);
	return (int64_t) ((v + 50000) / 100000);
}

/* The best promotion in force; of equal ones the older, which comes first. */
static const struct offer_span *best_at(const struct offer_book *b, int64_t at_us,
					const struct price_step *regular, int64_t *ret_minor)
{
	const struct offer_span *best = NULL;

	*ret_minor = regular->price_minor;
	for (size_t i = 0; i < b->n_spans; i++) {
		const struct offer_span *p = &b->spans[i];
		int64_t minor;

		if (p->start_us > at_us || p->end_us <= at_us ||
		    strcmp(p->currency, regular->currency) != 0)
			continue;
		minor = offer_promo_price(p, regular->price_minor);
		if (minor < *ret_minor) {
			*ret_minor = minor;
			best = p;
		}
	}
	return best;
}

static bool price_at(const struct offer_book *b, int64_t at_us, int64_t *ret_minor)
{
	const struct price_step *regular = offer_book_regular(b, at_us);

	if (!regular)
		return false;
	best_at(b, at_us, regular, ret_minor);
	return true;
}

bool offer_book_lowest(const struct offer_book *b, int64_t from_us, int64_t to_us,
		       int64_t *ret_minor)
{
	int64_t minor, lowest = 0;
	bool found = price_at(b, from_us, &lowest);

	for (size_t i = 0; i < b->n_edges; i++)
		if (b->edges[i] > from_us && b->edges[i] < to_us &&
		    price_at(b, b->edges[i], &minor) && (!found || minor < lowest)) {
			lowest = minor;
			found = true;
		}
	*ret_minor = lowest;
	return found;
}

static const struct offer_span *find(const struct offer_book *b, int64_t at_us,
				     const struct price_step *regular, struct offer_step *ret)
{
	const struct offer_span *span;
	struct offer_step step = {.from_us = at_us};

	memcpy(step.currency, regular->currency, sizeof step.currency);
	span = best_at(b, at_us, regular, &step.price_minor);
	if (span) {
		step.was_minor = regular->price_minor;
		step.promotion_id = span->promotion_id;
		step.until_us = span->until_us;
	}
	*ret = step;
	return span;
}

bool offer_book_shows(const struct offer_book *b, int64_t at_us, struct offer_step *ret)
{
	const struct price_step *regular = offer_book_regular(b, at_us);

	if (regular)
		find(b, at_us, regular, ret);
	return regular;
}

void offer_book_if(const struct offer_book *b, int64_t at_us, const struct price_step *regular,
		   struct offer_step *ret)
{
	const struct offer_span *span = find(b, at_us, regular, ret);

	/* anchored at the start, whatever day it is today */
	if (span && !offer_book_lowest(b, span->start_us - OFFER_PRIOR_US, span->start_us,
				       &ret->prior_minor))
		ret->prior_minor = 0;
}

bool offer_book_at(const struct offer_book *b, int64_t at_us, struct offer_step *ret)
{
	const struct price_step *regular = offer_book_regular(b, at_us);

	if (regular)
		offer_book_if(b, at_us, regular, ret);
	return regular;
}

bool offer_same(const struct offer_step *a, const struct offer_step *b)
{
	return a->price_minor == b->price_minor && strcmp(a->currency, b->currency) == 0 &&
	       a->was_minor == b->was_minor && a->prior_minor == b->prior_minor &&
	       a->promotion_id == b->promotion_id && a->until_us == b->until_us;
}
